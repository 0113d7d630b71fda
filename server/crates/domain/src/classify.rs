//! Classifies a counter's new value against the last one that counted: pure.
//!
//! No reading is dropped: an implausible value is stored and opens a case, but its energy does not count.

use model::energy::Energy;
use model::reading::ReadingQuality;
use model::time::{HOUR, Timestamp};

use super::rollup::{ConsumptionInterval, Parts};

/// Margin for rounding and clock differences, in addition to half of the possible energy.
const SLACK_WH: i64 = 200;

/// The most power of one phase, W: 60 A at 250 V.
pub const MOST_W: i64 = 15_000;
/// The most power of a building's main, W.
pub const MOST_W_OF_A_BUILDING: i64 = 1_000_000;

/// The range of a model's counter and the power that it can measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// It rolls over to zero at this value.
    pub wrap: Energy,
    /// The most energy in an hour.
    pub per_hour: Energy,
}

impl Default for Counter {
    /// Eight digits of 0.01 kWh, one phase.
    fn default() -> Self {
        Self { wrap: Energy(1_000_000_000), per_hour: Energy(MOST_W) }
    }
}

impl Counter {
    /// The most energy that is possible in `ms`, with margin.
    const fn possible(&self, ms: i64) -> i64 {
        (ms.saturating_mul(self.per_hour.0 * 3 / 2) / HOUR).saturating_add(SLACK_WH)
    }
}

/// The last value that counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// When it was read.
    pub at: Timestamp,
    pub total: Energy,
    /// The reverse and rate counters; `None` if the meter has none.
    pub reverse: Option<Energy>,
    /// Spike, peak, flat, valley.
    pub rates: Option<[Energy; 4]>,
}

/// What was held since the last value that counted: the counter stands on a line of its own, which may be anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldValues {
    /// When the first and the newest value were read.
    pub first_at: Timestamp,
    pub at: Timestamp,
    /// The newest and the lowest value.
    pub total: Energy,
    pub lowest: Energy,
    /// What the held values themselves grew by, as far as it is plausible: use goes on while they are held.
    pub grown: Energy,
    /// Whether any of them was too high.
    pub jumped: bool,
}

impl HeldValues {
    /// `held` and a further value that does not count; nothing is held for a value that is only out of order.
    #[must_use]
    pub fn after(held: Option<Self>, now: &Baseline, quality: ReadingQuality, counter: &Counter) -> Option<Self> {
        let jumped = match quality {
            ReadingQuality::Jumped => true,
            ReadingQuality::Fell | ReadingQuality::Reset => false,
            _ => return held,
        };
        Some(match held {
            Some(held) => {
                let step = if held.goes_on(now, counter) { now.total - held.total } else { Energy::ZERO };
                let (lowest, jumped) = (held.lowest.min(now.total), held.jumped || jumped);
                Self { at: now.at, total: now.total, lowest, grown: held.grown + step, jumped, ..held }
            }
            None => Self { first_at: now.at, at: now.at, total: now.total, lowest: now.total, grown: Energy::ZERO, jumped },
        })
    }

    /// Whether a value continues the line of the held ones.
    const fn goes_on(&self, now: &Baseline, counter: &Counter) -> bool {
        let grown = now.total.0 - self.total.0;
        0 <= grown && grown <= counter.possible(now.at.since(self.at))
    }

    /// The most that the counter itself can have grown since the last value that counted. It does not grow with the
    /// time for which a value that was too high is held: otherwise the jump would be plausible as soon as somebody
    /// could have used as much.
    fn possible(&self, last: &Baseline, now: &Baseline, counter: &Counter) -> i64 {
        if self.jumped {
            let (before, since) = (self.first_at.since(last.at), now.at.since(self.at));
            counter.possible(before).saturating_add(self.grown.0).saturating_add(counter.possible(since))
        } else {
            counter.possible(now.at.since(last.at))
        }
    }
}

