//! Compares everything that is stored twice, and every row of the books with its seal: one file a subject, each of which adds its
//! differences to one report, within one transaction that changes nothing.

mod audit_trail;
mod cash_desk;
mod closings;
mod commands;
mod invoices;
mod ledger;
mod meters;
mod orders;
mod places;
mod refunds;
mod returns;
mod rollups;
mod rules;
mod schema;
mod statements;
mod wallets;

use model::case::CaseKind;
use model::time::Timestamp;
use sqlx::FromRow;

pub use rules::{Figure, Rule};
use store::{Db, Result, Tx, on};

/// Something that is not as its rule asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub rule: Rule,
    /// The order, account, meter or row that it is about.
    pub subject: String,
    pub expected: Figure,
    pub found: Figure,
}

impl Difference {
    fn words(rule: Rule, subject: impl Into<String>, expected: &'static str, found: &'static str) -> Self {
        Self { rule, subject: subject.into(), expected: Figure::Word(expected), found: Figure::Word(found) }
    }
}

impl Difference {
    /// An anchor that was kept outside the database has no such line in the chain.
    #[must_use]
    pub fn missing_anchor(line: i64) -> Self {
        Self::words(Rule::AuditAnchor, format!("line {line}"), "as anchored", "missing or another one")
    }
}

/// A meter with an open case: its purchase count and cumulative amount are not compared until a person has decided.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct SetAside {
    pub serial: String,
    pub kind: CaseKind,
    /// Since when the case is open.
    pub since: Timestamp,
}

/// What a verification found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub audit_lines: i64,
    pub ledger_accounts: usize,
    /// Rows that have a seal.
    pub sealed_rows: i64,
    pub set_aside: Vec<SetAside>,
    pub differences: Vec<Difference>,
}

/// A rule as SQL: rows of (subject, expected, found) for what breaks it.
struct Check {
    rule: Rule,
    sql: &'static str,
}

impl Check {
    async fn run(&self, tx: &mut Tx, report: &mut Report) -> Result<()> {
        let rows: Vec<CheckedRow> = on!(tx, |c| sqlx::query_as(self.sql).fetch_all(c).await)?;
        let rule = self.rule;
        report.differences.extend(rows.into_iter().map(|row| Difference {
            rule,
            subject: row.subject,
            expected: rule.figure(row.expected),
            found: rule.figure(row.found),
        }));
        Ok(())
    }
}

/// What a [`Check`] selects.
#[derive(FromRow)]
struct CheckedRow {
    subject: String,
    expected: i64,
    found: i64,
}

/// Compares everything, as it is at one instant; reads only.
pub async fn verify(db: &Db) -> Result<Report> {
    let mut tx = db.begin_reading().await?;
    verify_within(&mut tx).await
}

/// [`verify`] in the caller's transaction.
pub async fn verify_within(tx: &mut Tx) -> Result<Report> {
    let mut report = Report { set_aside: meters::set_aside(tx).await?, ..Report::default() };
    audit_trail::verify(tx, &mut report).await?;
    schema::verify(tx, &mut report).await?;
    ledger::verify(tx, &mut report).await?;
    commands::verify(tx, &mut report).await?;
    let checks = [
        ledger::CHECKS,
        orders::CHECKS,
        returns::CHECKS,
        refunds::CHECKS,
        cash_desk::CHECKS,
        invoices::CHECKS,
        meters::CHECKS,
        wallets::CHECKS,
        closings::CHECKS,
        statements::CHECKS,
    ];
    for checks in checks {
        for check in checks {
            check.run(tx, &mut report).await?;
        }
    }
    cash_desk::receipt_numbers(tx, &mut report).await?;
    rollups::verify(tx, &mut report).await?;
    places::verify(tx, &mut report).await?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_can_be_spawned() {
        fn sends<F: Future + Send>(_: impl Fn(&'static Db) -> F) {}
        sends(verify);
    }
}
