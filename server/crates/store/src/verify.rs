//! The proof: everything that is said twice is compared, and what differs is listed.

use sqlx::FromRow;

mod closings;
mod refunds;

use super::{Db, Result, audit, ledger, read, reconcile};

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
    // A paid order has exactly one credit command, and it is done exactly when the order is credited; one to a server wallet
    // has none.
    "SELECT 'order and credit command' AS rule, CAST(o.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected,
            CAST(COUNT(c.id) AS BIGINT) AS found
     FROM orders o LEFT JOIN commands c ON c.order_id = o.id AND c.kind = 'credit'
          AND ((c.state = 'done') = (o.credited_at IS NOT NULL))
     JOIN meters m ON m.id = o.meter_id AND m.wallet = 'meter'
     WHERE o.paid_at IS NOT NULL AND o.state IN ('paid', 'credited')
     GROUP BY o.id, o.number HAVING COUNT(c.id) <> 1",
    // What was taken out of a wallet for a return was withdrawn once, by its debit or, from a server wallet, by itself.
    "SELECT 'return and withdrawal posting' AS rule, CAST(r.number AS TEXT) AS subject,
            CASE WHEN r.taken_at IS NULL THEN CAST(0 AS BIGINT) ELSE r.amount_fen * 100 END AS expected,
            COALESCE(t.amount_e4, 0) AS found
     FROM returns r LEFT JOIN ledger_transfers t ON t.operation = 'withdrawal' AND t.reference = COALESCE(r.command_id, r.id)
     WHERE r.source = 'wallet'
       AND CASE WHEN r.taken_at IS NULL THEN CAST(0 AS BIGINT) ELSE r.amount_fen * 100 END <> COALESCE(t.amount_e4, 0)",
    // It was paid out once where it is done, at the counter or by refunds, and never before it was taken.
    "SELECT 'return and payout posting' AS rule, CAST(x.number AS TEXT) AS subject, x.expected, x.found
     FROM (SELECT r.number, r.taken_at,
                  CASE WHEN r.state = 'done' AND r.kind <> 'undo_return' THEN r.amount_fen * 100
                      ELSE CAST(0 AS BIGINT) END AS expected,
                  COALESCE(t.amount_e4, 0) + CASE WHEN r.state = 'done' THEN
                      COALESCE((SELECT CAST(SUM(f.amount_fen) AS BIGINT) FROM refunds f WHERE f.return_id = r.id
                          AND f.state = 'done'), 0)
                      * 100 + COALESCE((SELECT x.amount_e4 FROM ledger_transfers x
                                        WHERE x.operation = 'refund-cleared' AND x.reference = r.id), 0) ELSE CAST(0 AS BIGINT)
                                            END AS found
           FROM returns r LEFT JOIN ledger_transfers t ON t.operation = 'payout' AND t.reference = r.id) AS x
     WHERE x.expected <> x.found OR (x.found > 0 AND x.taken_at IS NULL)",
    // A debit for a return is done exactly when it was taken.
    "SELECT 'return and debit command' AS rule, CAST(r.number AS TEXT) AS subject,
            CASE WHEN r.taken_at IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS expected,
            CASE WHEN c.state = 'done' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS found
     FROM returns r JOIN commands c ON c.id = r.command_id
     WHERE (r.taken_at IS NOT NULL) <> (c.state = 'done')",
    // A drawer that was counted differs by what is written on its own account.
    "SELECT 'drawer and difference posting' AS rule, u.login AS subject, (s.counted_fen - s.expected_fen) * 100 AS expected,
            COALESCE(CASE WHEN t.debit = 'cash' THEN t.amount_e4 ELSE -t.amount_e4 END, 0) AS found
     FROM shifts s JOIN users u ON u.id = s.operator_id
          LEFT JOIN ledger_transfers t ON t.operation = 'drawer' AND t.reference = s.id
     WHERE s.closed_at IS NOT NULL
       AND (s.counted_fen - s.expected_fen) * 100 <> COALESCE(CASE WHEN t.debit = 'cash' THEN t.amount_e4
           ELSE -t.amount_e4 END, 0)",
    // What a meter used is in the ledger with its amount.
    "SELECT 'use of a meter and posting' AS rule, m.serial AS subject, u.amount_fen * 100 AS expected,
            COALESCE(CASE WHEN t.debit LIKE 'meter:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0) AS found
     FROM meter_consumption u JOIN meters m ON m.id = u.meter_id
          LEFT JOIN ledger_transfers t ON t.operation = 'use' AND t.reference = u.id
     WHERE u.amount_fen * 100 <> COALESCE(CASE WHEN t.debit LIKE 'meter:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0)",
    // And nothing is in the ledger that nothing stands for.
    "SELECT 'posting and what it is for' AS rule, t.operation AS subject, CAST(0 AS BIGINT) AS expected, t.amount_e4 AS found
     FROM ledger_transfers t
     WHERE (t.operation IN ('payment', 'delivery') AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = t.reference))
        OR (t.operation = 'payout' AND NOT EXISTS (SELECT 1 FROM returns WHERE returns.id = t.reference))
        OR (t.operation = 'withdrawal' AND t.debit LIKE 'meter:%'
            AND NOT EXISTS (SELECT 1 FROM commands WHERE commands.id = t.reference))
        OR (t.operation IN ('refund-reserve', 'refund', 'refund-release')
            AND NOT EXISTS (SELECT 1 FROM refunds WHERE refunds.id = t.reference))
        OR (t.operation = 'refund-cleared' AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = t.reference)
            AND NOT EXISTS (SELECT 1 FROM returns WHERE returns.id = t.reference))
        OR (t.operation IN ('suspense', 'refund-elsewhere')
            AND NOT EXISTS (SELECT 1 FROM payment_events WHERE payment_events.id = t.reference))
        OR (t.operation = 'refund-lost' AND NOT EXISTS (SELECT 1 FROM payment_events WHERE payment_events.id = t.reference)
            AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.id = t.reference))
        OR (t.operation IN ('final', 'write-off')
            AND NOT EXISTS (SELECT 1 FROM closing_meters WHERE closing_meters.id = t.reference))
        OR (t.operation = 'adjustment'
            AND NOT EXISTS (SELECT 1 FROM meter_requests q WHERE q.id = t.reference AND q.state = 'approved'))
        OR (t.operation = 'drawer' AND NOT EXISTS (SELECT 1 FROM shifts WHERE shifts.id = t.reference))
        OR (t.operation = 'use' AND NOT EXISTS (SELECT 1 FROM meter_consumption WHERE meter_consumption.id = t.reference))",
    // A subsidy is one order of its amount.
    "SELECT 'subsidy and order' AS rule, a.number AS subject, s.amount_fen AS expected, COALESCE(o.amount_fen, 0) AS found
     FROM subsidies s JOIN accounts a ON a.id = s.account_id LEFT JOIN orders o ON o.id = s.order_id AND o.tender = 'subsidy'
     WHERE s.amount_fen <> COALESCE(o.amount_fen, 0)",
    // Receipt numbers have no gap, and counter business that is settled has its receipt.
    "SELECT 'receipt numbers' AS rule, CAST(n.year AS TEXT) AS subject, n.last AS expected, CAST(COUNT(r.number)
        AS BIGINT) AS found
     FROM receipt_numbers n LEFT JOIN receipts r ON r.year = n.year AND r.number <= n.last
     GROUP BY n.year, n.last HAVING COUNT(r.number) <> n.last",
    "SELECT 'return and receipt' AS rule, CAST(r.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected, CAST(0
        AS BIGINT) AS found
     FROM returns r WHERE r.state = 'done'
       AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.return_id = r.id OR p.order_id = r.sale_id)",
    // What the ledger says is in an account's meters is what their cumulative amounts say, less what was used of them.
    "SELECT 'ledger and meters of an account' AS rule, a.number AS subject,
            COALESCE((SELECT b.credits_e4 - b.debits_e4 FROM ledger_balances b
                      WHERE b.account = 'meter:' || a.key), 0) AS expected,
            a.cumulative AS found
     FROM (SELECT accounts.number, accounts.key,
                  CAST(SUM(m.cumulative_fen - COALESCE((SELECT SUM(u.amount_fen) FROM meter_consumption u
                       WHERE u.account_id = m.account_id AND u.meter_id = m.meter_id AND u.epoch = m.epoch), 0)) * 100 AS BIGINT)
                      AS cumulative
           FROM account_keys AS accounts JOIN account_meters m ON m.account_id = accounts.id AND m.to_at IS NULL
                JOIN meters ON meters.id = m.meter_id AND meters.wallet = 'meter'
           GROUP BY accounts.number, accounts.key) AS a
     WHERE COALESCE((SELECT b.credits_e4 - b.debits_e4 FROM ledger_balances b
                     WHERE b.account = 'meter:' || a.key), 0) <> a.cumulative",
    // The purchase count that each meter last showed is the ledger's, unless a money command is under way or a case is open.
    "SELECT 'purchase count in the meter' AS rule, m.serial AS subject, am.count AS expected, l.count AS found
     FROM account_meters am JOIN meters m ON m.id = am.meter_id JOIN meter_latest l ON l.meter_id = m.id
          JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
     WHERE am.to_at IS NULL AND l.observed_at IS NOT NULL AND (am.count <> l.count OR am.epoch <> l.epoch) AND m.wallet = 'meter'
       AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.money
                       AND (c.state = 'sending' OR (c.kind = 'open' AND c.state = 'queued')))
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.id AND k.closed_at IS NULL)",
    // Likewise the cumulative amount.
    "SELECT 'cumulative amount in the meter' AS rule, m.serial AS subject, am.cumulative_fen
        AS expected, l.cumulative_fen AS found
     FROM account_meters am JOIN meters m ON m.id = am.meter_id JOIN meter_latest l ON l.meter_id = m.id
          JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
     WHERE am.to_at IS NULL AND l.observed_at IS NOT NULL AND am.cumulative_fen <> l.cumulative_fen AND m.wallet = 'meter'
       AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.money
                       AND (c.state = 'sending' OR (c.kind = 'open' AND c.state = 'queued')))
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.id AND k.closed_at IS NULL)",
    // No verified payment event without its attempt settled or held.
    "SELECT 'payment event and attempt' AS rule, e.trade_no AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
     WHERE e.kind = 'paid' AND p.state NOT IN ('paid', 'held')",
    // Every charge is in the ledger with its amount, and every reversal the other way.
    "SELECT 'charge and consumption posting' AS rule, m.serial AS subject, c.amount_e4 AS expected,
            COALESCE(u.amount_e4, 0) - COALESCE(r.amount_e4, 0) AS found
     FROM charges c JOIN meters m ON m.id = c.meter_id
          LEFT JOIN ledger_transfers u ON u.operation = 'consumption' AND u.reference = c.id
          LEFT JOIN ledger_transfers r ON r.operation = 'consumption-reversal' AND r.reference = c.id
     WHERE COALESCE(u.amount_e4, 0) - COALESCE(r.amount_e4, 0) <> c.amount_e4",
    // And nothing else is.
    "SELECT 'consumption posting and charge' AS rule, t.debit AS subject, CAST(0 AS BIGINT) AS expected, t.amount_e4 AS found
     FROM ledger_transfers t WHERE t.operation IN ('consumption', 'consumption-reversal')
       AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.id = t.reference)",
    // A charge is for the energy between its two readings, or what a person counted (7); counters go round.
    "SELECT 'charge and readings' AS rule, m.serial AS subject, (t.total_wh - f.total_wh + 1000000000) % 1000000000 AS expected,
            c.wh AS found
     FROM charges c JOIN meters m ON m.id = c.meter_id
          JOIN readings f ON f.meter_id = c.meter_id AND f.at = c.from_at
          JOIN readings t ON t.meter_id = c.meter_id AND t.at = c.at
     WHERE c.reverses IS NULL AND t.quality <> 7 AND (t.total_wh - f.total_wh + 1000000000) % 1000000000 <> c.wh",
    // A wallet has been charged up to the last reading that counts,
    "SELECT 'charged up to the last reading' AS rule, m.serial AS subject, r.at AS expected, w.counted_at AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          JOIN (SELECT meter_id, MAX(at) AS at FROM readings WHERE quality IN (0, 1, 6, 7) AND source <> 3 GROUP BY meter_id) r
               ON r.meter_id = w.meter_id AND r.at > w.started_at
     WHERE w.account_id IS NOT NULL AND r.at <> w.counted_at",
    // and what its counter went on by is what was charged or waits for a price, unless a person decided about the counter.
    "SELECT 'charges and the counter' AS rule, m.serial AS subject, w.counted_wh - w.started_wh AS expected,
            COALESCE(c.wh, 0) + w.uncharged_wh AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          LEFT JOIN (SELECT meter_id, account_id, CAST(SUM(wh) AS BIGINT) AS wh FROM charges WHERE reverses IS NULL
                     GROUP BY meter_id, account_id) c ON c.meter_id = w.meter_id AND c.account_id = w.account_id
     WHERE w.account_id IS NOT NULL AND w.counted_wh >= w.started_wh
       AND NOT EXISTS (SELECT 1 FROM counter_decisions d WHERE d.meter_id = w.meter_id AND d.at >= w.started_at)
       AND w.counted_wh - w.started_wh <> COALESCE(c.wh, 0) + w.uncharged_wh",
    "SELECT 'energy that waits for a price' AS rule, m.serial AS subject, COALESCE(u.wh, 0) AS expected, w.uncharged_wh AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          LEFT JOIN (SELECT meter_id, CAST(SUM(wh) AS BIGINT) AS wh FROM uncharged GROUP BY meter_id) u ON u.meter_id = w.meter_id
     WHERE COALESCE(u.wh, 0) <> w.uncharged_wh",
    // What the days and prices of an account add up to is what was charged, and what is carried.
    "SELECT 'charges and what explains them' AS rule, a.number AS subject, COALESCE(d.wh, 0)
        AS expected, COALESCE(c.wh, 0) AS found
     FROM accounts a
          LEFT JOIN (SELECT account_id, CAST(SUM(wh) AS BIGINT) AS wh FROM charge_days GROUP BY account_id) d
              ON d.account_id = a.id
          LEFT JOIN (SELECT account_id, CAST(SUM(wh) AS BIGINT) AS wh FROM charges GROUP BY account_id) c ON c.account_id = a.id
     WHERE COALESCE(d.wh, 0) <> COALESCE(c.wh, 0)",
    "SELECT 'charges, carried remainder and prices' AS rule, m.serial AS subject, d.cost AS expected,
            c.amount * 1000 + w.carry_e7 AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          JOIN (SELECT account_id, meter_id, CAST(SUM(cost_e7) AS BIGINT) AS cost FROM charge_days
                GROUP BY account_id, meter_id) d ON d.account_id = w.account_id AND d.meter_id = w.meter_id
          JOIN (SELECT account_id, meter_id, CAST(SUM(amount_e4) AS BIGINT) AS amount FROM charges
                GROUP BY account_id, meter_id) c ON c.account_id = w.account_id AND c.meter_id = w.meter_id
     WHERE d.cost <> c.amount * 1000 + w.carry_e7",
    // The balance that a wallet shows is the ledger's.
    "SELECT 'wallet and ledger' AS rule, a.number AS subject,
            COALESCE((SELECT CAST(SUM(o.amount_fen) AS BIGINT) * 100 FROM orders o JOIN meters m ON m.id = o.meter_id
                      WHERE o.account_id = a.id AND m.wallet = 'server' AND o.credited_at IS NOT NULL), 0)
            - COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation IN ('withdrawal', 'final', 'write-off') AND v.debit = b.account), 0)
            + COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation = 'write-off' AND v.credit = b.account), 0)
            + COALESCE((SELECT t.amount_e4 FROM ledger_transfers t
                        WHERE t.operation = 'takeover' AND t.reference = a.id AND t.credit = b.account), 0)
            - COALESCE((SELECT CAST(SUM(c.amount_e4) AS BIGINT) FROM charges c WHERE c.account_id = a.id), 0) AS expected,
            b.credits_e4 - b.debits_e4 AS found
     FROM account_keys a JOIN ledger_balances b ON b.account = 'wallet:' || a.key
     WHERE b.credits_e4 - b.debits_e4 <>
            COALESCE((SELECT CAST(SUM(o.amount_fen) AS BIGINT) * 100 FROM orders o JOIN meters m ON m.id = o.meter_id
                      WHERE o.account_id = a.id AND m.wallet = 'server' AND o.credited_at IS NOT NULL), 0)
            - COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation IN ('withdrawal', 'final', 'write-off') AND v.debit = b.account), 0)
            + COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation = 'write-off' AND v.credit = b.account), 0)
            + COALESCE((SELECT t.amount_e4 FROM ledger_transfers t
                        WHERE t.operation = 'takeover' AND t.reference = a.id AND t.credit = b.account), 0)
            - COALESCE((SELECT CAST(SUM(c.amount_e4) AS BIGINT) FROM charges c WHERE c.account_id = a.id), 0)",
];

/// Compares everything; reads only.
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
    for rule in RULES.iter().chain(refunds::RULES).chain(reconcile::RULES).chain(closings::RULES) {
        let rows: Vec<Difference> = read!(db, |pool| sqlx::query_as(*rule).fetch_all(pool).await)?;
        report.differences.extend(rows);
    }
    Ok(report)
}
