//! Takes closings, moves and replacements on: what was read is settled, and money that has a way goes it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use domain::clock::SharedClock;
use domain::returns::Rules;
use domain::rng::Rng;
use store::{Db, closings};

pub struct AdvanceClosings {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// When a return needs a second person.
    pub rules: Rules,
    /// Told that commands were stored.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl Task for AdvanceClosings {
    fn name(&self) -> &'static str {
        "accounts.closings"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(2)
    }

    async fn run(&self) -> Result<String, Failure> {
        let moved = closings::advance_all(&self.db, &self.rng, self.clock.now(), &self.rules).await?;
        if moved > 0 {
            (self.wake)();
        }
        Ok(format!("{moved} went on"))
    }
}
