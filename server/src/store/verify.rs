//! The proof: everything that is said twice is compared, and what differs is listed.

use sqlx::FromRow;

use super::{Db, Result, audit, ledger, read};

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Difference {
    /// Which rule is broken.
    pub rule: String,
    /// What it is about.
    pub subject: String,
    /// What the rule asks for.
    pub expected: i64,
    /// What is there.
    pub found: i64,
}

/// What a verification saw.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Lines on the audit chain.
    pub audit_lines: i64,
    /// Accounts in the ledger.
    pub ledger_accounts: usize,
    /// All that differs; empty when the books are true.
    pub differences: Vec<Difference>,
}

/// Each gives rows of (rule, subject, expected, found) for what breaks it.
const RULES: &[&str] = &[
    // An order that was paid has one payment of its amount, and one that was not has none.
    "SELECT 'order and payment posting' AS rule, CAST(o.number AS TEXT) AS subject,
            CASE WHEN o.paid_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END AS expected,
            COALESCE(t.amount_e4, 0) AS found
     FROM orders o LEFT JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = o.id
     WHERE CASE WHEN o.paid_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END <> COALESCE(t.amount_e4, 0)",
    // An order in the meter has one delivery of its amount, and one that is not has none.
    "SELECT 'order and delivery posting' AS rule, CAST(o.number AS TEXT) AS subject,
            CASE WHEN o.credited_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END AS expected,
            COALESCE(t.amount_e4, 0) AS found
     FROM orders o LEFT JOIN ledger_transfers t ON t.operation = 'delivery' AND t.reference = o.id
     WHERE CASE WHEN o.credited_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END <> COALESCE(t.amount_e4, 0)",
    // A paid order has exactly one credit command, and it is done exactly when the order is credited.
    "SELECT 'order and credit command' AS rule, CAST(o.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected,
            CAST(COUNT(c.id) AS BIGINT) AS found
     FROM orders o LEFT JOIN commands c ON c.order_id = o.id AND c.kind = 'credit'
          AND ((c.state = 'done') = (o.credited_at IS NOT NULL))
     WHERE o.paid_at IS NOT NULL AND o.state IN ('paid', 'credited')
     GROUP BY o.id, o.number HAVING COUNT(c.id) <> 1",
    // What the ledger says is delivered to an account is what its meters' cumulative amounts say.
    "SELECT 'ledger and meters of an account' AS rule, a.number AS subject,
            COALESCE((SELECT b.credits_e4 - b.debits_e4 FROM ledger_balances b
                      WHERE b.account = 'meter:' || a.key), 0) AS expected,
            a.cumulative AS found
     FROM (SELECT accounts.number, accounts.key, CAST(SUM(m.cumulative_fen) * 100 AS BIGINT) AS cumulative
           FROM account_keys AS accounts JOIN account_meters m ON m.account_id = accounts.id AND m.to_at IS NULL
           GROUP BY accounts.number, accounts.key) AS a
     WHERE COALESCE((SELECT b.credits_e4 - b.debits_e4 FROM ledger_balances b
                     WHERE b.account = 'meter:' || a.key), 0) <> a.cumulative",
    // The purchase count that each meter last showed is the ledger's, unless a money command is under way or a case is open.
    "SELECT 'purchase count in the meter' AS rule, m.serial AS subject, am.count AS expected, l.count AS found
     FROM account_meters am JOIN meters m ON m.id = am.meter_id JOIN meter_latest l ON l.meter_id = m.id
          JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
     WHERE am.to_at IS NULL AND l.observed_at IS NOT NULL AND (am.count <> l.count OR am.epoch <> l.epoch)
       AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.money AND c.state = 'sending')
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.id AND k.closed_at IS NULL)",
    // Likewise the cumulative amount.
    "SELECT 'cumulative amount in the meter' AS rule, m.serial AS subject, am.cumulative_fen AS expected, l.cumulative_fen AS found
     FROM account_meters am JOIN meters m ON m.id = am.meter_id JOIN meter_latest l ON l.meter_id = m.id
          JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
     WHERE am.to_at IS NULL AND l.observed_at IS NOT NULL AND am.cumulative_fen <> l.cumulative_fen
       AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.money AND c.state = 'sending')
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.id AND k.closed_at IS NULL)",
    // No verified payment event without its attempt settled or held.
    "SELECT 'payment event and attempt' AS rule, e.trade_no AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
     WHERE e.kind = 'paid' AND p.state NOT IN ('paid', 'held')",
];

/// Compares everything; reads only.
///
/// # Errors
/// Where the database fails.
pub async fn verify(db: &Db) -> Result<Report> {
    let mut report = Report::default();
    match audit::verify(db).await? {
        Ok(lines) => report.audit_lines = lines,
        Err(line) => report.differences.push(Difference {
            rule: "audit chain".into(),
            subject: "first line that does not follow".into(),
            expected: line,
            found: line,
        }),
    }
    let kept = ledger::balances(db).await?;
    let recomputed = ledger::recomputed_balances(db).await?;
    report.ledger_accounts = kept.len();
    for balance in kept.iter().filter(|balance| !recomputed.contains(balance)) {
        report.differences.push(Difference {
            rule: "ledger balance and transfers".into(),
            subject: balance.account.clone(),
            expected: recomputed.iter().find(|b| b.account == balance.account).map_or(0, |b| b.credits_e4 - b.debits_e4),
            found: balance.credits_e4 - balance.debits_e4,
        });
    }
    let sum: i64 = recomputed.iter().map(|b| b.credits_e4 - b.debits_e4).sum();
    if sum != 0 {
        report.differences.push(Difference { rule: "ledger sum".into(), subject: "all".into(), expected: 0, found: sum });
    }
    for rule in RULES {
        let rows: Vec<Difference> = read!(db, |pool| sqlx::query_as(*rule).fetch_all(pool).await)?;
        report.differences.extend(rows);
    }
    Ok(report)
}
