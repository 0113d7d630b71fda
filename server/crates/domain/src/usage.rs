//! A resident's use of energy: the period that is shown, months beside each other, rooms beside each other, unusual days. Pure.

use std::collections::{BTreeMap, BTreeSet};

use model::abnormal_use::AbnormalKind;
use model::energy::Energy;
use model::time::Date;
use model::usage::{MonthUse, MonthsCompared, SimilarRooms};

use super::abnormal_use::{Abnormal, DayUse, RoomDay, WEEKS};

/// Days that one page shows where nobody chose others.
const USUAL: i64 = 30;
/// The most that it shows: a year.
pub const MOST_DAYS: i64 = 366;
/// Months that are shown, with the present one.
const MONTHS: usize = 13;
/// Days that rooms are compared over at most, and at least.
const COMPARED: (i64, i64) = (31, 7);
/// Other rooms that a comparison needs, so that it says nothing about one of them.
const FEWEST_ROOMS: usize = 5;

/// The days that are shown, both included. What was chosen is kept as far as it is no future and not longer than a year.
#[must_use]
pub fn period(from: Option<Date>, to: Option<Date>, today: Date) -> (Date, Date) {
    let to = to.unwrap_or(today).min(today);
    let from = from.unwrap_or_else(|| to.plus(1 - USUAL)).min(to);
    (from.max(to.plus(1 - MOST_DAYS)), to)
}

/// The first day whose energy is needed for [`months`].
#[must_use]
pub fn months_since(today: Date) -> Date {
    let (year, month, _) = today.ymd();
    Date::from_ymd(year - 1, month, 1).unwrap_or(today)
}

/// The months up to today, of the energy by day since the account is theirs.
#[must_use]
pub fn months(days: &[(Date, Energy)], since: Date, today: Date) -> MonthsCompared {
    let month_of = |day: Date| {
        let (year, month, _) = day.ymd();
        (year, month)
    };
    let mut sums: BTreeMap<(i64, u8), Energy> = BTreeMap::new();
    for &(day, energy) in days.iter().filter(|(day, _)| *day >= since && *day <= today) {
        let sum = sums.entry(month_of(day)).or_default();
        *sum = *sum + energy;
    }
    let used = |((year, month), energy)| MonthUse { year, month, energy };
    let skipped = sums.len().saturating_sub(MONTHS);
    MonthsCompared { months: sums.into_iter().skip(skipped).map(used).collect(), same_days: same_days(days, since, today) }
}

