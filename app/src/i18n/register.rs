//! Texts of the register.

use super::Lang;
pub use super::catalogue::register::*;

/// A kind by its code.
#[must_use]
pub fn kind(code: &str, lang: Lang) -> &'static str {
    let t = texts(lang);
    match model::order::ReturnKind::parse(code) {
        Some(kind) => super::cash_desk::kind(kind, lang),
        None if code == "sale" => t.sale,
        None if code == "refund" => t.refund,
        None => t.shift,
    }
}
