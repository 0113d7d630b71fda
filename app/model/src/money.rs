//! Money as integers: [`Money`] in 0.0001 yuan for what is computed, [`Fen`] in 0.01 yuan for what is paid and stored in meters.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

use serde::{Deserialize, Serialize};

/// An amount in fen (0.01 yuan): what is paid, refunded, printed, and kept in a meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Fen(pub i64);

/// An amount in 0.0001 yuan: what the ledger keeps, so that charges of less than a fen are never truncated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
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

    /// The amount as Chinese receipts spell it, so that no digit can be added: `陆拾叁元贰角整`.
    #[must_use]
    pub fn capitals(self) -> String {
        const DIGITS: [&str; 10] = ["零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"];
        const PLACES: [&str; 4] = ["", "拾", "佰", "仟"];
        const GROUPS: [&str; 5] = ["", "万", "亿", "万亿", "亿亿"];
        let digit = |n: u64| usize::try_from(n % 10).ok().and_then(|n| DIGITS.get(n)).copied().unwrap_or_default();
        let (magnitude, mut text) = (self.0.unsigned_abs(), String::new());
        let (yuan, jiao, fen) = (magnitude / 100, magnitude / 10 % 10, magnitude % 10);
        let mut skipped = false;
        for (group, name) in GROUPS.iter().enumerate().rev() {
            let part = u32::try_from(group).ok().and_then(|n| 10_000_u64.checked_pow(n)).map_or(0, |unit| yuan / unit % 10_000);
            for (place, word) in PLACES.iter().enumerate().rev() {
                let n = u32::try_from(place).map_or(0, |place| part / 10_u64.pow(place) % 10);
                if n == 0 {
                    skipped |= !text.is_empty();
                    continue;
                }
                if std::mem::take(&mut skipped) {
                    text.push_str(DIGITS[0]);
                }
                text.push_str(digit(n));
                text.push_str(word);
            }
            if part > 0 {
                text.push_str(name);
            }
        }
        if yuan > 0 {
            text.push('元');
        }
        match (jiao, fen) {
            (0, 0) if yuan == 0 => text.push_str("零元整"),
            (0, 0) => text.push('整'),
            (jiao, fen) => {
                if jiao > 0 {
                    text.push_str(digit(jiao));
                    text.push('角');
                } else if yuan > 0 {
                    text.push_str(DIGITS[0]);
                }
                if fen > 0 {
                    text.push_str(digit(fen));
                    text.push('分');
                } else {
                    text.push('整');
                }
            }
        }
        if self.0 < 0 { format!("负{text}") } else { text }
    }

    /// The same amount in the ledger's unit.
    #[must_use]
    pub const fn money(self) -> Money {
        Money(self.0 * 100)
    }
}

impl Money {
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
    fn receipts_spell_amounts() {
        for (fen, text) in [
            (0, "零元整"),
            (5, "伍分"),
            (50, "伍角整"),
            (6_320, "陆拾叁元贰角整"),
            (10_005, "壹佰元零伍分"),
            (100_000, "壹仟元整"),
            (100_500, "壹仟零伍元整"),
            (1_000_100, "壹万零壹元整"),
            (10_020_034, "壹拾万零贰佰元叁角肆分"),
            (10_000_000_000, "壹亿元整"),
            (-150, "负壹元伍角整"),
        ] {
            assert_eq!(Fen(fen).capitals(), text, "{fen}");
        }
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
