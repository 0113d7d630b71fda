//! Readings compared with the books, and the cases that follow from them.

use model::ids::MeterId;
use model::time::Timestamp;

use super::Recorder;
use super::batch::Batch;
use crate::poller::PollerCommand;
use domain::meter_state::StateBlock;
use model::reading::ReadingSource;

impl Recorder {
    pub(super) fn compare_with_books(&mut self, meter: MeterId, from: Timestamp, state: &StateBlock, batch: &mut Batch) {
        let comparison = self.ledger_check.compare(meter, state);
        if comparison.confirm {
            batch.ledger_mismatch(meter, from, state);
        }
        comparison.mended.iter().for_each(|kind| batch.mended(meter, *kind));
        batch.modes.extend(comparison.mode.map(|mode| (meter, mode)));
        if let (true, Some(found)) = (comparison.read_again, self.directory.get(meter)) {
            // A poller that is gone is stopping.
            let _ = found.poll.send(PollerCommand::ReadNow(meter, ReadingSource::Sweep));
        }
    }

    /// Looks up differences that showed twice, after the readings are stored.
    pub(super) async fn confirm_differences(&mut self, differences: Vec<(MeterId, Timestamp, StateBlock)>) {
        for (meter, from, state) in differences {
            let name = self.directory.label(meter);
            match self.ledger_check.confirm(&self.db, &self.rng, self.clock.now(), meter, from, &state).await {
                Ok(opened) => {
                    for kind in opened {
                        tracing::warn!(meter = %name, case = kind.as_str(), "meter.differs");
                    }
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, meter = %name, "meter_ledger_check.failed");
                }
            }
        }
    }

    /// Loads again what meters should show, and which cases are open.
    pub(super) async fn refresh_cases(&mut self) {
        if let Err(error) = self.relay_cases.refresh(&self.db).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "relay_cases.stale");
        }
        if let Err(error) = self.ledger_check.refresh(&self.db).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "meter_ledger_check.stale");
        }
    }
}
