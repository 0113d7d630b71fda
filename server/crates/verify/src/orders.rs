//! Orders, payments and subsidies against postings and commands.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // A paid order has one payment posting of its amount; an unpaid one has none.
    Check {
        rule: Rule::PaymentPosting,
        sql: "SELECT CAST(o.number AS TEXT) AS subject,
            CASE WHEN o.paid_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END AS expected,
            COALESCE(t.amount_e4, 0) AS found
     FROM orders o LEFT JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = o.id
     WHERE CASE WHEN o.paid_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END <> COALESCE(t.amount_e4, 0)",
    },
    // A credited order has one delivery posting of its amount; another has none.
    Check {
        rule: Rule::DeliveryPosting,
        sql: "SELECT CAST(o.number AS TEXT) AS subject,
            CASE WHEN o.credited_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END AS expected,
            COALESCE(t.amount_e4, 0) AS found
     FROM orders o LEFT JOIN ledger_transfers t ON t.operation = 'delivery' AND t.reference = o.id
     WHERE CASE WHEN o.credited_at IS NULL THEN CAST(0 AS BIGINT) ELSE o.amount_fen * 100 END <> COALESCE(t.amount_e4, 0)",
    },
    // A paid order for a meter wallet has exactly one credit command, and it is done exactly when the order is credited.
    Check {
        rule: Rule::CreditCommand,
        sql: "SELECT CAST(o.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected,
            CAST(COUNT(c.id) AS BIGINT) AS found
     FROM orders o LEFT JOIN commands c ON c.order_id = o.id AND c.kind = 'credit'
          AND ((c.state = 'done') = (o.credited_at IS NOT NULL))
     JOIN meters m ON m.id = o.meter_id AND m.wallet = 'meter'
     WHERE o.paid_at IS NOT NULL AND o.state IN ('paid', 'credited')
     GROUP BY o.id, o.number HAVING COUNT(c.id) <> 1",
    },
    // Each subsidy is one order of its amount.
    Check {
        rule: Rule::SubsidyOrder,
        sql: "SELECT a.number AS subject, s.amount_fen AS expected, COALESCE(o.amount_fen, 0) AS found
     FROM subsidies s JOIN accounts a ON a.id = s.account_id LEFT JOIN orders o ON o.id = s.order_id AND o.tender = 'subsidy'
     WHERE s.amount_fen <> COALESCE(o.amount_fen, 0)",
    },
    // The attempt of a verified payment is paid or held.
    Check {
        rule: Rule::PaidEvent,
        sql: "SELECT e.trade_no AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
     WHERE e.kind = 'paid' AND p.state NOT IN ('paid', 'held')",
    },
    // The payment went through the order's tender: cash that is written down as card would hide missing cash.
    Check {
        rule: Rule::PaymentTender,
        sql: "SELECT CAST(o.number AS TEXT) AS subject, t.amount_e4 AS expected, CAST(0 AS BIGINT) AS found
     FROM orders o JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = o.id
     WHERE t.debit <> CASE o.tender WHEN 'transfer' THEN 'bank' WHEN 'subsidy' THEN 'subsidies' WHEN 'cash' THEN 'cash'
                                  WHEN 'card' THEN 'card' WHEN 'carried' THEN 'carried'
                                  WHEN 'taken_over' THEN 'taken-over' ELSE 'clearing:' || o.tender END",
    },
    // It was paid for the order's account, or rerouted to it.
    Check {
        rule: Rule::PaymentAccount,
        sql: "SELECT CAST(o.number AS TEXT) AS subject, t.amount_e4 AS expected, CAST(0 AS BIGINT) AS found
     FROM orders o JOIN account_keys a ON a.id = o.account_id
          JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = o.id
     WHERE t.credit <> 'paid:' || a.key
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers r WHERE r.operation = 'reroute' AND r.credit = 'paid:' || a.key
                       AND r.amount_e4 = t.amount_e4)",
    },
    // The purchase count of an order is that of its credit command.
    Check {
        rule: Rule::OrderCount,
        sql: "SELECT CAST(o.number AS TEXT) AS subject, c.count AS expected, COALESCE(o.count, 0) AS found
     FROM orders o JOIN commands c ON c.order_id = o.id AND c.kind = 'credit' AND c.state = 'done'
     WHERE c.count <> COALESCE(o.count, 0)",
    },
];
