//! Friendly hours, in which nobody is tripped for arrears, and emergency credit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::console::RoomName;
use crate::ids::MeterId;
use crate::money::Fen;
use crate::time::{Date, Timestamp};
use crate::word_enum;

/// Ranges of examination days that a calendar may have.
pub const EXAMINATIONS_MAX: usize = 12;
/// The longest range of examination days.
const RANGE_MAX: i64 = 92;

word_enum! {
    /// The period in which emergency credit may be taken once.
    #[derive(Default)]
    pub enum CreditPeriod {
        /// From Monday on.
        Week = "week",
        #[default]
        Month = "month",
        /// From February or August on.
        Term = "term",
    }

    /// Why a file of public holidays is refused.
    pub enum HolidayFault {
        /// It is not UTF-8, or too large.
        Unreadable = "unreadable",
        /// The first field is no day as 2027-01-01.
        Day = "day",
        /// The second field is neither a day off nor a working day.
        Kind = "kind",
        /// A day is a day off and a working day.
        Twice = "twice",
        /// An event has no days, or more than two months of them.
        Event = "event",
        /// There is no day in it, or there are too many.
        Count = "count",
    }

    /// What an imported calendar says about a day.
    pub enum DayKind {
        /// A public holiday, or a day off that belongs to one.
        DayOff = "day_off",
        /// A Saturday or Sunday on which people work.
        WorkingDay = "working_day",
    }
}

impl CreditPeriod {
    /// The first day of the period that holds a day.
    #[must_use]
    pub fn first_day(self, day: Date) -> Date {
        let (year, month, _) = day.ymd();
        let start = |year, month| Date::from_ymd(year, month, 1).unwrap_or(day);
        match self {
            Self::Week => day.plus(-i64::from(day.weekday())),
            Self::Month => start(year, month),
            Self::Term => match month {
                1 => start(year - 1, 8),
                2..=7 => start(year, 2),
                _ => start(year, 8),
            },
        }
    }

    /// The first day of the period after the one that holds a day.
    #[must_use]
    pub fn next_first_day(self, day: Date) -> Date {
        let first = self.first_day(day);
        let longest = match self {
            Self::Week => 7,
            Self::Month => 31,
            Self::Term => 184,
        };
        self.first_day(first.plus(longest))
    }
}

/// A time of day, in minutes from midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MinuteOfDay(u16);

impl MinuteOfDay {
    #[must_use]
    pub fn new(minute: i64) -> Option<Self> {
        u16::try_from(minute).ok().filter(|minute| *minute < 24 * 60).map(Self)
    }

    #[must_use]
    pub const fn minute(self) -> i64 {
        self.0 as i64
    }
}

impl fmt::Display for MinuteOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// A text that is not of the form that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day (23:00) or days in order (2027-01-10 2027-01-20)")]
pub struct FriendlyFieldError;

impl FromStr for MinuteOfDay {
    type Err = FriendlyFieldError;

    /// As time inputs submit it: `23:00`.
    fn from_str(text: &str) -> Result<Self, FriendlyFieldError> {
        let (hour, minute) = text.trim().split_once(':').ok_or(FriendlyFieldError)?;
        let number = |text: &str| text.parse::<i64>().map_err(|_| FriendlyFieldError);
        let (hour, minute) = (number(hour)?, number(minute)?);
        let is_time = (0..24).contains(&hour) && (0..60).contains(&minute);
        Self::new(hour * 60 + minute).filter(|_| is_time).ok_or(FriendlyFieldError)
    }
}

/// From a time of day until another, on the next day where that is not later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Night {
    pub from: MinuteOfDay,
    pub until: MinuteOfDay,
}

/// Days from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayRange {
    pub first: Date,
    pub last: Date,
}

impl DayRange {
    #[must_use]
    pub const fn contains(&self, day: Date) -> bool {
        self.first.0 <= day.0 && day.0 <= self.last.0
    }
}

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.first, self.last)
    }
}

impl FromStr for DayRange {
    type Err = FriendlyFieldError;

    /// `2027-01-10 2027-01-20`, or one day.
    fn from_str(text: &str) -> Result<Self, FriendlyFieldError> {
        let mut days = text.split_whitespace().map(|day| day.parse::<Date>().map_err(|_| FriendlyFieldError));
        let first = days.next().ok_or(FriendlyFieldError)??;
        let last = days.next().unwrap_or(Ok(first))?;
        let fits = days.next().is_none() && (0..RANGE_MAX).contains(&(last.0 - first.0));
        if fits { Ok(Self { first, last }) } else { Err(FriendlyFieldError) }
    }
}

/// What is set for a place or group: when nobody is tripped for arrears, and the emergency credit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FriendlyHours {
    pub night: Option<Night>,
    /// Saturdays and Sundays on which nobody has to work.
    pub weekends: bool,
    /// Days off of the imported calendar.
    pub holidays: bool,
    pub examinations: Vec<DayRange>,
    /// How far below zero a meter with a wallet of its own may go meanwhile; 0: such meters keep their limit.
    pub overdraft: Fen,
    /// How far below zero a resident may go once in a period; 0: none.
    pub emergency: Fen,
    pub period: CreditPeriod,
}

