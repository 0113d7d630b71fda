//! Texts of the history of a meter.

use super::Lang;
pub use super::catalogue::history::*;
use model::console::{HistoryKind, RangeProblem};

#[must_use]
pub const fn kind(kind: HistoryKind, lang: Lang) -> &'static str {
    let t = texts(lang);
    match kind {
        HistoryKind::Days => t.days,
        HistoryKind::Hours => t.hours,
        HistoryKind::Readings => t.readings,
    }
}

/// Why a range is not shown, and what to do.
#[must_use]
pub fn problem(problem: RangeProblem, lang: Lang) -> String {
    let t = texts(lang);
    match problem {
        RangeProblem::NotADay => t.not_a_day.to_owned(),
        RangeProblem::Reversed => t.reversed.to_owned(),
        RangeProblem::TooLong(days) => TooLong { days }.text(lang),
    }
}
