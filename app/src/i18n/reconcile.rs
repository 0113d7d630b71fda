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
    let text = t.note.get(problem.as_str()).unwrap_or(t.note.other);
    // The columns of a file are named by the file, their contents by a code.
    let place = match (row, column) {
        (Some(row), Some(column)) => {
            let column = t.column.get(&column.replace(' ', "-")).unwrap_or(column);
            RowAndColumn { row, column }.text(lang)
        }
        (Some(row), None) => RowAlone { row }.text(lang),
        (None, _) => return text.to_owned(),
    };
    format!("{place}{text}")
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
