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

/// Why a day has no statement, with the row and column that could not be read.
#[must_use]
pub fn problem(problem: StatementProblem, row: Option<i64>, column: Option<&str>, lang: Lang) -> String {
    let t = texts(lang);
    let text = note(problem, lang);
    // The columns of a file are named by the file, their contents by a code.
    match (row, column) {
        (Some(row), Some(column)) => {
            let column = t.column.get(&column.replace(' ', "-")).unwrap_or(column);
            RowAndColumn { row, column, text }.text(lang)
        }
        (Some(row), None) => RowAlone { row, text }.text(lang),
        (None, _) => text.to_owned(),
    }
}

const fn note(problem: StatementProblem, lang: Lang) -> &'static str {
    let t = texts(lang).note;
    match problem {
        StatementProblem::Field => t.field,
        StatementProblem::NotRequested => t.not_requested,
        StatementProblem::NotReady => t.not_ready,
        StatementProblem::Empty => t.empty,
        StatementProblem::Unreachable => t.unreachable,
        StatementProblem::Status => t.http_status,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_statement_names_row_column_and_remedy() {
        assert!(
            problem(StatementProblem::Field, Some(12), Some("refund state"), Lang::En)
                .starts_with("Row 12, column “refund state”: ")
        );
        assert!(problem(StatementProblem::Field, Some(12), Some("refund state"), Lang::Zh).starts_with("第 12 行“退款状态”栏："));
        assert!(problem(StatementProblem::Column, Some(1), Some("手续费"), Lang::En).starts_with("Row 1, column “手续费”: "));
        assert!(problem(StatementProblem::Twice, Some(3), None, Lang::En).starts_with("Row 3: "));
        assert_eq!(problem(StatementProblem::Day, None, None, Lang::Zh), texts(Lang::Zh).note.day);
    }
}
