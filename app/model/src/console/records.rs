//! The register: every sale, return, correction, refund and shift.

use super::ReceiptNumber;
use super::{Page, RoomName};
use crate::ids::{MeterId, Uuid};
use crate::money::Fen;
use crate::order::{OrderState, ReturnKind, ReturnState, Tender};
use crate::refund::RefundState;
use crate::time::{Date, Timestamp};

/// What a line is, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    Sale(OrderState),
    /// A return or correction.
    Back(ReturnKind, ReturnState),
    /// Money of a payment that goes back to its payer.
    Refund(RefundState),
    /// A shift, closed or open.
    Shift {
        closed: bool,
    },
}

impl RecordState {
    /// The kinds, as addresses and files name them.
    pub const KINDS: [&'static str; 6] = ["sale", "return", "undo_sale", "undo_return", "refund", "shift"];

    /// The word of its kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Sale(_) => "sale",
            Self::Back(kind, _) => kind.as_str(),
            Self::Refund(_) => "refund",
            Self::Shift { .. } => "shift",
        }
    }

    /// The word of where it stands.
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

    /// From both words.
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

/// What the register is asked for; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordQuery {
    /// Words to look for: building, room, account number, order number.
    pub text: String,
    /// Of this kind.
    pub kind: String,
    pub state: String,
    pub tender: Option<Tender>,
    /// By somebody of that name.
    pub by: String,
    /// In this building.
    pub building: String,
    /// With this receipt.
    pub receipt: Option<ReceiptNumber>,
    pub from: Option<Date>,
    pub until: Option<Date>,
    /// Counted from 0.
    pub page: i64,
}

/// A page of the register and the totals of all that the filter holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Records {
    pub page: Page<RecordLine>,
    /// Sum of what was paid in.
    pub taken: Fen,
    /// Sum of what was paid out.
    pub given: Fen,
    /// The buildings that it may be asked by.
    pub buildings: Vec<String>,
}

/// A line of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLine {
    /// The order, the return, the shift.
    pub id: Uuid,
    /// What it is, and where it stands.
    pub state: RecordState,
    /// Its number; 0 for a shift.
    pub number: i64,
    /// Which meter; none for a shift.
    pub meter: Option<MeterId>,
    pub room: RoomName,
    /// The account's number.
    pub account: String,
    /// How it was paid.
    pub tender: Tender,
    /// How much; for a shift what the count differs by.
    pub amount: Fen,
    /// What came in.
    pub taken: Fen,
    /// What went out.
    pub given: Fen,
    /// When it was made.
    pub at: Timestamp,
    /// Who sold, asked or counted; the resident who bought.
    pub by: String,
    /// The purchase count it became.
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
