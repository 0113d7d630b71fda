//! Texts of requests that a second person approves.

use super::Lang;
pub use super::catalogue::approvals::texts;
use model::approval::ApprovalKind;

/// What is asked for.
#[must_use]
pub const fn kind(kind: ApprovalKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        ApprovalKind::Subsidy => t.subsidy,
        ApprovalKind::Prices => t.prices,
        ApprovalKind::PricePlace => t.price_place,
        ApprovalKind::WriteOff => t.write_off,
        ApprovalKind::CloseForeign => t.close_foreign,
        ApprovalKind::Adjustment => t.adjustment,
    }
}
