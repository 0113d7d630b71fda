//! Receipts of counter business.

use std::fmt;
use std::str::FromStr;

use super::RoomName;
use crate::error::AppError;
use crate::ids::MeterId;
use crate::money::Fen;
use crate::order::{ReturnKind, Tender};
use crate::time::Timestamp;

/// The number of a receipt: the year, and its number in it, without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptNumber {
    pub year: i64,
    pub number: i64,
}

impl fmt::Display for ReceiptNumber {
    /// `2026-000123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06}", self.year, self.number)
    }
}

impl FromStr for ReceiptNumber {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.trim().split_once('-') {
            Some((year, number)) if year.len() == 4 && digits(year) && digits(number) => Ok(Self {
                year: year.parse().map_err(|_| AppError::Invalid)?,
                number: number.parse().map_err(|_| AppError::Invalid)?,
            }),
            _ => Err(AppError::Invalid),
        }
    }
}

/// What a receipt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptOf {
    Sale,
    /// A return or correction.
    Back(ReturnKind),
    /// A refund over the counter.
    Refund,
}

/// A receipt as it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub number: ReceiptNumber,
    /// Who gives it.
    pub site: String,
    pub of: ReceiptOf,
    /// When it was settled.
    pub at: Timestamp,
    pub by: String,
    /// How often it was printed.
    pub prints: i64,
    pub room: RoomName,
    pub meter: MeterId,
    /// The meter's serial number.
    pub serial: String,
    /// The account's number.
    pub account: String,
    /// Who lived there.
    pub residents: String,
    /// The number that the meter keeps.
    pub order: i64,
    /// How it was paid.
    pub tender: Tender,
    pub amount: Fen,
    /// The purchase count it became; `None` while it is on its way.
    pub count: Option<i64>,
    /// What the meter held after it.
    pub remaining: Option<Fen>,
    /// Why, for a return or correction.
    pub reason: Option<String>,
    /// The receipt that it corrects.
    pub corrects: Option<ReceiptNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_round() {
        let number = ReceiptNumber { year: 2026, number: 123 };
        assert_eq!(number.to_string(), "2026-000123");
        assert_eq!("2026-000123".parse(), Ok(number));
        assert_eq!("2026-1234567".parse(), Ok(ReceiptNumber { year: 2026, number: 1_234_567 }));
        for text in ["", "2026", "2026-", "-1", "26-1", "2026-+1", "2026-1x", "2026-9999999999"] {
            assert_eq!(text.parse::<ReceiptNumber>(), Err(AppError::Invalid), "{text}");
        }
    }
}
