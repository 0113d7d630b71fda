//! A time and the time before, and where a change from one to the other would mislead: what is not over, or not known, is not
//! compared with what is whole.

use model::report::{Grain, Note, ReportQuery};
use model::subsidy::Month;
use model::time::{DAY, Date, HOUR, Timestamp};

use super::sums::Span;
use crate::Extent;
use store::{Db, Result, read};

#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The days that have begun.
    pub now: Span,
    pub before: Span,
    at: Timestamp,
    /// The first day of which energy is known.
    known_since: Option<Date>,
}

impl Comparison {
    /// Of a query whose days have not all begun, the time before has as many days as have.
    pub fn new(query: &ReportQuery, at: Timestamp, known_since: Option<Date>) -> Self {
        let (until, (first, last)) = (query.until.min(at.date()), query.before());
        let last = if until < query.until { last.min(first.plus(until.0 - query.from.0)) } else { last };
        Self { now: (query.from, until), before: (first, last), at, known_since }
    }

    /// Whether the whole can be compared with the whole.
    pub fn is_fair(&self) -> bool {
        let is_as_long = days(self.now) == days(self.before) || are_months(self.now) && are_months(self.before);
        is_as_long && self.is_known(self.before.0)
    }

    /// Whether a row can be compared with the one beside it.
    pub fn is_fair_row(&self, by: Grain, start: Timestamp, other: Timestamp) -> bool {
        let is_whole = match by {
            Grain::Hour => start.plus(HOUR) <= self.at,
            Grain::Day => start.plus(DAY) <= self.at,
            Grain::Month | Grain::Year => {
                let (own, before) = (part_of_month(start, self.now), part_of_month(other, self.before));
                days(own) == days(before) || are_months(own) && are_months(before)
            }
        };
        is_whole && self.is_known(other.date().max(self.before.0))
    }

    fn is_known(&self, first: Date) -> bool {
        self.known_since.is_some_and(|since| since <= first)
    }

    pub fn notes(&self) -> impl Iterator<Item = Note> {
        let has_begun = self.now.0 <= self.now.1;
        let since = self.known_since.filter(|since| has_begun && *since > self.before.0).map(Note::KnownSince);
        let is_running = has_begun && self.now.1 == self.at.date();
        since.into_iter().chain(is_running.then_some(Note::TodayIsRunning))
    }
}

const fn days((from, until): Span) -> i64 {
    until.0 - from.0
}

/// Whether days are calendar months from the first day to the last.
fn are_months((from, until): Span) -> bool {
    from.ymd().2 == 1 && until.plus(1).ymd().2 == 1
}

/// The days of a month that are in a range.
fn part_of_month(start: Timestamp, (from, until): Span) -> Span {
    let first = start.date();
    let last = Month(Month::of(start).0 + 1).first().map_or(until, |next| next.plus(-1));
    (first.max(from), last.min(until))
}

/// The first day of which energy is known.
pub async fn known_since(db: &Db, extent: &Extent) -> Result<Option<Date>> {
    if let Extent::Account(account) = extent {
        let sql = "SELECT MIN(from_at) FROM account_meters WHERE account_id = $1";
        let since: Option<(Option<Timestamp>,)> =
            read!(db, |pool| sqlx::query_as(sql).bind(*account).fetch_optional(pool).await)?;
        return Ok(since.and_then(|(since,)| since).map(Timestamp::date));
    }
    let mut first: Option<Date> = None;
    for place in extent.tops() {
        let since: Option<(Option<Date>,)> = read!(db, |pool| sqlx::query_as(
            "SELECT MIN(x.day) FROM (
                 SELECT MIN(e.day) AS day FROM place_energy_daily e WHERE e.place_id = $1
                 UNION ALL SELECT MIN(d.day) AS day FROM meters m JOIN energy_daily d ON d.meter_id = m.id
                 WHERE m.place_id = $1 AND m.wallet <> 'none') AS x"
        )
        .bind(place)
        .fetch_optional(pool)
        .await)?;
        first = first.into_iter().chain(since.and_then(|(since,)| since)).min();
    }
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn comparison((from, until): (&str, &str), at: Timestamp, known_since: &str) -> Comparison {
        let query =
            ReportQuery { from: day(from), until: day(until), by: Grain::Day, place: String::new(), room: String::new(), age: 0 };
        Comparison::new(&query, at, Some(day(known_since)))
    }

    #[test]
    fn a_range_that_is_not_over_has_as_many_days_before() {
        let november = ("2026-11-01", "2026-11-30");
        let over = comparison(november, day("2026-12-05").start(), "2026-01-01");
        assert_eq!((over.before, over.is_fair()), ((day("2026-10-01"), day("2026-10-31")), true));
        assert_eq!(over.notes().count(), 0);
        let running = comparison(november, day("2026-11-12").start().plus(HOUR), "2026-01-01");
        assert_eq!((running.before, running.is_fair()), ((day("2026-10-01"), day("2026-10-12")), true));
        assert_eq!(running.notes().collect::<Vec<_>>(), [Note::TodayIsRunning]);
        let march = comparison(("2026-03-01", "2026-03-31"), day("2026-03-30").start(), "2026-01-01");
        assert!(!march.is_fair(), "30 days are not compared with all 28 of February");
        let to_come = comparison(november, day("2026-10-12").start(), "2026-01-01");
        assert!(to_come.now.1 < to_come.now.0 && to_come.before.1 < to_come.before.0);
        assert_eq!(to_come.notes().count(), 0);
    }

    #[test]
    fn what_is_not_whole_is_not_compared() {
        let at = day("2026-11-12").start().plus(HOUR);
        let month = comparison(("2026-11-01", "2026-11-30"), at, "2026-10-03");
        let fair = |by, start: &str, other: &str| month.is_fair_row(by, day(start).start(), day(other).start());
        assert!(fair(Grain::Day, "2026-11-11", "2026-10-11"));
        assert!(!fair(Grain::Day, "2026-11-12", "2026-10-12"), "today");
        assert!(!fair(Grain::Day, "2026-11-02", "2026-10-02"), "before records began");
        assert!(!month.is_fair());
        assert_eq!(month.notes().collect::<Vec<_>>(), [Note::KnownSince(day("2026-10-03")), Note::TodayIsRunning]);
        let half_years = comparison(("2026-09-01", "2026-11-12"), at, "2025-01-01");
        let fair = |start: &str, other: &str| half_years.is_fair_row(Grain::Month, day(start).start(), day(other).start());
        assert!(!fair("2026-09-01", "2026-06-01"), "all of September, and a part of June");
        assert!(fair("2026-10-01", "2026-07-01"));
    }
}
