//! The end of a return: the meter's confirmation, and the payout.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{ReturnId, Uuid};
use model::money::Fen;
use model::order::ReturnState;
use model::person::Who;
use model::time::Timestamp;

use super::{Return, Source, find, lock, owed, record};
use crate::receipts::{self, ReceiptSubject};
use crate::shifts::{self, Entered};
use crate::{Db, Result, Tx, closings, ledger, on};
use domain::ledger::{payout, payout_of_carried};
use domain::rng::Rng;

/// Records the payout of a confirmed return. A repetition changes nothing.
///
/// # Errors
/// [`AppError::NotFound`], or [`AppError::Conflict`] if it cannot be paid out.
pub async fn pay_out(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ReturnId) -> Result<Return> {
    // Read before the transaction: inside, it would need a second connection. The closure of a return never changes.
    let found = find(db, id).await?.ok_or(AppError::NotFound)?;
    let mut tx = db.begin().await?;
    // Locks the closure before its return, as settling does, so that the two cannot deadlock.
    if let Some(closing) = found.closure_id {
        closings::lock(&mut tx, closing).await?;
    }
    let row = lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    match row.state {
        ReturnState::Done => return Ok(row),
        // A sale through a channel is refunded through it, or by a refund at the cash desk.
        ReturnState::Taken if row.tender.is_counter() => {}
        _ => return Err(AppError::Conflict.into()),
    }
    on!(&mut tx, |c| sqlx::query(
        "UPDATE returns SET state = 'done', settled_by = $2, settled_at = $3 WHERE id = $1 AND state IN ('taken')"
    )
    .bind(row.id)
    .bind(who.user.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    shifts::note(&mut tx, rng, at, who.user, Entered::Payout(row.id)).await?;
    let (account, tender, amount) = (row.account_id, row.tender, row.amount.money());
    let transfer = match row.source {
        Source::Wallet | Source::Order => payout(row.id.0, tender, account, amount),
        Source::Closing => payout_of_carried(row.id.0, tender, amount),
    };
    match (row.source, row.closure_id) {
        (Source::Order, _) => owed::sale_is_back(&mut tx, at, &row).await?,
        (Source::Closing, Some(closing)) => closings::paid_out(&mut tx, at, closing, row.id).await?,
        _ => {}
    }
    ledger::post(&mut tx, rng, at, &transfer).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::ReturnPay, &row).await?;
    receipts::issue(&mut tx, at, Some(who.user), ReceiptSubject::Return(row.id)).await?;
    let row = lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(row)
}

/// Records that the meter confirmed a debit. The command may belong to something else than a return.
pub(crate) async fn taken(tx: &mut Tx, at: Timestamp, command: Uuid, count: Option<i64>, left: Fen) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE returns SET state = 'taken', taken_at = $2, count = $3, remaining_fen = $4
         WHERE command_id = $1 AND state IN ('taking', 'case')"
    )
    .bind(command)
    .bind(at.0)
    .bind(count)
    .bind(left.0)
    .execute(c)
    .await)?;
    Ok(())
}

/// Records that the meter refused or is gone: nothing was debited, nothing is paid out.
pub(crate) async fn declined(tx: &mut Tx, command: Uuid, why: &str) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE returns SET state = 'refused', note = $2 WHERE command_id = $1 AND state IN ('taking', 'case')"
    )
    .bind(command)
    .bind(why)
    .execute(c)
    .await)?;
    Ok(())
}

/// Records that the result of the debit is unknown and a person must decide.
pub(crate) async fn held_back(tx: &mut Tx, command: Uuid) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE returns SET state = 'case' WHERE command_id = $1 AND state IN ('taking')")
        .bind(command)
        .execute(c)
        .await)?;
    Ok(())
}

/// Records that a person had the command tried again.
pub(crate) async fn taken_up(tx: &mut Tx, command: Uuid) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE returns SET state = 'taking' WHERE command_id = $1 AND state IN ('case')")
        .bind(command)
        .execute(c)
        .await)?;
    Ok(())
}
