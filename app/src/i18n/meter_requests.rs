//! Texts of requests about meters.

use super::Lang;
pub use super::catalogue::meter_requests::texts;
use model::console::MeterRequestKind;

/// What is asked for.
#[must_use]
pub const fn kind(kind: MeterRequestKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        MeterRequestKind::CloseForeign => t.close_foreign,
        MeterRequestKind::Adjustment => t.adjustment,
    }
}
