//! Invoices: what a receipt certifies, what was reversed, and the sums of batches.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // The rows of a receipt add up to what was sold or given back.
    Check {
        rule: Rule::InvoiceAmount,
        sql: "SELECT x.series || ' ' || CAST(x.year AS TEXT) || ' ' || CAST(x.number AS TEXT) AS subject, x.expected, x.found
     FROM (SELECT i.series, i.year, i.number, COALESCE(o.amount_fen, v.amount_fen, 0) AS expected,
                  CAST(SUM(i.net_fen + i.tax_fen) AS BIGINT) AS found
           FROM invoice_rows i JOIN receipts p ON p.series = i.series AND p.year = i.year AND p.number = i.number
                LEFT JOIN orders o ON o.id = p.order_id AND i.kind = 'blue'
                LEFT JOIN returns v ON v.id = p.return_id AND i.kind = 'red'
           WHERE i.cancelled_at IS NULL
           GROUP BY i.series, i.year, i.number, o.amount_fen, v.amount_fen) AS x
     WHERE x.expected <> x.found",
    },
    // No invoice is reversed by more than it has, net or tax, and none whose batch was cancelled.
    Check {
        rule: Rule::InvoiceReversals,
        sql: "SELECT CAST(h.number AS TEXT) || ' ' || CAST(i.line AS TEXT) AS subject,
            CASE WHEN i.cancelled_at IS NULL THEN i.net_fen + i.tax_fen ELSE 0 END AS expected, d.net + d.tax AS found
     FROM (SELECT reverses_id, CAST(SUM(net_fen) AS BIGINT) AS net, CAST(SUM(tax_fen) AS BIGINT) AS tax FROM invoice_rows
           WHERE reverses_id IS NOT NULL AND cancelled_at IS NULL GROUP BY reverses_id) AS d
          JOIN invoice_rows i ON i.id = d.reverses_id JOIN invoice_batches h ON h.id = i.batch_id
     WHERE d.net > i.net_fen OR d.tax > i.tax_fen OR i.cancelled_at IS NOT NULL",
    },
    // A batch shows what its rows add up to, and is cancelled with all of them or not at all.
    Check {
        rule: Rule::InvoiceBatch,
        sql: "SELECT CAST(h.number AS TEXT) AS subject, h.blue_fen - h.red_fen AS expected, COALESCE(s.blue - s.red, 0) AS found
     FROM invoice_batches h LEFT JOIN
          (SELECT batch_id, COUNT(*) AS lines, COUNT(cancelled_at) AS cancelled,
                  CAST(SUM(CASE WHEN kind = 'blue' THEN net_fen + tax_fen ELSE 0 END) AS BIGINT) AS blue,
                  CAST(SUM(CASE WHEN kind = 'red' THEN net_fen + tax_fen ELSE 0 END) AS BIGINT) AS red
           FROM invoice_rows GROUP BY batch_id) AS s ON s.batch_id = h.id
     WHERE h.row_count <> COALESCE(s.lines, 0) OR h.blue_fen <> COALESCE(s.blue, 0) OR h.red_fen <> COALESCE(s.red, 0)
        OR s.cancelled <> CASE WHEN h.cancelled_at IS NULL THEN 0 ELSE s.lines END",
    },
];
