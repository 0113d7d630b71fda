//! What a channel's bill says of one of its settlement days. It is untrusted input like any other, and moves nothing: it is compared.

use app::model::money::{Fen, Money};
use app::model::time::{Date, Timestamp};

/// The bill of a settlement day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// Which day, by the channel's calendar.
    pub day: Date,
    /// What the day covers: from (included) to (excluded).
    pub window: (Timestamp, Timestamp),
    /// SHA-256 of the file as it came; empty where the channel says that nothing happened.
    pub digest: Vec<u8>,
    /// Every payment and refund of the day.
    pub lines: Vec<BillLine>,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A payer's money came.
    Paid,
    /// Money went back to a payer.
    Refunded,
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillLine {
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

/// What the channel answers when asked for a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BillAnswer {
    /// Here it is, its own totals checked; without lines where the channel says that nothing happened.
    Ready(Bill),
    /// Not yet; ask again later.
    NotYet,
}
