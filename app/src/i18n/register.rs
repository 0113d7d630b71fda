//! Texts of the register.

use super::Lang;
use super::cash_desk;
pub use super::catalogue::register::*;
use model::console::RecordKind;
use model::order::ReturnKind;

/// The name of a kind of line.
#[must_use]
pub const fn kind(kind: RecordKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        RecordKind::Sale => t.sale,
        RecordKind::Return => cash_desk::kind(ReturnKind::Return, lang),
        RecordKind::UndoSale => cash_desk::kind(ReturnKind::UndoSale, lang),
        RecordKind::UndoReturn => cash_desk::kind(ReturnKind::UndoReturn, lang),
        RecordKind::Refund => t.refund,
        RecordKind::Shift => t.shift,
    }
}
