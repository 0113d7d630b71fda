//! Finds meters whose clock is off, and issues the commands that set it.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use domain::meter_clock::{ClockAction, clock_action};
use metering::clocks;
use services::Context;

pub struct SetClocks(pub Context);

#[async_trait]
impl Task for SetClocks {
    fn kind(&self) -> TaskKind {
        TaskKind::SetClocks
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, gateway, .. } = &self.0;
        let now = self.0.now();
        let mut wrong = clocks::wrong_clocks(db, now).await?;
        wrong.retain(|meter| meter.secured || gateway.takes_time(meter.meter));
        let (mut set, mut faulty) = (0, 0);
        for meter in &wrong {
            match clock_action(now, &meter.seen, &meter.edges) {
                ClockAction::Set => {
                    clocks::set(db, rng, now, meter).await?;
                    set += 1;
                }
                ClockAction::Faulty => {
                    clocks::faulty(db, rng, now, meter).await?;
                    faulty += 1;
                }
                ClockAction::Fine | ClockAction::Later => {}
            }
        }
        if set > 0 {
            gateway.wake();
        }
        Ok(Done::new(set + faulty, format!("{} off, {set} set, {faulty} at fault", wrong.len())))
    }
}
