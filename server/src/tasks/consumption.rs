//! Posts the consumption of meter wallets to the ledger, once per day and meter, from the first trusted observation of the day.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::Context;
use store::consumption;

pub struct PostConsumption(pub Context);

#[async_trait]
impl Task for PostConsumption {
    fn kind(&self) -> TaskKind {
        TaskKind::PostConsumption
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, .. } = &self.0;
        let due = consumption::due(db, self.0.now().date().start()).await?;
        let mut posted = 0;
        for &(account, meter) in &due {
            posted += usize::from(consumption::post_newest(db, rng, account, meter).await?);
        }
        Ok(Done::new(posted, format!("{posted} of {} posted", due.len())))
    }
}
