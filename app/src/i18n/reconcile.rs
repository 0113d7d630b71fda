//! Texts of reconciliation.

use super::Lang;
pub use super::catalogue::reconcile::*;
use crate::api::reconciliation::DayState;

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

/// Why a statement was not imported, by its code.
#[must_use]
pub fn note(code: &str, lang: Lang) -> &'static str {
    let t = texts(lang).note;
    t.get(code).unwrap_or(t.other)
}

/// A class of difference, by its code.
#[must_use]
pub fn class(code: &str, lang: Lang) -> &'static str {
    let t = texts(lang).difference_class;
    t.get(code).unwrap_or(t.other)
}

/// Why a line is in its class, where that says more than the class.
#[must_use]
pub fn why(code: &str, lang: Lang) -> Option<&'static str> {
    texts(lang).reason_code.get(code)
}
