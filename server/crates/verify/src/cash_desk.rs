//! Cash drawers and receipts.

use model::console::{ReceiptNumber, ReceiptSeries};
use sqlx::FromRow;

use super::{Check, Difference, Figure, Report, Rule};
use crate::{Result, Tx, on};

/// Numbers of a series and year that were given out and have no receipt: one row a gap, at the start and the end too.
const MISSING: &str = "SELECT x.series, x.year, x.previous + 1 AS first_number, x.number - 1 AS last_number,
            x.number - x.previous - 1 AS numbers
     FROM (SELECT r.series, r.year, r.number,
                  COALESCE(LAG(r.number) OVER (PARTITION BY r.series, r.year ORDER BY r.number), 0) AS previous
           FROM receipts r JOIN receipt_numbers n ON n.series = r.series AND n.year = r.year AND r.number <= n.last
           UNION ALL
           SELECT n.series, n.year, n.last + 1, COALESCE((SELECT MAX(k.number) FROM receipts k
               WHERE k.series = n.series AND k.year = n.year AND k.number <= n.last), 0)
           FROM receipt_numbers n) AS x
     WHERE x.number > x.previous + 1 ORDER BY x.series, x.year, x.number";

/// Receipts whose numbers were not given out.
const NOT_ISSUED: &str = "SELECT r.series, r.year, MIN(r.number) AS first_number, MAX(r.number) AS last_number,
            CAST(COUNT(*) AS BIGINT) AS numbers
     FROM receipts r LEFT JOIN receipt_numbers n ON n.series = r.series AND n.year = r.year
     WHERE r.number > COALESCE(n.last, 0) GROUP BY r.series, r.year ORDER BY r.series, r.year";

/// Numbers of one series and year.
#[derive(FromRow)]
struct NumbersRow {
    series: ReceiptSeries,
    year: i64,
    first_number: i64,
    last_number: i64,
    numbers: i64,
}

impl NumbersRow {
    fn difference(&self, expected: i64, found: i64) -> Difference {
        let of = |number| ReceiptNumber { series: self.series, year: self.year, number };
        let (first, last) = (of(self.first_number), of(self.last_number));
        let subject = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let (expected, found) = (Figure::Count(expected), Figure::Count(found));
        Difference { rule: Rule::ReceiptNumbers, subject, expected, found }
    }
}

/// Receipt numbers have no gap.
pub(super) async fn receipt_numbers(tx: &mut Tx, report: &mut Report) -> Result<()> {
    let missing: Vec<NumbersRow> = on!(tx, |c| sqlx::query_as(MISSING).fetch_all(c).await)?;
    let not_issued: Vec<NumbersRow> = on!(tx, |c| sqlx::query_as(NOT_ISSUED).fetch_all(c).await)?;
    report.differences.extend(missing.iter().map(|row| row.difference(row.numbers, 0)));
    report.differences.extend(not_issued.iter().map(|row| row.difference(0, row.numbers)));
    Ok(())
}

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
