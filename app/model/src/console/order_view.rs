//! View type of the page of an order.

use super::{CaseLine, ReceiptNumber, RefundLine, ReturnLine, RoomName};
use crate::command::CommandReason;
use crate::ids::{MeterId, OrderId};
use crate::meter::Wallet;
use crate::money::Fen;
use crate::order::{OrderState, Tender};
use crate::time::Timestamp;

/// An order and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    pub id: OrderId,
    pub number: i64,
    pub state: OrderState,
    pub tender: Tender,
    pub amount: Fen,
    pub meter: MeterId,
    pub serial: String,
    pub wallet: Wallet,
    pub room: RoomName,
    /// Number of the account.
    pub account: String,
    /// The operator who sold it, or the resident who ordered it.
    pub by: String,
    pub made_at: Timestamp,
    pub paid_at: Option<Timestamp>,
    /// When its first frame was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was read back from the meter.
    pub credited_at: Option<Timestamp>,
    /// Purchase count that it became.
    pub count: Option<i64>,
    /// Remaining amount after it.
    pub remaining: Option<Fen>,
    /// Why its delivery waits, failed, or was given up.
    pub reason: Option<CommandReason>,
    pub receipt: Option<ReceiptNumber>,
    /// The channel's numbers of its payments.
    pub trades: Vec<(Tender, String)>,
    /// Refunds, newest first.
    pub refunds: Vec<RefundLine>,
    /// Corrections, newest first.
    pub corrections: Vec<ReturnLine>,
    /// Cases, open ones first.
    pub cases: Vec<CaseLine>,
}
