//! Meter wallets: what the ledger expects against what meters show.

use super::{Check, Rule, SetAside};
use crate::{Result, Tx, on};

/// Meters in an account with an open case, by serial number.
pub(super) async fn set_aside(tx: &mut Tx) -> Result<Vec<SetAside>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT m.serial, k.kind, k.opened_at AS since FROM cases k JOIN meters m ON m.id = k.meter_id
         WHERE k.closed_at IS NULL AND m.wallet = 'meter'
           AND EXISTS (SELECT 1 FROM account_meters a WHERE a.meter_id = m.id AND a.to_at IS NULL)
         ORDER BY m.serial, k.opened_at"
    )
    .fetch_all(c)
    .await)
}

pub(super) const CHECKS: &[Check] = &[
    // The consumption of a meter wallet is in the ledger with its amount.
    Check {
        rule: Rule::ConsumptionPosting,
        sql: "SELECT m.serial AS subject, u.amount_fen * 100 AS expected,
            COALESCE(CASE WHEN t.debit LIKE 'meter:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0) AS found
     FROM meter_consumption u JOIN meters m ON m.id = u.meter_id
          LEFT JOIN ledger_transfers t ON t.operation = 'use' AND t.reference = u.id
     WHERE u.amount_fen * 100 <> COALESCE(CASE WHEN t.debit LIKE 'meter:%' THEN t.amount_e4 ELSE -t.amount_e4 END, 0)",
    },
    // What the ledger says is in the meters of an account is their cumulative amount less what was used of it. A meter that left
    // the account holds nothing of it any more.
    Check {
        rule: Rule::MeterBalance,
        sql: "SELECT a.number AS subject, COALESCE(b.credits_e4 - b.debits_e4, 0) AS expected, a.cumulative AS found
     FROM (SELECT k.number, k.key,
                  CAST(COALESCE(SUM(m.cumulative_fen - COALESCE((SELECT SUM(u.amount_fen) FROM meter_consumption u
                       WHERE u.account_id = m.account_id AND u.meter_id = m.meter_id AND u.epoch = m.epoch), 0)), 0) * 100
                       AS BIGINT) AS cumulative
           FROM account_keys AS k LEFT JOIN (account_meters m JOIN meters ON meters.id = m.meter_id AND meters.wallet = 'meter')
                ON m.account_id = k.id AND m.to_at IS NULL
           GROUP BY k.number, k.key) AS a
          LEFT JOIN ledger_balances b ON b.account = 'meter:' || a.key
     WHERE COALESCE(b.credits_e4 - b.debits_e4, 0) <> a.cumulative",
    },
    // A meter shows the purchase count that the ledger expects, unless a money command is under way or a case is open.
    Check {
        rule: Rule::PurchaseCount,
        sql: "SELECT m.serial AS subject, am.count AS expected, l.count AS found
     FROM account_meters am JOIN meters m ON m.id = am.meter_id JOIN meter_latest l ON l.meter_id = m.id
          JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
     WHERE am.to_at IS NULL AND l.observed_at IS NOT NULL AND (am.count <> l.count OR am.epoch <> l.epoch) AND m.wallet = 'meter'
       AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.money
                       AND (c.state = 'sending' OR (c.kind = 'open' AND c.state = 'queued')))
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.id AND k.closed_at IS NULL)",
    },
    // The same for the cumulative amount.
    Check {
        rule: Rule::CumulativeAmount,
        sql: "SELECT m.serial AS subject, am.cumulative_fen
        AS expected, l.cumulative_fen AS found
     FROM account_meters am JOIN meters m ON m.id = am.meter_id JOIN meter_latest l ON l.meter_id = m.id
          JOIN accounts a ON a.id = am.account_id AND a.state = 'open'
     WHERE am.to_at IS NULL AND l.observed_at IS NOT NULL AND am.cumulative_fen <> l.cumulative_fen AND m.wallet = 'meter'
       AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = m.id AND c.money
                       AND (c.state = 'sending' OR (c.kind = 'open' AND c.state = 'queued')))
       AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = m.id AND k.closed_at IS NULL)",
    },
    // What a meter showed last is what its reading of that instant shows: how many of the figures are others. Of a server wallet
    // the balance moves on without a reading. Where the clock was set, instants were moved. Where a later reading is stored, the
    // state is not the newest one and follows with the next.
    Check {
        rule: Rule::NewestReading,
        sql: "SELECT m.serial AS subject, CAST(0 AS BIGINT) AS expected, CAST(x.others AS BIGINT) AS found
     FROM (SELECT l.meter_id,
                  CASE WHEN r.total_wh <> l.total_wh THEN 1 ELSE 0 END
                + CASE WHEN r.reverse_wh <> l.reverse_wh THEN 1 ELSE 0 END
                + CASE WHEN w.wallet = 'meter' AND r.status <> l.status THEN 1 ELSE 0 END
                + CASE WHEN w.wallet = 'meter' AND r.remaining_fen <> l.remaining_fen THEN 1 ELSE 0 END
                + CASE WHEN r.power_w IS DISTINCT FROM l.power_w THEN 1 ELSE 0 END
                + CASE WHEN r.voltage_dv IS DISTINCT FROM l.voltage_dv THEN 1 ELSE 0 END
                + CASE WHEN r.current_ca IS DISTINCT FROM l.current_ca THEN 1 ELSE 0 END
                + CASE WHEN r.power_factor IS DISTINCT FROM l.power_factor THEN 1 ELSE 0 END AS others
           FROM meter_latest l JOIN meters w ON w.id = l.meter_id
                JOIN readings r ON r.meter_id = l.meter_id AND r.at = l.observed_at AND r.quality IN (0, 1)
           WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.kind = 'clock-stepped'
                             AND COALESCE(e.until_at, l.observed_at) >= l.observed_at - 86400000)
             AND NOT EXISTS (SELECT 1 FROM readings n WHERE n.meter_id = l.meter_id AND n.quality IN (0, 1)
                             AND n.at > l.observed_at AND n.at <= l.observed_at + 86400000)) AS x
          JOIN meters m ON m.id = x.meter_id
     WHERE x.others > 0",
    },
    // The money commands that are done make up the purchase count that the ledger expects, one after another. The first has
    // count 1 where the account was opened in the meter; an account that was taken over began with another.
    // Where two people corrected the books to the meter, commands that nobody here sent count as well.
    Check {
        rule: Rule::CommandCounts,
        sql: "SELECT x.serial AS subject, x.count AS expected,
            CASE WHEN x.last <> x.count THEN x.last ELSE x.before + x.done END AS found
     FROM (SELECT m.serial, am.count, CAST(COUNT(*) AS BIGINT) AS done, MAX(c.count) AS last,
                  CASE WHEN EXISTS (SELECT 1 FROM commands o WHERE o.meter_id = am.meter_id AND o.account_id = am.account_id
                                                               AND o.kind = 'open' AND o.state = 'done')
                       THEN 0 ELSE MIN(c.count) - 1 END AS before
           FROM account_meters am JOIN meters m ON m.id = am.meter_id AND m.wallet = 'meter'
                JOIN commands c ON c.meter_id = am.meter_id AND c.account_id = am.account_id AND c.epoch = am.epoch
                     AND c.kind IN ('credit', 'debit') AND c.state = 'done'
           WHERE am.to_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM approval_requests q WHERE q.meter_id = am.meter_id AND q.account_id = am.account_id
                             AND q.epoch = am.epoch AND q.kind = 'adjustment' AND q.state = 'approved')
           GROUP BY am.account_id, am.meter_id, am.epoch, am.count, m.serial) AS x
     WHERE x.last <> x.count OR x.before + x.done <> x.count",
    },
];