/// The quality of a new value, and the consumption since the last one if it counts. While values are held, one that continues
/// their line is held too, for a person to settle; one that is back in line counts.
#[must_use]
pub fn classify(
    last: Option<&Baseline>,
    held: Option<&HeldValues>,
    now: &Baseline,
    counter: &Counter,
) -> (ReadingQuality, Option<ConsumptionInterval>) {
    let Some(last) = last else { return (ReadingQuality::Good, None) };
    if now.at <= last.at {
        return (ReadingQuality::Disordered, None);
    }
    let grown = now.total.0 - last.total.0;
    // A fall within the margin is rounding: the counter is in line as soon as it has caught up.
    let apart = held.filter(|held| held.jumped || held.lowest.0 < last.total.0 - SLACK_WH);
    if apart.is_some_and(|held| grown >= 0 && held.goes_on(now, counter)) {
        let jumped = apart.is_some_and(|held| held.jumped);
        return (if jumped { ReadingQuality::Jumped } else { ReadingQuality::Fell }, None);
    }
    let possible = held.map_or_else(|| counter.possible(now.at.since(last.at)), |held| held.possible(last, now, counter));
    let (quality, energy) = match grown {
        0.. if grown <= possible => (ReadingQuality::Good, grown),
        0.. => return (ReadingQuality::Jumped, None),
        _ if (0..=possible).contains(&(grown + counter.wrap.0)) => (ReadingQuality::Rollover, grown + counter.wrap.0),
        // No more than is possible since a reset to zero.
        _ if now.total.0 <= possible && grown < -SLACK_WH => return (ReadingQuality::Reset, None),
        _ => return (ReadingQuality::Fell, None),
    };
    (quality, Some(passed(last, now, Energy(energy), counter.wrap)))
}

