//! Looks for meters whose clock is off, and tells them the time when the rule says so: those with a wallet of their own, and those
//! that take it from their bus.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::ids::MeterId;

use super::{Failure, Task};
use domain::clock::SharedClock;
use domain::meter_clock::{Verdict, judge};
use domain::rng::Rng;
use store::{Db, clocks};

pub struct SetClocks {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// Whether a meter without a wallet of its own takes the time.
    pub takes_time: Arc<dyn Fn(MeterId) -> bool + Send + Sync>,
    /// Told that commands were stored.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl Task for SetClocks {
    fn name(&self) -> &'static str {
        "meters.clock"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let now = self.clock.now();
        let mut wrong = clocks::wrong_clocks(&self.db, now).await?;
        wrong.retain(|meter| meter.secured || (self.takes_time)(meter.meter));
        let (mut set, mut faulty) = (0, 0);
        for meter in &wrong {
            match judge(now, &meter.seen, &meter.edges) {
                Verdict::Set => {
                    clocks::set(&self.db, &self.rng, now, meter).await?;
                    set += 1;
                }
                Verdict::Faulty => {
                    clocks::faulty(&self.db, &self.rng, now, meter).await?;
                    faulty += 1;
                }
                Verdict::Fine | Verdict::Later => {}
            }
        }
        if set > 0 {
            (self.wake)();
        }
        Ok(format!("{} off, {set} set, {faulty} at fault", wrong.len()))
    }
}
