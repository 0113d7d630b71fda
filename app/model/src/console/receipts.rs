//! Receipts of counter business.

use std::fmt;
use std::str::FromStr;

use super::RoomName;
use crate::error::AppError;
use crate::ids::MeterId;
use crate::money::Fen;
use crate::order::{OrderState, ReturnKind, Tender};
use crate::time::{MINUTE, Timestamp};
use crate::typed::typed;
use crate::word_enum;

word_enum! {
    /// What is numbered together, each year from 1 without gaps.
    pub enum ReceiptSeries {
        /// Sales, returns, corrections and refunds at the cash desk.
        CashDesk = "cash_desk",
        /// Openings of accounts.
        Opening = "opening",
        /// Payments and refunds through a channel.
        Online = "online",
    }
}

impl ReceiptSeries {
    /// What numbers of the series begin with. Those of the cash desk have no letter: they are on paper since the first version.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::CashDesk => "",
            Self::Opening => "A",
            Self::Online => "E",
        }
    }
}

/// Receipt number: a series, a year, and a number without gaps within both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptNumber {
    pub series: ReceiptSeries,
    pub year: i64,
    pub number: i64,
}

impl ReceiptNumber {
    /// From the columns of a receipt that may not be there.
    #[must_use]
    pub fn of(series: Option<ReceiptSeries>, year: Option<i64>, number: Option<i64>) -> Option<Self> {
        Some(Self { series: series?, year: year?, number: number? })
    }
}

impl fmt::Display for ReceiptNumber {
    /// `2026-000123`, `A2026-000123`, `E2026-000123`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}-{:06}", self.series.letter(), self.year, self.number)
    }
}

impl FromStr for ReceiptNumber {
    type Err = AppError;

    fn from_str(text: &str) -> Result<Self, AppError> {
        let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = typed(text);
        let starts_with = |letter: &str| text.get(..1).is_some_and(|first| first.eq_ignore_ascii_case(letter));
        let series =
            ReceiptSeries::ALL.into_iter().find(|series| starts_with(series.letter())).unwrap_or(ReceiptSeries::CashDesk);
        match text.get(series.letter().len()..).and_then(|rest| rest.split_once('-')) {
            Some((year, number)) if year.len() == 4 && digits(year) && digits(number) => Ok(Self {
                series,
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
    /// A sale at the cash desk.
    Sale,
    /// A payment through a channel.
    Online,
    /// The opening of an account.
    Opening,
    /// A return or correction.
    Back(ReturnKind),
    /// A refund, paid at the cash desk or by its channel.
    Refund,
}

/// A printed receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub number: ReceiptNumber,
    pub site: String,
    pub of: ReceiptOf,
    pub at: Timestamp,
    /// `None` where a channel reported it and nobody handled it.
    pub by: Option<String>,
    /// Number of prints.
    pub prints: i64,
    /// When the last one was recorded.
    pub printed_at: Option<Timestamp>,
    pub room: RoomName,
    pub meter: MeterId,
    /// Serial number; of an opening those of all its meters.
    pub serial: String,
    pub account: String,
    /// Residents at that time.
    pub residents: String,
    /// What was sold, returned or refunded; `None` for the opening of an account: what is paid with it has its own receipt.
    pub money: Option<ReceiptMoney>,
    /// How far the order of a sale or payment is; `None` for all other receipts.
    pub state: Option<OrderState>,
    /// Purchase count after it; `None` until it is delivered.
    pub count: Option<i64>,
    /// Remaining amount after it.
    pub remaining: Option<Fen>,
    /// Reason of a return or correction.
    pub reason: Option<String>,
    /// The channel's number of a payment through it.
    pub trade_no: Option<String>,
    /// Receipt of the corrected sale or return, or of the payment that was refunded.
    pub corrects: Option<ReceiptNumber>,
    /// What was taken back of the sale since.
    pub corrected: Option<ReceiptCorrection>,
}

/// What corrections took back of a sale: the sum, and when and why the last of them did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptCorrection {
    pub amount: Fen,
    pub at: Timestamp,
    pub reason: String,
}

/// The money that a receipt certifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptMoney {
    /// Number of the order, return or refund, as stored in the meter.
    pub order: i64,
    pub tender: Tender,
    pub amount: Fen,
}

impl Receipt {
    /// What became of the order where its money went back, or goes back.
    #[must_use]
    pub fn refunded(&self) -> Option<OrderState> {
        self.state.filter(|state| matches!(state, OrderState::Refunding | OrderState::Refunded))
    }

    /// Whether the amount is still to be brought into the meter.
    #[must_use]
    pub const fn is_on_its_way(&self) -> bool {
        self.count.is_none() && matches!(self.state, Some(OrderState::Paid | OrderState::Case))
    }

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
        for (series, text) in ReceiptSeries::ALL.into_iter().zip(["2026-000123", "A2026-000123", "E2026-000123"]) {
            let number = ReceiptNumber { series, year: 2026, number: 123 };
            assert_eq!(number.to_string(), text);
            assert_eq!([text, &text.to_lowercase()].map(str::parse), [Ok(number), Ok(number)]);
        }
        let long = ReceiptNumber { series: ReceiptSeries::CashDesk, year: 2026, number: 1_234_567 };
        assert_eq!("2026-1234567".parse(), Ok(long));
        let wrong =
            ["A", "", "2026", "2026-", "-1", "26-1", "2026-+1", "2026-1x", "2026-9999999999", "B2026-1", "AE2026-1", "元2026-1"];
        for text in wrong {
            assert_eq!(text.parse::<ReceiptNumber>(), Err(AppError::Invalid), "{text}");
        }
    }
}
