//! A value of a report.

use crate::alarm::AlarmLevel;
use crate::case::CaseKind;
use crate::co2::Mass;
use crate::console::PriceGap;
use crate::energy::Energy;
use crate::event::EventKind;
use crate::ids::MeterId;
use crate::money::Money;
use crate::order::Tender;
use crate::time::{Date, Timestamp};

use super::Heading;

/// A value, with its unit in its type. What it looks like is for the page and the files to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Not known, or not asked for.
    Empty,
    /// A name that people gave.
    Text(String),
    /// A word of the program.
    Word(Heading),
    Tender(Tender),
    Event(EventKind),
    Level(AlarmLevel),
    Case(CaseKind),
    /// What a meter keeps otherwise than its price plan says.
    Gaps(Vec<PriceGap>),
    Count(i64),
    Money(Money),
    Energy(Energy),
    Mass(Mass),
    /// Power in W.
    Power(i64),
    /// A room, with the meter that its page is about.
    Room {
        meter: MeterId,
        name: String,
    },
    /// 0.1 %.
    Permille(i64),
    Day(Date),
    /// A month of 1 to 12.
    Month {
        year: i64,
        month: u8,
    },
    Year(i64),
    Time(Timestamp),
}

impl Cell {
    /// The part of a whole; empty where there is no whole.
    #[must_use]
    pub fn share(part: i64, whole: i64) -> Self {
        if whole == 0 {
            return Self::Empty;
        }
        let permille = (i128::from(part) * 2_000 / i128::from(whole) + if (part < 0) == (whole < 0) { 1 } else { -1 }) / 2;
        Self::Permille(i64::try_from(permille).unwrap_or_default())
    }

    /// By how much a value is above what it was; empty where it was nothing.
    #[must_use]
    pub fn change(now: i64, before: i64) -> Self {
        Self::share(now.saturating_sub(before), before)
    }

    /// The amount in the unit of its kind; `None` for what is no amount.
    #[must_use]
    pub const fn amount(&self) -> Option<i64> {
        match self {
            Self::Count(amount) | Self::Money(Money(amount)) | Self::Energy(Energy(amount)) => Some(*amount),
            Self::Mass(Mass(amount)) | Self::Power(amount) | Self::Permille(amount) => Some(*amount),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_a_tenth_of_a_per_cent() {
        for (part, whole, permille) in [(1, 3, 333), (2, 3, 667), (-1, 3, -333), (0, 5, 0), (5, 5, 1_000), (1, 2_000, 1)] {
            assert_eq!(Cell::share(part, whole), Cell::Permille(permille), "{part} of {whole}");
        }
        assert_eq!(Cell::share(1, 0), Cell::Empty);
        assert_eq!((Cell::change(90, 120), Cell::change(5, 0)), (Cell::Permille(-250), Cell::Empty));
    }
}
