//! Deciding again where the balance of a closure goes, after a rejection or if the target account accepts no money.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::console::ClosingKind;
use model::error::AppError;
use model::ids::{AccountId, ClosingId};
use model::person::Who;
use model::time::Timestamp;

use super::{BalanceTarget, Closing, locked, meters_of, record};
use crate::{Db, Result, Tx, accounts, cases, on};

/// Stores the new target. A replacement that does not take place ends the meter's account this way.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Conflict`] if the balance is under way or the old meter was not read yet,
/// [`AppError::AccountNotOpen`] for an account that accepts no money, or [`AppError::Invalid`] for a tender of a channel.
pub async fn decide(db: &Db, at: Timestamp, who: &Who, id: ClosingId, goes: BalanceTarget) -> Result<()> {
    let mut tx = db.begin().await?;
    let closing = locked(&mut tx, id).await?;
    if closing.ended_at.is_some() || closing.read_at.is_none() {
        return Err(AppError::Conflict.into());
    }
    take_back(&mut tx, &closing).await?;
    let (tender, account) = match goes {
        BalanceTarget::Counter(tender) if tender.is_counter() => (Some(tender.as_str()), None),
        BalanceTarget::Counter(_) => return Err(AppError::Invalid.into()),
        BalanceTarget::Account(other) if other == closing.account_id => return Err(AppError::Invalid.into()),
        BalanceTarget::Account(other) => {
            accounts::first_that_takes(&mut tx, other).await?.ok_or(AppError::AccountNotOpen)?;
            (None, Some(other))
        }
    };
    let ends = closing.kind == ClosingKind::Replace;
    if ends {
        close_account(&mut tx, closing.account_id).await?;
    }
    on!(&mut tx, |c| sqlx::query(
        "UPDATE account_closures SET tender = $2, to_account_id = $3, to_meter_id = NULL, return_id = NULL,
                kind = CASE WHEN $4 THEN 'close' ELSE kind END, read_at = CASE WHEN $4 THEN NULL ELSE read_at END
         WHERE id = $1"
    )
    .bind(closing.id)
    .bind(tender)
    .bind(account.map(|id| id.0))
    .bind(ends)
    .execute(c)
    .await)?;
    for meter in meters_of(&mut tx, id).await? {
        cases::resolve(&mut tx, at, CaseKind::Closing, meter, "decided").await?;
    }
    let more = serde_json::json!({ "tender": tender, "to_account": account });
    record(&mut tx, at, Some(who), AuditAction::ClosingDecide, &closing, more).await?;
    tx.commit().await
}

/// Withdraws a return that waits for approval; one that can be paid out stays.
async fn take_back(tx: &mut Tx, closing: &Closing) -> Result<()> {
    let Some(before) = closing.return_id else { return Ok(()) };
    on!(tx, |c| sqlx::query("UPDATE returns SET state = 'cancelled' WHERE id = $1 AND state = 'waiting'")
        .bind(before)
        .execute(c)
        .await)?;
    let live: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM returns WHERE id = $1 AND state NOT IN ('rejected', 'cancelled', 'expired')"
    )
    .bind(before)
    .fetch_optional(c)
    .await)?;
    if live.is_some() { Err(AppError::Conflict.into()) } else { Ok(()) }
}

/// Closes the account of a meter that is not replaced, if it was the last.
async fn close_account(tx: &mut Tx, account: AccountId) -> Result<()> {
    // A statement of its own takes the lock: on PostgreSQL the next one then sees a meter that was added meanwhile.
    on!(tx, |c| sqlx::query("UPDATE accounts SET state = state WHERE id = $1").bind(account.0).execute(c).await)?;
    let closing = on!(tx, |c| sqlx::query(
        "UPDATE accounts SET state = 'closing' WHERE id = $1 AND state = 'open'
           AND NOT EXISTS (SELECT 1 FROM account_meters m WHERE m.account_id = accounts.id AND m.to_at IS NULL)"
    )
    .bind(account.0)
    .execute(c)
    .await)?;
    if closing == 1 { Ok(()) } else { Err(AppError::Conflict.into()) }
}
