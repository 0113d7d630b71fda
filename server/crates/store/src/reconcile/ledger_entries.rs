//! What our books have of a channel's window, and of whatever its bill names.

use model::ids::OrderId;
use model::money::Fen;
use model::order::Tender;
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Tx, on};
use domain::reconcile::{LedgerEntry, Window};
use domain::statement::LineKind;

#[derive(FromRow)]
struct Row {
    out_trade_no: Option<String>,
    trade_no: Option<String>,
    kind: LineKind,
    refund_no: String,
    state: String,
    since: Option<i64>,
    booked_e4: Option<i64>,
    at: i64,
    order_id: Option<Uuid>,
    console_refund: bool,
}

impl Row {
    fn entry(self) -> LedgerEntry {
        LedgerEntry {
            kind: self.kind,
            out_trade_no: self.out_trade_no.unwrap_or_default(),
            trade_no: self.trade_no,
            refund_no: Some(self.refund_no).filter(|number| !number.is_empty()),
            booked: Fen(self.booked_e4.unwrap_or(0) / 100),
            since: Timestamp(self.since.unwrap_or(self.at)),
            at: Timestamp(self.at),
            state: self.state,
            order: self.order_id.map(OrderId),
            beyond_the_day: self.console_refund,
        }
    }
}

/// Everything booked in the window, and everything that the bill names, in the caller's transaction.
pub(super) async fn load(tx: &mut Tx, channel: Tender, day: Date, window: Window, bill: Uuid) -> Result<Vec<LedgerEntry>> {
    let mut rows = payments(tx, channel, day, window, bill).await?;
    rows.extend(unpaid(tx, channel, bill).await?);
    rows.extend(refunds(tx, channel, day, window, bill).await?);
    rows.extend(unreturned(tx, channel, bill).await?);
    let mut ours: Vec<LedgerEntry> = rows.into_iter().map(Row::entry).collect();
    // What the ledger moved without an event that says so is listed, and not passed over.
    let (known, all) = (booked(&ours, window), moved(tx, channel, window).await?);
    if known != all {
        let rest = all - known;
        ours.push(LedgerEntry {
            kind: if rest > Fen::ZERO { LineKind::Paid } else { LineKind::Refunded },
            out_trade_no: String::new(),
            trade_no: None,
            refund_no: None,
            booked: Fen(rest.0.abs()),
            since: window.0,
            at: window.0,
            state: "no-event".into(),
            order: None,
            beyond_the_day: false,
        });
    }
    Ok(ours)
}

fn booked(ours: &[LedgerEntry], (from, to): Window) -> Fen {
    let here = ours.iter().filter(|one| from <= one.at && one.at < to);
    here.map(|one| if one.kind == LineKind::Paid { one.booked } else { -one.booked }).sum()
}

/// What the channel holds more after the window than before, by the ledger; its fees and what it paid to the bank left out.
async fn moved(tx: &mut Tx, channel: Tender, (from, to): Window) -> Result<Fen> {
    let clearing = format!("clearing:{}", channel.as_str());
    let row: Option<(i64,)> = on!(tx, |c| {
        sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN debit = $1 THEN amount_e4 ELSE -amount_e4 END), 0) AS BIGINT) FROM ledger_transfers
         WHERE (debit = $1 OR credit = $1) AND operation NOT IN ('fees', 'settlement') AND at >= $2 AND at < $3"
    )
    .bind(&clearing)
    .bind(from.0)
    .bind(to.0)
    .fetch_optional(c)
    .await
    })?;
    Ok(Fen(row.map_or(0, |(e4,)| e4 / 100)))
}

