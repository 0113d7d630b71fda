//! The year of a price plan, day by day, and what a version changed.

use model::console::{DayKind, PriceChange, PriceYear, YearDay};
use model::parameters::TierPeriod;
use model::tariff::Prices;
use model::time::{Date, Timestamp};

/// A version by its number and instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    pub number: i64,
    pub from: Timestamp,
    pub prices: Prices,
}

/// The calendar of a year. `versions` ascend in time. The days before the first one begins are blank, although energy of such
/// a day would be charged by it: it was not published yet. Empty without versions.
#[must_use]
pub fn year(year: i64, versions: &[Numbered]) -> PriceYear {
    let mut calendar = PriceYear { year, ..PriceYear::default() };
    let (Some(first), Some(last)) = (Date::from_ymd(year, 1, 1), Date::from_ymd(year, 12, 31)) else { return calendar };
    let Some(earliest) = versions.first() else { return calendar };
    for day in (first.0..=last.0).map(Date) {
        let begun = versions.iter().rev().find(|version| version.from <= day.start());
        let version = begun.or_else(|| (earliest.from.date() == day).then_some(earliest));
        let later = versions.iter().skip(1);
        let starts = later.filter(|version| version.from.date() == day).map(|version| version.number).next_back();
        let kind = version.map(|version| kind_of(&mut calendar.kinds, version, day));
        calendar.days.push(YearDay { day, kind, starts });
    }
    calendar
}

fn kind_of(kinds: &mut Vec<DayKind>, version: &Numbered, day: Date) -> usize {
    let spans = version.prices.spans(day);
    let season = version.prices.season(day).map_or(0, |season| season.table);
    let table = if version.prices.table(season).is_empty() { 0 } else { season };
    let place = kinds.iter().position(|kind| kind.spans == spans && kind.table == table).unwrap_or_else(|| {
        kinds.push(DayKind { spans, table, versions: Vec::new(), days: 0 });
        kinds.len() - 1
    });
    if let Some(kind) = kinds.get_mut(place) {
        kind.days += 1;
        if !kind.versions.contains(&version.number) {
            kind.versions.push(version.number);
        }
    }
    place
}

