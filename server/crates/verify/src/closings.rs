//! Account closures, moves and meter replacements.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // What was left in a closed meter was transferred once, and what is not followed up is written off.
    Check {
        rule: Rule::FinalPosting,
        sql: "SELECT m.serial AS subject, COALESCE(c.final_fen, 0) * 100 + COALESCE(c.written_off_e4,
        0) AS expected,
            COALESCE(f.amount_e4, 0) + COALESCE(CASE WHEN w.credit = 'write-off' THEN w.amount_e4
                ELSE -w.amount_e4 END, 0) AS found
     FROM account_closure_meters c JOIN meters m ON m.id = c.meter_id
          LEFT JOIN ledger_transfers f ON f.operation = 'final' AND f.reference = c.id
          LEFT JOIN ledger_transfers w ON w.operation = 'write-off' AND w.reference = c.id
     WHERE COALESCE(c.final_fen, 0) * 100 <> COALESCE(f.amount_e4, 0)
        OR COALESCE(c.written_off_e4, 0) <> COALESCE(CASE WHEN w.credit = 'write-off' THEN w.amount_e4 ELSE -w.amount_e4 END, 0)",
    },
    // A closure that ended has paid out or transferred all of it; one that has not, nothing.
    Check {
        rule: Rule::ClosingSettled,
        sql: "SELECT a.number AS subject,
            CASE WHEN c.ended_at IS NULL THEN CAST(0 AS BIGINT) ELSE c.due END AS expected, c.gone AS found
     FROM (SELECT account_closures.account_id, account_closures.ended_at,
                  CAST(COALESCE((SELECT SUM(final_fen) FROM account_closure_meters
                                 WHERE closure_id = account_closures.id), 0) AS BIGINT) AS due,
                  CAST(COALESCE((SELECT SUM(r.amount_fen) FROM returns r WHERE r.closure_id = account_closures.id
                      AND r.state = 'done'), 0)
                     + COALESCE((SELECT o.amount_fen FROM orders o WHERE o.id = account_closures.order_id), 0) AS BIGINT) AS gone
           FROM account_closures) AS c JOIN accounts a ON a.id = c.account_id
     WHERE c.gone <> CASE WHEN c.ended_at IS NULL THEN CAST(0 AS BIGINT) ELSE c.due END",
    },
    // What the ledger carries is what closures still have to settle.
    Check {
        rule: Rule::Carried,
        sql: "SELECT 'carried' AS subject, c.due * 100 AS expected, c.held AS found
     FROM (SELECT CAST(COALESCE((SELECT SUM(m.final_fen) FROM account_closure_meters m
                                      JOIN account_closures x ON x.id = m.closure_id
                                 WHERE x.ended_at IS NULL), 0) AS BIGINT) AS due,
                  CAST(COALESCE((SELECT SUM(credits_e4 - debits_e4) FROM ledger_balances WHERE account = 'carried'), 0) AS BIGINT)
                      AS held) AS c
     WHERE c.due * 100 <> c.held",
    },
    // A closed account has nothing left in meters or wallet.
    Check {
        rule: Rule::ClosedBalance,
        sql: "SELECT a.number AS subject, CAST(0 AS BIGINT) AS expected,
            b.credits_e4 - b.debits_e4 AS found
     FROM account_keys a JOIN accounts s ON s.id = a.id AND s.state = 'closed'
          JOIN ledger_balances b ON b.account IN ('meter:' || a.key, 'wallet:' || a.key)
     WHERE b.credits_e4 <> b.debits_e4",
    },
    // A closed account holds nothing paid but what a person still has to give back.
    Check {
        rule: Rule::ClosedPaid,
        sql: "SELECT a.number AS subject, a.owed * 100 AS expected,
            b.credits_e4 - b.debits_e4 AS found
     FROM (SELECT k.number, k.key,
                  CAST(COALESCE((SELECT SUM(o.amount_fen) FROM orders o WHERE o.account_id = k.id AND o.state = 'case'
                                                                          AND o.paid_at IS NOT NULL), 0)
                     + COALESCE((SELECT SUM(r.amount_fen) FROM returns r WHERE r.account_id = k.id AND r.source = 'wallet'
                                                                         AND r.state = 'taken'), 0)
                     - COALESCE((SELECT SUM(f.amount_fen) FROM refunds f JOIN returns r ON r.id = f.return_id
                                 WHERE r.account_id = k.id AND r.source = 'wallet' AND r.state = 'taken'
                                   AND f.state IN ('waiting', 'sending', 'payable', 'done')), 0)
                     - COALESCE((SELECT SUM(t.amount_e4) / 100 FROM ledger_transfers t JOIN returns r ON r.id = t.reference
                                 WHERE t.operation = 'refund-cleared' AND r.account_id = k.id AND r.source = 'wallet'
                                   AND r.state = 'taken'), 0) AS BIGINT) AS owed
           FROM account_keys k JOIN accounts s ON s.id = k.id AND s.state = 'closed') AS a
          JOIN ledger_balances b ON b.account = 'paid:' || a.key
     WHERE b.credits_e4 - b.debits_e4 <> a.owed * 100",
    },
    // A closed account has no meter.
    Check {
        rule: Rule::ClosedMeters,
        sql: "SELECT a.number AS subject, CAST(0 AS BIGINT) AS expected, CAST(COUNT(*) AS BIGINT)
        AS found
     FROM accounts a JOIN account_meters m ON m.account_id = a.id AND m.to_at IS NULL
     WHERE a.state = 'closed' GROUP BY a.id, a.number",
    },
    // A closed account has no resident.
    Check {
        rule: Rule::ClosedResidents,
        sql: "SELECT a.number AS subject, CAST(0 AS BIGINT)
        AS expected, CAST(COUNT(*) AS BIGINT) AS found
     FROM accounts a JOIN account_residents r ON r.account_id = a.id AND r.to_at IS NULL
     WHERE a.state = 'closed' GROUP BY a.id, a.number",
    },
];
