//! Requests a refund. The amount is reserved under the lock of the attempt, so that the refunds never exceed the payment.

use super::refund_columns;
use model::audit::AuditAction;
use model::case::CaseKind;
use model::error::AppError;
use model::ids::{MeterId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::{OrderState, ReturnState, Tender};
use model::refund::{RefundSource, RefundState};
use model::time::Timestamp;

use super::payment::{self, Payment};
use super::{Refund, lock as lock_refund, record, refunded_sums};
use crate::approvals::{Outgoing, lock, paid_today};
use crate::{Db, Result, Tx, cases, commands, ledger, on};
use domain::ledger::refund_reserve;
use domain::order::may_step;
use domain::refund::{Rules, refundable};
use domain::returns;
use domain::rng::Rng;
use domain::two_person::PaidToday;

/// The rules for refunds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    /// `[pay.refunds]`.
    pub refunds: Rules,
    /// The two-person rule of the cash desk.
    pub counter: returns::Rules,
}

/// What is refunded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundSubject {
    /// A verified payment, by the id of its event: in whole or in part if it credits nothing, in whole if it paid an order
    /// that was not delivered.
    Payment(Uuid),
    /// A return whose debit the meter has confirmed, of a sale through a channel.
    Return(ReturnId),
}

/// A request for a refund.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// The form's idempotency key: the same key returns the same refund.
    pub key: Uuid,
    pub of: RefundSubject,
    /// The tender at the cash desk if the channel no longer refunds the payment; `None` for a refund through the channel.
    pub over_counter: Option<Tender>,
    pub amount: Fen,
    pub reason: String,
    /// Who requests it; `None` for the configuration, which needs no second person.
    pub by: Option<UserId>,
    /// The caller's address, for the audit log.
    pub ip: String,
}

/// Stores the refund with its number and reserves its amount. The refund task sends what goes through the channel. The same key
/// returns the same refund.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Conflict`] if the key belongs to another request or nothing can be refunded;
/// [`AppError::ExceedsRefundable`]; [`AppError::AmountOutOfRange`] for a part of an undelivered order; [`AppError::InTheMeter`]
/// for an order that may have reached its meter; [`AppError::RefundTooOld`] if the channel no longer refunds it; and
/// [`AppError::RefundByChannel`] for a refund at the cash desk that the channel has not refused.
pub async fn ask(db: &Db, rng: &Rng, at: Timestamp, policy: &Policy, new: &NewRefund) -> Result<Refund> {
    let mut tx = db.begin().await?;
    let event = match new.of {
        RefundSubject::Payment(event) => event,
        RefundSubject::Return(id) => payment_of(&mut tx, id).await?,
    };
    let payment = payment::lock(&mut tx, event).await?;
    // Under the lock: the second of two concurrent requests with one key finds the first.
    if let Some(before) = by_key(&mut tx, new).await? {
        return Ok(before);
    }
    let source = match new.of {
        RefundSubject::Return(_) => RefundSource::Return,
        RefundSubject::Payment(_) => payment.source().ok_or(AppError::Conflict)?,
    };
    let tender = refund_tender(&mut tx, at, policy, new, &payment).await?;
    match (source, new.of) {
        (RefundSource::Order, _) => take_order(&mut tx, at, &payment, new.amount).await?,
        (_, RefundSubject::Return(id)) => take_return(&mut tx, id, new.amount).await?,
        _ => {}
    }
    let known = refunded_sums(&mut tx, payment.attempt_id).await?;
    if new.amount <= Fen::ZERO || new.amount > refundable(payment.paid, known.reserved(), known.console_refund()) {
        return Err(AppError::ExceedsRefundable.into());
    }
    let until = second_until(&mut tx, at, policy, new, (&payment, source, tender)).await?;
    let Some(row) = insert(&mut tx, rng, at, new, &payment, (source, tender, until)).await? else {
        // Another request has used the key meanwhile.
        return by_key(&mut tx, new).await?.ok_or_else(|| AppError::Conflict.into());
    };
    ledger::post(&mut tx, rng, at, &refund_reserve(row.id.0, row.debited_account(), row.amount.money())).await?;
    record(&mut tx, at, new.by, &new.ip, AuditAction::RefundAsk, &row).await?;
    tx.commit().await?;
    Ok(row)
}

