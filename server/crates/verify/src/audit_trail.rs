//! The audit chain, and the seals of the rows.

use super::{Difference, Figure, Report, Rule};
use crate::{Result, Tx};
use store::audit;
use store::seal::{self, RowFault};

/// Rows of one table that are named; the one after them stands for all further ones.
const NAMED_ROWS: usize = seal::NAMED - 1;

pub(super) async fn verify(tx: &mut Tx, report: &mut Report) -> Result<()> {
    let head = audit::head(tx).await?;
    let chain = audit::walk(tx, head.as_ref()).await?;
    report.audit_lines = chain.lines;
    if let Some(line) = chain.broken_at {
        let subject = format!("line {line}");
        report.differences.push(Difference::words(Rule::AuditChain, subject, "follows from the line before", "does not"));
    }
    let seals = seal::faults(tx).await?;
    report.sealed_rows = seals.rows;
    let mut named = ("", 0);
    for (table, row, fault) in &seals.faults {
        named = if named.0 == *table { (*table, named.1 + 1) } else { (*table, 1) };
        let found = match fault {
            RowFault::Changed => "changed by someone else",
            RowFault::Added => "added by someone else",
            RowFault::Removed => "missing",
        };
        if named.1 <= NAMED_ROWS {
            let subject = format!("{table} {row}");
            report.differences.push(Difference::words(Rule::SealedRow, subject, "as sealed", found));
        } else if named.1 == NAMED_ROWS + 1 {
            let subject = format!("{table}, further rows");
            report.differences.push(Difference::words(Rule::SealedRow, subject, "as sealed", found));
        }
    }
    let (expected, fits) = head.map_or((0, false), |head| (head.sealed_rows, seals.fits(&head)));
    if !fits {
        // Numbers may agree where rows were put back together with their old seals.
        report.differences.push(Difference {
            rule: Rule::SealSum,
            subject: "all sealed rows".into(),
            expected: Figure::Count(expected),
            found: Figure::Count(seals.rows),
        });
    }
    Ok(())
}
