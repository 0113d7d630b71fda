//! The register: every sale, return, correction, refund and shift.

use super::ReceiptNumber;
use super::{Page, RoomName};
use crate::ids::{MeterId, Uuid};
use crate::money::Fen;
use crate::order::{OrderState, ReturnKind, ReturnState, Tender};
use crate::refund::RefundState;
use crate::time::{Date, Timestamp};

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

impl RecordState {
    /// Words of the kinds in addresses and files.
    pub const KINDS: [&'static str; 6] = ["sale", "return", "undo_sale", "undo_return", "refund", "shift"];

    /// Word of the kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Sale(_) => "sale",
            Self::Back(kind, _) => kind.as_str(),
            Self::Refund(_) => "refund",
            Self::Shift { .. } => "shift",
        }
    }

    /// Word of the state.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Sale(state) => state.as_str(),
            Self::Back(_, state) => state.as_str(),
            Self::Refund(state) => state.as_str(),
            Self::Shift { closed: true } => "closed",
            Self::Shift { closed: false } => "open",
        }
    }

    /// Parses both words.
    #[must_use]
    pub fn parse(kind: &str, state: &str) -> Option<Self> {
        match (kind, ReturnKind::parse(kind)) {
            (_, Some(kind)) => ReturnState::parse(state).map(|state| Self::Back(kind, state)),
            ("refund", None) => RefundState::parse(state).map(Self::Refund),
            ("sale", None) => OrderState::parse(state).map(Self::Sale),
            ("shift", None) => Some(Self::Shift { closed: state == "closed" }),
            _ => None,
        }
    }
}

/// Filter of the register; empty fields match all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Search text: building, room, account number or order number.
    pub text: String,
    /// Only this kind.
    pub kind: String,
    pub state: String,
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
    /// Paid in.
    pub taken: Fen,
    /// Paid out.
    pub given: Fen,
    pub at: Timestamp,
    /// Operator, or the resident who bought.
    pub by: String,
    /// Purchase count after it.
    pub count: Option<i64>,
    pub receipt: Option<ReceiptNumber>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_round() {
        let all = [
            RecordState::Sale(OrderState::Credited),
            RecordState::Back(ReturnKind::UndoSale, ReturnState::Taken),
            RecordState::Refund(RefundState::Sending),
            RecordState::Shift { closed: true },
        ];
        for state in all {
            assert_eq!(RecordState::parse(state.kind(), state.state()), Some(state));
            assert!(RecordState::KINDS.contains(&state.kind()));
        }
        assert_eq!(RecordState::parse("return", "credited"), None);
    }
}
