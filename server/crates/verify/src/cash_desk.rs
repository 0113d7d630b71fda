//! Cash drawers and receipts.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // A counted drawer differs from what was expected by its posting.
    Check {
        rule: Rule::DrawerPosting,
        sql: "SELECT u.login AS subject, (s.counted_fen - s.expected_fen) * 100 AS expected,
            COALESCE(CASE WHEN t.debit = 'cash' THEN t.amount_e4 ELSE -t.amount_e4 END, 0) AS found
     FROM shifts s JOIN users u ON u.id = s.operator_id
          LEFT JOIN ledger_transfers t ON t.operation = 'drawer' AND t.reference = s.id
     WHERE s.closed_at IS NOT NULL
       AND (s.counted_fen - s.expected_fen) * 100 <> COALESCE(CASE WHEN t.debit = 'cash' THEN t.amount_e4
           ELSE -t.amount_e4 END, 0)",
    },
    // Receipt numbers have no gap.
    Check {
        rule: Rule::ReceiptNumbers,
        sql: "SELECT CAST(n.year AS TEXT) AS subject, n.last AS expected, CAST(COUNT(r.number)
        AS BIGINT) AS found
     FROM (SELECT year, last FROM receipt_numbers
           UNION ALL SELECT year, 0 FROM receipts WHERE year NOT IN (SELECT year FROM receipt_numbers) GROUP BY year) AS n
          LEFT JOIN receipts r ON r.year = n.year
     GROUP BY n.year, n.last HAVING COUNT(r.number) <> n.last OR COALESCE(MAX(r.number), 0) <> n.last",
    },
    // What the cash desk sold, paid out and refunded has its receipt.
    Check {
        rule: Rule::SaleReceipt,
        sql: "SELECT CAST(o.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM orders o WHERE o.tender IN ('cash', 'card', 'transfer') AND o.paid_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.order_id = o.id)",
    },
    Check {
        rule: Rule::ReturnReceipt,
        sql: "SELECT CAST(r.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM returns r WHERE r.state = 'done'
       AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.return_id = r.id OR p.order_id = r.sale_id)",
    },
    Check {
        rule: Rule::RefundReceipt,
        sql: "SELECT f.refund_no AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM refunds f WHERE f.state = 'done' AND f.tender IN ('cash', 'card', 'transfer')
       AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.refund_id = f.id OR p.return_id = f.return_id)",
    },
];
