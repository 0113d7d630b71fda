//! A channel's statement of one settlement day.

use model::money::{Fen, Money};
use model::time::{Date, Timestamp};

/// The statement of a settlement day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// By the channel's calendar.
    pub day: Date,
    /// From (included) to (excluded).
    pub window: (Timestamp, Timestamp),
    /// SHA-256 of the file as received; empty if the channel reports a day without transactions.
    pub digest: Vec<u8>,
    /// Every payment and refund of ours.
    pub lines: Vec<StatementLine>,
    /// What somebody else took or gave back under the same merchant number. It is listed, and in no total and no fee of ours.
    pub foreign: Vec<StatementLine>,
}

model::word_enum! {
    /// What a statement line is about.
    pub enum LineKind {
        Paid = "paid",
        /// A refund to the payer.
        Refunded = "refunded",
    }
}

impl LineKind {
    /// The amount as it changes what the channel holds for the merchant: negative for a refund.
    #[must_use]
    pub fn signed(self, amount: Fen) -> Fen {
        match self {
            Self::Paid => amount,
            Self::Refunded => -amount,
        }
    }
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    pub kind: LineKind,
    /// The attempt's number, chosen by the merchant.
    pub out_trade_no: String,
    /// The channel's trade number.
    pub trade_no: String,
    /// The refund's number, chosen by the merchant; `None` for a payment.
    pub refund_no: Option<String>,
    /// Positive for both kinds.
    pub amount: Fen,
    /// Kept by the channel; negative if it returns a fee.
    pub fee: Money,
    pub at: Timestamp,
}

impl StatementLine {
    /// What the line adds to what the channel holds for the merchant: negative for a refund.
    #[must_use]
    pub fn signed(&self) -> Fen {
        self.kind.signed(self.amount)
    }
}

impl Statement {
    /// A day without transactions, from midnight to midnight as most channels have them.
    #[must_use]
    pub const fn empty(day: Date) -> Self {
        Self { day, window: (day.start(), day.plus(1).start()), digest: Vec::new(), lines: Vec::new(), foreign: Vec::new() }
    }

    /// Payments minus refunds.
    #[must_use]
    pub fn total(&self) -> Fen {
        self.lines.iter().map(StatementLine::signed).sum()
    }

    /// What the channel keeps.
    #[must_use]
    pub fn fees(&self) -> Money {
        self.lines.iter().map(|line| line.fee).sum()
    }
}
