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
pub const fn problem(problem: StatementProblem, lang: Lang) -> &'static str {
    let t = texts(lang).note;
    match problem {
        StatementProblem::NotRequested => t.not_requested,
        StatementProblem::NotReady => t.not_ready,
        StatementProblem::Empty => t.empty,
        StatementProblem::Unreachable => t.unreachable,
        StatementProblem::Response => t.response,
        StatementProblem::Refused => t.refused,
        StatementProblem::Key => t.key,
        StatementProblem::Packed => t.packed,
        StatementProblem::Encoding => t.encoding,
        StatementProblem::Form => t.form,
        StatementProblem::Column => t.column,
        StatementProblem::TooLarge => t.too_large,
        StatementProblem::Owner => t.owner,
        StatementProblem::Day => t.day,
        StatementProblem::Twice => t.twice,
        StatementProblem::Totals => t.totals,
        StatementProblem::Digest => t.digest,
    }
}

/// The name of a class of difference.
#[must_use]
pub const fn class(class: DifferenceClass, lang: Lang) -> &'static str {
    let t = texts(lang).difference_class;
    match class {
        DifferenceClass::ChannelOnly => t.channel_only,
        DifferenceClass::LedgerOnly => t.ledger_only,
        DifferenceClass::Amount => t.amount,
        DifferenceClass::State => t.state,
        DifferenceClass::Edge => t.edge,
        DifferenceClass::Meter => t.meter,
    }
}

/// Why a line is in its class; `None` where the class says it all.
#[must_use]
pub fn reason(reason: DifferenceReason, lang: Lang) -> Option<&'static str> {
    texts(lang).reason_code.get(reason.as_str())
}
