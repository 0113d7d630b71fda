//! Receipts of counter business.

use std::fmt;
use std::str::FromStr;

use super::RoomName;
use crate::error::AppError;
use crate::ids::MeterId;
use crate::money::Fen;
use crate::order::{ReturnKind, Tender};
use crate::time::{MINUTE, Timestamp};

/// Receipt number: a year and a number without gaps within it.
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

/// Subject of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptOf {
    Sale,
    /// A return or correction.
    Back(ReturnKind),
    /// A refund paid at the cash desk.
    Refund,
}

/// A printed receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub number: ReceiptNumber,
    pub site: String,
    pub of: ReceiptOf,
    pub at: Timestamp,
    pub by: String,
    /// Number of prints.
    pub prints: i64,
    /// When the last one was recorded.
    pub printed_at: Option<Timestamp>,
    pub room: RoomName,
    pub meter: MeterId,
    pub serial: String,
    pub account: String,
    /// Residents at that time.
    pub residents: String,
    /// Order number, as stored in the meter.
    pub order: i64,
    pub tender: Tender,
    pub amount: Fen,
    /// Purchase count after it; `None` until it is delivered.
    pub count: Option<i64>,
    /// Remaining amount after it.
    pub remaining: Option<Fen>,
    /// Reason of a return or correction.
    pub reason: Option<String>,
    /// Receipt of the corrected sale or return.
    pub corrects: Option<ReceiptNumber>,
}

impl Receipt {
    /// How long after its record a print is that print, so that a reload or a jam makes no other one.
    const SAME_PRINT: i64 = 10 * MINUTE;

    /// Whether what is shown now is the original: the first print, just recorded. Later it could be printed any number of times.
    #[must_use]
    pub fn is_original(&self, now: Timestamp) -> bool {
        let is_fresh = |at: Timestamp| (at..at.plus(Self::SAME_PRINT)).contains(&now);
        self.prints == 1 && self.printed_at.is_some_and(is_fresh)
    }
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
