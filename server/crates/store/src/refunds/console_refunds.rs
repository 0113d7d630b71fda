//! Refunds made in a channel's console. They are posted to suspense when the channel reports them; a person then assigns them to
//! what was due, or writes them off.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::error::AppError;
use model::ids::{AccountId, OrderId, ReturnId, Uuid};
use model::money::Fen;
use model::order::{ReturnState, Tender};
use model::person::Who;
use model::refund::RefundSource;
use model::time::Timestamp;

use super::RefundSubject;
use super::ask::{payment_of, take_order};
use super::end::{Settled, settle_return};
use super::payment::{self, Payment};
use crate::audit::{self, Entry};
use crate::cases;
use crate::{Db, Result, StoreError, Tx, ledger, on, read};
use domain::ledger::{refund_cleared, refund_lost};
use domain::rng::Rng;
use serde_json::{Value, json};

/// The amount of an order `o` that was refunded in the console and is not assigned, fen. Refunds of a payment that credits
/// nothing do not count: both are in suspense and cancel out. Older write-offs refer to the order instead of the event.
#[macro_export]
macro_rules! unsaid {
    () => {
        "CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference
                        WHERE t.operation = 'refund-elsewhere' AND e.attempt_id IN
                              (SELECT x.attempt_id FROM payment_events x JOIN payment_attempts p ON p.id = x.attempt_id
                               WHERE p.order_id = o.id AND x.kind = 'paid'
                                 AND x.outcome IN ('credited', 'credited-late', 'undeliverable'))), 0) / 100
              - COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                          WHERE (t.operation IN ('refund-cleared', 'refund-lost') AND t.reference = o.id)
                             OR (t.operation = 'refund-cleared'
                                 AND t.reference IN (SELECT v.id FROM returns v WHERE v.corrects_order = o.id))
                             OR (t.operation = 'refund-lost'
                                 AND t.reference IN (SELECT x.id FROM payment_events x JOIN payment_attempts p
                                     ON p.id = x.attempt_id
                                                     WHERE p.order_id = o.id))), 0) / 100
              AS BIGINT)"
    };
}
pub use crate::unsaid;

/// The console refunds of an order, oldest first: amount, channel, and when the channel reported it.
pub async fn gone_elsewhere(db: &Db, order: OrderId) -> Result<Vec<(Fen, Tender, Timestamp)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT t.amount_e4 / 100, e.channel, t.at
         FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id
              JOIN ledger_transfers t ON t.operation = 'refund-elsewhere' AND t.reference = e.id
         WHERE p.order_id = $1 ORDER BY t.at, t.id"
    )
    .bind(order.0)
    .fetch_all(pool)
    .await)
}

/// Assigns console refunds to what is due: a confirmed return, as far as they cover it, or an undelivered order, in whole.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Conflict`] if nothing is due, [`AppError::InTheMeter`] for an order that may have reached
/// its meter, or [`AppError::ExceedsRefundable`] if the console refunds do not cover it.
pub async fn clear(db: &Db, rng: &Rng, at: Timestamp, who: &Who, of: RefundSubject) -> Result<()> {
    let mut tx = db.begin().await?;
    let event = match of {
        RefundSubject::Payment(event) => event,
        RefundSubject::Return(id) => payment_of(&mut tx, id).await?,
    };
    let payment = payment::lock(&mut tx, event).await?;
    let order = payment.order_id;
    let left = left(&mut tx, &payment).await?;
    let (amount, settled) = match of {
        RefundSubject::Return(id) => clear_return(&mut tx, rng, at, who, id, left).await?,
        RefundSubject::Payment(_) => (clear_order(&mut tx, rng, at, &payment, left).await?, None),
    };
    cases::resolve_order(&mut tx, at, &[CaseKind::Refund, CaseKind::Undeliverable], order, "cleared").await?;
    if amount == left {
        cases::resolve_order(&mut tx, at, &[CaseKind::RefundElsewhere], order, "cleared").await?;
    }
    let detail = json!({ "order": order, "amount_fen": amount, "left_fen": left - amount });
    record(&mut tx, at, who, AuditAction::RefundClear, order, &detail).await?;
    if let Some(settled) = settled {
        settled.receipt(&mut tx, at).await?;
    }
    tx.commit().await
}

/// The rest of it cannot be had back, and the site loses it: in the transaction of the second person's approval.
///
/// # Errors
/// Refused with [`AppError::NotFound`], or [`AppError::Conflict`] where nothing is left of it.
pub(crate) async fn write_off_within(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    order: OrderId,
    reason: &str,
) -> Result<()> {
    let payment = credited(tx, order).await?;
    let left = left(tx, &payment).await?;
    if left <= Fen::ZERO {
        return Err(AppError::Conflict.into());
    }
    let told = untold(tx, &payment).await?;
    ledger::post(tx, rng, at, &refund_lost(told, left.money())).await?;
    cases::resolve_order(tx, at, &[CaseKind::RefundElsewhere], order, "lost").await?;
    let detail = json!({ "order": order, "amount_fen": left, "reason": reason });
    record(tx, at, who, AuditAction::RefundLost, order, &detail).await
}

