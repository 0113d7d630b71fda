//! When a room is switched off and on by itself.

use std::fmt;
use std::str::FromStr;

use crate::error::AppError;
use crate::word_enum;

/// Schedules that one account may have.
pub const SCHEDULES_MAX: i64 = 4;

/// Some days of the week, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays(u8);

impl Weekdays {
    /// From their bits, Monday is 1.
    #[must_use]
    pub fn new(bits: i64) -> Option<Self> {
        u8::try_from(bits).ok().filter(|bits| (1..=127).contains(bits)).map(Self)
    }

    /// From their numbers, Monday is 0.
    #[must_use]
    pub fn of(days: impl IntoIterator<Item = u8>) -> Option<Self> {
        let bit = |day: u8| if day < 7 { Some(1_i64 << day) } else { None };
        let bits = days.into_iter().try_fold(0, |bits, day| Some(bits | bit(day)?))?;
        Self::new(bits)
    }

    #[must_use]
    pub fn bits(self) -> i64 {
        self.0.into()
    }

    /// Whether a day is among them, Monday is 0.
    #[must_use]
    pub const fn contains(self, day: u8) -> bool {
        day < 7 && self.0 & (1 << day) != 0
    }
}

/// A minute of the day, as clocks show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteOfDay(u16);

impl MinuteOfDay {
    #[must_use]
    pub fn new(minutes: i64) -> Option<Self> {
        u16::try_from(minutes).ok().filter(|minutes| *minutes < 24 * 60).map(Self)
    }

    /// Minutes since midnight of the site.
    #[must_use]
    pub fn minutes(self) -> i64 {
        self.0.into()
    }
}

impl fmt::Display for MinuteOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for MinuteOfDay {
    type Err = AppError;

    /// `23:00`.
    fn from_str(text: &str) -> Result<Self, AppError> {
        let is_two = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let two = |part: &str| Some(part).filter(is_two)?.parse::<u8>().ok();
        let parts = text.split_once(':').and_then(|(hour, minute)| two(hour).zip(two(minute)));
        let (hour, minute) = parts.filter(|(hour, minute)| *hour < 24 && *minute < 60).ok_or(AppError::Invalid)?;
        Ok(Self(u16::from(hour) * 60 + u16::from(minute)))
    }
}

/// When a room goes off, on some days, and when it comes on after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchTimes {
    /// The days on which it goes off.
    pub weekdays: Weekdays,
    pub off: MinuteOfDay,
    /// The next time of this kind after it went off, maybe on the day after.
    pub on: MinuteOfDay,
}

impl SwitchTimes {
    /// `None` where it would come on in the minute in which it goes off.
    #[must_use]
    pub fn new(weekdays: Weekdays, off: MinuteOfDay, on: MinuteOfDay) -> Option<Self> {
        (off != on).then_some(Self { weekdays, off, on })
    }

    /// Whether it comes on on the day after.
    #[must_use]
    pub const fn is_overnight(&self) -> bool {
        self.on.0 < self.off.0
    }
}

impl fmt::Display for SwitchTimes {
    /// For the audit: `12345 23:00-06:30`, Monday is 1.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..7_u8).filter(|day| self.weekdays.contains(*day)).try_for_each(|day| write!(f, "{}", day + 1))?;
        write!(f, " {}-{}", self.off, self.on)
    }
}

word_enum! {
    /// What became of a switching by schedule.
    pub enum SwitchOutcome {
        /// A command was stored; its own state says what the meter did.
        Sent = "sent",
        /// The room was so already.
        Already = "already",
        /// The server did not run, or the meter did not answer, until it was too late.
        Missed = "missed",
        /// The power was off for arrears.
        Arrears = "arrears",
        /// The meter had switched off to protect itself or the wiring.
        Protection = "protection",
        /// An operator had forced the power off, or guaranteed it.
        Operator = "operator",
        /// The room had been switched as often as its relay may be within the hour.
        TooOften = "too-often",
        /// The account was not open in the meter.
        NotOpen = "not-open",
    }
}

impl SwitchOutcome {
    /// Of a refusal of the switch; `None` for what says nothing about the room.
    #[must_use]
    pub const fn of(refusal: AppError) -> Option<Self> {
        match refusal {
            AppError::OffForArrears => Some(Self::Arrears),
            AppError::OffForOverload | AppError::OffForMalignantLoad => Some(Self::Protection),
            AppError::OffByOperator | AppError::OnByOperator => Some(Self::Operator),
            AppError::SwitchedTooOften => Some(Self::TooOften),
            AppError::AccountNotOpen | AppError::AccountClosing => Some(Self::NotOpen),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(text: &str) -> MinuteOfDay {
        text.parse().unwrap()
    }

    #[test]
    fn minutes_of_a_day_are_read_strictly() {
        assert_eq!(minute("23:05").minutes(), 23 * 60 + 5);
        assert_eq!(minute("00:00").to_string(), "00:00");
        for text in ["", "24:00", "7:00", "07:60", "07:0", "07:00:00", "+7:00", "aa:bb"] {
            assert_eq!(text.parse::<MinuteOfDay>(), Err(AppError::Invalid), "{text}");
        }
        assert_eq!((MinuteOfDay::new(1_440), MinuteOfDay::new(-1)), (None, None));
    }

    #[test]
    fn weekdays_are_never_none() {
        assert_eq!((Weekdays::new(0), Weekdays::new(128), Weekdays::of([7]), Weekdays::of([])), (None, None, None, None));
        let days = Weekdays::of([0, 6]).unwrap();
        assert_eq!(days.bits(), 65);
        assert!(days.contains(0) && days.contains(6) && !days.contains(1) && !days.contains(7));
    }

    #[test]
    fn times_read_like_a_line_of_the_audit() {
        let days = Weekdays::new(0b1_1111).unwrap();
        let night = SwitchTimes::new(days, minute("23:00"), minute("06:30")).unwrap();
        assert_eq!((night.to_string().as_str(), night.is_overnight()), ("12345 23:00-06:30", true));
        assert_eq!(SwitchTimes::new(days, minute("23:00"), minute("23:00")), None);
    }
}
