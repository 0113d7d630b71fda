//! Refunds, for the console.

use model::console::{ConsoleRefund, OrderMoney, Page, RefundLine, RefundOf, RefundQuery, Refundable};
use model::ids::{MeterId, OrderId, RefundId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::refund::{RefundObstacle, RefundSource, RefundState};
use model::time::Timestamp;
use sqlx::FromRow;

use crate::receipts::{JoinedReceipt, joined_receipt};
use domain::refund::{Rules, refundable};
use store::console::{Name, above, names, within};
use store::refunds::unsaid;
use store::roles::approves;
use store::{Db, Result, read};

#[derive(FromRow)]
struct RefundRow {
    id: RefundId,
    refund_no: String,
    state: RefundState,
    obstacle: Option<RefundObstacle>,
    source: RefundSource,
    tender: Tender,
    channel: Tender,
    trade_no: String,
    amount_fen: Fen,
    reason: String,
    order_id: OrderId,
    order_number: i64,
    return_id: Option<ReturnId>,
    meter_id: MeterId,
    account_number: String,
    asked_by: Option<UserId>,
    asked_by_name: Option<String>,
    asked_at: Timestamp,
    expires_at: Option<Timestamp>,
    decided_by_name: Option<String>,
    note: Option<String>,
    tries: i64,
    next_at: Option<Timestamp>,
    settled_by_name: Option<String>,
    settled_at: Option<Timestamp>,
    #[sqlx(flatten)]
    receipt: JoinedReceipt,
    total: i64,
    #[sqlx(flatten)]
    name: Name,
}

impl RefundRow {
    fn line(self, operator: UserId) -> RefundLine {
        RefundLine {
            id: self.id,
            refund_no: self.refund_no,
            state: self.state,
            obstacle: self.obstacle,
            source: self.source,
            tender: self.tender,
            channel: self.channel,
            trade_no: self.trade_no,
            amount: self.amount_fen,
            reason: self.reason,
            order: self.order_id,
            order_number: self.order_number,
            back: self.return_id,
            meter: self.meter_id,
            room: self.name.into(),
            account: self.account_number,
            mine: self.asked_by == Some(operator),
            asked_by: self.asked_by_name,
            asked_at: self.asked_at,
            expires_at: self.expires_at,
            decided_by: self.decided_by_name,
            note: self.note,
            tries: self.tries,
            next_at: self.next_at,
            settled_by: self.settled_by_name,
            settled_at: self.settled_at,
            receipt: self.receipt.number(),
        }
    }
}

/// The columns of [`RefundRow`] for a refund `f` and its room `r`, up to further conditions.
macro_rules! refunded {
    () => {
        concat!(
            "SELECT f.id, f.refund_no, f.state, CASE WHEN f.state = 'sending' THEN f.obstacle END AS obstacle,
                    f.source, f.tender, e.channel, e.trade_no, f.amount_fen, f.reason, f.order_id,
                    o.number AS order_number, f.return_id, o.meter_id, a.number AS account_number, f.asked_by,
                    u.name AS asked_by_name, f.asked_at, f.expires_at, d.name AS decided_by_name, f.note, f.tries, f.next_at,
                    s.name AS settled_by_name, f.settled_at, COUNT(*) OVER () AS total,",
            joined_receipt!(),
            ",",
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

/// A refund that the operator may see.
pub async fn refund(db: &Db, operator: UserId, id: RefundId) -> Result<Option<RefundLine>> {
    let row: Option<RefundRow> = read!(db, |pool| sqlx::query_as(concat!(refunded!(), "AND f.id = $2"))
        .bind(operator)
        .bind(id)
        .fetch_optional(pool)
        .await)?;
    Ok(row.map(|row| row.line(operator)))
}

/// The refunds of an order that the operator may see, newest first.
pub(crate) async fn of_order(db: &Db, operator: UserId, order: OrderId) -> Result<Vec<RefundLine>> {
    let rows: Vec<RefundRow> =
        read!(db, |pool| sqlx::query_as(concat!(refunded!(), "AND f.order_id = $2 ORDER BY f.asked_at DESC, f.id DESC"))
            .bind(operator)
            .bind(order)
            .fetch_all(pool)
            .await)?;
    Ok(rows.into_iter().map(|row| row.line(operator)).collect())
}

/// A page of refunds, newest first.
pub async fn refunds(db: &Db, operator: UserId, query: &RefundQuery) -> Result<Page<RefundLine>> {
    let size = Page::<RefundLine>::SIZE;
    let rows: Vec<RefundRow> = read!(db, |pool| sqlx::query_as(concat!(
        refunded!(),
        "AND ($2 = '' OR f.state = $2) AND ($3 = '' OR f.tender = $3) ORDER BY f.asked_at DESC, f.id DESC LIMIT $4 OFFSET $5"
    ))
    .bind(operator)
    .bind(query.state.map_or("", RefundState::as_str))
    .bind(query.tender.map_or("", Tender::as_str))
    .bind(size)
    .bind(query.page * size)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(|row| row.line(operator)).collect(), total })
}

#[derive(FromRow)]
struct RefundableOrder {
    number: i64,
    state: OrderState,
    tender: Tender,
    meter_id: MeterId,
    deliverable: bool,
    /// Refunded at the channel's console and not accounted for.
    unsaid: Fen,
    may_approve: bool,
    #[sqlx(flatten)]
    name: Name,
}

/// A verified payment of an order.
#[derive(FromRow)]
struct PaymentRow {
    id: Uuid,
    channel: Tender,
    trade_no: String,
    received_at: Timestamp,
    amount_fen: Fen,
    /// Whether the money is in suspense.
    suspended: bool,
    /// Whether the order waits and nothing of it may have reached the meter.
    waits: bool,
    /// Whether the channel refused a refund of it.
    refused: bool,
    /// The channel refunds nothing of it any more.
    finished: bool,
    /// Refunded or about to be.
    reserved: Fen,
    /// Refunded at the channel's console.
    console_refund: Fen,
}

impl PaymentRow {
    /// `None` for a payment whose order is delivered or may be.
    fn refundable(&self, rules: &Rules, now: Timestamp) -> Option<Refundable> {
        (self.suspended || self.waits).then(|| self.as_refundable(rules, now))
    }

    fn as_refundable(&self, rules: &Rules, now: Timestamp) -> Refundable {
        let by_channel = !self.finished && rules.gives_back(self.channel, self.received_at, now);
        Refundable {
            of: RefundOf::Payment(self.id),
            source: if self.suspended { RefundSource::Suspense } else { RefundSource::Order },
            channel: self.channel,
            trade_no: self.trade_no.clone(),
            at: self.received_at,
            paid: self.amount_fen,
            left: refundable(self.amount_fen, self.reserved, self.console_refund),
            by_channel,
            over_counter: self.refused || !by_channel,
        }
    }
}

/// A return that the meter has confirmed and that is paid through the channel.
#[derive(FromRow)]
struct ConfirmedReturn {
    id: ReturnId,
    taken_at: Option<Timestamp>,
    amount_fen: Fen,
    /// Refunded or about to be.
    reserved: Fen,
}

impl ConfirmedReturn {
    fn left(&self) -> Fen {
        self.amount_fen - self.reserved
    }

    /// `sale` is the payment of the sale that the return corrects.
    fn refundable(&self, sale: &PaymentRow, rules: &Rules, now: Timestamp) -> Refundable {
        Refundable {
            of: RefundOf::Return(self.id),
            source: RefundSource::Return,
            at: self.taken_at.unwrap_or(sale.received_at),
            paid: self.amount_fen,
            left: refundable(sale.amount_fen, sale.reserved, sale.console_refund).min(self.left()),
            ..sale.as_refundable(rules, now)
        }
    }
}

/// What can be refunded of an order and what was, if the operator may see it.
pub async fn order_money(
    db: &Db,
    operator: UserId,
    order: OrderId,
    rules: &Rules,
    now: Timestamp,
    key: Uuid,
) -> Result<Option<OrderMoney>> {
    let found: Option<RefundableOrder> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT o.number, o.state, o.tender, o.meter_id,
                o.state = 'case' AND EXISTS (SELECT 1 FROM commands c WHERE c.order_id = o.id
                    AND c.state = 'superseded' AND c.reason = 'refund')
                  AND EXISTS (SELECT 1 FROM account_meters m WHERE m.account_id = o.account_id AND m.meter_id = o.meter_id
                                                               AND m.to_at IS NULL) AS deliverable,
                ",
            unsaid!(),
            " AS unsaid,
                EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND ",
            approves!("u"),
            ") AS may_approve,",
            names!(),
            "FROM orders o JOIN accounts a ON a.id = o.account_id JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE o.id = $2 AND",
            within!()
        ))
        .bind(operator)
        .bind(order)
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
        .bind(order)
        .fetch_all(pool)
        .await
    })?;
    let returns: Vec<ConfirmedReturn> = read!(db, |pool| sqlx::query_as(
        "SELECT v.id, v.taken_at, v.amount_fen,
                CAST(COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.return_id = v.id
                               AND f.state IN ('waiting', 'sending', 'payable', 'done')), 0)
                   + COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                               WHERE t.operation = 'refund-cleared' AND t.reference = v.id), 0) / 100 AS BIGINT) AS reserved
         FROM returns v WHERE v.corrects_order = $1 AND v.state = 'taken' AND v.tender NOT IN ('cash', 'card', 'transfer')
         ORDER BY v.asked_at, v.id"
    )
    .bind(order)
    .fetch_all(pool)
    .await)?;
    let mut offered: Vec<Refundable> = payments.iter().filter_map(|payment| payment.refundable(rules, now)).collect();
    if let Some(sale) = payments.iter().find(|payment| !payment.suspended) {
        offered.extend(returns.iter().map(|one| one.refundable(sale, rules, now)));
    }
    let console_refund = console_refund(&found, &payments, &returns);
    let refunds = of_order(db, operator, order).await?;
    Ok(Some(OrderMoney {
        order,
        number: found.number,
        state: found.state,
        tender: found.tender,
        meter: found.meter_id,
        room: found.name.into(),
        deliverable: found.deliverable,
        payments: offered,
        console_refund,
        refunds,
        key,
    }))
}

/// The open rest of what was refunded at the channel's console, and what it can pay; `None` if nothing is open.
fn console_refund(order: &RefundableOrder, payments: &[PaymentRow], returns: &[ConfirmedReturn]) -> Option<ConsoleRefund> {
    let sale = payments.iter().find(|payment| !payment.suspended)?;
    let left = order.unsaid;
    let paid_by_it = |one: &ConfirmedReturn| (RefundOf::Return(one.id), left.min(one.left()));
    let mut pays: Vec<(RefundOf, Fen)> = returns.iter().map(paid_by_it).filter(|(_, fen)| *fen > Fen::ZERO).collect();
    if sale.waits && left >= sale.amount_fen {
        pays.push((RefundOf::Payment(sale.id), sale.amount_fen));
    }
    (left > Fen::ZERO).then_some(ConsoleRefund { left, pays, may_write_off: order.may_approve })
}