/// Until when a second person may approve it; `None` where the configuration decides. The return behind a refund was counted when
/// it was asked for; what goes back through its channel goes to the payer and counts by itself. All of it came through a channel,
/// so that nothing of it leaves as cash without a second person.
async fn second_until(
    tx: &mut Tx,
    at: Timestamp,
    policy: &Policy,
    new: &NewRefund,
    (payment, source, tender): (&Payment, RefundSource, Tender),
) -> Result<Option<Timestamp>> {
    let Some(by) = new.by else { return Ok(None) };
    let mut today = PaidToday::default();
    if source != RefundSource::Return && tender.is_counter() {
        let meter: Option<(MeterId,)> = on!(tx, |c| sqlx::query_as("SELECT meter_id FROM orders WHERE id = $1")
            .bind(payment.order_id)
            .fetch_optional(c)
            .await)?;
        let meter = meter.map(|(meter,)| meter);
        lock(tx, by, meter).await?;
        today = paid_today(tx, at, Outgoing { by, meter }).await?;
    }
    today.cash = (tender == Tender::Cash).then_some(Fen::ZERO);
    Ok(policy.counter.second_until(new.amount, &today, at))
}

/// Refunds go through the channel. The cash desk pays only what the channel no longer refunds or has refused, so that nobody can
/// turn a card payment into cash.
async fn refund_tender(tx: &mut Tx, at: Timestamp, policy: &Policy, new: &NewRefund, payment: &Payment) -> Result<Tender> {
    let channel = payment.channel;
    let gives = !payment.finished && policy.refunds.gives_back(channel, payment.received_at, at);
    let Some(tender) = new.over_counter else {
        return if gives { Ok(channel) } else { Err(AppError::RefundTooOld.into()) };
    };
    if !tender.is_counter() {
        return Err(AppError::Invalid.into());
    }
    let refused: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM refunds WHERE event_id = $1 AND state = 'failed' LIMIT 1")
            .bind(payment.event_id)
            .fetch_optional(c)
            .await)?;
    if gives && refused.is_none() { Err(AppError::RefundByChannel.into()) } else { Ok(tender) }
}

/// The terms for an order that is not in its meter and of which no frame can still arrive. It is refunded in whole.
pub(super) async fn take_order(tx: &mut Tx, at: Timestamp, payment: &Payment, amount: Fen) -> Result<()> {
    let order = payment.order_id;
    if !commands::take_back(tx, at, order).await? {
        return Err(AppError::InTheMeter.into());
    }
    let row: Option<(OrderState, Fen)> =
        on!(tx, |c| sqlx::query_as("UPDATE orders SET state = state WHERE id = $1 RETURNING state, amount_fen")
            .bind(order.0)
            .fetch_optional(c)
            .await)?;
    let (state, paid) = row.ok_or(AppError::NotFound)?;
    if !may_step(state, OrderState::Refunding) {
        return Err(AppError::Conflict.into());
    }
    if amount != paid {
        return Err(AppError::AmountOutOfRange.into());
    }
    on!(tx, |c| sqlx::query("UPDATE orders SET state = 'refunding' WHERE id = $1 AND state IN ('paid', 'case')")
        .bind(order.0)
        .execute(c)
        .await)?;
    // The order has no command under way any more, so other money commands of the meter need not wait for it.
    cases::resolve_order(tx, at, &[CaseKind::Delivery], order, "refund").await
}

