//! The rules of `dormwatt verify` for reconciliation; in the form of [`crate::verify`].

/// Each query gives a row (rule, subject, expected, found) for every violation.
pub(crate) const RULES: &[&str] = &[
    // A day's fees are those of its valid statement,
    "SELECT 'fees of a day and its statement' AS rule, x.channel || ' ' || CAST(x.day AS TEXT) AS subject, x.expected, x.found
     FROM (SELECT s.channel, s.day,
                  COALESCE((SELECT CAST(SUM(l.fee_e4) AS BIGINT) FROM statement_lines l
                            WHERE l.statement_id = s.statement_id), 0) AS expected,
                  COALESCE((SELECT CAST(SUM(f.fee_e4) AS BIGINT) FROM settlement_statements f
                            WHERE f.channel = s.channel AND f.day = s.day), 0) AS found
           FROM settlement_days s WHERE s.statement_id IS NOT NULL) AS x
     WHERE x.expected <> x.found",
    // and are posted as they were imported.
    "SELECT 'fees of a statement and posting' AS rule, f.channel || ' ' || CAST(f.day AS TEXT) AS subject, f.fee_e4 AS expected,
            COALESCE(CASE WHEN t.debit LIKE 'fees:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0) AS found
     FROM settlement_statements f LEFT JOIN ledger_transfers t ON t.operation = 'fees' AND t.reference = f.id
     WHERE f.fee_e4 <> COALESCE(CASE WHEN t.debit LIKE 'fees:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0)",
    "SELECT 'receipt of the bank and posting' AS rule, r.channel || ' ' || CAST(r.day AS TEXT) AS subject,
            r.amount_fen * 100 AS expected, COALESCE(t.amount_e4, 0) AS found
     FROM settlement_receipts r LEFT JOIN ledger_transfers t ON t.operation = 'settlement' AND t.reference = r.id
     WHERE r.amount_fen * 100 <> COALESCE(t.amount_e4, 0)",
    "SELECT 'posting and what it is for' AS rule, t.operation AS subject, CAST(0 AS BIGINT) AS expected, t.amount_e4 AS found
     FROM ledger_transfers t
     WHERE (t.operation = 'fees'
            AND NOT EXISTS (SELECT 1 FROM settlement_statements WHERE settlement_statements.id = t.reference))
        OR (t.operation = 'settlement'
            AND NOT EXISTS (SELECT 1 FROM settlement_receipts WHERE settlement_receipts.id = t.reference))",
    // A day's statement is its ledger plus the open differences.
    "SELECT 'statement, ledger and differences of a day' AS rule, x.channel || ' ' || CAST(x.day AS TEXT) AS subject,
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
    // A day is closed with all differences decided, or with a reason.
    "SELECT 'closed day and open differences' AS rule, s.channel || ' ' || CAST(s.day AS TEXT) AS subject,
            CAST(0 AS BIGINT) AS expected, CAST(COUNT(*) AS BIGINT) AS found
     FROM settlement_days s JOIN settlement_differences d ON d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL
          JOIN cases k ON k.id = d.case_id AND k.closed_at IS NULL
     WHERE s.closed_at IS NOT NULL AND COALESCE(s.reason, '') = ''
     GROUP BY s.channel, s.day",
    // A closed day was closed with its valid statement.
    "SELECT 'closed day and its statement' AS rule, s.channel || ' ' || CAST(s.day AS TEXT) AS subject, s.statement_fen
        AS expected, x.fen AS found
     FROM settlement_days s
          JOIN (SELECT statement_id, CAST(SUM(CASE WHEN kind = 'paid' THEN amount_fen ELSE -amount_fen END) AS BIGINT) AS fen
                FROM statement_lines GROUP BY statement_id) AS x ON x.statement_id = s.statement_id
     WHERE s.closed_at IS NOT NULL AND s.statement_fen <> x.fen",
];
