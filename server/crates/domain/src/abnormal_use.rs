//! Whether a room's use of a day is unusual: against the same weekday of the weeks before, and against the rooms around it. Pure.
//!
//! What is usual is a median, and how far use strays from it the median of the distances, so that a few odd weeks or rooms do
//! not change what is usual. Something is unusual only when it is far off by that measure, by a factor, and by an amount: each
//! alone finds differences that nobody can see, or that nobody cares for.

use model::abnormal_use::AbnormalKind;
use model::energy::Energy;
use model::time::{Date, HOUR, Timestamp};

/// The weeks before, of which the same weekday is compared.
pub const WEEKS: i64 = 8;
/// Known weeks that make a pattern.
const FEWEST_WEEKS: usize = 4;
/// Known rooms around it that make a pattern, with the room itself.
const FEWEST_ROOMS: usize = 5;
/// The night, from midnight on: hours.
pub const NIGHT_HOURS: i64 = 5;

/// So long after its end a day is judged for alarms: until then meters are read that tell what was used up to midnight.
const READ_WITHIN: i64 = 3 * HOUR;

/// A pattern strays at least by so much, and by a tenth of what is usual: a little more is not unusual, not even in a room that
/// always uses the same.
const LEAST_SPREAD: i64 = 100;
/// Up to this distance from the median a value is usual: tenths of the spread.
const USUAL_TENTHS: i64 = 35;
/// A median of distances times this is a standard deviation, where values are normally distributed; 1/10,000.
const TO_DEVIATION: i64 = 14_826;

/// From how much use on is unusual: `factor` times what is usual, and `wh` more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Threshold {
    factor: i64,
    wh: i64,
}

const JUMP: Threshold = Threshold { factor: 2, wh: 2_000 };
const NIGHT: Threshold = Threshold { factor: 2, wh: 500 };
const ABOVE_FLOOR: Threshold = Threshold { factor: 3, wh: 3_000 };
/// The smallest step of most counters is nothing.
const NOTHING: Energy = Energy(10);
/// A room, or the rooms around it, that use less are empty anyway.
const OCCUPIED: i64 = 300;

/// The use of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayUse {
    pub whole: Energy,
    /// Its part before [`NIGHT_HOURS`].
    pub night: Energy,
}

/// What some values are around, and how far they stray, in Wh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub median: i64,
    spread: i64,
}

impl Pattern {
    /// The pattern of the rooms of a floor or building on a day; `None` of too few.
    #[must_use]
    pub fn of_rooms(values: impl IntoIterator<Item = Energy>) -> Option<Self> {
        Self::new(values, FEWEST_ROOMS)
    }

    fn new(values: impl IntoIterator<Item = Energy>, fewest: usize) -> Option<Self> {
        let mut values: Vec<i64> = values.into_iter().map(|energy| energy.0).collect();
        if values.len() < fewest {
            return None;
        }
        let median = median(&mut values)?;
        values.iter_mut().for_each(|value| *value = (*value - median).abs());
        let deviation = median_of_distances(&mut values)?;
        Some(Self { median, spread: deviation.max(median / 10).max(LEAST_SPREAD) })
    }

    /// The distance of a value, in tenths of the spread.
    fn distance(&self, value: Energy) -> i64 {
        (value.0 - self.median).saturating_mul(10) / self.spread
    }

    fn is_above(&self, value: Energy, threshold: Threshold) -> bool {
        // Not by the distance in whole tenths, which cuts 3.59 down to 3.5.
        (value.0 - self.median).saturating_mul(10) > self.spread.saturating_mul(USUAL_TENTHS)
            && value.0 >= self.median.saturating_mul(threshold.factor)
            && value.0 >= self.median.saturating_add(threshold.wh)
    }
}

fn median_of_distances(values: &mut [i64]) -> Option<i64> {
    median(values).map(|distance| distance.saturating_mul(TO_DEVIATION) / 10_000)
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(lower + (upper - lower) / 2)
}

/// A room on a day that was read, and what it is compared with.
#[derive(Clone, Copy, Debug)]
pub struct RoomDay<'a> {
    pub used: DayUse,
    /// The same weekday of the [`WEEKS`] before, as far as they were read.
    pub before: &'a [DayUse],
    /// What rooms around it used on the same day; `None` of too few.
    pub around: Option<Pattern>,
    /// Whether it had an account all day.
    pub is_occupied: bool,
}

