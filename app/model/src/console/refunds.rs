//! Refunds, as the console shows them.

use super::{ReceiptNumber, RoomName};
use crate::ids::{MeterId, OrderId, RefundId, ReturnId, Uuid};
use crate::money::Fen;
use crate::order::{OrderState, Tender};
use crate::refund::{RefundSource, RefundState};
use crate::time::Timestamp;

/// What a refund gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundOf {
    /// A verified payment, by its event.
    Payment(Uuid),
    /// A return that was taken out of a wallet.
    Return(ReturnId),
}

/// A refund as it is wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// Of which order.
    pub order: OrderId,
    pub of: RefundOf,
    /// Over the counter, where the channel gives it no more; `None`: the way it came.
    pub over_counter: Option<Tender>,
    pub amount: Fen,
    pub reason: String,
    /// Made with the form.
    pub key: Uuid,
}

/// What the list of refunds is asked for; what is left out matches all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefundQuery {
    pub state: Option<RefundState>,
    /// Going by this way.
    pub tender: Option<Tender>,
    /// Counted from 0.
    pub page: i64,
}

/// A refund, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLine {
    pub id: RefundId,
    /// What people quote and the channel keeps.
    pub refund_no: String,
    /// Where it stands.
    pub state: RefundState,
    /// What it gives back.
    pub source: RefundSource,
    /// By which way.
    pub tender: Tender,
    /// How the money came.
    pub channel: Tender,
    /// The channel's number of the payment.
    pub trade_no: String,
    pub amount: Fen,
    pub reason: String,
    /// The order that was paid.
    pub order: OrderId,
    pub order_number: i64,
    /// The return that is paid by it.
    pub back: Option<ReturnId>,
    pub meter: MeterId,
    pub room: RoomName,
    /// The account's number.
    pub account: String,
    /// Who asked; `None` where the configuration decided.
    pub asked_by: Option<String>,
    /// Whether that is who looks at it.
    pub mine: bool,
    pub asked_at: Timestamp,
    /// Until when a second person may approve it; `None` where none is needed.
    pub expires_at: Option<Timestamp>,
    /// The second person.
    pub decided_by: Option<String>,
    /// Why it was rejected.
    pub note: Option<String>,
    /// How often the channel was asked.
    pub tries: i64,
    /// When it is asked next.
    pub next_at: Option<Timestamp>,
    /// Who paid it over the counter.
    pub settled_by: Option<String>,
    /// When it was with the payer, or came to nothing.
    pub settled_at: Option<Timestamp>,
    pub receipt: Option<ReceiptNumber>,
}

/// Money of an order that may go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refundable {
    /// What it is.
    pub of: RefundOf,
    /// Where it lies.
    pub source: RefundSource,
    /// How it came.
    pub channel: Tender,
    /// The channel's number of the payment.
    pub trade_no: String,
    /// When it came.
    pub at: Timestamp,
    /// How much came; of a return, how much was taken.
    pub paid: Fen,
    /// How much may go back.
    pub left: Fen,
    /// Whether the channel gives it back, by its days.
    pub by_channel: bool,
    /// Whether it may go over the counter: the channel gives it no more, or has refused.
    pub over_counter: bool,
}

/// What went back at the channel's own console, and nobody has said what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleRefund {
    pub left: Fen,
    /// What it can pay, and how much of that.
    pub pays: Vec<(RefundOf, Fen)>,
    /// Whether who looks at it may say that it is lost.
    pub may_write_off: bool,
}

/// What may go back of an order, and what did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderMoney {
    pub order: OrderId,
    pub number: i64,
    /// Where it stands.
    pub state: OrderState,
    pub meter: MeterId,
    pub room: RoomName,
    /// Whether it can be delivered after all.
    pub deliverable: bool,
    /// What may go back.
    pub payments: Vec<Refundable>,
    /// What went back at the channel's console and is not accounted for.
    pub console_refund: Option<ConsoleRefund>,
    /// What went or goes back, newest first.
    pub refunds: Vec<RefundLine>,
    /// For the form.
    pub key: Uuid,
}