/// This month up to yesterday, and the same days of the month before, if that month has them all and the account was theirs on
/// them. Today is left out, because it is not over.
fn same_days(days: &[(Date, Energy)], since: Date, today: Date) -> Option<(Energy, Energy)> {
    let yesterday = today.plus(-1);
    let (year, month, day) = yesterday.ymd();
    if month != today.ymd().1 {
        return None;
    }
    let (before_year, before_month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
    let first = Date::from_ymd(year, month, 1)?;
    let (before, until) = (Date::from_ymd(before_year, before_month, 1)?, Date::from_ymd(before_year, before_month, day)?);
    if since > before {
        return None;
    }
    let sum = |from: Date, to: Date| {
        let within = days.iter().filter(|(day, _)| *day >= from && *day <= to);
        within.fold(Energy::ZERO, |sum, (_, energy)| sum + *energy)
    };
    Some((sum(first, yesterday), sum(before, until)))
}

/// The days of a period that rooms are compared over: whole ones since the account is theirs; `None` of too few.
#[must_use]
pub fn compared_days((from, to): (Date, Date), since: Date, today: Date) -> Option<(Date, Date)> {
    let (most, fewest) = COMPARED;
    let to = to.min(today.plus(-1));
    let from = from.max(since.plus(1)).max(to.plus(1 - most));
    (to.0 - from.0 + 1 >= fewest).then_some((from, to))
}

/// A room's usage compared with similar rooms; `None` if there are too few.
#[must_use]
pub fn similar(days: (Date, Date), own: Energy, mut others: Vec<Energy>) -> Option<SimilarRooms> {
    if others.len() < FEWEST_ROOMS {
        return None;
    }
    others.sort_unstable();
    Some(SimilarRooms {
        days,
        rooms: others.len(),
        own,
        lower: quartile(&others, 1)?,
        median: quartile(&others, 2)?,
        upper: quartile(&others, 3)?,
    })
}

/// The value that `quarters` quarters of the sorted values are below, between two of them where it falls there.
fn quartile(sorted: &[Energy], quarters: usize) -> Option<Energy> {
    let place = (sorted.len() - 1) * quarters;
    let (below, part) = (place / 4, i64::try_from(place % 4).ok()?);
    let low = sorted.get(below)?.0;
    let high = sorted.get(below + 1).map_or(low, |energy| energy.0);
    Some(Energy(low + (high - low) * part / 4))
}

/// Whether the energy of an hour is estimated by time, because the readings around it are further apart: `read` are the hours
/// in which the meter was read, `now` is the present one, all since the epoch.
#[must_use]
pub fn is_estimated(hour: i64, read: &BTreeSet<i64>, now: i64) -> bool {
    let is_followed = hour + 1 >= now || read.contains(&(hour + 1));
    !(read.contains(&(hour - 1)) && read.contains(&hour) && is_followed)
}

/// The first day whose energy is needed for [`unusual`] from a day on.
#[must_use]
pub fn unusual_since(from: Date) -> Date {
    from.plus(-7 * WEEKS)
}

/// The days of a period on which a room used much more than on the same weekday before, newest first; `known` are those that
/// were read at both of their midnights.
#[must_use]
pub fn unusual(known: &BTreeMap<Date, DayUse>, (from, to): (Date, Date)) -> Vec<(Date, Abnormal)> {
    if from > to {
        return Vec::new();
    }
    let more = |abnormal: &Abnormal| matches!(abnormal.kind, AbnormalKind::Jump | AbnormalKind::Night);
    let on = |(day, used): (&Date, &DayUse)| {
        let before: Vec<DayUse> = (1..=WEEKS).filter_map(|week| known.get(&day.plus(-7 * week)).copied()).collect();
        let found = RoomDay { used: *used, before: &before, around: None, is_occupied: true }.abnormal();
        found.into_iter().filter(more).map(|abnormal| (*day, abnormal)).collect::<Vec<_>>()
    };
    known.range(from..=to).rev().flat_map(on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(month: u8, day: u8) -> Date {
        Date::from_ymd(2026, month, day).unwrap()
    }

    #[test]
    fn a_period_is_no_future_and_at_most_a_year() {
        let today = day(11, 30);
        assert_eq!(period(None, None, today), (day(11, 1), today));
        assert_eq!(period(Some(day(3, 1)), Some(day(3, 5)), today), (day(3, 1), day(3, 5)));
        assert_eq!(period(None, Some(day(3, 30)), today), (day(3, 1), day(3, 30)));
        assert_eq!(period(Some(day(12, 2)), Some(day(12, 9)), today), (today, today));
        assert_eq!(period(Some(day(3, 5)), Some(day(3, 1)), today), (day(3, 1), day(3, 1)));
        let (from, to) = period(Some(Date(0)), None, today);
        assert_eq!((to.0 - from.0 + 1, to), (MOST_DAYS, today));
    }

    #[test]
    fn months_are_summed_since_the_account_is_theirs() {
        let all: Vec<_> = (day(9, 1).0..=day(11, 10).0).map(|n| (Date(n), Energy(100))).collect();
        let found = months(&all, day(9, 11), day(11, 10));
        let sums: Vec<_> = found.months.iter().map(|month| (month.month, month.energy.0)).collect();
        assert_eq!(sums, [(9, 2_000), (10, 3_100), (11, 1_000)]);
        assert_eq!(found.same_days, Some((Energy(900), Energy(900))), "today is not over");
        assert_eq!(months(&all, day(10, 2), day(11, 10)).same_days, None, "the month before was not all theirs");
        assert_eq!(months(&all, day(9, 1), day(10, 1)).same_days, None, "no day of the month is over");
        let march: Vec<_> = (day(2, 1).0..=day(3, 31).0).map(|n| (Date(n), Energy(100))).collect();
        assert_eq!(months(&march, day(2, 1), day(3, 31)).same_days, None, "February has no day 30");
        assert_eq!(months_since(day(11, 10)), Date::from_ymd(2025, 11, 1).unwrap());
    }

    #[test]
    fn an_hour_between_distant_readings_is_estimated() {
        let read: BTreeSet<i64> = [6, 7, 8, 12, 18, 19, 20].into();
        let estimated: Vec<i64> = (7..=20).filter(|hour| is_estimated(*hour, &read, 21)).collect();
        assert_eq!(estimated, [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
        assert!(is_estimated(20, &read, 22), "the next hour is over and was not read");
    }

    #[test]
    fn rooms_are_compared_over_whole_days() {
        let today = day(11, 30);
        assert_eq!(compared_days((day(11, 1), today), day(1, 1), today), Some((day(11, 1), day(11, 29))));
        assert_eq!(compared_days((day(1, 1), today), day(1, 1), today), Some((day(10, 30), day(11, 29))));
        assert_eq!(compared_days((day(11, 1), today), day(11, 20), today), Some((day(11, 21), day(11, 29))));
        assert_eq!(compared_days((day(11, 1), today), day(11, 25), today), None, "five days say little");
    }

    #[test]
    fn five_other_rooms_are_a_comparison() {
        let days = (day(11, 1), day(11, 29));
        let rooms = |values: &[i64]| similar(days, Energy(7), values.iter().copied().map(Energy).collect());
        assert_eq!(rooms(&[1, 2, 3, 4]), None);
        let found = rooms(&[50, 10, 40, 20, 30]).unwrap();
        assert_eq!((found.lower, found.median, found.upper, found.rooms), (Energy(20), Energy(30), Energy(40), 5));
        let found = rooms(&[0, 10, 20, 30, 40, 50]).unwrap();
        assert_eq!((found.lower, found.median, found.upper), (Energy(12), Energy(25), Energy(37)), "between two rooms");
    }

    #[test]
    fn a_day_is_unusual_beside_its_own_weeks() {
        let used = |whole| DayUse { whole: Energy(whole), night: Energy(400) };
        let mut known: BTreeMap<_, _> = (0..60).map(|n| (day(11, 30).plus(-n), used(4_000))).collect();
        known.insert(day(11, 20), used(9_000));
        known.insert(day(11, 22), used(0));
        let found: Vec<_> = unusual(&known, (day(11, 1), day(11, 30))).into_iter().map(|(day, one)| (day, one.kind)).collect();
        assert_eq!(found, [(day(11, 20), AbnormalKind::Jump)], "to use nothing is no trouble");
        assert_eq!(unusual(&known, (day(11, 21), day(11, 20))), []);
        assert_eq!(unusual_since(day(11, 30)), day(10, 5));
    }
}
