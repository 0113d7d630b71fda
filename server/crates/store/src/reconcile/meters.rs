//! The third way: what the bill has was paid, is it in the meters too?

use model::money::Fen;
use model::order::Tender;
use model::time::{MINUTE, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Tx, on};
use domain::reconcile::{Class, Finding, Metered, Purchase, metered};
use domain::statement::LineKind;

/// A meter's clock may differ from ours by as much.
const CLOCKS_DIFFER: i64 = 10 * MINUTE;

/// What came out.
#[derive(Default)]
pub(super) struct Meters {
    /// Orders that the bill's payments paid.
    pub purchases: i64,
    /// Of these, in their meter or wallet.
    pub delivered: i64,
    /// Of these, in the meter's own journal too.
    pub in_journal: i64,
    pub findings: Vec<Finding>,
}

#[derive(FromRow)]
struct Row {
    order_id: Uuid,
    out_trade_no: String,
    trade_no: String,
    amount_fen: i64,
    paid_at: i64,
    state: String,
    delivered_e4: Option<i64>,
    credited_at: Option<i64>,
    epoch: Option<i64>,
    count: Option<i64>,
    shown_epoch: Option<i64>,
    shown_count: Option<i64>,
    shown_at: Option<i64>,
    journal_fen: Option<i64>,
    in_case: bool,
}

/// Holds the purchases of a bill against their meters, in the caller's transaction.
pub(super) async fn meters(tx: &mut Tx, now: Timestamp, channel: Tender, bill: Uuid) -> Result<Meters> {
    let rows: Vec<Row> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT o.id AS order_id, p.out_trade_no, b.trade_no, o.amount_fen, o.paid_at, o.state, t.amount_e4 AS delivered_e4,
                o.credited_at, k.epoch, k.count, l.epoch AS shown_epoch, l.count AS shown_count, l.observed_at AS shown_at,
                (SELECT MIN(j.amount_fen) FROM meter_journal j
                 WHERE j.meter_id = o.meter_id AND j.kind = 'credit' AND j.count = k.count AND j.at >= o.paid_at - $3
                   AND j.at <= o.credited_at + $3) AS journal_fen,
                EXISTS (SELECT 1 FROM cases x WHERE x.closed_at IS NULL AND (x.order_id = o.id OR x.meter_id = o.meter_id))
                    AS in_case
         FROM bill_lines b
              JOIN payment_attempts p ON p.out_trade_no = b.out_trade_no AND p.channel = $1
              JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid'
                  AND e.outcome IN ('credited', 'credited-late', 'undeliverable')
                                       AND e.trade_no = b.trade_no
              JOIN orders o ON o.id = p.order_id
              LEFT JOIN ledger_transfers t ON t.operation = 'delivery' AND t.reference = o.id
              LEFT JOIN commands k ON k.order_id = o.id AND k.kind = 'credit'
              LEFT JOIN meter_latest l ON l.meter_id = o.meter_id
         WHERE b.bill_id = $2 AND b.kind = 'paid' AND o.paid_at IS NOT NULL
         ORDER BY b.line",
        )
        .bind(channel.as_str())
        .bind(bill)
        .bind(CLOCKS_DIFFER)
        .fetch_all(c)
        .await
    })?;
    let mut result = Meters::default();
    for row in rows {
        result.purchases += 1;
        let found = metered(&row.purchase(), now);
        result.delivered += i64::from(matches!(found, Metered::Delivered | Metered::InJournal));
        result.in_journal += i64::from(found == Metered::InJournal);
        if let Metered::Contradicts(why) = found {
            result.findings.push(row.finding(why));
        }
    }
    Ok(result)
}

impl Row {
    fn purchase(&self) -> Purchase {
        let applied = self.epoch.zip(self.count).zip(self.credited_at).map(|((epoch, count), at)| (epoch, count, Timestamp(at)));
        let shown = self.shown_epoch.zip(self.shown_count).zip(self.shown_at);
        Purchase {
            amount: Fen(self.amount_fen),
            paid_at: Timestamp(self.paid_at),
            delivered: Fen(self.delivered_e4.unwrap_or(0) / 100),
            applied,
            shown: shown.map(|((epoch, count), at)| (epoch, count, Timestamp(at))),
            journal: self.journal_fen.map(Fen),
            ended: matches!(&*self.state, "refunding" | "refunded"),
            in_case: self.in_case || self.state == "case",
        }
    }

    fn finding(self, why: &str) -> Finding {
        Finding {
            class: Class::Meter,
            kind: LineKind::Paid,
            out_trade_no: self.out_trade_no,
            trade_no: self.trade_no,
            refund_no: String::new(),
            bill: Some(Fen(self.amount_fen)),
            ours: Some(Fen(self.delivered_e4.unwrap_or(0) / 100)),
            gap: Fen::ZERO,
            why: why.to_owned(),
            order: Some(model::ids::OrderId(self.order_id)),
        }
    }
}
