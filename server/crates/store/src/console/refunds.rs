//! Refunds as the console shows them.

use model::console::Page;
use model::console::{ConsoleRefund, OrderMoney, ReceiptNumber, RefundLine, RefundOf, RefundQuery, Refundable};
use model::ids::{MeterId, OrderId, RefundId, ReturnId, UserId};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::refund::{RefundObstacle, RefundSource, RefundState};
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Name, above, names, within};
use crate::refunds::unsaid;
use crate::{Db, Result, StoreError, read};
use domain::refund::{Rules, refundable};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    refund_no: String,
    state: String,
    obstacle: Option<RefundObstacle>,
    source: String,
    tender: String,
    channel: String,
    trade_no: String,
    amount_fen: i64,
    reason: String,
    order_id: OrderId,
    order_number: i64,
    return_id: Option<Uuid>,
    meter_id: MeterId,
    account_number: String,
    asked_by: Option<Uuid>,
    asked_by_name: Option<String>,
    asked_at: i64,
    expires_at: Option<i64>,
    decided_by_name: Option<String>,
    note: Option<String>,
    tries: i64,
    next_at: Option<i64>,
    settled_by_name: Option<String>,
    settled_at: Option<i64>,
    receipt_year: Option<i64>,
    receipt_number: Option<i64>,
    total: i64,
    #[sqlx(flatten)]
    name: Name,
}

/// Everything of a refund `f`, with its room `r`, up to the `WHERE`.
macro_rules! refunded {
    () => {
        concat!(
            "SELECT f.id, f.refund_no, f.state, CASE WHEN f.state = 'sending' THEN f.obstacle END AS obstacle,
                    f.source, f.tender, e.channel, e.trade_no, f.amount_fen, f.reason, f.order_id,
                    o.number AS order_number, f.return_id, o.meter_id, a.number AS account_number, f.asked_by,
                    u.name AS asked_by_name, f.asked_at, f.expires_at, d.name AS decided_by_name, f.note, f.tries, f.next_at,
                    s.name AS settled_by_name, f.settled_at, p.year AS receipt_year, p.number AS receipt_number,
                    COUNT(*) OVER () AS total,",
            names!(),
            "FROM refunds f JOIN payment_events e ON e.id = f.event_id JOIN orders o ON o.id = f.order_id
             JOIN accounts a ON a.id = o.account_id JOIN places r ON r.id = a.place_id",
            above!(),
            "LEFT JOIN users u ON u.id = f.asked_by LEFT JOIN users d ON d.id = f.decided_by
             LEFT JOIN users s ON s.id = f.settled_by LEFT JOIN receipts p ON p.refund_id = f.id
             WHERE",
            within!()
        )
    };
}

/// One that the operator may see.
pub async fn refund(db: &Db, operator: UserId, id: RefundId) -> Result<Option<RefundLine>> {
    let row: Option<Row> = read!(db, |pool| sqlx::query_as(concat!(refunded!(), "AND f.id = $2"))
        .bind(operator.0)
        .bind(id.0)
        .fetch_optional(pool)
        .await)?;
    row.map(|row| line(row, operator)).transpose()
}

/// A page of refunds, newest first.
pub async fn refunds(db: &Db, operator: UserId, query: &RefundQuery) -> Result<Page<RefundLine>> {
    let size = Page::<RefundLine>::SIZE;
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(concat!(
        refunded!(),
        "AND ($2 = '' OR f.state = $2) AND ($3 = '' OR f.tender = $3) ORDER BY f.asked_at DESC, f.id DESC LIMIT $4 OFFSET $5"
    ))
    .bind(operator.0)
    .bind(query.state.map_or("", RefundState::as_str))
    .bind(query.tender.map_or("", Tender::as_str))
    .bind(size)
    .bind(query.page * size)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(|row| line(row, operator)).collect::<Result<_>>()?, total })
}

