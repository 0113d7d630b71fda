//! Texts of reconciliation.

use super::Lang;
pub use super::catalogue::reconcile::*;
use crate::api::reconciliation::DayState;
use model::reconciliation::{DifferenceClass, DifferenceReason, StatementProblem};

/// The name of the state of a settlement day.
#[must_use]
pub const fn state(state: DayState, lang: Lang) -> &'static str {
    let t = texts(lang).state;
    match state {
        DayState::Waiting => t.waiting,
        DayState::Equal => t.equal,
        DayState::Differs => t.differs,
        DayState::Closed => t.closed,
    }
}

/// Why a day has no statement.
#[must_use]
pub fn problem(problem: StatementProblem, lang: Lang) -> &'static str {
    let t = texts(lang).note;
    t.get(problem.as_str()).unwrap_or(t.other)
}

/// The name of a class of difference.
#[must_use]
pub fn class(class: DifferenceClass, lang: Lang) -> &'static str {
    let t = texts(lang).difference_class;
    t.get(class.as_str()).unwrap_or(t.other)
}

/// Why a line is in its class; `None` where the class says it all.
#[must_use]
pub fn reason(reason: DifferenceReason, lang: Lang) -> Option<&'static str> {
    texts(lang).reason_code.get(reason.as_str())
}
