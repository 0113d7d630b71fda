//! The monthly subsidy.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::time::{Date, Timestamp};
use crate::typed::typed;
use crate::word_enum;

word_enum! {
    /// What a subsidy is granted for.
    pub enum Per {
        Room = "room",
        /// Each resident of a room.
        Head = "head",
    }
}

/// A calendar month: year * 12 + month - 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Month(pub i64);

impl Month {
    /// The month that holds an instant, in Shanghai.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let (year, month, _) = at.date().ymd();
        Self(year * 12 + i64::from(month) - 1)
    }

    /// Its first day; `None` beyond the calendar.
    #[must_use]
    pub fn first(self) -> Option<Date> {
        Date::from_ymd(self.0.div_euclid(12), u8::try_from(self.0.rem_euclid(12) + 1).ok()?, 1)
    }
}

impl fmt::Display for Month {
    /// `2026-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl FromStr for Month {
    type Err = crate::error::AppError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = crate::error::AppError::Invalid;
        let text = typed(text);
        let (year, month) = text.split_once('-').ok_or(wrong)?;
        let date = Date::from_ymd(year.parse().map_err(|_| wrong)?, month.parse().map_err(|_| wrong)?, 1).ok_or(wrong)?;
        Ok(Self::of(date.start()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_go_round() {
        for text in ["2026-01", "2026-11", "2026-12"] {
            assert_eq!(text.parse::<Month>().map(|month| month.to_string()), Ok(text.to_owned()));
            let first = text.parse::<Month>().ok().and_then(Month::first);
            assert_eq!(first.map(|day| day.to_string()), Some(format!("{text}-01")));
        }
        for text in ["", "2026", "2026-13", "2026-00", "x-1", "2026-1-1"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
