//! The register: every sale, return, correction, refund and shift.

use super::ReceiptNumber;
use super::{Page, RoomName};
use crate::ids::{MeterId, Uuid};
use crate::money::Fen;
use crate::order::{OrderState, ReturnKind, ReturnState, Tender};
use crate::refund::RefundState;
use crate::time::{Date, Timestamp};
use crate::word_enum;

/// Kind of a line with its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    Sale(OrderState),
    /// A return or correction.
    Back(ReturnKind, ReturnState),
    /// A refund of a channel payment.
    Refund(RefundState),
    /// A shift, closed or open.
    Shift {
        closed: bool,
    },
}

word_enum! {
    /// The kind of a line.
    pub enum RecordKind {
        Sale = "sale",
        Return = "return",
        /// The reversal of a sale.
        UndoSale = "undo_sale",
        /// The reversal of a return.
        UndoReturn = "undo_return",
        Refund = "refund",
        Shift = "shift",
    }

    /// The state of a line without its kind, to filter by: several kinds share a word.
    pub enum RecordStatus {
        Pending = "pending",
        Paid = "paid",
        Credited = "credited",
        Closed = "closed",
        Refunding = "refunding",
        Refunded = "refunded",
        Case = "case",
        Waiting = "waiting",
        Taking = "taking",
        Taken = "taken",
        Done = "done",
        Refused = "refused",
        Rejected = "rejected",
        Cancelled = "cancelled",
        Expired = "expired",
        Sending = "sending",
        Payable = "payable",
        Failed = "failed",
        /// An open shift.
        Open = "open",
    }
}

impl RecordState {
    #[must_use]
    pub const fn kind(self) -> RecordKind {
        match self {
            Self::Sale(_) => RecordKind::Sale,
            Self::Back(ReturnKind::Return, _) => RecordKind::Return,
            Self::Back(ReturnKind::UndoSale, _) => RecordKind::UndoSale,
            Self::Back(ReturnKind::UndoReturn, _) => RecordKind::UndoReturn,
            Self::Refund(_) => RecordKind::Refund,
            Self::Shift { .. } => RecordKind::Shift,
        }
    }

    /// From both words; `None` if the kind has no such state.
    #[must_use]
    pub fn of(kind: RecordKind, status: RecordStatus) -> Option<Self> {
        let word = status.as_str();
        let back = |kind| ReturnState::parse(word).map(|state| Self::Back(kind, state));
        match (kind, status) {
            (RecordKind::Sale, _) => OrderState::parse(word).map(Self::Sale),
            (RecordKind::Return, _) => back(ReturnKind::Return),
            (RecordKind::UndoSale, _) => back(ReturnKind::UndoSale),
            (RecordKind::UndoReturn, _) => back(ReturnKind::UndoReturn),
            (RecordKind::Refund, _) => RefundState::parse(word).map(Self::Refund),
            (RecordKind::Shift, RecordStatus::Closed) => Some(Self::Shift { closed: true }),
            (RecordKind::Shift, RecordStatus::Open) => Some(Self::Shift { closed: false }),
            (RecordKind::Shift, _) => None,
        }
    }
}

/// The filter of the register; what is left out matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Words to search for in building, room, account number and order number, or a meter's serial number.
    pub text: String,
    pub kind: Option<RecordKind>,
    pub status: Option<RecordStatus>,
    pub tender: Option<Tender>,
    /// Name of the operator or resident.
    pub by: String,
    /// Only this building.
    pub building: String,
    /// Only this receipt.
    pub receipt: Option<ReceiptNumber>,
    pub from: Option<Date>,
    pub until: Option<Date>,
    /// Page, from 0.
    pub page: i64,
}

/// A page of the register, with totals over all matching lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    pub page: Page<RecordLine>,
    /// Total paid in.
    pub taken: Fen,
    /// Total paid out.
    pub given: Fen,
    /// Buildings to filter by.
    pub buildings: Vec<String>,
}

/// A line of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLine {
    /// Id of the order, return, refund or shift.
    pub id: Uuid,
    /// Kind and state.
    pub state: RecordState,
    /// Its number; 0 for a shift.
    pub number: i64,
    /// `None` for a shift.
    pub meter: Option<MeterId>,
    pub room: RoomName,
    pub account: String,
    pub tender: Tender,
    /// Amount; for a shift the difference of the count.
    pub amount: Fen,
    pub taken: Fen,
    pub given: Fen,
    pub at: Timestamp,
    /// Operator, or the resident who bought.
    pub by: String,
    /// Purchase count after it.
    pub count: Option<i64>,
    pub receipt: Option<ReceiptNumber>,
    /// Whether it is a sale of which corrections have not taken or reserved all.
    pub is_correctable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_from_their_words() {
        for (state, status) in [
            (RecordState::Sale(OrderState::Credited), RecordStatus::Credited),
            (RecordState::Back(ReturnKind::UndoSale, ReturnState::Taken), RecordStatus::Taken),
            (RecordState::Refund(RefundState::Sending), RecordStatus::Sending),
            (RecordState::Shift { closed: true }, RecordStatus::Closed),
            (RecordState::Shift { closed: false }, RecordStatus::Open),
        ] {
            assert_eq!(RecordState::of(state.kind(), status), Some(state));
        }
        assert_eq!(RecordState::of(RecordKind::Return, RecordStatus::Credited), None);
    }

    #[test]
    fn every_state_has_a_status() {
        let orders = OrderState::ALL.map(OrderState::as_str);
        let (returns, refunds) = (ReturnState::ALL.map(ReturnState::as_str), RefundState::ALL.map(RefundState::as_str));
        for word in orders.into_iter().chain(returns).chain(refunds) {
            assert!(RecordStatus::parse(word).is_some(), "{word}");
        }
    }
}
