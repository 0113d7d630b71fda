//! Purchases that were paid for and cannot reach their meter: its account is closed, or the meter is leaving it. None is lost: it
//! follows the account or the meter that took its place, or waits in a case until a person sends it elsewhere or gives it back.

use crate::orders::order_columns;
use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind, UndeliverableCase};
use model::command::CommandReason;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, MeterId, OrderId, Uuid};
use model::person::Who;
use model::time::Timestamp;

use super::{Order, credit};
use crate::accounts::{self, Takes};
use crate::audit::{self, Entry};
use crate::cases;
use crate::{Db, Result, StoreError, Tx, ledger, on, read, wallets};
use domain::ledger::reroute;
use domain::rng::Rng;

/// An order that has just been paid and can go nowhere waits for a person.
pub(super) async fn hold(tx: &mut Tx, rng: &Rng, at: Timestamp, id: OrderId) -> Result<Order> {
    let held: Option<Order> = on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE orders SET state = 'case' WHERE id = $1 AND state IN ('paid', 'case')
         RETURNING",
        order_columns!()
    ))
    .bind(id.0)
    .fetch_optional(c)
    .await)?;
    let held = held.ok_or(StoreError::Inconsistent { table: "orders", column: "state" })?;
    let closing: Option<(ClosingId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT id FROM account_closures WHERE account_id = $1 ORDER BY begun_at DESC, id DESC LIMIT 1"
    )
    .bind(held.account_id)
    .fetch_optional(c)
    .await)?;
    let closing = closing.map(|(id,)| id);
    let case = UndeliverableCase { closing, channel: None, amount: held.amount };
    cases::open(tx, rng, at, None, Some(id), &CaseDetail::Undeliverable(case)).await?;
    Ok(held)
}

/// The account and meter in the room that an account moved to, where they take money.
pub(super) async fn follows(tx: &mut Tx, account: AccountId) -> Result<Option<(AccountId, MeterId)>> {
    match moved_to(tx, account).await? {
        Some((account, meter)) if accounts::takes(tx, account, meter).await? != Takes::No => Ok(Some((account, meter))),
        _ => Ok(None),
    }
}

async fn moved_to(tx: &mut Tx, account: AccountId) -> Result<Option<(AccountId, MeterId)>> {
    let row: Option<(Uuid, Uuid)> = on!(tx, |c| sqlx::query_as(
        "SELECT to_account_id, to_meter_id FROM account_closures
         WHERE account_id = $1 AND kind = 'move' AND to_account_id IS NOT NULL AND to_meter_id IS NOT NULL
         ORDER BY begun_at DESC LIMIT 1"
    )
    .bind(account.0)
    .fetch_optional(c)
    .await)?;
    Ok(row.map(|(account, meter)| (AccountId(account), MeterId(meter))))
}

/// Sends an order that is in no meter to another one. The caller has seen to it that this one takes money.
pub(super) async fn send(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    order: &Order,
    account: AccountId,
    meter: MeterId,
) -> Result<Order> {
    let sent: Option<Order> = on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE orders SET account_id = $2, meter_id = $3, state = 'paid' WHERE id = $1 AND state IN ('paid', 'case')
         RETURNING",
        order_columns!()
    ))
    .bind(order.id)
    .bind(account.0)
    .bind(meter.0)
    .fetch_optional(c)
    .await)?;
    let sent = sent.ok_or(AppError::Conflict)?;
    // What was given up for the old meter stays written, and is not this order's delivery any more.
    on!(tx, |c| sqlx::query("UPDATE commands SET order_id = NULL WHERE order_id = $1 AND state = 'superseded'")
        .bind(order.id)
        .execute(c)
        .await)?;
    resolve(tx, at, order.id, "sent-on").await?;
    if order.account_id != account {
        let transfer = reroute(rng.id(at), order.account_id, account, order.amount.money());
        ledger::post(tx, rng, at, &transfer).await?;
    }
    let wallet = wallets::kind(tx, meter).await?;
    credit(tx, rng, at, sent, wallet, None).await
}

