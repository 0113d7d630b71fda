//! Returns and corrections as the till shows them.

use super::ReceiptNumber;
use super::RoomName;
use crate::error::AppError;
use crate::ids::{MeterId, OrderId, ReturnId, Uuid};
use crate::money::Fen;
use crate::order::{ReturnKind, ReturnState, Tender};
use crate::time::Timestamp;

/// Characters of a reason.
pub const REASON_MAX: usize = 200;

/// What is wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnTarget {
    /// The resident gets money back.
    Remaining {
        /// Out of which meter.
        meter: MeterId,
        /// How it is paid out.
        tender: Tender,
        amount: Fen,
    },
    /// A wrong sale is taken back, or as much of it as is still there.
    Sale(OrderId, Fen),
    /// A wrong return is taken back.
    Return(ReturnId),
}

/// A wish at the till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnRequest {
    pub of: ReturnTarget,
    /// Why; neither empty nor a book.
    pub reason: String,
    /// Made with the form.
    pub key: Uuid,
}

/// Trims the reason of a form.
///
/// # Errors
/// [`AppError::Invalid`] where it is empty or too long.
pub fn checked_reason(text: &str) -> Result<String, AppError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_MAX { Err(AppError::Invalid) } else { Ok(text.to_owned()) }
}

/// A return or correction, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnLine {
    pub id: ReturnId,
    /// The number that the meter keeps.
    pub number: i64,
    /// What it is.
    pub kind: ReturnKind,
    /// Where it stands.
    pub state: ReturnState,
    /// Out of which meter.
    pub meter: MeterId,
    pub room: RoomName,
    /// The account's number.
    pub account: String,
    /// How it is paid.
    pub tender: Tender,
    pub amount: Fen,
    pub reason: String,
    pub asked_by: String,
    /// Whether that is who looks at it.
    pub mine: bool,
    pub asked_at: Timestamp,
    /// Until when a second person may approve it; `None` where none is needed.
    pub expires_at: Option<Timestamp>,
    /// The second person.
    pub decided_by: Option<String>,
    /// Why it was rejected or refused.
    pub note: Option<String>,
    /// Whether nothing was sent to the meter yet.
    pub unsent: bool,
    /// Why its debit waits.
    pub waits: Option<crate::command::CommandReason>,
    /// When the meter was read back.
    pub taken_at: Option<Timestamp>,
    /// What it held then.
    pub remaining: Option<Fen>,
    /// Who paid it out.
    pub settled_by: Option<String>,
    pub settled_at: Option<Timestamp>,
    pub receipt: Option<ReceiptNumber>,
    /// The number of the sale or return that it takes back.
    pub corrects: Option<i64>,
    /// The sale that it takes back.
    pub sale: Option<OrderId>,
}

/// A sale or return that may be corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub id: Uuid,
    /// Whether it is a sale, and not a return.
    pub sale: bool,
    pub number: i64,
    pub meter: MeterId,
    pub room: RoomName,
    pub amount: Fen,
    /// How much of it no correction has taken back, or may.
    pub left: Fen,
    /// How it was paid.
    pub tender: Tender,
    pub at: Timestamp,
    pub by: String,
    /// What the meter was last seen to hold.
    pub held: Option<Fen>,
}

/// A sale through a channel of which something may still go back the way it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelSale {
    pub order: OrderId,
    pub number: i64,
    /// By which channel.
    pub tender: Tender,
    /// When it was paid.
    pub at: Timestamp,
    /// How much of it.
    pub left: Fen,
}

/// An amount, given back against the sales in their order: how much of each.
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
