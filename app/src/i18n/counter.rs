//! Texts for a counter that is held back, and what a person may decide about it.

use super::Lang;
pub use super::catalogue::counter::*;
use model::console::{Gap, Split};
use model::energy::Energy;

/// What a choice does.
#[must_use]
pub fn choice(gap: Gap, difference: Option<Energy>, by: Split, lang: Lang) -> String {
    let energy = difference.unwrap_or_default();
    match (gap, by) {
        (Gap::Accept, _) => texts(lang).accept.to_owned(),
        (Gap::Count, Split::None) => Count { energy }.text(lang),
        (Gap::Count, Split::Registers) => CountByRegisters { energy }.text(lang),
        (Gap::Count, Split::Flat) => CountFlat { energy }.text(lang),
        (Gap::Replaced { .. }, _) => texts(lang).replaced.to_owned(),
    }
}