async fn resolve(tx: &mut Tx, at: Timestamp, order: OrderId, resolution: &str) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, resolution = $2 WHERE order_id = $3 AND kind IN ($4, $5) AND closed_at IS NULL"
    )
    .bind(at.0)
    .bind(resolution)
    .bind(order.0)
    .bind(CaseKind::Undeliverable)
    .bind(CaseKind::Delivery)
    .execute(c)
    .await)?;
    Ok(())
}

/// The meter is gone: what was on its way into it is not sent any more, and waits for a person.
pub(crate) async fn hold_undeliverable(tx: &mut Tx, rng: &Rng, at: Timestamp, account: AccountId, meter: MeterId) -> Result<()> {
    let given_up: Vec<(Option<Uuid>,)> = on!(tx, |c| {
        sqlx::query_as(
            "UPDATE commands SET state = 'superseded', finished_at = $1, reason = $4
         WHERE meter_id = $2 AND account_id = $3 AND kind = 'credit'
             AND state IN ('queued', 'sending', 'case') RETURNING order_id",
        )
        .bind(at.0)
        .bind(meter.0)
        .bind(account.0)
        .bind(CommandReason::Counted)
        .fetch_all(c)
        .await
    })?;
    for order in given_up.into_iter().filter_map(|(order,)| order) {
        resolve(tx, at, OrderId(order), "counted").await?;
        hold(tx, rng, at, OrderId(order)).await?;
    }
    Ok(())
}

/// What could not reach a meter of an account goes into the one that took its place.
pub(crate) async fn follow(tx: &mut Tx, rng: &Rng, at: Timestamp, account: AccountId, from: MeterId, to: MeterId) -> Result<()> {
    let orders: Vec<Order> = on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE orders SET state = state WHERE account_id = $1 AND meter_id = $2 AND state = 'case'
         RETURNING",
        order_columns!()
    ))
    .bind(account.0)
    .bind(from.0)
    .fetch_all(c)
    .await)?;
    for order in orders {
        if waits(tx, order.id).await? {
            send(tx, rng, at, &order, account, to).await?;
        }
    }
    Ok(())
}

/// Whether an order waits for a person, and is not on its way back to who paid. The order is locked before, by a statement of
/// its own: on PostgreSQL one that waited for the lock still sees returns as they were when it began.
async fn waits(tx: &mut Tx, order: OrderId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM cases k WHERE k.order_id = $1 AND k.kind = $2 AND k.closed_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM returns r WHERE r.corrects_order = $1 AND r.state IN ('waiting', 'taken'))"
    )
    .bind(order.0)
    .bind(CaseKind::Undeliverable)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// A person sends an order that could not reach its meter into a meter of another account.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where it does not wait (any more) or goes back to who paid, [`AppError::AccountNotOpen`]
/// where the other account takes nothing.
pub async fn reassign(db: &Db, rng: &Rng, at: Timestamp, who: &Who, order: OrderId, to: AccountId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<Order> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "UPDATE orders SET state = state WHERE id = $1 AND state = 'case'
         RETURNING",
        order_columns!()
    ))
    .bind(order.0)
    .fetch_optional(c)
    .await)?;
    let found = found.ok_or(AppError::Conflict)?;
    if !waits(&mut tx, order).await? {
        return Err(AppError::Conflict.into());
    }
    let meter = accounts::first_that_takes(&mut tx, to).await?.ok_or(AppError::AccountNotOpen)?;
    send(&mut tx, rng, at, &found, to, meter).await?;
    let (actor, subject) = (format!("user:{}", who.user), format!("order:{order}"));
    let detail = serde_json::json!({
        "number": found.number.to_string(), "from": found.account_id, "to": to, "amount_fen": found.amount,
    });
    let entry =
        Entry { actor: &actor, ip: &who.ip, action: AuditAction::OrderReassign, subject: &subject, detail: &detail.to_string() };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// The orders of an account that wait for a person, oldest first.
pub async fn undeliverable_orders(db: &Db, account: AccountId) -> Result<Vec<Order>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        order_columns!("o."),
        "FROM orders o JOIN cases k ON k.order_id = o.id AND k.kind = $2 AND k.closed_at IS NULL
         WHERE o.account_id = $1 AND o.state = 'case' ORDER BY o.created_at, o.id"
    ))
    .bind(account.0)
    .bind(CaseKind::Undeliverable)
    .fetch_all(pool)
    .await)
}
