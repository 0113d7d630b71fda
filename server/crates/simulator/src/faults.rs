//! Faults as they occur in the field.
//!
//! There are three kinds: line faults, which lose, delay or corrupt messages until they are cleared, always or with a
//! probability; defects of a meter, which last until they are repaired; and one-time faults, which happen once and leave their
//! traces.

use model::time::{Civil, SECOND};
use serde::{Deserialize, Serialize};

use super::journal::RecordKind;
use super::meter::Meter;
use super::status;
use domain::rng::Rng;

/// A fault of the line to a meter, or of its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum LineFault {
    /// Requests are lost and nothing is answered.
    Silent,
    /// The answer is delayed; the bus is busy meanwhile.
    Slow { ms: u64 },
    /// The answer arrives after the client has given up, under its own transaction number, and goes to the newest connection; the
    /// bus serves other requests meanwhile.
    LateAnswer { ms: u64 },
    /// The answer is kept and sent in place of the gateway's next answer, under the transaction number of that one, as by
    /// gateways that match answers to requests only by order.
    ShiftedAnswer,
    /// Executed, but not answered.
    LostAnswer,
    /// Neither executed nor answered.
    LostRequest,
    /// Executed; random bytes are sent instead of the answer.
    Garbage,
    /// Executed; the answer names another unit.
    WrongUnit,
    /// Executed; the check value of the framing is wrong: transaction number, CRC or checksum.
    BadCheck,
    /// Executed; the answer lacks its last bytes, with a consistent header.
    ShortAnswer,
    /// Not executed: exception 06, or the error answer of DL/T 645.
    Busy,
    /// Not executed: the gateway reports with exception 0x0B that the meter did not answer. A transparent gateway cannot report
    /// that and is silent.
    NoAnswer,
    /// Executed; the connection closes after half of the answer.
    CutMidFrame,
    /// Executed; so many zero bytes are sent before and after the answer, as by adapters when the bus turns round.
    StrayBytes { before: u8, after: u8 },
}

/// Line faults, each with its probability.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults(Vec<(LineFault, f64)>);

impl Faults {
    /// Adds a fault, or changes its probability: 0.0 never, 1.0 always. 0.0 removes it.
    pub fn set(&mut self, fault: LineFault, probability: f64) {
        let kind = std::mem::discriminant(&fault);
        self.0.retain(|(other, _)| std::mem::discriminant(other) != kind);
        if probability > 0.0 {
            self.0.push((fault, probability));
        }
    }

    pub fn clear(&mut self) {
        self.0 = Vec::new();
    }

    #[must_use]
    pub fn all(&self) -> &[(LineFault, f64)] {
        &self.0
    }

    /// The fault of the next request: the first that occurs.
    #[must_use]
    pub fn draw(&self, rng: &Rng) -> Option<LineFault> {
        self.0.iter().find(|(_, probability)| *probability >= 1.0 || chance(rng) < *probability).map(|(fault, _)| *fault)
    }
}

/// A random number in [0, 1).
fn chance(rng: &Rng) -> f64 {
    const PRECISION: u64 = 1 << 53;
    rng.below(PRECISION) as f64 / PRECISION as f64
}

/// A lasting defect of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// The contacts are welded: the relay never opens.
    RelayWelded,
    /// The coil is dead: the relay never closes.
    RelayStuck,
    CoverOpen,
    /// Wired in reverse: energy counts backwards.
    ReverseEnergy,
    /// A DL/T 645 meter that answers two of four rates with the total, and the voltage with a digit that is none.
    OddItems,
}

impl Defect {
    /// Breaks or repairs a meter.
    pub fn put(self, meter: &mut Meter, on: bool) {
        let closed = meter.relay.closed();
        match self {
            Self::RelayWelded => meter.relay.welded = on,
            Self::RelayStuck => meter.relay.stuck = on,
            Self::ReverseEnergy => meter.tamper.reversed = on,
            Self::OddItems => meter.odd_items = on,
            Self::CoverOpen => {
                if on && !meter.tamper.cover_open {
                    meter.tamper.events = meter.tamper.events.saturating_add(1);
                    meter.record(RecordKind::Tamper, status::COVER_OPEN, 0);
                }
                meter.tamper.cover_open = on;
            }
        }
        meter.record_relay_change(closed, status::RELAY_FAULT);
    }
}

/// A fault that happens once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum OneTimeFault {
    /// The energy counters drop to zero.
    CounterZeroed,
    /// The total jumps ahead.
    CounterJump { kwh: u32 },
    /// The total is one step before the end of its digits, and wraps with the next one.
    CounterNearEnd,
    /// The clock jumps, and stays off until it is set.
    ClockOff {
        /// Forward; backward if negative.
        seconds: i64,
    },
    /// The clock is lost: it restarts at 2000-01-01 and reports that.
    ClockLost,
    /// The power fails and returns.
    PowerCut,
    /// The memory is worn: after each of the next secured frames a power cut takes what it wrote.
    WornMemory { writes: u8 },
    /// A heater or the like is plugged in: the meter trips for a malignant load.
    MalignantLoad,
}

impl OneTimeFault {
    pub fn apply(self, meter: &mut Meter) {
        match self {
            Self::CounterZeroed => meter.energy.zero(),
            Self::CounterJump { kwh } => meter.energy.jump(kwh),
            Self::CounterNearEnd => meter.energy.near_end(),
            Self::ClockOff { seconds } => meter.set_clock(meter.local().plus(seconds.saturating_mul(SECOND))),
            Self::ClockLost => {
                let start = Civil { year: 2000, month: 1, day: 1, hour: 0, minute: 0, second: 0 }.timestamp();
                meter.set_clock(start.unwrap_or_default());
                meter.clock.lost = true;
            }
            Self::PowerCut => meter.restart(),
            Self::WornMemory { writes } => meter.lost_writes = writes,
            Self::MalignantLoad => {
                meter.malignant = true;
                meter.apply_relay_rule(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_occur_with_their_probability() {
        let rng = Rng::from_seed([1; 32]);
        let mut faults = Faults::default();
        assert_eq!(faults.draw(&rng), None);
        faults.set(LineFault::LostAnswer, 0.25);
        let occurred = (0..4_000).filter(|_| faults.draw(&rng).is_some()).count();
        assert!((850..1_150).contains(&occurred), "{occurred}");
        faults.set(LineFault::Busy, 1.0);
        assert!((0..100).all(|_| faults.draw(&rng).is_some()));
        faults.set(LineFault::Busy, 0.0);
        assert_eq!(faults.all(), [(LineFault::LostAnswer, 0.25)]);
    }
}
