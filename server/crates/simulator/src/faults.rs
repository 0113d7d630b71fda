//! What can go wrong, as the field has it.
//!
//! Three kinds: faults of the line, which lose, delay or mangle messages until they are cleared, always or sometimes;
//! standing defects of a meter; and mishaps, which happen once and leave their traces.

use model::time::{Civil, SECOND};
use serde::{Deserialize, Serialize};

use super::journal::Kind;
use super::meter::Meter;
use super::status;
use domain::rng::Rng;

/// A fault of the line to one meter, or of its gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum LineFault {
    /// Nothing is heard and nothing answered.
    Silent,
    /// The answer takes longer; the bus waits with it.
    Slow {
        /// By how much.
        ms: u64,
    },
    /// The answer comes after the client has given up, under its own transaction number, and goes to whoever is connected then;
    /// the bus serves others meanwhile.
    LateAnswer {
        /// After how long.
        ms: u64,
    },
    /// The answer is kept and goes out in place of the gateway's next one, under that one's transaction number: what
    /// gateways do that match answers to requests by order alone.
    ShiftedAnswer,
    /// Executed, but not answered.
    LostAnswer,
    /// Neither executed nor answered.
    LostRequest,
    /// Executed; random bytes in place of the answer.
    Garbage,
    /// Executed; the answer names another unit.
    WrongUnit,
    /// Executed; what the framing checks an answer by is wrong: the transaction number, the CRC, the checksum.
    BadCheck,
    /// Executed; the answer lacks its last bytes, though its header is consistent.
    ShortAnswer,
    /// Not executed: exception 06; on DL/T 645 the error answer.
    Busy,
    /// Not executed: the gateway answers for the meter that it heard nothing, exception 0x0B. A transparent gateway cannot say
    /// that: it is silent.
    NoAnswer,
    /// Executed; the connection is closed after half of the answer.
    CutMidFrame,
}

/// Faults of a line, each with how often it strikes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults(Vec<(LineFault, f64)>);

impl Faults {
    /// Adds a fault, or changes how often it strikes: 0.0 never, 1.0 always.
    pub fn set(&mut self, fault: LineFault, probability: f64) {
        let kind = std::mem::discriminant(&fault);
        self.0.retain(|(other, _)| std::mem::discriminant(other) != kind);
        if probability > 0.0 {
            self.0.push((fault, probability));
        }
    }

    /// Heals the line.
    pub fn clear(&mut self) {
        self.0 = Vec::new();
    }

    /// What is set.
    #[must_use]
    pub fn all(&self) -> &[(LineFault, f64)] {
        &self.0
    }

    /// What strikes this time; the first that does.
    #[must_use]
    pub fn draw(&self, rng: &Rng) -> Option<LineFault> {
        self.0.iter().find(|(_, probability)| *probability >= 1.0 || chance(rng) < *probability).map(|(fault, _)| *fault)
    }
}

/// A number from 0 to 1, 1 excluded.
fn chance(rng: &Rng) -> f64 {
    const PRECISION: u64 = 1 << 53;
    rng.below(PRECISION) as f64 / PRECISION as f64
}

/// A standing defect of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// The relay's contacts are welded: it never opens.
    RelayWelded,
    /// The relay's coil is dead: it never closes.
    RelayStuck,
    /// The cover is open.
    CoverOpen,
    /// Wired the wrong way round: energy counts in reverse.
    ReverseEnergy,
}

impl Defect {
    /// Breaks or repairs a meter.
    pub fn put(self, meter: &mut Meter, on: bool) {
        let closed = meter.relay.closed();
        match self {
            Self::RelayWelded => meter.relay.welded = on,
            Self::RelayStuck => meter.relay.stuck = on,
            Self::ReverseEnergy => meter.tamper.reversed = on,
            Self::CoverOpen => {
                if on && !meter.tamper.cover_open {
                    meter.tamper.events = meter.tamper.events.saturating_add(1);
                    meter.record(Kind::Tamper, status::COVER_OPEN, 0);
                }
                meter.tamper.cover_open = on;
            }
        }
        meter.note_relay(closed, status::RELAY_FAULT);
    }
}

/// Something that happens once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mishap", rename_all = "snake_case")]
pub enum OneTimeFault {
    /// The energy counters fall to zero.
    CounterZeroed,
    /// The total jumps.
    CounterJump {
        /// By so much.
        kwh: u32,
    },
    /// The total stands one step before the end of its digits, to roll over with the next one.
    CounterNearEnd,
    /// The clock jumps; it stays off until it is set.
    ClockOff {
        /// Forward, or back where negative.
        seconds: i64,
    },
    /// The clock is lost: it starts again at 2000-01-01 and says so.
    ClockLost,
    /// A heater or the like is plugged in: the meter trips for a malignant load.
    MalignantLoad,
}

impl OneTimeFault {
    /// Happens to a meter.
    pub fn strike(self, meter: &mut Meter) {
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
            Self::MalignantLoad => {
                meter.malignant = true;
                meter.settle(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_as_often_as_they_are_told() {
        let rng = Rng::from_seed([1; 32]);
        let mut faults = Faults::default();
        assert_eq!(faults.draw(&rng), None);
        faults.set(LineFault::LostAnswer, 0.25);
        let struck = (0..4_000).filter(|_| faults.draw(&rng).is_some()).count();
        assert!((850..1_150).contains(&struck), "{struck}");
        faults.set(LineFault::Busy, 1.0);
        assert!((0..100).all(|_| faults.draw(&rng).is_some()));
        faults.set(LineFault::Busy, 0.0);
        assert_eq!(faults.all(), [(LineFault::LostAnswer, 0.25)]);
    }
}