/// What is unusual in a room on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abnormal {
    pub kind: AbnormalKind,
    pub value: Energy,
    pub expected: Energy,
    /// How far off it is: tenths of the spread of what it is compared with.
    pub severity: i64,
}

impl RoomDay<'_> {
    /// What is unusual; nothing where there is nothing to compare with.
    #[must_use]
    pub fn abnormal(&self) -> Vec<Abnormal> {
        let own = Pattern::new(self.before.iter().map(|day| day.whole), FEWEST_WEEKS);
        let nights = Pattern::new(self.before.iter().map(|day| day.night), FEWEST_WEEKS);
        let above = |kind, value, pattern: Option<Pattern>, threshold| {
            pattern.filter(|pattern| pattern.is_above(value, threshold)).map(|pattern| finding(kind, value, pattern))
        };
        let found = [
            above(AbnormalKind::Jump, self.used.whole, own, JUMP),
            above(AbnormalKind::Night, self.used.night, nights, NIGHT),
            above(AbnormalKind::AboveFloor, self.used.whole, self.around, ABOVE_FLOOR),
            self.zero(own),
        ];
        found.into_iter().flatten().collect()
    }

    /// Where the rooms around it use nothing either, it is a holiday or a power cut.
    fn zero(&self, own: Option<Pattern>) -> Option<Abnormal> {
        let is_used = |pattern: &Pattern| pattern.median >= OCCUPIED;
        let expected = own.or(self.around).filter(is_used)?;
        let is_holiday = self.around.is_some_and(|around| !is_used(&around));
        (self.is_occupied && self.used.whole <= NOTHING && !is_holiday)
            .then(|| finding(AbnormalKind::Zero, self.used.whole, expected))
    }
}

/// The last day that is over and can be judged for alarms.
#[must_use]
pub fn finished_day(now: Timestamp) -> Date {
    now.plus(-READ_WITHIN).date().plus(-1)
}

/// From when on a day is the last finished one.
#[must_use]
pub const fn finished_at(day: Date) -> Timestamp {
    day.plus(1).start().plus(READ_WITHIN)
}

/// Whether what is unusual of a day is the condition of an alarm. A room that uses more than those around it may do so every day:
/// it is in the report, and nothing happened.
#[must_use]
pub fn is_condition(found: &[AbnormalKind]) -> bool {
    found.iter().any(|kind| *kind != AbnormalKind::AboveFloor)
}

