//! What a report is asked by: a range of days, a place, and what a row covers.

use super::{Grain, ReportKind};
use crate::time::{Date, Timestamp};
use crate::typed;

/// The days of a report where none were chosen.
const USUAL_DAYS: i64 = 30;
/// The longest text that names a place, a room or an account.
pub const LONGEST_TEXT: usize = 100;
/// The most days of an age.
const OLDEST: i64 = 3_660;

/// Why a report cannot be made as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeProblem {
    /// Not a day of the calendar.
    NotADay,
    /// It ends before it begins.
    Reversed,
    /// More than this number of days.
    TooLong(i64),
    /// There is no such place, or the operator may not see it.
    UnknownPlace,
    /// No room or account that the operator may see.
    UnknownRoom,
    /// Several rooms fit.
    SeveralRooms,
    /// Rows of a length of time that the report does not have.
    NoSuchRows,
    /// It is about one account, and none was named.
    RoomMissing,
    /// An age that is no number of days up to ten years.
    NotAnAge,
    /// So many meters fit into a report of at most so many days; 0: into none.
    TooManyMeters { meters: i64, days: i64 },
    /// It was not made in the time that a page or a download waits for it.
    TooSlow,
    /// As many as may be made at once for pages and downloads are being made.
    OthersBeingMade,
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportQuery {
    pub from: Date,
    /// The last day of it.
    pub until: Date,
    pub by: Grain,
    /// The id of a place or group; empty for all.
    pub place: String,
    /// A room by its name, or an account by its number; empty for all.
    pub room: String,
    /// Leaves out what is younger than that number of days; 0: nothing.
    pub age: i64,
}

