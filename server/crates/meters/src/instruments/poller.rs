//! Reads the instruments of one gateway, one at a time, each at its own interval.
//!
//! Its requests wait behind those of meters and commands in the queue of the link, and there is never more than one of them, so
//! that a slow instrument keeps others waiting no longer than its one answer may take. One that is lost is tried as a lost meter
//! is, with half the time, and no more often than it would be read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::SharedClock;
use model::ids::InstrumentId;
use model::instrument::InstrumentTrouble;
use store::{Db, instruments as rows};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Instrument, read};
use crate::link::Priority;

/// An instrument that failed is tried again after this, or after its interval where that is shorter.
const RETRY: Duration = Duration::from_secs(60);
/// A line can spoil one answer: an instrument is lost after so many failures in a row.
const LOST_AFTER: u32 = 2;

pub struct InstrumentPoller {
    pub db: Db,
    pub clock: SharedClock,
    /// The instruments behind the gateway, whenever they may have changed.
    pub control: mpsc::UnboundedReceiver<Vec<Arc<Instrument>>>,
    pub stop: CancellationToken,
}

struct Turn {
    instrument: Arc<Instrument>,
    next: Instant,
    /// Failures in a row.
    failures: u32,
    /// Why it is lost.
    lost: Option<InstrumentTrouble>,
}

impl Turn {
    const fn new(instrument: Arc<Instrument>, next: Instant) -> Self {
        Self { instrument, next, failures: 0, lost: None }
    }

    /// Until the next reading, after one that just ended.
    fn pause(&self) -> Duration {
        let interval = Duration::from_secs(self.instrument.interval_s.into());
        // To ask a gateway that is lost costs nothing.
        let is_soon = (1..=LOST_AFTER).contains(&self.failures) || self.lost == Some(InstrumentTrouble::Gateway);
        if is_soon { interval.min(RETRY) } else { interval }
    }
}

impl InstrumentPoller {
    /// Reads until `stop` is cancelled.
    pub async fn run(mut self) {
        let mut turns: HashMap<InstrumentId, Turn> = HashMap::new();
        loop {
            let next = turns.values().map(|turn| turn.next).min();
            tokio::select! {
                () = self.stop.cancelled() => return,
                control = self.control.recv() => match control {
                    Some(instruments) => follow(&mut turns, instruments),
                    None => return,
                },
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                    let due = turns.values_mut().min_by_key(|turn| turn.next);
                    if let Some(turn) = due {
                        self.take(turn).await;
                    }
                }
            }
        }
    }

    async fn take(&self, turn: &mut Turn) {
        let instrument = Arc::clone(&turn.instrument);
        let _turn = instrument.turn.lock().await;
        let priority = if turn.failures >= LOST_AFTER { Priority::Probe } else { Priority::Instrument };
        let stored = match read(&instrument, priority).await {
            Ok(readings) => {
                (turn.failures, turn.lost) = (0, None);
                rows::record(&self.db, self.clock.now(), instrument.id, instrument.wrap(), &readings).await
            }
            Err(None) => return,
            Err(Some(trouble)) => {
                turn.failures = turn.failures.saturating_add(1);
                self.fail(turn, trouble).await
            }
        };
        if let Err(error) = stored {
            // The counter goes on: the next reading has the energy of this one too.
            let error: &dyn std::error::Error = &error;
            tracing::error!(instrument = %instrument.id, error, "instrument.not-stored");
        }
        turn.next = Instant::now() + turn.pause();
    }

    async fn fail(&self, turn: &mut Turn, trouble: InstrumentTrouble) -> store::Result<()> {
        // A gateway that is lost is no doubt about its instruments, and known at once.
        if turn.failures < LOST_AFTER && trouble != InstrumentTrouble::Gateway {
            return Ok(());
        }
        if turn.lost.replace(trouble) != Some(trouble) {
            tracing::info!(instrument = %turn.instrument.id, trouble = trouble.as_str(), "instrument.lost");
        }
        rows::lost(&self.db, self.clock.now(), turn.instrument.id, trouble).await
    }
}

/// Takes over the instruments in service. One that is new, or read in another way, is due at once.
fn follow(turns: &mut HashMap<InstrumentId, Turn>, instruments: Vec<Arc<Instrument>>) {
    turns.retain(|id, _| instruments.iter().any(|instrument| instrument.id == *id));
    let now = Instant::now();
    for instrument in instruments {
        let kept = turns.remove(&instrument.id).filter(|turn| turn.instrument.is_read_like(&instrument));
        let turn = match kept {
            Some(turn) => {
                let next = turn.next.min(now + Duration::from_secs(instrument.interval_s.into()));
                Turn { instrument, next, ..turn }
            }
            None => Turn::new(instrument, now),
        };
        turns.insert(turn.instrument.id, turn);
    }
}
