//! Approving and rejecting refunds as the second person, withdrawing them, and delivering an order that was not refunded.

use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind, RefundCase, RefundReason, RefundTrouble};
use model::error::AppError;
use model::ids::{AccountId, MeterId, OrderId, RefundId, Uuid};
use model::order::Tender;
use model::person::Who;
use model::refund::{RefundSource, RefundState};
use model::time::Timestamp;

use super::{Refund, lock, record};
use crate::accounts::{self, Takes};
use crate::approvals::second_person;
use crate::audit::{self, Entry};
use crate::cases;
use crate::{Db, Result, StoreError, Tx, commands, ledger, on, read};
use domain::ledger::refund_release;
use domain::rng::Rng;

/// The first state after the approval.
pub(super) const fn begun(tender: Tender) -> RefundState {
    if tender.is_counter() { RefundState::Payable } else { RefundState::Sending }
}

/// Approves as the second person.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::SecondPerson`] for the person who asked or without permission, or [`AppError::Conflict`]
/// if it no longer waits.
pub async fn approve(db: &Db, at: Timestamp, who: &Who, id: RefundId) -> Result<Refund> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, None).await?;
    let state = begun(row.tender);
    let next = (state == RefundState::Sending).then_some(at.0);
    let moved =
        on!(&mut tx, |c| sqlx::query("UPDATE refunds SET state = $2, next_at = $3 WHERE id = $1 AND state IN ('waiting')")
            .bind(row.id)
            .bind(state.as_str())
            .bind(next)
            .execute(c)
            .await)?;
    one(moved)?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::RefundApprove, &row).await?;
    tx.commit().await?;
    super::find(db, id).await?.ok_or_else(|| AppError::NotFound.into())
}

/// Rejects as the second person.
///
/// # Errors
/// As [`approve`].
pub async fn reject(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: RefundId, why: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, Some(why)).await?;
    stop(&mut tx, rng, at, &row, RefundState::Rejected, RefundTrouble::Rejected).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::RefundReject, &row).await?;
    tx.commit().await
}

/// Withdraws a refund that waits for approval or for its payment at the cash desk. One that was sent to the channel cannot be
/// withdrawn, because it may have been executed.
///
/// # Errors
/// [`AppError::NotFound`], or [`AppError::Conflict`] if it is too late.
pub async fn cancel(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: RefundId) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    if !matches!(row.state, RefundState::Waiting | RefundState::Payable) {
        return Err(AppError::Conflict.into());
    }
    stop(&mut tx, rng, at, &row, RefundState::Cancelled, RefundTrouble::Cancelled).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::RefundCancel, &row).await?;
    tx.commit().await
}

/// Expires the requests that were not approved in time; returns their number.
pub async fn expire(db: &Db, rng: &Rng, at: Timestamp) -> Result<u64> {
    let over: Vec<(Uuid,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM refunds WHERE state = 'waiting' AND expires_at <= $1")
            .bind(at.0)
            .fetch_all(pool)
            .await)?;
    let mut ended = 0;
    for (id,) in over {
        let mut tx = db.begin().await?;
        let Some(row) = lock(&mut tx, RefundId(id)).await? else { continue };
        if row.state != RefundState::Waiting {
            continue;
        }
        stop(&mut tx, rng, at, &row, RefundState::Expired, RefundTrouble::Expired).await?;
        record(&mut tx, at, None, "", AuditAction::RefundExpire, &row).await?;
        tx.commit().await?;
        ended += 1;
    }
    Ok(ended)
}

/// Stores the decision; returns the refund as it was before.
async fn decide(tx: &mut Tx, at: Timestamp, who: &Who, id: RefundId, why: Option<&str>) -> Result<Refund> {
    let row = lock(tx, id).await?.ok_or(AppError::NotFound)?;
    if row.state != RefundState::Waiting || row.expires_at.is_none_or(|until| until <= at) {
        return Err(AppError::Conflict.into());
    }
    second_person(tx, at, who.user, row.asked_by.ok_or(AppError::Conflict)?).await?;
    on!(tx, |c| sqlx::query("UPDATE refunds SET decided_by = $2, decided_at = $3, note = $4 WHERE id = $1")
        .bind(id.0)
        .bind(who.user.0)
        .bind(at.0)
        .bind(why)
        .execute(c)
        .await)?;
    Ok(row)
}

/// Releases the reserved amount, and opens a case unless one exists.
async fn stop(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &Refund, to: RefundState, why: RefundTrouble) -> Result<()> {
    let moved = on!(tx, |c| sqlx::query("UPDATE refunds SET state = $2 WHERE id = $1 AND state IN ('waiting', 'payable')")
        .bind(row.id)
        .bind(to.as_str())
        .execute(c)
        .await)?;
    one(moved)?;
    release(tx, rng, at, row, why).await
}

/// Releases the reserved amount. An order waits for a person again.
pub(super) async fn release(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &Refund, why: RefundTrouble) -> Result<()> {
    if row.source == RefundSource::Order {
        let moved = on!(tx, |c| sqlx::query("UPDATE orders SET state = 'case' WHERE id = $1 AND state IN ('refunding')")
            .bind(row.order_id)
            .execute(c)
            .await)?;
        if moved != 1 {
            return Err(StoreError::Inconsistent { table: "orders", column: "state" });
        }
    }
    ledger::post(tx, rng, at, &refund_release(row.id.0, row.debited_account(), row.amount.money())).await?;
    let case = RefundCase {
        reason: Some(RefundReason::Trouble(why)),
        refund: Some(row.refund_no.clone()),
        channel: Some(row.tender),
        amount: row.amount,
    };
    cases::open(tx, rng, at, None, Some(row.order_id), &CaseDetail::Refund(case)).await
}

/// Delivers an order that was to be refunded and was not.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::AccountNotOpen`] if its meter no longer accepts money for it, or [`AppError::Conflict`] if
/// it does not wait for a person or was never to be refunded.
pub async fn deliver_again(db: &Db, at: Timestamp, who: &Who, order: OrderId) -> Result<()> {
    let mut tx = db.begin().await?;
    if !commands::send_after_all(&mut tx, at, order).await? {
        return Err(AppError::Conflict.into());
    }
    let row: Option<(Uuid, Uuid)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE orders SET state = 'paid' WHERE id = $1 AND state IN ('case') RETURNING account_id, meter_id"
    )
    .bind(order.0)
    .fetch_optional(c)
    .await)?;
    let (account, meter) = row.ok_or(AppError::Conflict)?;
    // A meter that is closed or leaves its account accepts no money; the order keeps waiting for a person.
    if accounts::takes(&mut tx, AccountId(account), MeterId(meter)).await? == Takes::No {
        return Err(AppError::AccountNotOpen.into());
    }
    cases::resolve_order(&mut tx, at, &[CaseKind::Refund, CaseKind::Undeliverable], order, "deliver").await?;
    let (actor, subject) = (format!("user:{}", who.user), format!("order:{order}"));
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::OrderDeliver, subject: &subject, detail: "{}" };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

const fn one(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table: "refunds", column: "state" }) }
}
