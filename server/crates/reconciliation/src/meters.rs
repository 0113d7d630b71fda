//! Compares the payments of a statement with the meters.

use model::ids::{OrderId, StatementId};
use model::money::{Fen, Money};
use model::order::{OrderState, Tender};
use model::reconciliation::{DifferenceClass, DifferenceReason};
use model::time::{MINUTE, Timestamp};
use sqlx::FromRow;

use domain::reconcile::{Finding, MeterCheck, Purchase, check_meter};
use domain::statement::LineKind;
use store::{Result, Tx, on};

/// The most that the clocks of a meter and the server may differ by, ms.
const CLOCK_TOLERANCE: i64 = 10 * MINUTE;

/// The result for all purchases of a statement.
#[derive(Default)]
pub(super) struct MeterComparison {
    /// Orders that the statement's payments paid.
    pub purchases: i64,
    /// Purchases in their meter or server wallet.
    pub delivered: i64,
    /// Purchases in the journals of their meters.
    pub in_journal: i64,
    pub findings: Vec<Finding>,
}

#[derive(FromRow)]
struct PurchaseRow {
    order_id: OrderId,
    out_trade_no: String,
    trade_no: String,
    amount_fen: Fen,
    paid_at: Timestamp,
    state: OrderState,
    delivered_e4: Option<Money>,
    credited_at: Option<Timestamp>,
    epoch: Option<i64>,
    count: Option<i64>,
    latest_epoch: Option<i64>,
    latest_count: Option<i64>,
    latest_at: Option<Timestamp>,
    journal_fen: Option<Fen>,
    in_case: bool,
}

/// Compares the purchases of a statement with their meters, in the caller's transaction.
pub(super) async fn compare(tx: &mut Tx, now: Timestamp, channel: Tender, statement: StatementId) -> Result<MeterComparison> {
    let rows: Vec<PurchaseRow> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT o.id AS order_id, p.out_trade_no, b.trade_no, o.amount_fen, o.paid_at, o.state, t.amount_e4 AS delivered_e4,
                o.credited_at, k.epoch, k.count, l.epoch AS latest_epoch, l.count AS latest_count, l.observed_at AS latest_at,
                (SELECT MIN(j.amount_fen) FROM meter_journal j
                 WHERE j.meter_id = o.meter_id AND j.kind = 'credit' AND j.count = k.count AND j.at >= o.paid_at - $3
                   AND j.at <= o.credited_at + $3) AS journal_fen,
                EXISTS (SELECT 1 FROM cases x WHERE x.closed_at IS NULL AND (x.order_id = o.id OR x.meter_id = o.meter_id))
                    AS in_case
         FROM statement_lines b
              JOIN payment_attempts p ON p.out_trade_no = b.out_trade_no AND p.channel = $1
              JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid' AND e.trade_no = b.trade_no
                   AND e.outcome IN ('credited', 'credited-late', 'undeliverable')
              JOIN orders o ON o.id = p.order_id
              LEFT JOIN ledger_transfers t ON t.operation = 'delivery' AND t.reference = o.id
              LEFT JOIN commands k ON k.order_id = o.id AND k.kind = 'credit'
              LEFT JOIN meter_latest l ON l.meter_id = o.meter_id
         WHERE b.statement_id = $2 AND b.kind = 'paid' AND o.paid_at IS NOT NULL
         ORDER BY b.line",
        )
        .bind(channel)
        .bind(statement)
        .bind(CLOCK_TOLERANCE)
        .fetch_all(c)
        .await
    })?;
    let mut result = MeterComparison::default();
    for row in rows {
        result.purchases += 1;
        let check = check_meter(&row.purchase(), now);
        result.delivered += i64::from(matches!(check, MeterCheck::Delivered | MeterCheck::InJournal));
        result.in_journal += i64::from(check == MeterCheck::InJournal);
        if let MeterCheck::Contradicts(reason) = check {
            result.findings.push(row.finding(reason));
        }
    }
    Ok(result)
}

impl PurchaseRow {
    fn purchase(&self) -> Purchase {
        let applied = self.epoch.zip(self.count).zip(self.credited_at);
        let latest = self.latest_epoch.zip(self.latest_count).zip(self.latest_at);
        Purchase {
            amount: self.amount_fen,
            paid_at: self.paid_at,
            delivered: self.delivered(),
            applied: applied.map(|((epoch, count), at)| (epoch, count, at)),
            latest: latest.map(|((epoch, count), at)| (epoch, count, at)),
            journal: self.journal_fen,
            refunded: matches!(self.state, OrderState::Refunding | OrderState::Refunded),
            in_case: self.in_case || self.state == OrderState::Case,
        }
    }

    fn delivered(&self) -> Fen {
        self.delivered_e4.unwrap_or_default().split_fen().0
    }

    fn finding(self, reason: DifferenceReason) -> Finding {
        Finding {
            class: DifferenceClass::Meter,
            kind: LineKind::Paid,
            statement: Some(self.amount_fen),
            ledger: Some(self.delivered()),
            out_trade_no: self.out_trade_no,
            trade_no: self.trade_no,
            refund_no: String::new(),
            gap: Fen::ZERO,
            reason,
            order: Some(self.order_id),
        }
    }
}
