//! Balances against transfers, and transfers against what they are for.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::{Check, Difference, Figure, Report, Rule};
use crate::{Result, Tx, on};
use domain::ledger::OPERATIONS;
use model::money::Money;
use store::ledger;

/// The postings of one operation.
#[derive(FromRow)]
struct OperationRow {
    operation: String,
    amount_e4: i64,
}

/// Each balance against the transfers of its account, the sum of all, and operations that the server does not know.
pub(super) async fn verify(tx: &mut Tx, report: &mut Report) -> Result<()> {
    let stored = ledger::balances_in(tx).await?;
    report.ledger_accounts = stored.len();
    let mut accounts: BTreeMap<String, [(i64, i64); 2]> = BTreeMap::new();
    for row in stored {
        accounts.entry(row.account).or_default()[0] = (row.debits_e4, row.credits_e4);
    }
    let mut sum = 0;
    for row in ledger::recomputed_in(tx).await? {
        sum += row.credits_e4 - row.debits_e4;
        accounts.entry(row.account).or_default()[1] = (row.debits_e4, row.credits_e4);
    }
    for (account, [stored, recomputed]) in accounts {
        if stored.0 != recomputed.0 {
            report.differences.push(money(Rule::LedgerBalance, format!("{account}, debits"), recomputed.0, stored.0));
        }
        if stored.1 != recomputed.1 {
            report.differences.push(money(Rule::LedgerBalance, format!("{account}, credits"), recomputed.1, stored.1));
        }
    }
    if sum != 0 {
        report.differences.push(money(Rule::LedgerSum, "all".into(), 0, sum));
    }
    let operations: Vec<OperationRow> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT operation, CAST(SUM(amount_e4) AS BIGINT) AS amount_e4
         FROM ledger_transfers GROUP BY operation ORDER BY operation",
        )
        .fetch_all(c)
        .await
    })?;
    let unknown = operations.into_iter().filter(|row| !OPERATIONS.contains(&&*row.operation));
    report.differences.extend(unknown.map(|row| money(Rule::LedgerOperation, row.operation, 0, row.amount_e4)));
    Ok(())
}

const fn money(rule: Rule, subject: String, expected: i64, found: i64) -> Difference {
    Difference { rule, subject, expected: Figure::Money(Money(expected)), found: Figure::Money(Money(found)) }
}

pub(super) const CHECKS: &[Check] = &[
    // A posting refers to a row that exists.
    Check {
        rule: Rule::PostingWithoutCause,
        sql: "SELECT t.operation AS subject, CAST(0 AS BIGINT) AS expected, t.amount_e4 AS found
     FROM ledger_transfers t
     WHERE (t.operation IN ('payment', 'delivery') AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = t.reference))
        OR (t.operation = 'payout' AND NOT EXISTS (SELECT 1 FROM returns WHERE returns.id = t.reference))
        OR (t.operation = 'withdrawal' AND t.debit LIKE 'meter:%'
            AND NOT EXISTS (SELECT 1 FROM commands WHERE commands.id = t.reference))
        OR (t.operation IN ('refund-reserve', 'refund', 'refund-release')
            AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.id = t.reference))
        OR (t.operation = 'refund-cleared' AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = t.reference)
            AND NOT EXISTS (SELECT 1 FROM returns WHERE returns.id = t.reference))
        OR (t.operation IN ('suspense', 'suspense-back', 'refund-elsewhere')
            AND NOT EXISTS (SELECT 1 FROM payment_events WHERE payment_events.id = t.reference))
        OR (t.operation = 'refund-lost' AND NOT EXISTS (SELECT 1 FROM payment_events WHERE payment_events.id = t.reference)
            AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = t.reference))
        OR (t.operation IN ('final', 'write-off')
            AND NOT EXISTS (SELECT 1 FROM account_closure_meters WHERE account_closure_meters.id = t.reference))
        OR (t.operation = 'adjustment'
            AND NOT EXISTS (SELECT 1 FROM approval_requests q WHERE q.id = t.reference AND q.state = 'approved'))
        OR (t.operation = 'drawer' AND NOT EXISTS (SELECT 1 FROM shifts WHERE shifts.id = t.reference))
        OR (t.operation = 'use' AND NOT EXISTS (SELECT 1 FROM meter_consumption WHERE meter_consumption.id = t.reference))",
    },
    // A posting refers to a row that exists.
    Check {
        rule: Rule::PostingWithoutCause,
        sql: "SELECT t.operation AS subject, CAST(0 AS BIGINT) AS expected, t.amount_e4 AS found
     FROM ledger_transfers t
     WHERE (t.operation = 'fees'
            AND NOT EXISTS (SELECT 1 FROM settlement_statements WHERE settlement_statements.id = t.reference))
        OR (t.operation = 'settlement'
            AND NOT EXISTS (SELECT 1 FROM settlement_receipts WHERE settlement_receipts.id = t.reference))",
    },
];
