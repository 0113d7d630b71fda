//! Brings what meters' own wallets used into the ledger, once a day and meter, from the first trusted observation of the day.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use domain::clock::SharedClock;
use domain::rng::Rng;
use store::{Db, consumption};

pub struct MeterUses {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
}

#[async_trait]
impl Task for MeterUses {
    fn name(&self) -> &'static str {
        "ledger.uses"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let due = consumption::due(&self.db, self.clock.now().date().start()).await?;
        let mut brought = 0;
        for &(account, meter) in &due {
            brought += usize::from(consumption::post_newest(&self.db, &self.rng, account, meter).await?);
        }
        Ok(format!("{brought} of {} brought in", due.len()))
    }
}
