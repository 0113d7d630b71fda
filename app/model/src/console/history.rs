//! The history of a meter: days, hours or readings within a bounded range of days.

use super::{Page, Reading, RoomDay, RoomName};
use crate::energy::Energy;
use crate::ids::MeterId;
use crate::time::{Date, Timestamp};
use crate::typed::typed;
use crate::word_enum;

word_enum! {
    /// What a history lists.
    pub enum HistoryKind {
        Days = "days",
        Hours = "hours",
        Readings = "readings",
    }
}

impl HistoryKind {
    /// The most days of one history.
    #[must_use]
    pub const fn longest(self) -> i64 {
        match self {
            Self::Days => 400,
            Self::Hours | Self::Readings => 31,
        }
    }

    /// The days that are shown where none were chosen.
    const fn usual(self) -> i64 {
        match self {
            Self::Days => 30,
            Self::Hours => 3,
            Self::Readings => 1,
        }
    }
}

/// Why a range of days cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeProblem {
    /// Not a day of the calendar.
    NotADay,
    /// It ends before it begins.
    Reversed,
    /// More than this number of days.
    TooLong(i64),
}

/// The range of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    pub kind: HistoryKind,
    pub from: Date,
    /// The last day of it.
    pub until: Date,
    /// Counted from 0.
    pub page: i64,
}

impl HistoryQuery {
    /// From form fields, `2026-11-01`; empty fields are the usual range up to today.
    ///
    /// # Errors
    /// [`RangeProblem`].
    pub fn parse(kind: &str, from: &str, until: &str, today: Date, page: i64) -> Result<Self, RangeProblem> {
        let kind = HistoryKind::parse(kind).unwrap_or(HistoryKind::Days);
        let given = |text: &str| match text.trim() {
            "" => Ok(None),
            text => day(&typed(text)).map(Some).ok_or(RangeProblem::NotADay),
        };
        let (from, until) = (given(from)?, given(until)?);
        let until = until.or(from.map(|from| Date(from.0.saturating_add(kind.usual() - 1)).min(today))).unwrap_or(today);
        let from = from.unwrap_or(until.plus(1 - kind.usual()));
        if until < from {
            return Err(RangeProblem::Reversed);
        }
        if until.0 - from.0 >= kind.longest() {
            return Err(RangeProblem::TooLong(kind.longest()));
        }
        Ok(Self { kind, from, until, page })
    }

    /// The first instant, and the first one after the range.
    #[must_use]
    pub const fn instants(&self) -> (Timestamp, Timestamp) {
        (self.from.start(), self.until.plus(1).start())
    }
}

fn day(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Energy of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourEnergy {
    /// When the hour begins.
    pub at: Timestamp,
    /// `None` where nothing was read.
    pub energy: Option<Energy>,
}

/// The lowest and highest power of a part of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerRange {
    /// The number of the part, from 0.
    pub part: i64,
    pub lowest_w: i64,
    pub highest_w: i64,
}

/// What a history lists, in the order of time where it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryLines {
    Days(Vec<RoomDay>),
    Hours(Vec<HourEnergy>),
    /// A page of readings, newest first, and the power over the whole range.
    Readings(Page<Reading>, Vec<PowerRange>),
}

/// Parts into which the power of a range is divided.
pub const POWER_PARTS: i64 = 240;

/// The history of a meter.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    pub meter: MeterId,
    pub room: RoomName,
    pub serial: String,
    /// When it was taken out of service.
    pub retired_at: Option<Timestamp>,
    pub lines: HistoryLines,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: &str, from: &str, until: &str) -> Result<(i64, i64), RangeProblem> {
        let today = Date::from_ymd(2026, 11, 29).unwrap();
        HistoryQuery::parse(kind, from, until, today, 0).map(|query| (query.from.0 - today.0, query.until.0 - today.0))
    }

    #[test]
    fn empty_fields_are_the_usual_range_up_to_today() {
        assert_eq!(parsed("", "", ""), Ok((-29, 0)));
        assert_eq!(parsed("hours", "", ""), Ok((-2, 0)));
        assert_eq!(parsed("readings", "", "2026-11-28"), Ok((-1, -1)));
        assert_eq!(parsed("hours", "2026-11-20", ""), Ok((-9, -7)));
        assert_eq!(parsed("days", "2026-11-20", ""), Ok((-9, 0)));
    }

    #[test]
    fn ranges_are_bounded_and_in_order() {
        assert_eq!(parsed("days", "2025-10-26", "2026-11-29"), Ok((-399, 0)));
        assert_eq!(parsed("days", "2025-10-25", "2026-11-29"), Err(RangeProblem::TooLong(400)));
        assert_eq!(parsed("readings", "2026-10-29", "2026-11-29"), Err(RangeProblem::TooLong(31)));
        assert_eq!(parsed("days", "2026-11-29", "2026-11-28"), Err(RangeProblem::Reversed));
        for bad in ["2026-02-30", "yesterday", "2026-11", "9999999999-01-01"] {
            assert_eq!(parsed("days", bad, ""), Err(RangeProblem::NotADay), "{bad}");
        }
    }
}