/// Verified payments: what is posted for one is posted in the instant in which it was received.
async fn payments(tx: &mut Tx, channel: Tender, day: Date, (from, to): Window, bill: Uuid) -> Result<Vec<Row>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT p.out_trade_no, e.trade_no, 'paid' AS kind, '' AS refund_no, e.outcome AS state, p.created_at AS since,
                COALESCE(t.amount_e4, s.amount_e4) AS booked_e4, e.received_at AS at, p.order_id,
                EXISTS (SELECT 1 FROM bill_lines b JOIN settlement_days d ON d.bill_id = b.bill_id
                        WHERE d.channel = $1 AND d.day <> $2 AND b.kind = 'paid' AND b.trade_no = e.trade_no) AS console_refund
         FROM payment_events e
              LEFT JOIN payment_attempts p ON p.id = e.attempt_id
              LEFT JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = p.order_id
                                              AND e.outcome IN ('credited', 'credited-late', 'undeliverable')
              LEFT JOIN ledger_transfers s ON s.operation = 'suspense' AND s.reference = e.id
         WHERE e.channel = $1 AND e.kind = 'paid'
           AND ((e.received_at >= $3 AND e.received_at < $4)
                OR e.trade_no IN (SELECT trade_no FROM bill_lines WHERE bill_id = $5 AND kind = 'paid')
                OR p.out_trade_no IN (SELECT out_trade_no FROM bill_lines WHERE bill_id = $5 AND kind = 'paid'))
         ORDER BY e.received_at, e.id"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .bind(from.0)
    .bind(to.0)
    .bind(bill)
    .fetch_all(c)
    .await)
}

/// Attempts that the bill says were paid, and nobody told us.
async fn unpaid(tx: &mut Tx, channel: Tender, bill: Uuid) -> Result<Vec<Row>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT p.out_trade_no, p.trade_no, 'paid' AS kind, '' AS refund_no, p.state, p.created_at AS since, CAST(0 AS BIGINT) AS booked_e4,
                p.created_at AS at, p.order_id, (1 = 0) AS console_refund
         FROM payment_attempts p
         WHERE p.channel = $1 AND p.out_trade_no IN (SELECT out_trade_no FROM bill_lines WHERE bill_id = $2 AND kind = 'paid')
           AND NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.attempt_id = p.id AND e.kind = 'paid')
         ORDER BY p.out_trade_no"
    )
    .bind(channel.as_str())
    .bind(bill)
    .fetch_all(c)
    .await)
}

/// Verified refunds: ours by their numbers, and those that somebody made at the channel.
async fn refunds(tx: &mut Tx, channel: Tender, day: Date, (from, to): Window, bill: Uuid) -> Result<Vec<Row>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT p.out_trade_no, e.trade_no, 'refunded' AS kind, e.refund_no, e.outcome AS state, COALESCE(r.asked_at, p.created_at) AS since,
                COALESCE(t.amount_e4, x.amount_e4) AS booked_e4, e.received_at AS at, p.order_id,
                EXISTS (SELECT 1 FROM bill_lines b JOIN settlement_days d ON d.bill_id = b.bill_id
                        WHERE d.channel = $1 AND d.day <> $2 AND b.kind = 'refunded' AND b.trade_no = e.trade_no
                          AND (b.refund_no = e.refund_no OR b.amount_fen * 100 = x.amount_e4)) AS console_refund
         FROM payment_events e
              LEFT JOIN payment_attempts p ON p.id = e.attempt_id
              LEFT JOIN refunds r ON e.outcome = 'returned' AND r.refund_no = e.refund_no
              LEFT JOIN ledger_transfers t ON t.operation = 'refund' AND t.reference = r.id
              LEFT JOIN ledger_transfers x ON x.operation = 'refund-elsewhere' AND x.reference = e.id
         WHERE e.channel = $1 AND e.kind IN ('refunded', 'refund-total')
           AND ((e.received_at >= $3 AND e.received_at < $4)
                OR e.trade_no IN (SELECT trade_no FROM bill_lines WHERE bill_id = $5 AND kind = 'refunded'))
         ORDER BY e.received_at, e.id"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .bind(from.0)
    .bind(to.0)
    .bind(bill)
    .fetch_all(c)
    .await)
}

/// Refunds of ours that the bill has as made, and nobody told us.
async fn unreturned(tx: &mut Tx, channel: Tender, bill: Uuid) -> Result<Vec<Row>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT p.out_trade_no, p.trade_no, 'refunded' AS kind, r.refund_no, r.state, r.asked_at AS since,
                CAST(0 AS BIGINT) AS booked_e4, r.asked_at AS at, r.order_id, (1 = 0) AS console_refund
         FROM refunds r JOIN payment_attempts p ON p.id = r.attempt_id
         WHERE p.channel = $1 AND r.refund_no IN (SELECT refund_no FROM bill_lines WHERE bill_id = $2 AND kind = 'refunded')
           AND NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.channel = $1 AND e.kind = 'refunded' AND e.refund_no = r.refund_no)
         ORDER BY r.refund_no"
    )
    .bind(channel.as_str())
    .bind(bill)
    .fetch_all(c)
    .await)
}