/// The most that an amount here may be: a typing error above it would give power away.
pub const AMOUNT_MAX: Fen = Fen(100_000);

impl FriendlyHours {
    /// Whether the values make sense.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let amounts = [self.overdraft, self.emergency].iter().all(|fen| (Fen::ZERO..=AMOUNT_MAX).contains(fen));
        amounts && self.examinations.len() <= EXAMINATIONS_MAX && self.night.is_none_or(|night| night.from != night.until)
    }

    /// Reads ranges of days, one a line.
    ///
    /// # Errors
    /// Where a line is no range, or there are too many.
    pub fn examinations_of(text: &str) -> Result<Vec<DayRange>, FriendlyFieldError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let ranges: Vec<DayRange> = lines.map(str::parse).collect::<Result<_, _>>()?;
        if ranges.len() <= EXAMINATIONS_MAX { Ok(ranges) } else { Err(FriendlyFieldError) }
    }
}

/// A day of the imported calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarDay {
    pub day: Date,
    pub kind: DayKind,
    /// What the day is called.
    pub name: String,
}

/// A day of a year, as it is for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewDay {
    pub day: Date,
    /// Nobody is tripped on the whole day.
    pub is_off: bool,
    /// What the imported calendar calls it; empty for others.
    pub name: String,
}

/// A fault of a file of public holidays and the line that has it, from 1; 0: the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolidayProblem {
    pub line: usize,
    pub fault: HolidayFault,
}

/// A meter that has not shown the overdraft limit that it should have for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Straggler {
    pub meter: MeterId,
    pub room: RoomName,
    pub wanted: Fen,
    pub shown: Fen,
    /// Since when it should have it.
    pub since: Timestamp,
    pub lost_since: Option<Timestamp>,
}

/// Whether a resident may take emergency credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmergencyCredit {
    /// None is set for the room.
    NotOffered,
    /// There is still credit: it can be taken when the second alarm is on.
    NotYet {
        amount: Fen,
    },
    Offered {
        amount: Fen,
    },
    /// More is owed than it covers: the power comes back only after a top-up of at least this amount.
    TooLittle {
        amount: Fen,
        least: Fen,
    },
    /// It was taken, and the next purchase repays it.
    Outstanding {
        amount: Fen,
        taken_at: Timestamp,
    },
    /// It was taken and repaid in this period.
    Used {
        next: Date,
    },
}

impl EmergencyCredit {
    /// Whether it is shown beside the balance: it can be taken, or has to be repaid.
    #[must_use]
    pub const fn is_shown(self) -> bool {
        matches!(self, Self::Offered { .. } | Self::Outstanding { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn times_and_ranges_round_trip() {
        for text in ["00:00", "07:30", "23:59"] {
            assert_eq!(text.parse::<MinuteOfDay>().unwrap().to_string(), text);
        }
        for bad in ["24:00", "7", "07:60", "-1:00", ""] {
            assert_eq!(bad.parse::<MinuteOfDay>(), Err(FriendlyFieldError), "{bad}");
        }
        let range: DayRange = "2027-01-10 2027-01-20".parse().unwrap();
        assert_eq!(range.to_string().parse(), Ok(range));
        assert!(range.contains(day("2027-01-20")) && !range.contains(day("2027-01-21")));
        for bad in ["", "2027-01-20 2027-01-10", "2027-01-10 2027-06-01", "2027-01-10 x", "2027-01-01 2027-01-02 2027-01-03"] {
            assert_eq!(bad.parse::<DayRange>(), Err(FriendlyFieldError), "{bad}");
        }
        assert_eq!(FriendlyHours::examinations_of("\n2027-01-10\n").map(|ranges| ranges.len()), Ok(1));
    }

    #[test]
    fn periods_begin_on_mondays_firsts_and_terms() {
        for (period, of, first, next) in [
            (CreditPeriod::Week, "2026-11-29", "2026-11-23", "2026-11-30"),
            (CreditPeriod::Month, "2026-02-28", "2026-02-01", "2026-03-01"),
            (CreditPeriod::Term, "2027-01-31", "2026-08-01", "2027-02-01"),
            (CreditPeriod::Term, "2027-02-01", "2027-02-01", "2027-08-01"),
            (CreditPeriod::Term, "2027-12-01", "2027-08-01", "2028-02-01"),
        ] {
            assert_eq!((period.first_day(day(of)), period.next_first_day(day(of))), (day(first), day(next)), "{period:?} {of}");
        }
    }

    #[test]
    fn amounts_and_nights_are_bounded() {
        let minute = |minute| MinuteOfDay::new(minute).unwrap();
        let night = Night { from: minute(1_380), until: minute(420) };
        let hours = FriendlyHours { night: Some(night), overdraft: Fen(2_000), ..FriendlyHours::default() };
        assert!(hours.is_valid());
        assert!(!FriendlyHours { emergency: Fen(100_001), ..hours.clone() }.is_valid());
        assert!(!FriendlyHours { night: Some(Night { until: minute(1_380), ..night }), ..hours }.is_valid());
    }
}
