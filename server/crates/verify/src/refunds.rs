//! Refunds against postings, payments and the channels' answers.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // Each refund reserved its amount once.
    Check {
        rule: Rule::RefundReserved,
        sql: "SELECT f.refund_no AS subject, f.amount_fen * 100
        AS expected, COALESCE(t.amount_e4, 0) AS found
     FROM refunds f LEFT JOIN ledger_transfers t ON t.operation = 'refund-reserve' AND t.reference = f.id
         AND t.credit = 'refunding'
     WHERE f.amount_fen * 100 <> COALESCE(t.amount_e4, 0)",
    },
    // A refund that is done left once, through its tender.
    Check {
        rule: Rule::RefundPosting,
        sql: "SELECT f.refund_no AS subject,
            CASE WHEN f.state = 'done' THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END AS expected, COALESCE(t.amount_e4, 0)
                AS found
     FROM refunds f LEFT JOIN ledger_transfers t ON t.operation = 'refund' AND t.reference = f.id
          AND t.credit = CASE f.tender WHEN 'cash' THEN 'cash' WHEN 'card' THEN 'card' WHEN 'transfer' THEN 'bank'
                                       ELSE 'clearing:' || f.tender END
     WHERE CASE WHEN f.state = 'done' THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END <> COALESCE(t.amount_e4, 0)",
    },
    // A refund that came to nothing was released.
    Check {
        rule: Rule::RefundReleased,
        sql: "SELECT f.refund_no AS subject,
            CASE WHEN f.state IN ('failed', 'rejected', 'cancelled', 'expired') THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END
                AS expected, COALESCE(t.amount_e4, 0) AS found
     FROM refunds f LEFT JOIN ledger_transfers t ON t.operation = 'refund-release' AND t.reference = f.id
         AND t.debit = 'refunding'
     WHERE CASE WHEN f.state IN ('failed', 'rejected', 'cancelled', 'expired') THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END
           <> COALESCE(t.amount_e4, 0)",
    },
    // The ledger holds for refunds what those under way amount to.
    Check {
        rule: Rule::RefundsUnderWay,
        sql: "SELECT 'refunding' AS subject, x.expected, x.found
     FROM (SELECT COALESCE((SELECT CAST(SUM(amount_fen) AS BIGINT) FROM refunds
         WHERE state IN ('waiting', 'sending', 'payable')), 0)
                  * 100 AS expected,
                  COALESCE((SELECT credits_e4 - debits_e4 FROM ledger_balances WHERE account = 'refunding'), 0) AS found) AS x
     WHERE x.expected <> x.found",
    },
    // No more goes back than was paid.
    Check {
        rule: Rule::RefundedAmount,
        sql: "SELECT e.trade_no AS subject, e.amount_fen AS expected, x.fen AS found
     FROM payment_events e
          JOIN (SELECT event_id, CAST(SUM(amount_fen) AS BIGINT) AS fen FROM refunds
                WHERE state IN ('waiting', 'sending', 'payable', 'done') GROUP BY event_id) x ON x.event_id = e.id
     WHERE x.fen > e.amount_fen",
    },
    // A channel confirmed exactly the refunds through it that are done.
    Check {
        rule: Rule::RefundConfirmed,
        sql: "SELECT f.refund_no AS subject,
            CASE WHEN f.state = 'done' THEN f.amount_fen ELSE CAST(0 AS BIGINT) END
                AS expected, COALESCE(e.amount_fen, 0) AS found
     FROM refunds f LEFT JOIN payment_events e ON e.attempt_id = f.attempt_id AND e.kind = 'refunded'
          AND e.refund_no = f.refund_no AND e.outcome = 'returned'
     WHERE f.tender NOT IN ('cash', 'card', 'transfer')
       AND CASE WHEN f.state = 'done' THEN f.amount_fen ELSE CAST(0 AS BIGINT) END <> COALESCE(e.amount_fen, 0)",
    },
    // An order is refunding (1) or refunded (2) exactly while its refund is under way or done. An undelivered one may also have
    // been paid back at the cash desk.
    Check {
        rule: Rule::OrderRefund,
        sql: "SELECT CAST(o.number AS TEXT) AS subject,
            CASE o.state WHEN 'refunding' THEN CAST(1 AS BIGINT) WHEN 'refunded' THEN CAST(2 AS BIGINT) ELSE CAST(0 AS BIGINT) END
                AS expected, x.stage AS found
     FROM orders o
          JOIN (SELECT orders.id,
                       CASE WHEN EXISTS (SELECT 1 FROM returns r WHERE r.corrects_order = orders.id AND r.source = 'order'
                                                                   AND r.state = 'done')
                              OR EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'refund-cleared'
                                                                            AND t.reference = orders.id)
                            THEN CAST(2 AS BIGINT) ELSE
                       CAST(COALESCE((SELECT MAX(CASE WHEN f.state = 'done' THEN 2
                                                      WHEN f.state IN ('waiting', 'sending', 'payable') THEN 1 ELSE 0 END)
                                      FROM refunds f WHERE f.order_id = orders.id
                                          AND f.source = 'order'), 0) AS BIGINT) END AS stage
                FROM orders) AS x ON x.id = o.id
     WHERE CASE o.state WHEN 'refunding' THEN 1 WHEN 'refunded' THEN 2 ELSE 0 END <> x.stage",
    },
    // No more of a console refund is settled or lost than was refunded.
    Check {
        rule: Rule::ConsoleRefunds,
        sql: "SELECT CAST(x.number AS TEXT) AS subject, x.console_refund
        AS expected, x.said AS found
     FROM (SELECT o.number,
                  CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference
                                      JOIN payment_attempts p ON p.id = e.attempt_id
                                 WHERE t.operation = 'refund-elsewhere' AND p.order_id = o.id), 0) AS BIGINT) AS console_refund,
                  CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                                 WHERE (t.operation IN ('refund-cleared', 'refund-lost') AND t.reference = o.id)
                                    OR (t.operation = 'refund-cleared' AND t.reference IN
                                          (SELECT v.id FROM returns v WHERE v.corrects_order = o.id))
                                    OR (t.operation = 'refund-lost' AND t.reference IN
                                          (SELECT e.id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
                                           WHERE p.order_id = o.id))), 0) AS BIGINT) AS said
           FROM orders o
           WHERE EXISTS (SELECT 1 FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id
                         WHERE p.order_id = o.id AND e.kind IN ('refunded', 'refund-total'))) AS x
     WHERE x.said > x.console_refund",
    },
    // A refund at the channel's console of a payment in our books is posted.
    Check {
        rule: Rule::ConsoleRefundPosting,
        sql: "SELECT e.trade_no AS subject, e.amount_fen AS expected,
            CAST(0 AS BIGINT) AS found
     FROM payment_events e
     WHERE e.kind = 'refunded' AND e.outcome = 'refunded'
       AND EXISTS (SELECT 1 FROM payment_events q WHERE q.attempt_id = e.attempt_id AND q.kind = 'paid' AND q.outcome <> 'held')
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'refund-elsewhere' AND t.reference = e.id)",
    },
    // No more went back by the channel's sum than refunds and postings know.
    Check {
        rule: Rule::RefundTotal,
        sql: "SELECT x.out_trade_no AS subject, x.told AS expected, x.known AS found
     FROM (SELECT p.out_trade_no,
                  (SELECT MAX(e.refund_total_fen) FROM payment_events e WHERE e.attempt_id = p.id AND e.kind = 'refund-total'
                      AND e.outcome IN ('refunded', 'noted')) AS told,
                  CAST(COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.attempt_id = p.id
                                    AND f.state IN ('sending', 'done') AND f.tender NOT IN ('cash', 'card', 'transfer')), 0)
                     + COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t JOIN payment_events b ON b.id = t.reference
                                 WHERE t.operation = 'refund-elsewhere' AND b.attempt_id = p.id), 0) / 100 AS BIGINT) AS known
           FROM payment_attempts p
           WHERE EXISTS (SELECT 1 FROM payment_events q
                         WHERE q.attempt_id = p.id AND q.kind = 'paid' AND q.outcome <> 'held')) AS x
     WHERE x.told > x.known",
    },
    // Money in suspense is being refunded, or has an open case.
    Check {
        rule: Rule::Suspense,
        sql: "SELECT e.trade_no AS subject, CAST(0 AS BIGINT) AS expected,
            t.amount_e4 / 100 - COALESCE(x.fen, 0) AS found
     FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference JOIN payment_attempts p ON p.id = e.attempt_id
          LEFT JOIN (SELECT event_id, CAST(SUM(amount_fen) AS BIGINT) AS fen FROM refunds
                     WHERE state IN ('waiting', 'sending', 'payable', 'done') GROUP BY event_id) x ON x.event_id = e.id
     WHERE t.operation = 'suspense' AND t.amount_e4 / 100 <> COALESCE(x.fen, 0)
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers z WHERE z.operation = 'suspense-back' AND z.reference = e.id)
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.order_id = p.order_id AND k.closed_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers w JOIN payment_events b ON b.id = w.reference
                       WHERE w.operation = 'refund-elsewhere' AND b.attempt_id = p.id)",
    },
];
