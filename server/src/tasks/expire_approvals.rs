//! Ends returns, corrections and refunds that nobody approved in time. They cannot be approved any more anyway; this only says so.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use domain::clock::SharedClock;
use domain::rng::Rng;
use store::{Db, refunds, returns};

pub struct ExpireApprovals {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
}

#[async_trait]
impl Task for ExpireApprovals {
    fn name(&self) -> &'static str {
        "till.approvals"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let now = self.clock.now();
        let ended = returns::expire(&self.db, now).await? + refunds::expire(&self.db, &self.rng, now).await?;
        Ok(format!("{ended} expired"))
    }
}
