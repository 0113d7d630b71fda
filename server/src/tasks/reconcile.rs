//! Fetches the statements of all channels once they are ready, also of missed days, and compares unsettled days again.

use std::time::Duration;

use async_trait::async_trait;
use model::order::Tender;
use model::task::TaskKind;
use model::time::Date;

use super::{Done, Failure, Task};
use payments::Payments;
use payments::reconcile::{FetchOutcome, ReconcileConfig};
use services::Context;
use store::{Result, StoreError};

/// Statements of one channel in one activation: a missed month takes a few activations.
const AT_ONCE: usize = 10;

pub struct Reconcile {
    pub context: Context,
    pub payments: Payments,
    pub config: ReconcileConfig,
}

#[derive(Default)]
struct Counts {
    fetched: usize,
    waiting: usize,
    failed: usize,
    compared: usize,
}

#[async_trait]
impl Task for Reconcile {
    fn kind(&self) -> TaskKind {
        TaskKind::Reconcile
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> std::result::Result<Done, Failure> {
        let mut counts = Counts::default();
        for channel in self.payments.channels() {
            self.channel(channel, &mut counts).await?;
        }
        let Counts { fetched, waiting, failed, compared } = counts;
        if failed > 0 && fetched + waiting == 0 {
            return Err(format!("none of {failed} statements could be fetched").into());
        }
        let summary = format!("fetched {fetched}, waiting {waiting}, failed {failed}, compared {compared}");
        Ok(Done::new(fetched + compared, summary))
    }
}

impl Reconcile {
    /// Begins with the oldest day: a payment at midnight may be in the statement of the next day.
    async fn channel(&self, channel: Tender, counts: &mut Counts) -> Result<()> {
        let Context { db, rng, .. } = &self.context;
        let newest = self.config.newest_due_day(channel, self.context.now());
        let oldest = newest.plus(1 - i64::from(self.config.days_back));
        let Some((first, known)) = reconciliation::due(db, channel, oldest).await? else { return Ok(()) };
        let mut requests = 0;
        for day in oldest.max(first).0..=newest.0 {
            match known.iter().find(|row| row.day == Date(day)) {
                Some(row) if row.has_statement && !row.unsettled => {}
                Some(row) if row.has_statement => {
                    reconciliation::compare(db, rng, self.context.now(), channel, Date(day), None).await?;
                    counts.compared += 1;
                }
                _ if requests == AT_ONCE => {}
                _ => {
                    let outcome = match self.payments.reconcile(channel, Date(day), None).await {
                        // Only former merchants are left, and none was used around that day: there is no statement to ask for.
                        Err(StoreError::Refused(_)) => continue,
                        outcome => outcome?,
                    };
                    requests += 1;
                    match outcome {
                        FetchOutcome::Compared(..) => counts.fetched += 1,
                        FetchOutcome::NotYet | FetchOutcome::EmptyUnconfirmed => counts.waiting += 1,
                        FetchOutcome::Failed => counts.failed += 1,
                    }
                }
            }
        }
        Ok(())
    }
}
