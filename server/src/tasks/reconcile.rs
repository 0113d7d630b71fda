//! Fetches the bills of all channels once they are ready, catches up what was missed, and compares again what is not settled.

use std::time::Duration;

use async_trait::async_trait;
use model::order::Tender;
use model::time::Date;

use super::{Failure, Task};
use payments::Payments;
use payments::reconcile::{FetchOutcome, ReconcileConfig};
use store::{Result, reconcile};

/// Bills of one channel in one activation: a month that was missed comes within a few.
const AT_ONCE: usize = 10;

pub struct Reconcile {
    pub payments: Payments,
    /// When, and how far back.
    pub config: ReconcileConfig,
}

/// What an activation did.
#[derive(Default)]
struct Done {
    fetched: usize,
    waiting: usize,
    failed: usize,
    compared: usize,
}

#[async_trait]
impl Task for Reconcile {
    fn name(&self) -> &'static str {
        "payments.reconcile"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> std::result::Result<String, Failure> {
        let mut done = Done::default();
        for channel in self.payments.tenders() {
            self.channel(channel, &mut done).await?;
        }
        let Done { fetched, waiting, failed, compared } = done;
        if failed > 0 && fetched + waiting == 0 {
            return Err(format!("none of {failed} bills came").into());
        }
        Ok(format!("fetched {fetched}, waiting {waiting}, failed {failed}, compared {compared}"))
    }
}

impl Reconcile {
    /// From the oldest day on, so that what lies across an edge finds its neighbour.
    async fn channel(&self, channel: Tender, done: &mut Done) -> Result<()> {
        let (db, clock, rng) = self.payments.parts();
        let newest = self.config.newest_due_day(channel, clock.now());
        let oldest = newest.plus(1 - i64::from(self.config.days_back));
        let Some((first, known)) = reconcile::due(db, channel, oldest).await? else { return Ok(()) };
        let mut asked = 0;
        for day in oldest.max(first).0..=newest.0 {
            match known.iter().find(|row| row.day == day) {
                Some(row) if row.has_bill && !row.listed => {}
                Some(row) if row.has_bill => {
                    reconcile::compare(db, rng, clock.now(), channel, Date(day), None).await?;
                    done.compared += 1;
                }
                _ if asked == AT_ONCE => {}
                _ => {
                    asked += 1;
                    match self.payments.reconcile(channel, Date(day), None).await? {
                        FetchOutcome::Compared(..) => done.fetched += 1,
                        FetchOutcome::NotYet | FetchOutcome::EmptyUnconfirmed => done.waiting += 1,
                        FetchOutcome::Failed => done.failed += 1,
                    }
                }
            }
        }
        Ok(())
    }
}
