//! A held energy counter, and an operator's decision about it.

use crate::energy::Energy;
use crate::error::AppError;
use crate::reading::ReadingQuality;
use crate::time::Timestamp;
use crate::typed::typed;
use crate::word_enum;

/// The largest counter value that an operator may enter, kWh.
const MOST_KWH: i64 = 100_000_000;

word_enum! {
    /// How the energy that an operator enters for a gap is split into rates.
    #[derive(Default)]
    pub enum Split {
        /// Not at all: the meter has no rate registers.
        #[default]
        None = "none",
        /// As the meter's own registers say.
        Registers = "registers",
        /// All at the flat rate, an estimate.
        Flat = "flat",
    }
}

/// A held energy counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldCounter {
    /// Why its readings are held.
    pub quality: ReadingQuality,
    /// Last accepted value; `None` if there is none.
    pub last: Option<(Timestamp, Energy)>,
    /// Newest value read.
    pub now: (Timestamp, Energy),
    /// Split of the difference into rates.
    pub split: Split,
}

impl HeldCounter {
    /// Energy that accepting the difference would add; `None` if that is impossible.
    #[must_use]
    pub fn difference(&self) -> Option<Energy> {
        let (at, last) = self.last?;
        (self.now.0 > at && self.now.1 >= last).then(|| self.now.1 - last)
    }
}

/// Treatment of the energy between the last accepted value and the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// It is dropped; counting continues from the newest value.
    Accept,
    /// The difference is accepted.
    Count,
    /// The meter was replaced; end value of the old and start value of the new meter are given.
    Replaced {
        /// Final value of the old meter.
        end: Energy,
        /// First value of the new meter.
        start: Energy,
    },
}

impl Gap {
    /// The word in the database and in forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Count => "count",
            Self::Replaced { .. } => "replaced",
        }
    }

    /// From the words of the form.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub fn parse(choice: &str, end: &str, start: &str) -> Result<Self, AppError> {
        match choice {
            "accept" => Ok(Self::Accept),
            "count" => Ok(Self::Count),
            "replaced" => Ok(Self::Replaced { end: kwh(end)?, start: kwh(start)? }),
            _ => Err(AppError::Invalid),
        }
    }
}

/// Kilowatt-hours with up to three decimals, as a counter shows them.
pub fn kwh(text: &str) -> Result<Energy, AppError> {
    let text = typed(text);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || part.len() > 3 || !digits(whole) || !digits(part) {
        return Err(AppError::Invalid);
    }
    let number = |text: &str| text.parse::<i64>().map_err(|_| AppError::Invalid);
    let (whole, part) = (number(whole)?, number(&format!("{part:0<3}"))?);
    if whole >= MOST_KWH { Err(AppError::Invalid) } else { Ok(Energy(whole * 1_000 + part)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_as_it_is_shown() {
        for (text, wh) in [("0", 0), ("12.48", 12_480), (" 999999.99 ", 999_999_990), ("7.5", 7_500), ("3.", 3_000)] {
            assert_eq!(kwh(text), Ok(Energy(wh)), "{text}");
        }
        for text in ["", ".5", "-1", "1e3", "1.2345", "1,5", "100000000", "9999999999", "12.4x"] {
            assert_eq!(kwh(text), Err(AppError::Invalid), "{text}");
        }
    }

    #[test]
    fn a_choice_is_one_of_three() {
        assert_eq!(Gap::parse("accept", "", ""), Ok(Gap::Accept));
        let replaced = Gap::Replaced { end: Energy(1_000), start: Energy(0) };
        assert_eq!(Gap::parse("replaced", "1", "0"), Ok(replaced));
        assert_eq!(Gap::parse("replaced", "1", ""), Err(AppError::Invalid));
        assert_eq!(Gap::parse("else", "", ""), Err(AppError::Invalid));
    }

    #[test]
    fn a_counter_that_fell_has_no_difference_to_count() {
        let held = |last, now| HeldCounter {
            quality: ReadingQuality::Fell,
            last: Some((Timestamp(1), Energy(last))),
            now: (Timestamp(2), Energy(now)),
            split: Split::None,
        };
        assert_eq!(held(10, 30).difference(), Some(Energy(20)));
        assert_eq!(held(30, 10).difference(), None);
    }
}