impl ReportQuery {
    /// From the fields of a form or address; empty ones are the usual range up to today, and everything.
    ///
    /// # Errors
    /// [`RangeProblem`].
    pub fn parse(kind: ReportKind, field: impl Fn(&'static str) -> String, today: Date) -> Result<Self, RangeProblem> {
        let short = |name| typed::name(&field(name)).chars().take(LONGEST_TEXT).collect::<String>();
        let day = |name| match short(name).as_str() {
            "" => Ok(None),
            text => typed::parse::<Date>(text).map(Some).map_err(|_| RangeProblem::NotADay),
        };
        let by = match short("by").as_str() {
            "" => kind.grains().first().copied().unwrap_or(Grain::Day),
            word => Grain::parse(word).filter(|grain| kind.grains().contains(grain)).ok_or(RangeProblem::NoSuchRows)?,
        };
        let (from, until) = match (day("from")?, day("until")?) {
            // Nobody knows yet how things will be.
            (_, until) if kind.is_of_an_instant() => {
                let day = until.map_or(today, |day| day.min(today));
                (Some(day), Some(day))
            }
            (None, None) if kind.is_monthly() => {
                let (first, last) = today.month_before();
                (Some(first), Some(last))
            }
            range => range,
        };
        let until = until.unwrap_or(from.map_or(today, |from| today.max(from)));
        let from = from.unwrap_or(until.plus(1 - USUAL_DAYS));
        if until < from {
            return Err(RangeProblem::Reversed);
        }
        if until.0 - from.0 >= by.longest() {
            return Err(RangeProblem::TooLong(by.longest()));
        }
        let age = match short("age").as_str() {
            text if kind.has_age() && !text.is_empty() => text.parse().ok().filter(|days| (0..=OLDEST).contains(days)),
            _ => Some(0),
        };
        let only = |is_asked: bool, name| if is_asked { short(name) } else { String::new() };
        let (place, room) = (only(!kind.is_of_one_account(), "place"), only(kind.is_of_rooms(), "room"));
        Ok(Self { from, until, by, place, room, age: age.ok_or(RangeProblem::NotAnAge)? })
    }

    /// The first instant that a report about how things are leaves out: the end of its last day, or just after now.
    #[must_use]
    pub fn instant(&self, now: Timestamp) -> Timestamp {
        self.until.plus(1).start().min(now.plus(1))
    }

    /// The first instant, and the first one after the range.
    #[must_use]
    pub const fn instants(&self) -> (Timestamp, Timestamp) {
        (self.from.start(), self.until.plus(1).start())
    }

    /// The number of days.
    #[must_use]
    pub const fn days(&self) -> i64 {
        self.until.0 - self.from.0 + 1
    }

    /// As many days just before it; whole months before whole months.
    #[must_use]
    pub fn before(&self) -> (Date, Date) {
        let (first, last) = (self.from.ymd(), self.until.plus(1).ymd());
        let until = self.from.plus(-1);
        if first.2 != 1 || last.2 != 1 {
            return (self.from.plus(-self.days()), until);
        }
        let months = (last.0 - first.0) * 12 + i64::from(last.1) - i64::from(first.1);
        let before = first.0 * 12 + i64::from(first.1) - 1 - months;
        let month = u8::try_from(before.rem_euclid(12) + 1).unwrap_or(1);
        let from = Date::from_ymd(before.div_euclid(12), month, 1).unwrap_or(self.from.plus(-self.days()));
        (from, until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn parsed(by: &str, from: &str, until: &str) -> Result<ReportQuery, RangeProblem> {
        let field = |name: &'static str| match name {
            "by" => by.to_owned(),
            "from" => from.to_owned(),
            "until" => until.to_owned(),
            _ => String::new(),
        };
        ReportQuery::parse(ReportKind::Sales, field, day("2026-11-29"))
    }

    #[test]
    fn an_empty_form_asks_for_the_last_thirty_days() {
        let query = parsed("", "", "").unwrap();
        assert_eq!((query.from, query.until, query.by), (day("2026-10-31"), day("2026-11-29"), Grain::Day));
        let query = parsed("month", "2026-11-01", "").unwrap();
        assert_eq!((query.from, query.until, query.by), (day("2026-11-01"), day("2026-11-29"), Grain::Month));
        for word in ["hour", "week", "x"] {
            assert_eq!(parsed(word, "", ""), Err(RangeProblem::NoSuchRows), "sales have no rows by {word}");
        }
        assert_eq!(parsed("day", "2027-01-01", "").unwrap().until, day("2027-01-01"));
    }

    #[test]
    fn ranges_are_bounded_and_in_order() {
        assert_eq!(parsed("day", "1976-01-01", "2026-11-29"), Err(RangeProblem::TooLong(400)));
        assert_eq!(parsed("year", "1976-01-01", "2026-11-29"), Err(RangeProblem::TooLong(3_660)));
        assert!(parsed("year", "2017-01-01", "2026-11-29").is_ok());
        assert_eq!(parsed("day", "2026-11-29", "2026-11-28"), Err(RangeProblem::Reversed));
        for bad in ["2026-02-30", "yesterday", "2026-11", "9999999999-01-01"] {
            assert_eq!(parsed("day", bad, ""), Err(RangeProblem::NotADay), "{bad}");
        }
    }

    #[test]
    fn the_time_before_is_as_long_and_by_the_calendar_for_months() {
        let before = |from: &str, until: &str| parsed("month", from, until).unwrap().before();
        assert_eq!(before("2026-11-08", "2026-11-14"), (day("2026-11-01"), day("2026-11-07")));
        assert_eq!(before("2026-03-01", "2026-03-31"), (day("2026-02-01"), day("2026-02-28")));
        assert_eq!(before("2026-01-01", "2026-12-31"), (day("2025-01-01"), day("2025-12-31")));
        assert_eq!(before("2026-01-01", "2026-02-28"), (day("2025-11-01"), day("2025-12-31")));
    }
    fn of_fields(kind: ReportKind, fields: &[(&str, &str)]) -> Result<ReportQuery, RangeProblem> {
        let value = |name: &str| fields.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value).to_owned();
        ReportQuery::parse(kind, value, day("2026-11-29"))
    }

    #[test]
    fn a_report_of_an_instant_has_one_day_and_ends_now() {
        let now = day("2026-11-29").start().plus(5);
        let query = of_fields(ReportKind::Liability, &[("from", "2020-01-01")]).unwrap();
        assert_eq!((query.from, query.until, query.instant(now)), (day("2026-11-29"), day("2026-11-29"), now.plus(1)));
        let query = of_fields(ReportKind::Liability, &[("until", "2020-01-01")]).unwrap();
        assert_eq!((query.from, query.instant(now)), (day("2020-01-01"), day("2020-01-02").start()));
        let query = of_fields(ReportKind::Prices, &[("until", "2030-01-01")]).unwrap();
        assert_eq!((query.from, query.until, query.instant(now)), (day("2026-11-29"), day("2026-11-29"), now.plus(1)));
    }

    #[test]
    fn a_monthly_report_is_about_the_month_that_is_over() {
        let query = of_fields(ReportKind::BuildingStatement, &[]).unwrap();
        assert_eq!((query.from, query.until), (day("2026-10-01"), day("2026-10-31")));
    }

    #[test]
    fn an_age_is_a_number_of_days() {
        let age = |text| of_fields(ReportKind::OpenCases, &[("age", text)]).map(|query| query.age);
        assert_eq!([age(""), age("7"), age("3660")], [Ok(0), Ok(7), Ok(3_660)]);
        for bad in ["-1", "3661", "week", "1.5", "99999999999999999999"] {
            assert_eq!(age(bad), Err(RangeProblem::NotAnAge), "{bad}");
        }
        assert_eq!(of_fields(ReportKind::Sales, &[("age", "x")]).unwrap().age, 0);
    }
}
