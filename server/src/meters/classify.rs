//! What a counter's new value means against the last one that counted: pure.
//!
//! Nothing is dropped: a value that cannot be is kept, held back from the energy that people see, and opens a case.

use app::model::energy::Energy;
use app::model::time::{HOUR, Timestamp};

/// Counters wrap here: 1 000 000.00 kWh.
const WRAP_WH: i64 = 1_000_000_000;
/// The most that can pass in an hour: 60 A at 250 V.
const MAX_WH_PER_HOUR: i64 = 15_000;
/// Room for a meter that rounds and for clocks that differ, on top of half as much again.
const SLACK_WH: i64 = 200;

/// The quality of a reading, by its code in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// The counter went on.
    Good = 0,
    /// It passed its end and began again.
    Rollover = 1,
    /// It fell: reset, replaced or tampered with.
    Fell = 2,
    /// It grew by more than can have passed.
    Jumped = 3,
    /// It is not newer than the last one.
    Disordered = 4,
}

impl Quality {
    /// Its energy counts.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Good | Self::Rollover)
    }

    /// The word in a case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Rollover => "rollover",
            Self::Fell => "fell",
            Self::Jumped => "jumped",
            Self::Disordered => "disordered",
        }
    }
}

/// The last value that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// When it was read.
    pub at: Timestamp,
    /// The counter.
    pub total: Energy,
}

/// The quality of a new value, and the energy that passed since the baseline: zero where it does not count.
#[must_use]
pub fn classify(last: Option<Baseline>, at: Timestamp, total: Energy) -> (Quality, Energy) {
    let Some(last) = last else { return (Quality::Good, Energy::ZERO) };
    if at <= last.at {
        return (Quality::Disordered, Energy::ZERO);
    }
    let possible = possible_wh(at.since(last.at));
    let grown = total.0 - last.total.0;
    match grown {
        0.. if grown <= possible => (Quality::Good, Energy(grown)),
        0.. => (Quality::Jumped, Energy::ZERO),
        _ if grown + WRAP_WH <= possible => (Quality::Rollover, Energy(grown + WRAP_WH)),
        _ => (Quality::Fell, Energy::ZERO),
    }
}

/// The most energy that can have passed in `ms`, with margin.
fn possible_wh(ms: i64) -> i64 {
    ms.saturating_mul(MAX_WH_PER_HOUR * 3 / 2) / HOUR + SLACK_WH
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::time::{DAY, MINUTE};

    #[test]
    fn each_kind_is_told() {
        let last = Some(Baseline { at: Timestamp(DAY), total: Energy(500_000) });
        let near_end = Some(Baseline { at: Timestamp(DAY), total: Energy(999_999_500) });
        let cases = [
            (None, DAY, 77, Quality::Good, 0),
            (last, DAY + 30 * MINUTE, 500_000, Quality::Good, 0),
            (last, DAY + 30 * MINUTE, 507_500, Quality::Good, 7_500),
            (last, DAY + 30 * MINUTE, 512_000, Quality::Jumped, 0),
            (last, DAY + HOUR, 512_000, Quality::Good, 12_000),
            (last, DAY + MINUTE, 999_000_000, Quality::Jumped, 0),
            (last, DAY + MINUTE, 499_990, Quality::Fell, 0),
            (last, DAY + MINUTE, 0, Quality::Fell, 0),
            (last, DAY, 500_010, Quality::Disordered, 0),
            (last, DAY - 1, 499_000, Quality::Disordered, 0),
            (near_end, DAY + 30 * MINUTE, 100, Quality::Rollover, 600),
            (near_end, DAY + 30 * MINUTE, 900_000, Quality::Fell, 0),
            // A meter that is read a second later may have completed one more step.
            (last, DAY + 1_000, 500_010, Quality::Good, 10),
        ];
        for (last, at, total, quality, energy) in cases {
            assert_eq!(classify(last, Timestamp(at), Energy(total)), (quality, Energy(energy)), "{total} at {at}");
        }
    }

    #[test]
    fn no_arithmetic_overflows() {
        let last = Some(Baseline { at: Timestamp(i64::MIN), total: Energy(0) });
        let (quality, _) = classify(last, Timestamp(i64::MAX), Energy(42_949_672_950));
        assert!(quality.counts());
    }
}
