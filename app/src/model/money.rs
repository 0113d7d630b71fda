//! Money as integers: [`Money`] in 0.0001 yuan for what is computed, [`Fen`] in 0.01 yuan for what is paid and stored in meters.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use serde::{Deserialize, Serialize};

/// An amount in fen (0.01 yuan): what is paid, refunded, printed, and kept in a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fen(pub i64);

/// An amount in 0.0001 yuan: what the ledger keeps, so that charges of less than a fen are never truncated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub i64);

/// Why a text is no amount of yuan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    /// Not digits with at most one point and one or two decimals.
    #[error("not an amount in yuan with at most two decimals")]
    Format,
    /// Above [`Fen::MAX`].
    #[error("the amount is too large")]
    TooLarge,
}

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount that any text may name: 100 million yuan, the bound of the payment channels.
    pub const MAX: Self = Self(10_000_000_000);

    /// Reads yuan as channels and people write it: digits, at most two decimals, no sign, exponent or blank.
    ///
    /// # Errors
    /// [`ParseMoneyError`] says whether the form or the size is at fault.
    pub fn parse_yuan(text: &str) -> Result<Self, ParseMoneyError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((whole, decimals)) if (1..=2).contains(&decimals.len()) => (whole, decimals),
            Some(_) => return Err(ParseMoneyError::Format),
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) {
            return Err(ParseMoneyError::Format);
        }
        if whole.len() > 10 {
            return Err(ParseMoneyError::TooLarge);
        }
        let yuan: i64 = whole.parse().map_err(|_| ParseMoneyError::Format)?;
        let fen: i64 = format!("{decimals:0<2}").parse().map_err(|_| ParseMoneyError::Format)?;
        let total = Self(yuan * 100 + fen);
        if total > Self::MAX { Err(ParseMoneyError::TooLarge) } else { Ok(total) }
    }

    /// The same amount in the ledger's unit.
    #[must_use]
    pub const fn money(self) -> Money {
        Money(self.0 * 100)
    }
}

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Whole fen, rounded towards minus infinity, and the remainder below a fen (0..100).
    #[must_use]
    pub const fn split_fen(self) -> (Fen, Self) {
        (Fen(self.0.div_euclid(100)), Self(self.0.rem_euclid(100)))
    }
}

impl fmt::Display for Fen {
    /// Yuan with two decimals and no unit: `63.20`, `-0.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", magnitude / 100, magnitude % 100)
    }
}

impl fmt::Display for Money {
    /// Yuan with four decimals and no unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000)
    }
}

macro_rules! arithmetic {
    ($($name:ident),*) => {$(
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self { Self(self.0.saturating_add(other.0)) }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self { Self(self.0.saturating_sub(other.0)) }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self { Self(-self.0) }
        }
        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self { iter.fold(Self(0), Add::add) }
        }
    )*};
}
arithmetic!(Fen, Money);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_is_read_strictly() {
        for (text, fen) in [("0", 0), ("0.01", 1), ("63.2", 6_320), ("63.20", 6_320), ("100000000", 10_000_000_000)] {
            assert_eq!(Fen::parse_yuan(text), Ok(Fen(fen)), "{text}");
        }
        for text in ["", ".", "1.", ".5", "1.234", "-1", "+1", "1e2", " 1", "1 ", "１", "1,000", "0x1", "1.2.3"] {
            assert_eq!(Fen::parse_yuan(text), Err(ParseMoneyError::Format), "{text}");
        }
        for text in ["100000000.01", "99999999999", "9999999999999999999999"] {
            assert_eq!(Fen::parse_yuan(text), Err(ParseMoneyError::TooLarge), "{text}");
        }
    }

    #[test]
    fn amounts_print_with_sign_and_decimals() {
        assert_eq!(Fen(-5).to_string(), "-0.05");
        assert_eq!(Fen(6_320).to_string(), "63.20");
        assert_eq!(Money(-10_001).to_string(), "-1.0001");
    }

    #[test]
    fn splitting_loses_nothing() {
        for e4 in [-12_345, -1, 0, 1, 99, 100, 12_345] {
            let (fen, rest) = Money(e4).split_fen();
            assert_eq!(fen.money() + rest, Money(e4));
            assert!((0..100).contains(&rest.0));
        }
    }
}
