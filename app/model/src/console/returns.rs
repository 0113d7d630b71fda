//! View types of returns and corrections.

use super::ReceiptNumber;
use super::RoomName;
use crate::error::AppError;
use crate::ids::{MeterId, OrderId, ReturnId, Uuid};
use crate::money::Fen;
use crate::order::{ReturnKind, ReturnState, Tender};
use crate::time::Timestamp;

/// Longest reason, characters.
pub const REASON_MAX: usize = 200;

/// Target of a return or correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnTarget {
    /// The resident is paid out.
    Remaining {
        meter: MeterId,
        /// Tender of the payout.
        tender: Tender,
        amount: Fen,
    },
    /// Corrects a wrong sale, or as much of it as remains.
    Sale(OrderId, Fen),
    /// Corrects a wrong return.
    Return(ReturnId),
}

/// A requested return or correction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnRequest {
    pub of: ReturnTarget,
    /// Reason, 1 to [`REASON_MAX`] characters.
    pub reason: String,
    /// Idempotency key of the form.
    pub key: Uuid,
    /// The meter's money operations when it was confirmed ([`super::Room::money_operations`]); `None`: whatever was there.
    pub seen: Option<i64>,
}

/// Trims the reason of a form.
///
/// # Errors
/// [`AppError::Invalid`] where it is empty or too long.
pub fn checked_reason(text: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_MAX { Err(AppError::Invalid) } else { Ok(text.to_owned()) }
}

/// A return or correction and its progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnLine {
    pub id: ReturnId,
    /// Order number, as stored in the meter.
    pub number: i64,
    pub kind: ReturnKind,
    pub state: ReturnState,
    pub meter: MeterId,
    pub room: RoomName,
    pub account: String,
    pub tender: Tender,
    pub amount: Fen,
    pub reason: String,
    pub asked_by: String,
    /// Whether the viewer requested it.
    pub mine: bool,
    pub asked_at: Timestamp,
    /// Deadline for the second person; `None` if none is needed.
    pub expires_at: Option<Timestamp>,
    /// The second person.
    pub decided_by: Option<String>,
    /// Why it was rejected or refused.
    pub note: Option<String>,
    /// Whether no frame has been sent yet.
    pub unsent: bool,
    /// Why the debit waits.
    pub waits: Option<crate::command::CommandReason>,
    /// When the debit was read back.
    pub taken_at: Option<Timestamp>,
    /// Remaining amount then.
    pub remaining: Option<Fen>,
    /// Operator who paid it out.
    pub settled_by: Option<String>,
    pub settled_at: Option<Timestamp>,
    pub receipt: Option<ReceiptNumber>,
    /// Number of the corrected sale or return.
    pub corrects: Option<i64>,
    /// The corrected sale.
    pub sale: Option<OrderId>,
    /// Whether it is a return that is paid out and that no correction undoes yet.
    pub is_correctable: bool,
}

/// A sale or return that may be corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub id: Uuid,
    /// Whether it is a sale; otherwise a return.
    pub sale: bool,
    pub number: i64,
    pub meter: MeterId,
    pub room: RoomName,
    pub amount: Fen,
    /// Amount that can still be corrected; of a return and of a sale that never reached its meter, all or nothing.
    pub left: Fen,
    /// Whether it is in the meter, so that its correction takes no more than the balance there.
    pub is_delivered: bool,
    pub tender: Tender,
    pub at: Timestamp,
    pub by: String,
    /// Last known state of the meter.
    pub held: Option<Fen>,
    /// As [`super::Room::money_operations`].
    pub money_operations: i64,
}

/// A channel sale that can still be refunded through its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSale {
    pub order: OrderId,
    pub number: i64,
    pub tender: Tender,
    pub at: Timestamp,
    /// Amount still refundable.
    pub left: Fen,
}

/// Splits an amount over sales in their order.
#[must_use]
pub fn parts(amount: Fen, sales: &[ChannelSale]) -> Vec<(ChannelSale, Fen)> {
    let mut rest = amount;
    let take = |sale: &ChannelSale| {
        let part = sale.left.min(rest);
        rest = rest - part;
        (*sale, part)
    };
    sales.iter().map(take).filter(|(_, part)| *part > Fen::ZERO).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_refunded_from_the_newest_sales_first() {
        let sale = |number, left| ChannelSale {
            order: OrderId(Uuid::from_u128(1)),
            number,
            tender: Tender::Alipay,
            at: Timestamp(0),
            left: Fen(left),
        };
        let sales = [sale(3, 5_000), sale(2, 0), sale(1, 4_000)];
        let of = |fen| parts(Fen(fen), &sales).iter().map(|(sale, part)| (sale.number, part.0)).collect::<Vec<_>>();
        assert_eq!(of(3_000), [(3, 3_000)]);
        assert_eq!(of(8_000), [(3, 5_000), (1, 3_000)]);
        assert_eq!(of(10_000), [(3, 5_000), (1, 4_000)], "the rest goes over the counter");
        assert_eq!(parts(Fen(1), &[]), []);
    }

    #[test]
    fn a_reason_is_said_and_no_book() {
        assert_eq!(checked_reason(" 住户退宿 "), Ok("住户退宿".to_owned()));
        assert_eq!(checked_reason("  "), Err(AppError::Invalid));
        assert_eq!(checked_reason(&"长".repeat(REASON_MAX)).map(|reason| reason.chars().count()), Ok(REASON_MAX));
        assert_eq!(checked_reason(&"长".repeat(REASON_MAX + 1)), Err(AppError::Invalid));
    }
}