/// What differs between prices. What has no effect is no difference: thresholds without tiers, a table that no season uses.
#[must_use]
pub fn changes(before: &Prices, now: &Prices) -> Vec<PriceChange> {
    let mut changes = Vec::new();
    for rate in 1..=4 {
        let (before, now) = (before.price(rate), now.price(rate));
        if before != now {
            changes.push(PriceChange::Rate { rate, before, now });
        }
    }
    let tiers = |prices: &Prices| (prices.tiers.period != TierPeriod::None).then_some(prices.tiers);
    if tiers(before) != tiers(now) {
        changes.push(PriceChange::Tiers);
    }
    for table in [1, 2] {
        let used = |prices: &Prices| prices.plan.iter().any(|entry| entry.table == table);
        if before.table(table) != now.table(table) && (used(before) || used(now)) {
            changes.push(PriceChange::Table(table));
        }
    }
    let sorted = |prices: &Prices| {
        let mut plan = prices.plan.clone();
        plan.sort_unstable();
        plan
    };
    if sorted(before) != sorted(now) {
        changes.push(PriceChange::Seasons);
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::tariff::{Tiers, parse_plan};
    use model::time::Civil;

    fn at(year: i64, month: u8, day: u8, hour: u8) -> Timestamp {
        Civil { year, month, day, hour, minute: 0, second: 0 }.timestamp().unwrap()
    }

    fn seasons() -> Prices {
        let tables = ["00:00=4 08:00=2", "00:00=3 10:30=1"].map(|text| text.parse().unwrap());
        Prices { rates: [4, 3, 2, 1], tables, plan: parse_plan("03-01=1 11-01=2").unwrap(), ..Prices::default() }
    }

    fn numbered(number: i64, from: Timestamp, prices: Prices) -> Numbered {
        Numbered { number, from, prices }
    }

    fn kind(calendar: &PriceYear, month: u8, day: u8) -> usize {
        let date = Date::from_ymd(calendar.year, month, day).unwrap();
        calendar.days.iter().find(|one| one.day == date).unwrap().kind.unwrap()
    }

    #[test]
    fn every_day_of_a_year_has_a_kind_also_in_leap_years() {
        let versions = [numbered(1, at(2026, 1, 1, 0), seasons())];
        for (number, days) in [(2026, 365), (2028, 366), (2100, 365)] {
            let calendar = year(number, &versions);
            assert_eq!((calendar.days.len(), calendar.kinds.iter().map(|kind| kind.days).sum::<usize>()), (days, days));
            let winter = [(1, 1), (2, 28), (11, 1), (12, 31)].map(|(month, day)| kind(&calendar, month, day));
            assert_eq!((winter, kind(&calendar, 3, 1), kind(&calendar, 10, 31)), ([0; 4], 1, 1), "winter wraps over New Year");
        }
        let leap = year(2028, &versions);
        assert_eq!((kind(&leap, 2, 29), leap.kinds[0].table, leap.kinds[1].table), (0, 2, 1));
    }

    #[test]
    fn a_version_takes_over_at_a_shanghai_midnight_or_within_a_day() {
        let versions = [
            numbered(1, at(2026, 1, 1, 0), Prices::flat(5_000)),
            numbered(2, at(2026, 5, 1, 0), Prices::flat(6_000)),
            numbered(3, at(2026, 8, 1, 12), Prices::flat(5_000)),
        ];
        let calendar = year(2026, &versions);
        assert_eq!([kind(&calendar, 4, 30), kind(&calendar, 5, 1)], [0, 1], "16:00 UTC is midnight");
        assert_eq!([kind(&calendar, 8, 1), kind(&calendar, 8, 2)], [1, 0], "the day keeps the kind that it began with");
        let starts: Vec<_> = calendar.days.iter().filter_map(|day| Some((day.day.to_string(), day.starts?))).collect();
        assert_eq!(starts, [("2026-05-01".to_owned(), 2), ("2026-08-01".to_owned(), 3)]);
        assert_eq!(calendar.kinds[0].versions, [1, 3]);
        assert_eq!(year(2026, &[]).days, []);
    }

    #[test]
    fn a_day_before_the_first_version_has_no_price() {
        let calendar = year(2026, &[numbered(1, at(2026, 11, 29, 16), Prices::flat(5_000))]);
        let of = |month, day| calendar.days.iter().find(|one| Some(one.day) == Date::from_ymd(2026, month, day)).unwrap().kind;
        assert_eq!([of(1, 1), of(11, 28), of(11, 29), of(12, 31)], [None, None, Some(0), Some(0)]);
        assert_eq!(calendar.kinds.iter().map(|kind| kind.days).collect::<Vec<_>>(), [33]);
        let earlier = year(2025, &[numbered(1, at(2026, 11, 29, 16), Prices::flat(5_000))]);
        assert_eq!((earlier.days.len(), earlier.kinds.len()), (365, 0));
    }

    #[test]
    fn changes_name_what_has_an_effect() {
        let before = seasons();
        assert_eq!(changes(&before, &before), []);
        let dearer = Prices { rates: [4, 3, 5, 1], ..before.clone() };
        assert_eq!(changes(&before, &dearer), [PriceChange::Rate { rate: 3, before: 2, now: 5 }]);
        let unused = Tiers { thresholds: [1, 2], ..Tiers::default() };
        assert_eq!(changes(&before, &Prices { tiers: unused, ..before.clone() }), [], "thresholds without a period");
        let order = Prices { plan: parse_plan("11-01=2 03-01=1").unwrap(), ..before.clone() };
        assert_eq!(changes(&before, &order), []);
        let [first, _] = before.tables.clone();
        let other = Prices { tables: [first, "00:00=1".parse().unwrap()], ..before.clone() };
        assert_eq!(changes(&before, &other), [PriceChange::Table(2)]);
        let one = Prices { plan: parse_plan("03-01=1").unwrap(), ..other.clone() };
        assert_eq!(changes(&before, &one), [PriceChange::Table(2), PriceChange::Seasons]);
        assert_eq!(changes(&one, &Prices { tables: before.tables.clone(), ..one.clone() }), [], "no season uses the table");
    }
}
