//! What is said of refunds: by their rows, the ledger, the payments, the channels' words, and what they give back.

/// Each gives rows of (rule, subject, expected, found) for what breaks it.
pub(super) const RULES: &[&str] = &[
    // Each refund set its amount apart once.
    "SELECT 'refund and reservation' AS rule, f.refund_no AS subject, f.amount_fen * 100
        AS expected, COALESCE(t.amount_e4, 0) AS found
     FROM refunds f LEFT JOIN ledger_transfers t ON t.operation = 'refund-reserve' AND t.reference = f.id
         AND t.credit = 'refunding'
     WHERE f.amount_fen * 100 <> COALESCE(t.amount_e4, 0)",
    // It left once where it is done,
    "SELECT 'refund and posting' AS rule, f.refund_no AS subject,
            CASE WHEN f.state = 'done' THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END AS expected, COALESCE(t.amount_e4, 0)
                AS found
     FROM refunds f LEFT JOIN ledger_transfers t ON t.operation = 'refund' AND t.reference = f.id
          AND t.credit = CASE f.tender WHEN 'cash' THEN 'cash' WHEN 'card' THEN 'card' WHEN 'transfer' THEN 'bank'
                                       ELSE 'clearing:' || f.tender END
     WHERE CASE WHEN f.state = 'done' THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END <> COALESCE(t.amount_e4, 0)",
    // and went back to where it lay where it came to nothing.
    "SELECT 'refund and release' AS rule, f.refund_no AS subject,
            CASE WHEN f.state IN ('failed', 'rejected', 'cancelled', 'expired') THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END
                AS expected, COALESCE(t.amount_e4, 0) AS found
     FROM refunds f LEFT JOIN ledger_transfers t ON t.operation = 'refund-release' AND t.reference = f.id
         AND t.debit = 'refunding'
     WHERE CASE WHEN f.state IN ('failed', 'rejected', 'cancelled', 'expired') THEN f.amount_fen * 100 ELSE CAST(0 AS BIGINT) END
           <> COALESCE(t.amount_e4, 0)",
    // What is on its way back is what the refunds say that are under way.
    "SELECT 'refunds under way and ledger' AS rule, 'refunding' AS subject, x.expected, x.found
     FROM (SELECT COALESCE((SELECT CAST(SUM(amount_fen) AS BIGINT) FROM refunds
         WHERE state IN ('waiting', 'sending', 'payable')), 0)
                  * 100 AS expected,
                  COALESCE((SELECT credits_e4 - debits_e4 FROM ledger_balances WHERE account = 'refunding'), 0) AS found) AS x
     WHERE x.expected <> x.found",
    // Never more goes back than was paid.
    "SELECT 'refunds and payment' AS rule, e.trade_no AS subject, e.amount_fen AS expected, x.fen AS found
     FROM payment_events e
          JOIN (SELECT event_id, CAST(SUM(amount_fen) AS BIGINT) AS fen FROM refunds
                WHERE state IN ('waiting', 'sending', 'payable', 'done') GROUP BY event_id) x ON x.event_id = e.id
     WHERE x.fen > e.amount_fen",
    // What the channel gave back it said so, of exactly this amount; and it said so only of what is done.
    "SELECT 'refund and the channel' AS rule, f.refund_no AS subject,
            CASE WHEN f.state = 'done' THEN f.amount_fen ELSE CAST(0 AS BIGINT) END
                AS expected, COALESCE(e.amount_fen, 0) AS found
     FROM refunds f LEFT JOIN payment_events e ON e.attempt_id = f.attempt_id AND e.kind = 'refunded'
          AND e.refund_no = f.refund_no AND e.outcome = 'returned'
     WHERE f.tender NOT IN ('cash', 'card', 'transfer')
       AND CASE WHEN f.state = 'done' THEN f.amount_fen ELSE CAST(0 AS BIGINT) END <> COALESCE(e.amount_fen, 0)",
    // An order is refunding or refunded exactly while its refund is under way or done; what never reached its meter may also
    // have been paid back at the counter.
    "SELECT 'order and refund' AS rule, CAST(o.number AS TEXT) AS subject,
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
    // Of what went back at a channel's console no more is said than went: what it paid, or that it is lost.
    "SELECT 'console refunds and what became of them' AS rule, CAST(x.number AS TEXT) AS subject, x.console_refund
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
    // What the channel gave back of a payment in our books is booked: each refund that has a number, and of sums the largest.
    "SELECT 'refund at the console and posting' AS rule, e.trade_no AS subject, e.amount_fen AS expected,
            CAST(0 AS BIGINT) AS found
     FROM payment_events e
     WHERE e.kind = 'refunded' AND e.outcome = 'refunded'
       AND EXISTS (SELECT 1 FROM payment_events q WHERE q.attempt_id = e.attempt_id AND q.kind = 'paid' AND q.outcome <> 'held')
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'refund-elsewhere' AND t.reference = e.id)",
    "SELECT 'refunds that a channel tells as a sum' AS rule, x.out_trade_no AS subject, x.told AS expected, x.known AS found
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
    // Money that credits nothing is on its way back, or a person is told of it.
    "SELECT 'suspense and next step' AS rule, e.trade_no AS subject, CAST(0 AS BIGINT) AS expected,
            t.amount_e4 / 100 - COALESCE(x.fen, 0) AS found
     FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference JOIN payment_attempts p ON p.id = e.attempt_id
          LEFT JOIN (SELECT event_id, CAST(SUM(amount_fen) AS BIGINT) AS fen FROM refunds
                     WHERE state IN ('waiting', 'sending', 'payable', 'done') GROUP BY event_id) x ON x.event_id = e.id
     WHERE t.operation = 'suspense' AND t.amount_e4 / 100 <> COALESCE(x.fen, 0)
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers z WHERE z.operation = 'suspense-back' AND z.reference = e.id)
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.order_id = p.order_id AND k.closed_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers w JOIN payment_events b ON b.id = w.reference
                       WHERE w.operation = 'refund-elsewhere' AND b.attempt_id = p.id)",
];
