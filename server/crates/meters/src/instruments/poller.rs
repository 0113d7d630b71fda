//! Reads the instruments of one gateway, one at a time, each at its own interval.
//!
//! Its requests wait behind those of meters and commands in the queue of the link, and there is never more than one of them, so
//! that a slow instrument keeps others waiting no longer than its one answer may take. One that is lost is tried as a lost meter
//! is: at doubling pauses, with half the time, but now and then with all of it, because it may only have become slower.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::clock::FollowedClock;
use domain::rng::Rng;
use metering::instruments as rows;
use model::ids::InstrumentId;
use model::instrument::InstrumentTrouble;
use store::Db;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Instrument, read};
use crate::link::Priority;
use crate::recorder::MeterEvent;
use crate::schedule::{LOST_AFTER, is_hasty};

/// An instrument that failed is tried again after this, or after its interval where that is shorter.
const RETRY: Duration = Duration::from_secs(60);
/// The longest pause before a lost instrument is tried again, unless its interval is longer.
const LONGEST: Duration = Duration::from_secs(900);
/// How soon the clock is looked at again while a step of it is not followed.
const CLOCK_CHECK: Duration = Duration::from_secs(1);

pub struct InstrumentPoller {
    pub db: Db,
    pub clock: Arc<FollowedClock>,
    pub rng: Rng,
    /// The recorder, which follows the clock.
    pub events: mpsc::Sender<MeterEvent>,
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
        match self.failures.checked_sub(LOST_AFTER) {
            None if self.failures == 0 => interval,
            // To ask a gateway that is lost costs nothing.
            _ if self.lost == Some(InstrumentTrouble::Gateway) => interval.min(RETRY),
            None | Some(0) => interval.min(RETRY),
            Some(more) => interval.saturating_mul(2_u32.saturating_pow(more)).min(interval.max(LONGEST)),
        }
    }

    const fn priority(&self) -> Priority {
        if is_hasty(self.failures) { Priority::Probe } else { Priority::Instrument }
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
        // What is read while the clock is wrong would hide what is read after it is set right.
        if self.clock.now().is_none() {
            return self.wait_for_clock(turn);
        }
        let answer = read(&instrument, turn.priority()).await;
        let Some(at) = self.clock.now() else { return self.wait_for_clock(turn) };
        let stored = match answer {
            Ok(readings) => {
                (turn.failures, turn.lost) = (0, None);
                rows::record(&self.db, &self.rng, at, instrument.id, instrument.wrap(), &readings).await
            }
            Err(None) => return,
            Err(Some(trouble)) => {
                turn.failures = turn.failures.saturating_add(1);
                // A gateway that is lost is no doubt about its instruments, and known at once.
                if turn.failures < LOST_AFTER && trouble != InstrumentTrouble::Gateway {
                    Ok(())
                } else {
                    if turn.lost.replace(trouble) != Some(trouble) {
                        tracing::info!(instrument = %instrument.id, trouble = trouble.as_str(), "instrument.lost");
                    }
                    rows::lost(&self.db, &self.rng, at, instrument.id, trouble).await
                }
            }
        };
        if let Err(error) = stored {
            // The counter goes on: the next reading has the energy of this one too.
            let error: &dyn std::error::Error = &error;
            tracing::error!(instrument = %instrument.id, error, "instrument.not-stored");
        }
        turn.next = Instant::now() + turn.pause();
    }

    /// Tries again soon. A recorder that reads no meters would not notice that the clock was set; one that is busy does.
    fn wait_for_clock(&self, turn: &mut Turn) {
        let _ = self.events.try_send(MeterEvent::ClockSet);
        turn.next = Instant::now() + CLOCK_CHECK;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::example;

    #[tokio::test]
    async fn a_lost_instrument_is_tried_more_and_more_seldom() {
        let stop = CancellationToken::new();
        let mut turn = Turn::new(Arc::new(example("energy-u32", 10, &stop)), Instant::now());
        let mut seconds = |failures, lost| {
            (turn.failures, turn.lost) = (failures, lost);
            turn.pause().as_secs()
        };
        let silent = Some(InstrumentTrouble::Silent);
        assert_eq!([seconds(0, None), seconds(1, None), seconds(2, silent)], [10; 3]);
        assert_eq!([seconds(3, silent), seconds(4, silent), seconds(9, silent), seconds(u32::MAX, silent)], [20, 40, 900, 900]);
        assert_eq!(seconds(9, Some(InstrumentTrouble::Gateway)), 10);
        stop.cancel();
    }

    // One that answers later than before was tried with half the time for ever.
    #[tokio::test]
    async fn a_slower_instrument_is_given_all_the_time_now_and_then() {
        let stop = CancellationToken::new();
        let mut turn = Turn::new(Arc::new(example("energy-u32", 10, &stop)), Instant::now());
        let patient = |failures: &u32| {
            turn.failures = *failures;
            turn.priority() == Priority::Instrument
        };
        assert_eq!((0..20).filter(patient).collect::<Vec<_>>(), [0, 1, 8, 16]);
        stop.cancel();
    }
}
