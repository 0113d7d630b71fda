//! Keeps server wallets on in friendly hours, and the overdraft limits of meters as calendar and clock say.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use estate::friendly_limits::{keep_meters, keep_wallets};
use services::Context;

pub struct KeepFriendlyHours(pub Context);

#[async_trait]
impl Task for KeepFriendlyHours {
    fn kind(&self) -> TaskKind {
        TaskKind::KeepFriendlyHours
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, gateway, .. } = &self.0;
        let now = self.0.now();
        let wallets = keep_wallets(db, rng, now).await?;
        let meters = keep_meters(db, rng, now, None).await?;
        if meters > 0 {
            gateway.wake();
        }
        Ok(Done::new(wallets + meters, format!("{wallets} wallets, {meters} meters")))
    }
}