/// The consumption between two readings; its parts only if the reverse and rate counters agree with the total.
#[must_use]
pub fn passed(last: &Baseline, now: &Baseline, energy: Energy, wrap: Energy) -> ConsumptionInterval {
    let grown = |last: Energy, now: Energy| {
        let grown = now.0 - last.0;
        Energy(if grown < 0 { grown + wrap.0 } else { grown })
    };
    // Each register truncates its own last digit.
    let fits = |part: Energy| (0..=energy.0 + 50).contains(&part.0);
    let reverse = last.reverse.zip(now.reverse).map(|(last, now)| grown(last, now)).filter(|&part| fits(part));
    let rates = last.rates.zip(now.rates).map(|(last, now)| {
        std::array::from_fn(|n| last.get(n).zip(now.get(n)).map_or(Energy::ZERO, |(&last, &now)| grown(last, now)))
    });
    let rates = rates.filter(|rates: &[Energy; 4]| fits(rates.iter().fold(Energy::ZERO, |sum, &rate| sum + rate)));
    let parts = Parts { reverse: reverse.unwrap_or_default(), rates: rates.unwrap_or_default() };
    ConsumptionInterval { from: last.at, to: now.at, energy, parts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::{DAY, MINUTE};

    fn at(at: i64, total: i64) -> Baseline {
        Baseline { at: Timestamp(at), total: Energy(total), reverse: None, rates: None }
    }

    #[test]
    fn every_quality_is_classified() {
        let (last, near_end) = (at(DAY, 500_000), at(DAY, 999_999_500));
        let cases = [
            (None, DAY, 77, ReadingQuality::Good, None),
            (Some(last), DAY + 30 * MINUTE, 500_000, ReadingQuality::Good, Some(0)),
            (Some(last), DAY + 30 * MINUTE, 507_500, ReadingQuality::Good, Some(7_500)),
            (Some(last), DAY + 30 * MINUTE, 512_000, ReadingQuality::Jumped, None),
            (Some(last), DAY + HOUR, 512_000, ReadingQuality::Good, Some(12_000)),
            (Some(last), DAY + MINUTE, 999_000_000, ReadingQuality::Jumped, None),
            (Some(last), DAY + MINUTE, 499_990, ReadingQuality::Fell, None),
            (Some(last), DAY + MINUTE, 30_000, ReadingQuality::Fell, None),
            (Some(last), DAY + MINUTE, 0, ReadingQuality::Reset, None),
            (Some(last), DAY + HOUR, 9_000, ReadingQuality::Reset, None),
            (Some(at(DAY, 100)), DAY + MINUTE, 90, ReadingQuality::Fell, None),
            (Some(last), DAY, 500_010, ReadingQuality::Disordered, None),
            (Some(last), DAY - 1, 499_000, ReadingQuality::Disordered, None),
            (Some(near_end), DAY + 30 * MINUTE, 100, ReadingQuality::Rollover, Some(600)),
            (Some(near_end), DAY + 30 * MINUTE, 900_000, ReadingQuality::Fell, None),
            // A meter that is read a second later may have completed one more step.
            (Some(last), DAY + 1_000, 500_010, ReadingQuality::Good, Some(10)),
        ];
        for (last, when, total, quality, energy) in cases {
            let (found, interval) = classify(last.as_ref(), None, &at(when, total), &Counter::default());
            assert_eq!((found, interval.map(|s| s.energy.0)), (quality, energy), "{total} at {when}");
        }
    }

    #[test]
    fn a_short_counter_rolls_over_at_its_own_end() {
        let five = Counter { wrap: Energy(100_000_000), ..Counter::default() };
        let (last, now) = (at(DAY, 99_999_000), at(DAY + HOUR, 500));
        assert_eq!(classify(Some(&last), None, &now, &five).0, ReadingQuality::Rollover);
        assert_eq!(classify(Some(&last), None, &now, &Counter::default()).0, ReadingQuality::Reset);
    }

    #[test]
    fn an_instrument_of_a_whole_building_may_grow_faster() {
        let (last, now) = (at(DAY, 0), at(DAY + HOUR, 200_000));
        assert_eq!(classify(Some(&last), None, &now, &Counter::default()).0, ReadingQuality::Jumped);
        let wide = Counter { per_hour: Energy(400_000), ..Counter::default() };
        assert_eq!(classify(Some(&last), None, &now, &wide).0, ReadingQuality::Good);
    }

    #[test]
    fn parts_that_disagree_with_the_total_are_dropped() {
        let wrap = Counter::default().wrap;
        let with = |when: i64, total: i64, rates: [i64; 4]| Baseline { rates: Some(rates.map(Energy)), ..at(when, total) };
        let last = with(DAY, 1_000, [100, 200, 300, 400]);
        let interval = passed(&last, &with(DAY + HOUR, 1_100, [100, 250, 350, 400]), Energy(100), wrap);
        assert_eq!(interval.parts.rates, [0, 50, 50, 0].map(Energy));
        let interval = passed(&last, &with(DAY + HOUR, 1_100, [100, 950, 350, 400]), Energy(100), wrap);
        assert_eq!(interval.parts, Parts::default(), "rates that grew by more than the total say nothing");
        let interval = passed(&last, &at(DAY + HOUR, 1_100), Energy(100), wrap);
        assert_eq!(interval.parts, Parts::default());
    }

    /// The qualities of values that are read one after the other, as the recorder classifies them.
    fn qualities(first: Baseline, values: &[(i64, i64)]) -> Vec<ReadingQuality> {
        let (mut last, mut held, counter) = (first, None, Counter::default());
        let classified = values.iter().map(|&(when, total)| {
            let now = at(when, total);
            let quality = classify(Some(&last), held.as_ref(), &now, &counter).0;
            (last, held) = if quality.counts() { (now, None) } else { (last, HeldValues::after(held, &now, quality, &counter)) };
            quality
        });
        classified.collect()
    }

    #[test]
    fn a_held_jump_never_becomes_plausible_by_waiting() {
        use ReadingQuality::{Good, Jumped};
        let first = at(DAY, 500_000);
        let later = |s: i64, total: i64| (DAY + s * 1_000, total);
        // The same total, then with use on top of it; for a month.
        let waits: Vec<_> = (1..40_000).map(|n| later(n * 65, 501_000 + n / 10 * 10)).collect();
        assert!(qualities(first, &waits).iter().all(|quality| *quality == Jumped));
        // Back in line with what was used meanwhile, it counts; a second jump below the first does not.
        let back = [later(2, 501_000), later(62, 501_010), later(122, 501_020), later(124, 500_020), later(126, 500_030)];
        assert_eq!(qualities(first, &back), [Jumped, Jumped, Jumped, Good, Good]);
        let lower: Vec<_> = (1..200).map(|n| later(n * 2, 501_000)).chain([later(400, 500_900)]).collect();
        assert!(qualities(first, &lower).iter().all(|quality| *quality == Jumped));
        // Use while it is held may be more than one step allows.
        let heavy: Vec<_> = (1..2_000).map(|n| later(n * 2, 501_000 + n)).chain([later(4_000, 502_000)]).collect();
        assert_eq!(qualities(first, &heavy).last(), Some(&Good));
    }

    #[test]
    fn a_fallen_counter_stays_held_when_it_passes_its_old_value() {
        use ReadingQuality::{Fell, Good};
        let first = at(DAY, 500_000);
        let climbs: Vec<_> = (0..400).map(|n| (DAY + (n + 1) * MINUTE, 499_000 + n * 10)).collect();
        assert!(qualities(first, &climbs).iter().all(|quality| *quality == Fell));
        let back = [(DAY + MINUTE, 80_000), (DAY + HOUR, 80_010), (DAY + 2 * HOUR, 501_500)];
        assert_eq!(qualities(first, &back), [Fell, Fell, Good], "another meter answered for two hours");
        let rounding = [(DAY + MINUTE, 499_990), (DAY + HOUR, 500_600)];
        assert_eq!(qualities(first, &rounding), [Fell, Good]);
    }

    #[test]
    fn no_arithmetic_overflows() {
        let (last, now) = (at(i64::MIN, 0), at(i64::MAX, 42_949_672_950));
        assert!(classify(Some(&last), None, &now, &Counter::default()).0.counts());
    }
}