/// The terms for a confirmed return that is not paid out: all that other refunds have not reserved, or a part of it.
async fn take_return(tx: &mut Tx, id: ReturnId, amount: Fen) -> Result<()> {
    let row: Option<(ReturnState, i64, i64)> = on!(tx, |c| sqlx::query_as(
        "UPDATE returns SET state = state WHERE id = $1
         RETURNING state, amount_fen,
                   CAST(COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.return_id = returns.id
                                  AND f.state IN ('waiting', 'sending', 'payable', 'done')), 0) AS BIGINT)
                   + CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                                    WHERE t.operation = 'refund-cleared' AND t.reference = returns.id), 0) / 100 AS BIGINT)"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    let (state, fen, reserved) = row.ok_or(AppError::NotFound)?;
    if state != ReturnState::Taken {
        return Err(AppError::Conflict.into());
    }
    if amount.0 > fen - reserved { Err(AppError::ExceedsRefundable.into()) } else { Ok(()) }
}

/// The payment of the sale that the return corrects.
pub(super) async fn payment_of(tx: &mut Tx, id: ReturnId) -> Result<Uuid> {
    let row: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT e.id FROM returns r JOIN payment_attempts p ON p.order_id = r.corrects_order
              JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid' AND (e.outcome IN ('credited', 'credited-late')
                   OR EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'suspense-back' AND t.reference = e.id))
         WHERE r.id = $1 AND r.tender = e.channel"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    row.map(|(id,)| id).ok_or_else(|| AppError::NotFound.into())
}

type Terms = (RefundSource, Tender, Option<Timestamp>);

/// `None` if the key exists already.
async fn insert(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    new: &NewRefund,
    payment: &Payment,
    (source, tender, until): Terms,
) -> Result<Option<Refund>> {
    let (id, number) = (rng.id(at), rng.order_number(at));
    let state = match until {
        Some(_) => RefundState::Waiting,
        None => super::decide::begun(tender),
    };
    let back = match new.of {
        RefundSubject::Return(id) => Some(id.0),
        RefundSubject::Payment(_) => None,
    };
    let inserted = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO refunds (id, number, refund_no, key, event_id, attempt_id, order_id, source, return_id, tender, amount_fen,
                              reason, state, asked_by, asked_at, expires_at, next_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT (key) DO NOTHING"
    )
    .bind(id)
    .bind(number)
    .bind(format!("R{number}"))
    .bind(new.key)
    .bind(payment.event_id)
    .bind(payment.attempt_id)
    .bind(payment.order_id)
    .bind(source.as_str())
    .bind(back)
    .bind(tender.as_str())
    .bind(new.amount.0)
    .bind(&new.reason)
    .bind(state.as_str())
    .bind(new.by.map(|by| by.0))
    .bind(at.0)
    .bind(until.map(|at| at.0))
    .bind((state == RefundState::Sending).then_some(at.0))
    .execute(c)
    .await
    })?;
    if inserted == 1 { lock_refund(tx, model::ids::RefundId(id)).await } else { Ok(None) }
}

async fn by_key(tx: &mut Tx, new: &NewRefund) -> Result<Option<Refund>> {
    let row: Option<Refund> = on!(tx, |c| sqlx::query_as(concat!("SELECT", refund_columns!(), "FROM refunds WHERE key = $1"))
        .bind(new.key)
        .fetch_optional(c)
        .await)?;
    match row {
        Some(row) if !row.is_for(new) => Err(AppError::Conflict.into()),
        row => Ok(row),
    }
}

impl Refund {
    fn is_for(&self, new: &NewRefund) -> bool {
        let same = match new.of {
            RefundSubject::Payment(event) => self.event_id == event && self.return_id.is_none(),
            RefundSubject::Return(id) => self.return_id == Some(id),
        };
        let way = new.over_counter.is_none_or(|tender| tender == self.tender);
        same && way && self.amount == new.amount && self.asked_by == new.by
    }
}
