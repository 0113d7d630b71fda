//! Approving and rejecting returns as the second person, and withdrawing a request.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{ReturnId, Uuid};
use model::order::ReturnState;
use model::person::Who;
use model::time::Timestamp;

use super::ask::begin;
use super::{Return, find, lock, record};
use crate::approvals::second_person;
use crate::{Db, Result, Tx, commands, on, read};
use domain::order::Limits;
use domain::rng::Rng;

/// Approves as the second person; the return begins in the same transaction.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::SecondPerson`] for the person who asked or without permission, [`AppError::Conflict`] if
/// it no longer waits, and those of [`super::ask`] if something has changed meanwhile.
pub async fn approve(db: &Db, rng: &Rng, at: Timestamp, limits: &Limits, who: &Who, id: ReturnId) -> Result<Return> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, None).await?;
    let row = begin(&mut tx, rng, at, limits, &row, &who.ip).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::ReturnApprove, &row).await?;
    tx.commit().await?;
    Ok(row)
}

/// Rejects as the second person.
///
/// # Errors
/// As [`approve`].
pub async fn reject(db: &Db, at: Timestamp, who: &Who, id: ReturnId, why: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, Some(why)).await?;
    finish(&mut tx, &row, ReturnState::Waiting, ReturnState::Rejected).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::ReturnReject, &row).await?;
    tx.commit().await
}

/// Stores the decision; returns the return as it was before.
async fn decide(tx: &mut Tx, at: Timestamp, who: &Who, id: ReturnId, why: Option<&str>) -> Result<Return> {
    let row = lock(tx, id).await?.ok_or(AppError::NotFound)?;
    if row.state != ReturnState::Waiting || row.expires_at.is_none_or(|until| until <= at) {
        return Err(AppError::Conflict.into());
    }
    second_person(tx, at, who.user, row.asked_by).await?;
    on!(tx, |c| sqlx::query("UPDATE returns SET decided_by = $2, decided_at = $3, note = $4 WHERE id = $1")
        .bind(id.0)
        .bind(who.user.0)
        .bind(at.0)
        .bind(why)
        .execute(c)
        .await)?;
    Ok(row)
}

async fn finish(tx: &mut Tx, row: &Return, from: ReturnState, to: ReturnState) -> Result<()> {
    let moved = on!(tx, |c| sqlx::query("UPDATE returns SET state = $3 WHERE id = $1 AND state = $2")
        .bind(row.id)
        .bind(from.as_str())
        .bind(to.as_str())
        .execute(c)
        .await)?;
    if moved == 1 { Ok(()) } else { Err(AppError::Conflict.into()) }
}

/// Withdraws a request that waits for approval, or whose command was not sent yet, for example to a lost meter.
///
/// # Errors
/// [`AppError::NotFound`], or [`AppError::Conflict`] if it is too late.
pub async fn cancel(db: &Db, at: Timestamp, who: &Who, id: ReturnId) -> Result<()> {
    let row = find(db, id).await?.ok_or(AppError::NotFound)?;
    let mut tx = db.begin().await?;
    let from = row.state;
    let unsent = match (from, row.command_id) {
        (ReturnState::Waiting, _) => true,
        // Locks the command before its return, as settling does, so that the two cannot deadlock.
        (ReturnState::Taking, Some(command)) => commands::cancel_unsent(&mut tx, at, command).await?,
        _ => false,
    };
    if !unsent {
        return Err(AppError::Conflict.into());
    }
    finish(&mut tx, &row, from, ReturnState::Cancelled).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::ReturnCancel, &row).await?;
    tx.commit().await
}

/// Expires the requests that were not approved in time; returns their number. Those before a failure stay expired.
pub async fn expire(db: &Db, at: Timestamp) -> Result<u64> {
    let over: Vec<(Uuid,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM returns WHERE state = 'waiting' AND expires_at <= $1")
            .bind(at.0)
            .fetch_all(pool)
            .await)?;
    let mut ended = 0;
    for (id,) in over {
        let mut tx = db.begin().await?;
        let Some(row) = lock(&mut tx, ReturnId(id)).await? else { continue };
        if row.state != ReturnState::Waiting {
            continue;
        }
        finish(&mut tx, &row, ReturnState::Waiting, ReturnState::Expired).await?;
        record(&mut tx, at, None, "", AuditAction::ReturnExpire, &row).await?;
        tx.commit().await?;
        ended += 1;
    }
    Ok(ended)
}
