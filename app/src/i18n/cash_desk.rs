//! Texts of the cash desk: returns, corrections, approvals, receipts.

use super::Lang;
pub use super::catalogue::cash_desk::*;
use model::console::ReceiptOf;
use model::order::{ReturnKind, ReturnState};

/// What a return is called.
#[must_use]
pub const fn kind(kind: ReturnKind, lang: Lang) -> &'static str {
    let t = texts(lang).kind;
    match kind {
        ReturnKind::Return => t.r#return,
        ReturnKind::UndoSale => t.undo_sale,
        ReturnKind::UndoReturn => t.undo_return,
    }
}

/// What a receipt is called.
#[must_use]
pub const fn receipt(of: ReceiptOf, lang: Lang) -> &'static str {
    let t = texts(lang).receipt_kind;
    match of {
        ReceiptOf::Sale => t.sale,
        ReceiptOf::Online => t.online,
        ReceiptOf::Opening => t.opening,
        ReceiptOf::Refund => t.refund,
        ReceiptOf::Back(ReturnKind::Return) => t.r#return,
        ReceiptOf::Back(ReturnKind::UndoSale) => t.undo_sale,
        ReceiptOf::Back(ReturnKind::UndoReturn) => t.undo_return,
    }
}

/// The name of a state.
#[must_use]
pub const fn state(state: ReturnState, lang: Lang) -> &'static str {
    let t = texts(lang).state;
    match state {
        ReturnState::Waiting => t.waiting,
        ReturnState::Taking => t.taking,
        ReturnState::Taken => t.taken,
        ReturnState::Case => t.case,
        ReturnState::Done => t.done,
        ReturnState::Refused => t.refused,
        ReturnState::Rejected => t.rejected,
        ReturnState::Cancelled => t.cancelled,
        ReturnState::Expired => t.expired,
    }
}

/// What a state means, and the next step.
#[must_use]
pub const fn next(kind: ReturnKind, state: ReturnState, lang: Lang) -> &'static str {
    let t = texts(lang).next;
    match state {
        ReturnState::Done if matches!(kind, ReturnKind::UndoReturn) => t.sold_again,
        ReturnState::Waiting => t.waiting,
        ReturnState::Taking => t.taking,
        ReturnState::Taken => t.taken,
        ReturnState::Case => t.case,
        ReturnState::Done => t.done,
        ReturnState::Refused => t.refused,
        ReturnState::Rejected => t.rejected,
        ReturnState::Cancelled => t.cancelled,
        ReturnState::Expired => t.expired,
    }
}
