//! The load of a place from the energy of its hours: what a usual day looks like, and when demand is highest. Pure.
//!
//! The energy of an hour in Wh is its average power in W. Whoever adds hours of several places up before asking for the peak has
//! the demand of the whole, which is less than the sum of their peaks.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::time::{Date, HOUR, Timestamp};

/// Saturday, from 0 for Monday.
const WEEKEND: u8 = 5;

/// An hour of which the energy is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourLoad {
    /// The start of the hour.
    pub at: Timestamp,
    pub energy: Energy,
}

/// A time of the day; `None` where no hour of the kind is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypicalHour {
    /// Average power of the same hour of all weekdays, W.
    pub weekdays: Option<i64>,
    /// Of Saturdays and Sundays.
    pub weekends: Option<i64>,
    pub all: Option<i64>,
    /// The highest of all, and the start of that hour.
    pub highest: Option<(i64, Timestamp)>,
}

/// The demand of some days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    pub energy: Energy,
    /// How many hours of them are known.
    pub hours: i64,
    /// The highest average power of an hour, W, and the start of the first hour that had it.
    pub peak: (i64, Timestamp),
}

impl Demand {
    /// Average power of the known hours, W.
    #[must_use]
    pub fn average(&self) -> i64 {
        average(self.energy.0, self.hours).unwrap_or(0)
    }

    fn add(&mut self, load: &HourLoad) {
        if self.hours == 0 || load.energy.0 > self.peak.0 {
            self.peak = (load.energy.0, load.at);
        }
        self.energy = self.energy + load.energy;
        self.hours += 1;
    }
}

fn average(sum: i64, count: i64) -> Option<i64> {
    (count > 0).then(|| (sum + count / 2).div_euclid(count))
}

/// Each time of the day, from hours in the order of time.
#[must_use]
pub fn typical_day(loads: &[HourLoad]) -> [TypicalHour; 24] {
    let mut sums = [[(0_i64, 0_i64); 2]; 24];
    let mut day = [TypicalHour::default(); 24];
    for load in loads {
        let date = load.at.date();
        let hour = usize::try_from(load.at.since(date.start()) / HOUR).unwrap_or(0);
        let (Some(sums), Some(typical)) = (sums.get_mut(hour), day.get_mut(hour)) else { continue };
        let [weekdays, weekends] = sums;
        let sum = if date.weekday() >= WEEKEND { weekends } else { weekdays };
        *sum = (sum.0 + load.energy.0, sum.1 + 1);
        if typical.highest.is_none_or(|(highest, _)| load.energy.0 > highest) {
            typical.highest = Some((load.energy.0, load.at));
        }
    }
    for (typical, [weekdays, weekends]) in day.iter_mut().zip(sums) {
        typical.weekdays = average(weekdays.0, weekdays.1);
        typical.weekends = average(weekends.0, weekends.1);
        typical.all = average(weekdays.0 + weekends.0, weekdays.1 + weekends.1);
    }
    day
}

/// The demand of each day, or of what days are put together to, from hours in the order of time.
#[must_use]
pub fn demand<K: Ord>(loads: &[HourLoad], key: impl Fn(Date) -> K) -> BTreeMap<K, Demand> {
    let mut demands: BTreeMap<K, Demand> = BTreeMap::new();
    for load in loads {
        demands.entry(key(load.at.date())).or_default().add(load);
    }
    demands
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 5th of December 2025 was a Friday, the last weekday of its week.
    const FRIDAY: Date = Date(20_427);

    fn load(days: i64, hour: i64, wh: i64) -> HourLoad {
        HourLoad { at: FRIDAY.plus(days).start().plus(hour * HOUR), energy: Energy(wh) }
    }

    #[test]
    fn weekdays_and_weekends_are_averaged_apart() {
        assert_eq!(FRIDAY.weekday(), 4);
        let loads = [load(0, 7, 1_000), load(1, 7, 400), load(2, 7, 501), load(3, 7, 2_000), load(3, 8, 0)];
        let day = typical_day(&loads);
        assert_eq!((day[7].weekdays, day[7].weekends, day[7].all), (Some(1_500), Some(451), Some(975)));
        assert_eq!(day[7].highest, Some((2_000, FRIDAY.plus(3).start().plus(7 * HOUR))));
        assert_eq!((day[8].weekdays, day[8].weekends), (Some(0), None), "zero is known, what was not read is not");
        assert_eq!(day[9], TypicalHour::default());
    }

    #[test]
    fn the_first_of_equal_hours_is_the_peak() {
        let loads = [load(0, 7, 10), load(0, 20, 30), load(0, 21, 30), load(1, 0, 5)];
        let days = demand(&loads, |day| day);
        let first = days[&FRIDAY];
        assert_eq!((first.peak, first.energy, first.hours), ((30, FRIDAY.start().plus(20 * HOUR)), Energy(70), 3));
        assert_eq!((first.average(), days[&FRIDAY.plus(1)].average(), days.len()), (23, 5, 2));
        assert_eq!(demand(&loads, |_| ())[&()].hours, 4);
        assert!(demand(&[], |day| day).is_empty());
    }

    #[test]
    fn the_demand_of_the_whole_is_not_the_sum_of_the_peaks() {
        let (one, other) = ([load(0, 7, 100), load(0, 20, 10)], [load(0, 7, 20), load(0, 20, 90)]);
        let whole: Vec<HourLoad> = one.iter().zip(&other).map(|(a, b)| HourLoad { energy: a.energy + b.energy, ..*a }).collect();
        let peak = |loads: &[HourLoad]| demand(loads, |_| ())[&()].peak.0;
        assert_eq!((peak(&one) + peak(&other), peak(&whole)), (190, 120));
    }
}
