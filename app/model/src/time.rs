//! Time: instants as epoch milliseconds in UTC, shown as Shanghai civil time (UTC+8, no daylight saving).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Milliseconds in a second, a minute, an hour and a day.
pub const SECOND: i64 = 1_000;
/// One minute in ms.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in ms.
pub const HOUR: i64 = 60 * MINUTE;
/// One day in ms.
pub const DAY: i64 = 24 * HOUR;
/// Shanghai is eight hours ahead of UTC.
const OFFSET: i64 = 8 * HOUR;

/// An instant: milliseconds since 1970-01-01T00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Timestamp(pub i64);

/// A calendar day in Shanghai: days since 1970-01-01.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Date(pub i64);

/// An instant broken into Shanghai civil fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Four-digit year.
    pub year: i64,
    /// 1-12.
    pub month: u8,
    /// 1-31.
    pub day: u8,
    /// 0-23.
    pub hour: u8,
    /// 0-59.
    pub minute: u8,
    /// 0-59.
    pub second: u8,
}

impl Timestamp {
    /// The Shanghai civil fields of this instant.
    #[must_use]
    pub fn civil(self) -> Civil {
        let local = self.0 + OFFSET;
        let (year, month, day) = civil_from_days(local.div_euclid(DAY));
        let in_day = local.rem_euclid(DAY);
        Civil {
            year,
            month,
            day,
            hour: (in_day / HOUR) as u8,
            minute: (in_day % HOUR / MINUTE) as u8,
            second: (in_day % MINUTE / SECOND) as u8,
        }
    }

    /// The Shanghai calendar day that holds this instant.
    #[must_use]
    pub const fn date(self) -> Date {
        Date((self.0 + OFFSET).div_euclid(DAY))
    }

    /// Whole hours since the epoch; the same in Shanghai, whose offset is whole hours.
    #[must_use]
    pub const fn hour(self) -> i64 {
        self.0.div_euclid(HOUR)
    }

    /// This instant moved by `ms`.
    #[must_use]
    pub const fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// An instant as forms and command lines write it: `2026-11-30T12:00`, `2026-11-30 12:00`, or a day, which means its end.
    #[must_use]
    pub fn parse_local(text: &str) -> Option<Self> {
        let (day, clock) = text.trim().split_once(['T', ' ']).map_or((text.trim(), None), |(day, clock)| (day, Some(clock)));
        let mut parts = day.splitn(3, '-');
        let (year, month, day) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let Some(clock) = clock else { return Some(Date::from_ymd(year, month, day)?.plus(1).start().plus(-1)) };
        let (hour, minute) = clock.split_once(':')?;
        Civil { year, month, day, hour: hour.parse().ok()?, minute: minute.parse().ok()?, second: 0 }.timestamp()
    }

    /// One millisecond earlier: the instant at which use until now is booked, so that what ends at midnight
    /// belongs to the day before it.
    #[must_use]
    pub const fn just_before(self) -> Self {
        Self(self.0 - 1)
    }

    /// `21:15`.
    #[must_use]
    pub fn clock(self) -> String {
        let c = self.civil();
        format!("{:02}:{:02}", c.hour, c.minute)
    }

    /// `21:15:02`.
    #[must_use]
    pub fn clock_seconds(self) -> String {
        let c = self.civil();
        format!("{:02}:{:02}:{:02}", c.hour, c.minute, c.second)
    }
}

impl fmt::Display for Timestamp {
    /// `2026-11-23 21:15:02`, Shanghai.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date(), self.clock_seconds())
    }
}

impl Civil {
    /// The instant of these Shanghai fields; `None` where they name no real time.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        let date = Date::from_ymd(self.year, self.month, self.day)?;
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let in_day = i64::from(self.hour) * HOUR + i64::from(self.minute) * MINUTE + i64::from(self.second) * SECOND;
        Some(date.start().plus(in_day))
    }
}

impl Date {
    /// The day of a civil date; `None` where there is no such day.
    #[must_use]
    pub fn from_ymd(year: i64, month: u8, day: u8) -> Option<Self> {
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !(1900..=9999).contains(&year) {
            return None;
        }
        let days = days_from_civil(year, month, day);
        (civil_from_days(days) == (year, month, day)).then_some(Self(days))
    }

    /// Year, month and day.
    #[must_use]
    pub fn ymd(self) -> (i64, u8, u8) {
        civil_from_days(self.0)
    }

    /// Midnight at the start of this day in Shanghai.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0 * DAY - OFFSET)
    }

    /// The day `days` later.
    #[must_use]
    pub const fn plus(self, days: i64) -> Self {
        Self(self.0 + days)
    }

    /// The first and the last day of the month before this day's.
    #[must_use]
    pub fn month_before(self) -> (Self, Self) {
        let last = self.plus(-i64::from(self.ymd().2));
        (last.plus(1 - i64::from(last.ymd().2)), last)
    }

    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    pub const fn weekday(self) -> u8 {
        (self.0 + 3).rem_euclid(7) as u8
    }
}

impl FromStr for Date {
    type Err = NoDate;

    /// As date inputs submit it: `2026-11-23`.
    fn from_str(text: &str) -> Result<Self, NoDate> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().ok_or(NoDate);
        let (year, month, day) = (part()?, part()?, part()?);
        let number = |text: &str| text.parse::<u8>().map_err(|_| NoDate);
        Self::from_ymd(year.parse().map_err(|_| NoDate)?, number(month)?, number(day)?).ok_or(NoDate)
    }
}

/// The text names no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDate;

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Howard Hinnant's algorithm: days since 1970-01-01 to the proleptic Gregorian calendar.
fn civil_from_days(days: i64) -> (i64, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u8;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: u8, day: u8) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_before_is_whole() {
        let day = |year, month, day| Date::from_ymd(year, month, day).unwrap();
        assert_eq!(day(2026, 3, 1).month_before(), (day(2026, 2, 1), day(2026, 2, 28)));
        assert_eq!(day(2027, 1, 31).month_before(), (day(2026, 12, 1), day(2026, 12, 31)));
    }

    #[test]
    fn shanghai_is_eight_hours_ahead() {
        let at = Timestamp(1_795_363_200_000);
        assert_eq!(at.to_string(), "2026-11-23 00:00:00");
        assert_eq!(Timestamp(0).to_string(), "1970-01-01 08:00:00");
    }

    #[test]
    fn civil_and_back_over_four_centuries() {
        for days in (-25_000..120_000).step_by(7) {
            let date = Date(days);
            let (year, month, day) = date.ymd();
            assert_eq!(Date::from_ymd(year, month, day), Some(date));
            assert_eq!(date.start().civil().timestamp(), Some(date.start()));
        }
    }

    #[test]
    fn impossible_days_are_none() {
        assert_eq!(Date::from_ymd(2026, 2, 29), None);
        assert_eq!(Date::from_ymd(2026, 13, 1), None);
        assert!(Date::from_ymd(2028, 2, 29).is_some());
    }

    #[test]
    fn weekdays() {
        assert_eq!(Date::from_ymd(2026, 11, 23).map(Date::weekday), Some(0));
    }
}
