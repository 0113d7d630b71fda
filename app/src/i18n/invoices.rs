//! Texts of invoice exports.

use super::Lang;
pub use super::catalogue::invoices::*;
use model::invoice::{InvoiceRange, InvoiceRangeProblem};

/// Why no receipts are shown, and what to do.
#[must_use]
pub fn problem(problem: InvoiceRangeProblem, lang: Lang) -> String {
    let t = texts(lang);
    match problem {
        InvoiceRangeProblem::NotADay => t.not_a_day.to_owned(),
        InvoiceRangeProblem::Reversed => t.reversed.to_owned(),
        InvoiceRangeProblem::TooLong => TooLong { days: InvoiceRange::MAX_DAYS }.text(lang),
        InvoiceRangeProblem::UnknownBuilding => t.unknown_building.to_owned(),
    }
}
