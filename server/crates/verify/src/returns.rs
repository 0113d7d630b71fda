//! Returns and corrections against postings and commands.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // What a return took out of a wallet was withdrawn once: under its debit command or, from a server wallet, under its own
    // id.
    Check {
        rule: Rule::WithdrawalPosting,
        sql: "SELECT CAST(r.number AS TEXT) AS subject,
            CASE WHEN r.taken_at IS NULL THEN CAST(0 AS BIGINT) ELSE r.amount_fen * 100 END AS expected,
            COALESCE(t.amount_e4, 0) AS found
     FROM returns r LEFT JOIN ledger_transfers t ON t.operation = 'withdrawal' AND t.reference = COALESCE(r.command_id, r.id)
     WHERE r.source = 'wallet'
       AND CASE WHEN r.taken_at IS NULL THEN CAST(0 AS BIGINT) ELSE r.amount_fen * 100 END <> COALESCE(t.amount_e4, 0)",
    },
    // A return that is done was paid out once, at the cash desk or by refunds, and never before it was taken.
    Check {
        rule: Rule::PayoutPosting,
        sql: "SELECT CAST(x.number AS TEXT) AS subject, x.expected, x.found
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
    },
    // The debit command of a return is done exactly when the return was taken.
    Check {
        rule: Rule::DebitCommand,
        sql: "SELECT CAST(r.number AS TEXT) AS subject,
            CASE WHEN r.taken_at IS NULL THEN CAST(0 AS BIGINT) ELSE CAST(1 AS BIGINT) END AS expected,
            CASE WHEN c.state = 'done' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS found
     FROM returns r JOIN commands c ON c.id = r.command_id
     WHERE (r.taken_at IS NOT NULL) <> (c.state = 'done')",
    },
    // It was paid out through the return's tender.
    Check {
        rule: Rule::PayoutTender,
        sql: "SELECT CAST(r.number AS TEXT) AS subject, t.amount_e4 AS expected, CAST(0 AS BIGINT) AS found
     FROM returns r JOIN ledger_transfers t ON t.operation = 'payout' AND t.reference = r.id
     WHERE t.credit <> CASE r.tender WHEN 'transfer' THEN 'bank' WHEN 'subsidy' THEN 'subsidies' WHEN 'cash' THEN 'cash'
                                  WHEN 'card' THEN 'card' WHEN 'carried' THEN 'carried'
                                  WHEN 'taken_over' THEN 'taken-over' ELSE 'clearing:' || r.tender END",
    },
];