fn line(row: Row, operator: UserId) -> Result<RefundLine> {
    let unknown = |column| StoreError::Inconsistent { table: "refunds", column };
    Ok(RefundLine {
        id: RefundId(row.id),
        refund_no: row.refund_no,
        state: RefundState::parse(&row.state).ok_or(unknown("state"))?,
        obstacle: row.obstacle,
        source: RefundSource::parse(&row.source).ok_or(unknown("source"))?,
        tender: Tender::parse(&row.tender).ok_or(unknown("tender"))?,
        channel: Tender::parse(&row.channel).ok_or(unknown("channel"))?,
        trade_no: row.trade_no,
        amount: Fen(row.amount_fen),
        reason: row.reason,
        order: row.order_id,
        order_number: row.order_number,
        back: row.return_id.map(ReturnId),
        meter: row.meter_id,
        room: row.name.into(),
        account: row.account_number,
        mine: row.asked_by == Some(operator.0),
        asked_by: row.asked_by_name,
        asked_at: Timestamp(row.asked_at),
        expires_at: row.expires_at.map(Timestamp),
        decided_by: row.decided_by_name,
        note: row.note,
        tries: row.tries,
        next_at: row.next_at.map(Timestamp),
        settled_by: row.settled_by_name,
        settled_at: row.settled_at.map(Timestamp),
        receipt: row.receipt_year.zip(row.receipt_number).map(|(year, number)| ReceiptNumber { year, number }),
    })
}

#[derive(FromRow)]
struct OrderRow {
    number: i64,
    state: String,
    meter_id: Uuid,
    deliverable: bool,
    unsaid: i64,
    may_approve: bool,
    #[sqlx(flatten)]
    name: Name,
}

#[derive(FromRow)]
struct PaymentRow {
    id: Uuid,
    channel: String,
    trade_no: String,
    received_at: i64,
    amount_fen: i64,
    suspended: bool,
    waits: bool,
    refused: bool,
    finished: bool,
    reserved: i64,
    console_refund: i64,
}

#[derive(FromRow)]
struct BackRow {
    id: ReturnId,
    taken_at: Option<i64>,
    amount_fen: i64,
    reserved: i64,
}

/// What of an order may go back and what did, where the operator may see it.
pub async fn order_money(
    db: &Db,
    operator: UserId,
    order: OrderId,
    rules: &Rules,
    now: Timestamp,
    key: Uuid,
) -> Result<Option<OrderMoney>> {
    let found: Option<OrderRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT o.number, o.state, o.meter_id,
                o.state = 'case' AND EXISTS (SELECT 1 FROM commands c WHERE c.order_id = o.id
                    AND c.state = 'superseded' AND c.reason = 'refund')
                  AND EXISTS (SELECT 1 FROM account_meters m WHERE m.account_id = o.account_id AND m.meter_id = o.meter_id
                                                               AND m.to_at IS NULL) AS deliverable,
                ",
            unsaid!(),
            " AS unsaid,
                EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND (u.role = 'admin' OR u.may_approve)) AS may_approve,",
            names!(),
            "FROM orders o JOIN accounts a ON a.id = o.account_id JOIN places r
            ON r.id = a.place_id",
            above!(),
            "WHERE o.id = $2 AND",
            within!()
        ))
        .bind(operator.0)
        .bind(order.0)
        .fetch_optional(pool)
        .await
    })?;
    let Some(found) = found else { return Ok(None) };
    let payments: Vec<PaymentRow> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT e.id, e.channel, e.trade_no, e.received_at, e.amount_fen,
                EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'suspense' AND t.reference = e.id)
                  AND NOT EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'suspense-back' AND t.reference = e.id)
                    AS suspended,
                e.outcome IN ('credited', 'credited-late', 'undeliverable') AND o.state IN ('paid', 'case')
                  AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.order_id = o.id AND c.state <> 'superseded' AND c.attempts > 0
                                  AND NOT (c.state = 'case' AND c.reason = 'hoarding-limit')) AS waits,
                EXISTS (SELECT 1 FROM refunds f WHERE f.event_id = e.id AND f.state = 'failed') AS refused,
                p.finished_at IS NOT NULL AS finished,
                CAST(COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.event_id = e.id
                               AND f.state IN ('waiting', 'sending', 'payable', 'done')), 0) AS BIGINT) AS reserved,
                CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t JOIN payment_events x ON x.id = t.reference
                               WHERE t.operation = 'refund-elsewhere'
                                   AND x.attempt_id = e.attempt_id), 0) / 100 AS BIGINT) AS console_refund
         FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid' JOIN orders o
             ON o.id = p.order_id
         WHERE p.order_id = $1 ORDER BY e.received_at, e.id",
        )
        .bind(order.0)
        .fetch_all(pool)
        .await
    })?;
    let backs: Vec<BackRow> = read!(db, |pool| sqlx::query_as(
        "SELECT v.id, v.taken_at, v.amount_fen,
                CAST(COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.return_id = v.id
                               AND f.state IN ('waiting', 'sending', 'payable', 'done')), 0)
                   + COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                               WHERE t.operation = 'refund-cleared' AND t.reference = v.id), 0) / 100 AS BIGINT) AS reserved
         FROM returns v WHERE v.corrects_order = $1 AND v.state = 'taken' AND v.tender NOT IN ('cash', 'card', 'transfer')
         ORDER BY v.asked_at, v.id"
    )
    .bind(order.0)
    .fetch_all(pool)
    .await)?;
    let mut may = Vec::new();
    for payment in &payments {
        may.extend(of_payment(payment, rules, now)?);
    }
    if let Some(sale) = payments.iter().find(|payment| !payment.suspended) {
        for back in &backs {
            let left = refundable(Fen(sale.amount_fen), Fen(sale.reserved), Fen(sale.console_refund));
            let of = RefundOf::Return(back.id);
            let left = left.min(Fen(back.amount_fen - back.reserved));
            let at = Timestamp(back.taken_at.unwrap_or(sale.received_at));
            may.push(Refundable {
                of,
                source: RefundSource::Return,
                at,
                paid: Fen(back.amount_fen),
                left,
                ..plain(sale, rules, now)?
            });
        }
    }
    let console_refund = console_refund(&found, &payments, &backs);
    let rows: Vec<Row> =
        read!(db, |pool| sqlx::query_as(concat!(refunded!(), "AND f.order_id = $2 ORDER BY f.asked_at DESC, f.id DESC"))
            .bind(operator.0)
            .bind(order.0)
            .fetch_all(pool)
            .await)?;
    Ok(Some(OrderMoney {
        order,
        number: found.number,
        state: OrderState::parse(&found.state).ok_or(StoreError::Inconsistent { table: "orders", column: "state" })?,
        meter: MeterId(found.meter_id),
        room: found.name.into(),
        deliverable: found.deliverable,
        payments: may,
        console_refund,
        refunds: rows.into_iter().map(|row| line(row, operator)).collect::<Result<_>>()?,
        key,
    }))
}