/// How much of what was refunded at the console nobody has said what for.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an order that no channel paid.
pub(crate) async fn left_to_write_off(tx: &mut Tx, order: OrderId) -> Result<Fen> {
    let payment = credited(tx, order).await?;
    left(tx, &payment).await
}

/// The payment of an order, with its attempt locked.
async fn credited(tx: &mut Tx, order: OrderId) -> Result<Payment> {
    let event: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT e.id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
         WHERE p.order_id = $1 AND e.kind = 'paid' AND e.outcome IN ('credited', 'credited-late', 'undeliverable')"
    )
    .bind(order.0)
    .fetch_optional(c)
    .await)?;
    payment::lock(tx, event.ok_or(AppError::NotFound)?.0).await
}

/// The caller holds the lock of the attempt.
async fn left(tx: &mut Tx, payment: &Payment) -> Result<Fen> {
    if payment.source() != Some(RefundSource::Order) {
        return Ok(Fen::ZERO);
    }
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(concat!("SELECT ", unsaid!(), " FROM orders o WHERE o.id = $1"))
        .bind(payment.order_id)
        .fetch_optional(c)
        .await)?;
    Ok(Fen(row.map_or(0, |(fen,)| fen)))
}

/// The newest event of the unassigned rest. The write-off refers to it, so that later console refunds can be written off too: a
/// rest always has an event that is newer than the last write-off.
async fn untold(tx: &mut Tx, payment: &Payment) -> Result<Uuid> {
    let event: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT t.reference FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference
         WHERE t.operation = 'refund-elsewhere' AND e.attempt_id = $1
           AND NOT EXISTS (SELECT 1 FROM ledger_transfers l WHERE l.operation = 'refund-lost' AND l.reference = e.id)
         ORDER BY t.at DESC, t.id DESC LIMIT 1"
    )
    .bind(payment.attempt_id)
    .fetch_optional(c)
    .await)?;
    Ok(event.ok_or(StoreError::Inconsistent { table: "ledger_transfers", column: "reference" })?.0)
}

async fn clear_return(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    id: ReturnId,
    left: Fen,
) -> Result<(Fen, Option<Settled>)> {
    let row: Option<(ReturnState, AccountId, i64)> = on!(tx, |c| sqlx::query_as(
        "UPDATE returns SET state = state WHERE id = $1
         RETURNING state, account_id, amount_fen
             - CAST(COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.return_id = returns.id
                              AND f.state IN ('waiting', 'sending', 'payable', 'done')), 0) AS BIGINT)
             - CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                              WHERE t.operation = 'refund-cleared' AND t.reference = returns.id), 0) / 100 AS BIGINT)"
    )
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    let (state, account, due) = row.ok_or(AppError::NotFound)?;
    if state != ReturnState::Taken || due <= 0 {
        return Err(AppError::Conflict.into());
    }
    let amount = left.min(Fen(due));
    if amount <= Fen::ZERO {
        return Err(AppError::ExceedsRefundable.into());
    }
    let posted = ledger::post(tx, rng, at, &refund_cleared(id.0, account, amount.money())).await;
    posted.map_err(|error| error.or_first(AppError::Conflict))?;
    Ok((amount, settle_return(tx, at, Some(id), Some(who.user)).await?))
}

async fn clear_order(tx: &mut Tx, rng: &Rng, at: Timestamp, payment: &Payment, left: Fen) -> Result<Fen> {
    let row: Option<(AccountId, Fen)> = on!(tx, |c| sqlx::query_as("SELECT account_id, amount_fen FROM orders WHERE id = $1")
        .bind(payment.order_id)
        .fetch_optional(c)
        .await)?;
    let (account, amount) = row.ok_or(AppError::NotFound)?;
    if left < amount {
        return Err(AppError::ExceedsRefundable.into());
    }
    take_order(tx, at, payment, amount).await?;
    let moved = on!(tx, |c| sqlx::query("UPDATE orders SET state = 'refunded' WHERE id = $1 AND state = 'refunding'")
        .bind(payment.order_id)
        .execute(c)
        .await)?;
    if moved != 1 {
        return Err(StoreError::Inconsistent { table: "orders", column: "state" });
    }
    ledger::post(tx, rng, at, &refund_cleared(payment.order_id.0, account, amount.money())).await?;
    Ok(amount)
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, order: OrderId, detail: &Value) -> Result<()> {
    let (actor, subject) = (format!("user:{}", who.user), format!("order:{order}"));
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail: &detail.to_string() }).await
}
