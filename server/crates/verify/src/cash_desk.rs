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
        sql: "SELECT n.series || ' ' || CAST(n.year AS TEXT) AS subject, n.last AS expected, CAST(COUNT(r.number)
        AS BIGINT) AS found
     FROM (SELECT series, year, last FROM receipt_numbers
           UNION ALL SELECT p.series, p.year, 0 FROM receipts p
           WHERE NOT EXISTS (SELECT 1 FROM receipt_numbers k WHERE k.series = p.series AND k.year = p.year)
           GROUP BY p.series, p.year) AS n
          LEFT JOIN receipts r ON r.series = n.series AND r.year = n.year
     GROUP BY n.series, n.year, n.last HAVING COUNT(r.number) <> n.last OR COALESCE(MAX(r.number), 0) <> n.last",
    },
    // What the cash desk sold, paid out and refunded has its receipt, and so has what channels collected and paid back.
    Check {
        rule: Rule::SaleReceipt,
        sql: "SELECT CAST(o.number AS TEXT) AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM orders o WHERE o.tender IN ('cash', 'card', 'transfer', 'alipay', 'wechat', 'unionpay') AND o.paid_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.order_id = o.id
           AND (p.series = 'cash_desk') = (o.tender IN ('cash', 'card', 'transfer')))",
    },
    // An account that was taken over was opened elsewhere.
    Check {
        rule: Rule::OpeningReceipt,
        sql: "SELECT a.number AS subject, CAST(1 AS BIGINT) AS expected, CAST(0 AS BIGINT) AS found
     FROM accounts a WHERE NOT a.taken_over AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.account_id = a.id)",
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
     FROM refunds f WHERE f.state = 'done' AND (f.tender IN ('cash', 'card', 'transfer') OR f.source = 'order')
       AND NOT EXISTS (SELECT 1 FROM receipts p WHERE p.refund_id = f.id OR p.return_id = f.return_id)",
    },
];
