//! Server wallets: charges against readings, prices and the ledger.

use super::{Check, Rule};
use store::counts;

pub(super) const CHECKS: &[Check] = &[
    // Each charge is in the ledger with its amount, and each reversal the other way.
    Check {
        rule: Rule::ChargePosting,
        sql: "SELECT m.serial AS subject, c.amount_e4 AS expected,
            COALESCE(u.amount_e4, 0) - COALESCE(r.amount_e4, 0) AS found
     FROM charges c JOIN meters m ON m.id = c.meter_id
          LEFT JOIN ledger_transfers u ON u.operation = 'consumption' AND u.reference = c.id
          LEFT JOIN ledger_transfers r ON r.operation = 'consumption-reversal' AND r.reference = c.id
     WHERE COALESCE(u.amount_e4, 0) - COALESCE(r.amount_e4, 0) <> c.amount_e4",
    },
    // Each consumption posting has its charge.
    Check {
        rule: Rule::ChargeOfPosting,
        sql: "SELECT t.debit AS subject, CAST(0 AS BIGINT) AS expected, t.amount_e4 AS found
     FROM ledger_transfers t WHERE t.operation IN ('consumption', 'consumption-reversal')
       AND NOT EXISTS (SELECT 1 FROM charges c WHERE c.id = t.reference)",
    },
    // A charge is for the energy between its two readings, or for what a person counted (quality 7); counters roll over.
    Check {
        rule: Rule::ChargedEnergy,
        sql: "SELECT m.serial AS subject, (t.total_wh - f.total_wh + 1000000000) % 1000000000 AS expected,
            c.wh AS found
     FROM charges c JOIN meters m ON m.id = c.meter_id
          JOIN readings f ON f.meter_id = c.meter_id AND f.at = c.from_at
          JOIN readings t ON t.meter_id = c.meter_id AND t.at = c.at
     WHERE c.reverses IS NULL AND t.quality <> 7 AND (t.total_wh - f.total_wh + 1000000000) % 1000000000 <> c.wh",
    },
    // A wallet is charged up to the last reading that counts.
    Check {
        rule: Rule::ChargedUntil,
        sql: concat!(
            "SELECT m.serial AS subject, r.at AS expected, w.counted_at AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          JOIN (SELECT meter_id, MAX(at) AS at FROM readings WHERE",
            counts!(""),
            "AND source <> 3 GROUP BY meter_id) r
               ON r.meter_id = w.meter_id AND r.at > w.started_at
     WHERE w.account_id IS NOT NULL AND r.at <> w.counted_at"
        ),
    },
    // What its counter advanced was charged or waits for a price, unless a person decided about the counter.
    Check {
        rule: Rule::ChargedCounter,
        sql: "SELECT m.serial AS subject, w.counted_wh - w.started_wh AS expected,
            COALESCE(c.wh, 0) + w.uncharged_wh AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          LEFT JOIN (SELECT meter_id, account_id, CAST(SUM(wh) AS BIGINT) AS wh FROM charges WHERE reverses IS NULL
                     GROUP BY meter_id, account_id) c ON c.meter_id = w.meter_id AND c.account_id = w.account_id
     WHERE w.account_id IS NOT NULL AND w.counted_wh >= w.started_wh
       AND NOT EXISTS (SELECT 1 FROM counter_decisions d WHERE d.meter_id = w.meter_id AND d.at >= w.started_at)
       AND w.counted_wh - w.started_wh <> COALESCE(c.wh, 0) + w.uncharged_wh",
    },
    // The energy that waits for a price is the sum of its rows.
    Check {
        rule: Rule::UnchargedEnergy,
        sql: "SELECT m.serial AS subject, COALESCE(u.wh, 0) AS expected, w.uncharged_wh AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          LEFT JOIN (SELECT meter_id, CAST(SUM(wh) AS BIGINT) AS wh FROM uncharged GROUP BY meter_id) u ON u.meter_id = w.meter_id
     WHERE COALESCE(u.wh, 0) <> w.uncharged_wh",
    },
    // Charges by day and price add up to the charges.
    Check {
        rule: Rule::ChargeDays,
        sql: "SELECT a.number AS subject, COALESCE(d.wh, 0)
        AS expected, COALESCE(c.wh, 0) AS found
     FROM accounts a
          LEFT JOIN (SELECT account_id, CAST(SUM(wh) AS BIGINT) AS wh FROM charge_days GROUP BY account_id) d
              ON d.account_id = a.id
          LEFT JOIN (SELECT account_id, CAST(SUM(wh) AS BIGINT) AS wh FROM charges GROUP BY account_id) c ON c.account_id = a.id
     WHERE COALESCE(d.wh, 0) <> COALESCE(c.wh, 0)",
    },
    // The cost by day and price adds up to the charges and the remainder that is carried.
    Check {
        rule: Rule::ChargeCost,
        sql: "SELECT m.serial AS subject, d.cost AS expected,
            c.amount * 1000 + w.carry_e7 AS found
     FROM wallets w JOIN meters m ON m.id = w.meter_id
          JOIN (SELECT account_id, meter_id, CAST(SUM(cost_e7) AS BIGINT) AS cost FROM charge_days
                GROUP BY account_id, meter_id) d ON d.account_id = w.account_id AND d.meter_id = w.meter_id
          JOIN (SELECT account_id, meter_id, CAST(SUM(amount_e4) AS BIGINT) AS amount FROM charges
                GROUP BY account_id, meter_id) c ON c.account_id = w.account_id AND c.meter_id = w.meter_id
     WHERE d.cost <> c.amount * 1000 + w.carry_e7",
    },
    // Emergency credit is repaid by the first purchase into its meter, or into a server wallet as its meter has, that leaves
    // nothing owed, and by nothing else.
    Check {
        rule: Rule::EmergencyCredit,
        sql: "SELECT a.number AS subject, CAST(CASE WHEN e.repaid_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS expected,
            CAST(CASE WHEN e.repaid_at IS NULL THEN 1 ELSE 0 END AS BIGINT) AS found
     FROM emergency_credits e JOIN accounts a ON a.id = e.account_id JOIN meters m ON m.id = e.meter_id
     WHERE (e.repaid_at IS NOT NULL) <> EXISTS (SELECT 1 FROM orders o JOIN meters b ON b.id = o.meter_id
         WHERE o.account_id = e.account_id AND (o.meter_id = e.meter_id OR (m.wallet = 'server' AND b.wallet = 'server'))
         AND o.credited_at > e.taken_at AND o.remaining_fen >= 0
         AND (e.repaid_at IS NULL OR o.credited_at = e.repaid_at))",
    },
    // The ledger balance of a server wallet is what was credited and taken over less what was withdrawn and charged.
    Check {
        rule: Rule::WalletBalance,
        sql: "SELECT a.number AS subject,
            COALESCE((SELECT CAST(SUM(o.amount_fen) AS BIGINT) * 100 FROM orders o JOIN meters m ON m.id = o.meter_id
                      WHERE o.account_id = a.id AND m.wallet = 'server' AND o.credited_at IS NOT NULL), 0)
            - COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation IN ('withdrawal', 'final', 'write-off') AND v.debit = b.account), 0)
            + COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation = 'write-off' AND v.credit = b.account), 0)
            + COALESCE((SELECT t.amount_e4 FROM ledger_transfers t
                        WHERE t.operation = 'takeover' AND t.reference = a.id AND t.credit = b.account), 0)
            - COALESCE((SELECT CAST(SUM(c.amount_e4) AS BIGINT) FROM charges c WHERE c.account_id = a.id), 0) AS expected,
            b.credits_e4 - b.debits_e4 AS found
     FROM account_keys a JOIN ledger_balances b ON b.account = 'wallet:' || a.key
     WHERE b.credits_e4 - b.debits_e4 <>
            COALESCE((SELECT CAST(SUM(o.amount_fen) AS BIGINT) * 100 FROM orders o JOIN meters m ON m.id = o.meter_id
                      WHERE o.account_id = a.id AND m.wallet = 'server' AND o.credited_at IS NOT NULL), 0)
            - COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation IN ('withdrawal', 'final', 'write-off') AND v.debit = b.account), 0)
            + COALESCE((SELECT CAST(SUM(v.amount_e4) AS BIGINT) FROM ledger_transfers v
                        WHERE v.operation = 'write-off' AND v.credit = b.account), 0)
            + COALESCE((SELECT t.amount_e4 FROM ledger_transfers t
                        WHERE t.operation = 'takeover' AND t.reference = a.id AND t.credit = b.account), 0)
            - COALESCE((SELECT CAST(SUM(c.amount_e4) AS BIGINT) FROM charges c WHERE c.account_id = a.id), 0)",
    },
];
