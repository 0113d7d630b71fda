//! Sums of a report, from the rows of the business, beside the ledger's own.

use model::money::Money;
use model::report::{Cell, Column, ColumnKind, Heading, Note, Section};

/// A sum as the report has it and as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    pub heading: Heading,
    pub report: Money,
    pub ledger: Money,
}

/// The comparison, and whether it agrees.
pub fn section(sums: &[Compared]) -> (Section, Note) {
    let differing = sums.iter().filter(|sum| sum.report != sum.ledger).count();
    let row = |sum: &Compared| {
        let Compared { heading, report, ledger } = *sum;
        vec![Cell::Word(heading), Cell::Money(report), Cell::Money(ledger), Cell::Money(report - ledger)]
    };
    let columns = vec![
        Column::text(Heading::LedgerCheck),
        Column::plain(Heading::InReport, ColumnKind::Money),
        Column::plain(Heading::InLedger, ColumnKind::Money),
        Column::plain(Heading::Difference, ColumnKind::Money),
    ];
    let verdict = match differing {
        0 => Note::LedgerAgrees,
        differing => Note::LedgerDiffers(i64::try_from(differing).unwrap_or(i64::MAX)),
    };
    let rows = sums.iter().map(row).collect();
    (Section { title: Heading::LedgerCheck, columns, rows, chart: None }, verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_differ_are_counted() {
        let sum = |report, ledger| Compared { heading: Heading::Sales, report: Money(report), ledger: Money(ledger) };
        assert_eq!(section(&[sum(1, 1), sum(-2, -2)]).1, Note::LedgerAgrees);
        let (section, note) = section(&[sum(1, 1), sum(5, 7)]);
        assert_eq!((note, section.rows[1].last()), (Note::LedgerDiffers(1), Some(&Cell::Money(Money(-2)))));
    }
}
