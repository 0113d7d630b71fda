//! What a channel's statement says of one of its settlement days.

use model::money::{Fen, Money};
use model::time::{Date, Timestamp};

/// The bill of a settlement day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which day, by the channel's calendar.
    pub day: Date,
    /// What the day covers: from (included) to (excluded).
    pub window: (Timestamp, Timestamp),
    /// SHA-256 of the file as it came; empty where the channel says that nothing happened.
    pub digest: Vec<u8>,
    /// Every payment and refund of ours.
    pub lines: Vec<StatementLine>,
    /// What somebody else took or gave back under the same merchant number. It is listed, and in no total and no fee of ours.
    pub foreign: Vec<StatementLine>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// A payer's money came.
    Paid,
    /// Money went back to a payer.
    Refunded,
}

impl LineKind {
    pub const ALL: [Self; 2] = [Self::Paid, Self::Refunded];

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Refunded => "refunded",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// What it is about.
    pub kind: LineKind,
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// The channel's number of the trade.
    pub trade_no: String,
    /// Our number of the refund, where it is one.
    pub refund_no: Option<String>,
    /// How much, always positive.
    pub amount: Fen,
    /// What the channel keeps of it; negative where it gives a fee back.
    pub fee: Money,
    /// When it happened.
    pub at: Timestamp,
}

impl StatementLine {
    /// What the line adds to what the channel holds for us: negative where money went back.
    #[must_use]
    pub fn signed(&self) -> Fen {
        match self.kind {
            LineKind::Paid => self.amount,
            LineKind::Refunded => -self.amount,
        }
    }
}

impl Statement {
    /// A day of midnight to midnight, as most channels have them, on which the channel says that nothing happened.
    #[must_use]
    pub const fn empty(day: Date) -> Self {
        Self { day, window: (day.start(), day.plus(1).start()), digest: Vec::new(), lines: Vec::new(), foreign: Vec::new() }
    }

    /// What came, less what went back.
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