fn finding(kind: AbnormalKind, value: Energy, pattern: Pattern) -> Abnormal {
    Abnormal { kind, value, expected: Energy(pattern.median), severity: pattern.distance(value).abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(whole: i64, night: i64) -> DayUse {
        DayUse { whole: Energy(whole), night: Energy(night) }
    }

    /// Weeks of 3.8 to 4.2 kWh, 0.4 kWh of it at night.
    fn weeks() -> Vec<DayUse> {
        [4_000, 3_800, 4_200, 4_100, 3_900, 4_000].map(|whole| used(whole, 400)).to_vec()
    }

    fn floor(values: &[i64]) -> Option<Pattern> {
        Pattern::of_rooms(values.iter().copied().map(Energy))
    }

    fn kinds(used: DayUse, before: &[DayUse], around: Option<Pattern>, is_occupied: bool) -> Vec<AbnormalKind> {
        RoomDay { used, before, around, is_occupied }.abnormal().into_iter().map(|found| found.kind).collect()
    }

    #[test]
    fn usual_days_are_not_found() {
        let around = floor(&[4_000, 3_500, 4_500, 5_000, 3_000]);
        for whole in [3_000, 4_000, 5_900, 7_900] {
            assert_eq!(kinds(used(whole, 500), &weeks(), around, true), [], "{whole}");
        }
        assert_eq!(kinds(used(90_000, 90_000), &weeks()[..3], None, true), [], "three weeks are no pattern");
    }

    #[test]
    fn a_jump_is_far_off_by_spread_factor_and_amount() {
        assert_eq!(kinds(used(8_000, 400), &weeks(), None, false), [AbnormalKind::Jump]);
        let wild = [1_000, 9_000, 2_000, 8_000, 4_000, 12_000].map(|whole| used(whole, 0));
        assert_eq!(kinds(used(13_000, 0), &wild, None, false), [], "such days are usual there");
        let little = [100; 6].map(|whole| used(whole, 0));
        assert_eq!(kinds(used(1_500, 0), &little, None, false), [], "fifteen times nothing is nothing");
        let uneven = [3_000, 3_000, 4_000, 5_000, 5_000].map(|whole| used(whole, 0));
        assert_eq!(kinds(used(9_187, 0), &uneven, None, false), [], "3.5 spreads of 1,482 Wh");
        assert_eq!(kinds(used(9_188, 0), &uneven, None, false), [AbnormalKind::Jump], "a little more than 3.5 spreads");
        let found = RoomDay { used: used(8_000, 400), before: &weeks(), around: None, is_occupied: true }.abnormal();
        assert_eq!((found[0].expected, found[0].severity), (Energy(4_000), 100), "ten times a tenth of the median");
    }

    #[test]
    fn one_odd_week_changes_nothing() {
        let mut before = weeks();
        before.push(used(90_000, 9_000));
        assert_eq!(kinds(used(8_500, 1_000), &before, None, false), [AbnormalKind::Jump, AbnormalKind::Night]);
    }

    #[test]
    fn the_night_is_compared_with_nights() {
        assert_eq!(kinds(used(4_600, 1_000), &weeks(), None, true), [AbnormalKind::Night]);
        assert_eq!(kinds(used(4_400, 850), &weeks(), None, true), [], "less than half a kWh more");
    }

    #[test]
    fn zero_is_found_in_occupied_rooms_where_others_use_something() {
        let around = floor(&[4_000, 3_500, 4_500, 0, 3_000]);
        assert_eq!(kinds(used(0, 0), &weeks(), around, true), [AbnormalKind::Zero]);
        assert_eq!(kinds(used(10, 0), &[], around, true), [AbnormalKind::Zero], "a new room is compared with its floor");
        assert_eq!(kinds(used(0, 0), &weeks(), around, false), []);
        assert_eq!(kinds(used(0, 0), &weeks(), floor(&[0, 50, 0, 10, 4_000]), true), [], "everybody is away");
        assert_eq!(kinds(used(0, 0), &[used(0, 0); 8], around, true), [], "it is never used");
        assert_eq!(kinds(used(0, 0), &[], None, true), []);
    }

    #[test]
    fn a_room_is_compared_with_its_floor() {
        let around = floor(&[4_000, 3_500, 4_500, 20_000, 3_000]);
        assert_eq!(kinds(used(20_000, 0), &[], around, true), [AbnormalKind::AboveFloor]);
        assert_eq!(kinds(used(11_000, 0), &[], around, true), [], "less than three times");
        assert_eq!(floor(&[1, 2, 3, 4]), None, "four rooms are no pattern");
    }

    #[test]
    fn a_day_is_finished_when_its_last_readings_are_in() {
        let day = Date(20_423);
        assert_eq!(finished_day(finished_at(day)), day);
        assert_eq!(finished_day(finished_at(day).plus(-1)), day.plus(-1));
        assert_eq!(finished_at(day).to_string().split_once(' ').map(|(_, time)| time.to_owned()).as_deref(), Some("03:00:00"));
    }

    #[test]
    fn only_what_happened_is_a_condition() {
        assert!(!is_condition(&[]) && !is_condition(&[AbnormalKind::AboveFloor]));
        for kind in [AbnormalKind::Night, AbnormalKind::Jump, AbnormalKind::Zero] {
            assert!(is_condition(&[AbnormalKind::AboveFloor, kind]), "{kind:?}");
        }
    }

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(
            (median(&mut []), median(&mut [5]), median(&mut [9, 1]), median(&mut [3, 9, 1])),
            (None, Some(5), Some(5), Some(3))
        );
        assert_eq!(floor(&[i64::MAX, 0, 0, 0, 0]).map(|pattern| pattern.median), Some(0));
    }
}
