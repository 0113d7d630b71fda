//! View types of refunds.

use super::{ReceiptNumber, RoomName};
use crate::ids::{MeterId, OrderId, RefundId, ReturnId, Uuid};
use crate::money::Fen;
use crate::order::{OrderState, Tender};
use crate::refund::{RefundObstacle, RefundSource, RefundState};
use crate::time::Timestamp;

/// Source of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundOf {
    /// A verified payment, by the id of its event.
    Payment(Uuid),
    /// A return already debited from a wallet.
    Return(ReturnId),
}

/// A requested refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    pub order: OrderId,
    pub of: RefundOf,
    /// Tender at the cash desk, if the channel no longer refunds; `None` for a refund through the channel.
    pub over_counter: Option<Tender>,
    pub amount: Fen,
    pub reason: String,
    /// Idempotency key of the form.
    pub key: Uuid,
}

/// Filter of the refund list; empty fields match all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefundQuery {
    pub state: Option<RefundState>,
    /// Only this tender.
    pub tender: Option<Tender>,
    /// Page, from 0.
    pub page: i64,
}

/// A refund and its progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundLine {
    pub id: RefundId,
    /// Refund number, as the channel knows it.
    pub refund_no: String,
    pub state: RefundState,
    /// What holds it up while the channel is asked.
    pub obstacle: Option<RefundObstacle>,
    pub source: RefundSource,
    pub tender: Tender,
    /// Channel of the payment.
    pub channel: Tender,
    /// The channel's number of the payment.
    pub trade_no: String,
    pub amount: Fen,
    pub reason: String,
    /// Order of the payment.
    pub order: OrderId,
    pub order_number: i64,
    /// Return that it pays out.
    pub back: Option<ReturnId>,
    pub meter: MeterId,
    pub room: RoomName,
    pub account: String,
    /// `None` if automatic.
    pub asked_by: Option<String>,
    /// Whether the viewer requested it.
    pub mine: bool,
    pub asked_at: Timestamp,
    /// Deadline for the second person; `None` if none is needed.
    pub expires_at: Option<Timestamp>,
    /// The second person.
    pub decided_by: Option<String>,
    /// Why it was rejected.
    pub note: Option<String>,
    /// Number of requests to the channel.
    pub tries: i64,
    /// Time of the next request.
    pub next_at: Option<Timestamp>,
    /// Operator who paid it out at the cash desk.
    pub settled_by: Option<String>,
    /// When it succeeded or failed.
    pub settled_at: Option<Timestamp>,
    pub receipt: Option<ReceiptNumber>,
}

/// A refundable amount of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refundable {
    pub of: RefundOf,
    /// Source of the money.
    pub source: RefundSource,
    /// Channel of the payment.
    pub channel: Tender,
    /// The channel's number of the payment.
    pub trade_no: String,
    /// Time of the payment.
    pub at: Timestamp,
    /// Amount paid; for a return, amount debited.
    pub paid: Fen,
    /// Amount still refundable.
    pub left: Fen,
    /// Whether the channel still refunds it.
    pub by_channel: bool,
    /// Whether it may be paid at the cash desk: the channel no longer refunds it, or has refused.
    pub over_counter: bool,
}

/// Refunds made at the channel's console that no one has assigned yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleRefund {
    pub left: Fen,
    /// What it can be assigned to, with amounts.
    pub pays: Vec<(RefundOf, Fen)>,
    /// Whether the viewer may write it off.
    pub may_write_off: bool,
}

/// Refundable amounts and refunds of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderMoney {
    pub order: OrderId,
    pub number: i64,
    pub state: OrderState,
    pub tender: Tender,
    pub meter: MeterId,
    pub room: RoomName,
    /// Whether the order can still be delivered.
    pub deliverable: bool,
    pub payments: Vec<Refundable>,
    /// Unassigned refunds at the channel's console.
    pub console_refund: Option<ConsoleRefund>,
    /// Refunds, newest first.
    pub refunds: Vec<RefundLine>,
    /// Idempotency key for the form.
    pub key: Uuid,
}

/// An order that a search found by a number of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundOrder {
    pub order: OrderId,
    pub number: i64,
    pub state: OrderState,
    pub tender: Tender,
    pub amount: Fen,
    /// When it was made.
    pub at: Timestamp,
    /// The channel's number of its payment.
    pub trade_no: Option<String>,
    pub room: RoomName,
}