/// What went back at the channel's console and what it can pay; `None` where nothing of it is open.
fn console_refund(found: &OrderRow, payments: &[PaymentRow], backs: &[BackRow]) -> Option<ConsoleRefund> {
    let sale = payments.iter().find(|payment| !payment.suspended)?;
    let left = Fen(found.unsaid);
    let back = |back: &BackRow| (RefundOf::Return(back.id), left.min(Fen(back.amount_fen - back.reserved)));
    let mut pays: Vec<(RefundOf, Fen)> = backs.iter().map(back).filter(|(_, fen)| *fen > Fen::ZERO).collect();
    if sale.waits && left >= Fen(sale.amount_fen) {
        pays.push((RefundOf::Payment(sale.id), Fen(sale.amount_fen)));
    }
    (left > Fen::ZERO).then_some(ConsoleRefund { left, pays, may_write_off: found.may_approve })
}

fn plain(payment: &PaymentRow, rules: &Rules, now: Timestamp) -> Result<Refundable> {
    let channel =
        Tender::parse(&payment.channel).ok_or(StoreError::Inconsistent { table: "payment_events", column: "channel" })?;
    let by_channel = !payment.finished && rules.gives_back(channel, Timestamp(payment.received_at), now);
    Ok(Refundable {
        of: RefundOf::Payment(payment.id),
        source: if payment.suspended { RefundSource::Suspense } else { RefundSource::Order },
        channel,
        trade_no: payment.trade_no.clone(),
        at: Timestamp(payment.received_at),
        paid: Fen(payment.amount_fen),
        left: refundable(Fen(payment.amount_fen), Fen(payment.reserved), Fen(payment.console_refund)),
        by_channel,
        over_counter: payment.refused || !by_channel,
    })
}

/// Nothing where it is delivered, or may be.
fn of_payment(payment: &PaymentRow, rules: &Rules, now: Timestamp) -> Result<Option<Refundable>> {
    Ok(if payment.suspended || payment.waits { Some(plain(payment, rules, now)?) } else { None })
}
