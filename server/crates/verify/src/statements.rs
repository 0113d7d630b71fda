//! Channel statements against the ledger.

use super::{Check, Rule};

pub(super) const CHECKS: &[Check] = &[
    // The fees of a day are those of its statement.
    Check {
        rule: Rule::DayFees,
        sql: "SELECT x.channel || ' ' || CAST(x.day AS TEXT) AS subject, x.expected, x.found
     FROM (SELECT s.channel, s.day,
                  COALESCE((SELECT CAST(SUM(l.fee_e4) AS BIGINT) FROM statement_lines l
                            WHERE l.statement_id = s.statement_id), 0) AS expected,
                  COALESCE((SELECT CAST(SUM(f.fee_e4) AS BIGINT) FROM settlement_statements f
                            WHERE f.channel = s.channel AND f.day = s.day), 0) AS found
           FROM settlement_days s WHERE s.statement_id IS NOT NULL) AS x
     WHERE x.expected <> x.found",
    },
    // The fees of a statement are in the ledger.
    Check {
        rule: Rule::FeePosting,
        sql: "SELECT f.channel || ' ' || CAST(f.day AS TEXT) AS subject, f.fee_e4 AS expected,
            COALESCE(CASE WHEN t.debit LIKE 'fees:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0) AS found
     FROM settlement_statements f LEFT JOIN ledger_transfers t ON t.operation = 'fees' AND t.reference = f.id
     WHERE f.fee_e4 <> COALESCE(CASE WHEN t.debit LIKE 'fees:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0)",
    },
    // What the bank received is in the ledger.
    Check {
        rule: Rule::BankReceipt,
        sql: "SELECT r.channel || ' ' || CAST(r.day AS TEXT) AS subject,
            r.amount_fen * 100 AS expected, COALESCE(t.amount_e4, 0) AS found
     FROM settlement_receipts r LEFT JOIN ledger_transfers t ON t.operation = 'settlement' AND t.reference = r.id
     WHERE r.amount_fen * 100 <> COALESCE(t.amount_e4, 0)",
    },
    // A day's statement less its listed differences is its ledger.
    Check {
        rule: Rule::DayTotal,
        sql: "SELECT x.channel || ' ' || CAST(x.day AS TEXT) AS subject,
            x.statement_fen - x.gaps AS expected, x.ledger AS found
     FROM (SELECT s.channel, s.day, s.statement_fen,
                  COALESCE((SELECT CAST(SUM(d.gap_fen) AS BIGINT) FROM settlement_differences d
                            WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL), 0) AS gaps,
                  COALESCE((SELECT CAST(SUM(CASE WHEN t.debit = 'clearing:' || s.channel THEN t.amount_e4
                                                 ELSE -t.amount_e4 END) / 100 AS BIGINT)
                            FROM ledger_transfers t
                            WHERE (t.debit = 'clearing:' || s.channel OR t.credit = 'clearing:' || s.channel)
                              AND t.operation NOT IN ('fees', 'settlement') AND t.at >= b.from_at
                                  AND t.at < b.to_at), 0) AS ledger
           FROM settlement_days s JOIN statements b ON b.id = s.statement_id WHERE s.compared_at IS NOT NULL) AS x
     WHERE x.statement_fen - x.gaps <> x.ledger",
    },
    // A day is closed with its differences decided, or with a reason.
    Check {
        rule: Rule::ClosedDay,
        sql: "SELECT s.channel || ' ' || CAST(s.day AS TEXT) AS subject,
            CAST(0 AS BIGINT) AS expected, CAST(COUNT(*) AS BIGINT) AS found
     FROM settlement_days s JOIN settlement_differences d ON d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL
          JOIN cases k ON k.id = d.case_id AND k.closed_at IS NULL
     WHERE s.closed_at IS NOT NULL AND COALESCE(s.reason, '') = ''
     GROUP BY s.channel, s.day",
    },
    // A closed day keeps the statement that it was closed with.
    Check {
        rule: Rule::ClosedDayTotal,
        sql: "SELECT s.channel || ' ' || CAST(s.day AS TEXT) AS subject, s.statement_fen
        AS expected, x.fen AS found
     FROM settlement_days s
          JOIN (SELECT statement_id, CAST(SUM(CASE WHEN kind = 'paid' THEN amount_fen ELSE -amount_fen END) AS BIGINT) AS fen
                FROM statement_lines GROUP BY statement_id) AS x ON x.statement_id = s.statement_id
     WHERE s.closed_at IS NOT NULL AND s.statement_fen <> x.fen",
    },
];
