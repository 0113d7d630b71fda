//! Withdrawing a closure of which nothing has happened yet: no command was sent, no meter read, and no money moved.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::console::ClosingKind;
use model::error::AppError;
use model::ids::{AccountId, ClosingId, CommandId, MeterId, Uuid};
use model::money::Money;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;

use super::{Closing, locked, record};
use crate::{Db, Result, StoreError, Tx, accounts, cases, commands, ledger, on, orders, wallets};
use domain::ledger::Account;
use domain::rng::Rng;

/// Withdraws it. The meters stay with their account, which accepts money again; payments that arrived meanwhile are delivered.
///
/// # Errors
/// [`AppError::NotFound`], or [`AppError::TooLate`] if a command was sent, a meter was read, or the account in the
/// new room is in use.
pub async fn withdraw(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: ClosingId) -> Result<()> {
    let mut tx = db.begin().await?;
    let closing = locked(&mut tx, id).await?;
    if closing.read_at.is_some() || closing.ended_at.is_some() {
        return Err(AppError::TooLate.into());
    }
    let meters = keep_meters(&mut tx, at, id).await?;
    if let (ClosingKind::Move, Some(to)) = (closing.kind, closing.to_account_id) {
        leave_new_room(&mut tx, rng, at, &closing, to).await?;
    }
    if closing.kind != ClosingKind::Replace {
        reopen(&mut tx, closing.account_id).await?;
    }
    on!(&mut tx, |c| {
        sqlx::query(
            "UPDATE account_closures SET read_at = $2, ended_at = $2, withdrawn_by = $3, to_account_id = NULL, to_meter_id = NULL
            WHERE id = $1",
        )
        .bind(id.0)
        .bind(at.0)
        .bind(who.user.0)
        .execute(c)
        .await
    })?;
    for meter in &meters {
        cases::resolve(&mut tx, at, CaseKind::Closing, *meter, "withdrawn").await?;
        orders::follow(&mut tx, rng, at, closing.account_id, *meter, *meter).await?;
    }
    let more = json!({ "meters": meters, "to_account": closing.to_account_id, "to_meter": closing.to_meter_id });
    record(&mut tx, at, Some(who), AuditAction::ClosingWithdraw, &closing, more).await?;
    tx.commit().await
}

/// Keeps the meters in the account, if none has ended and no `close` command was sent.
async fn keep_meters(tx: &mut Tx, at: Timestamp, id: ClosingId) -> Result<Vec<MeterId>> {
    let rows: Vec<(Uuid, Option<Uuid>, Option<i64>)> = on!(tx, |c| sqlx::query_as(
        "SELECT meter_id, command_id, final_at FROM account_closure_meters WHERE closure_id = $1 ORDER BY id"
    )
    .bind(id.0)
    .fetch_all(c)
    .await)?;
    for (_, command, ended) in &rows {
        let untouched = match command {
            _ if ended.is_some() => false,
            Some(command) => commands::cancel_unsent(tx, at, CommandId(*command)).await?,
            None => true,
        };
        if !untouched {
            return Err(AppError::TooLate.into());
        }
    }
    on!(tx, |c| sqlx::query("UPDATE account_closure_meters SET final_at = $2 WHERE closure_id = $1")
        .bind(id.0)
        .bind(at.0)
        .execute(c)
        .await)?;
    Ok(rows.into_iter().map(|(meter, ..)| MeterId(meter)).collect())
}

/// Ends the unused account in the new room and moves its residents back.
async fn leave_new_room(tx: &mut Tx, rng: &Rng, at: Timestamp, closing: &Closing, to: AccountId) -> Result<()> {
    let meters: Vec<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE account_meters SET to_at = $2 WHERE account_id = $1 AND to_at IS NULL RETURNING meter_id"
    )
    .bind(to.0)
    .bind(at.0)
    .fetch_all(c)
    .await)?;
    let ended = on!(tx, |c| sqlx::query(
        "UPDATE accounts SET state = 'closed', closed_at = $2 WHERE id = $1 AND state = 'opening'
           AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.account_id = accounts.id)"
    )
    .bind(to.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    let opening: Vec<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM commands WHERE account_id = $1 AND kind = 'open' AND state <> 'superseded'")
            .bind(to.0)
            .fetch_all(c)
            .await)?;
    let mut untouched = ended == 1;
    for (command,) in opening {
        untouched &= commands::cancel_unsent(tx, at, CommandId(command)).await?;
    }
    for account in [Account::Wallet(to), Account::InMeter(to), Account::Paid(to)] {
        untouched &= ledger::balance(tx, &account).await? == Money::ZERO;
    }
    for (meter,) in meters {
        untouched &= wallets::leave(tx, rng, at, to, MeterId(meter), at).await?;
    }
    if !untouched {
        return Err(AppError::TooLate.into());
    }
    accounts::pass_residents_on(tx, at, to, closing.account_id).await
}

/// Reopens the account: open if one of its meters has begun, otherwise opening.
async fn reopen(tx: &mut Tx, account: AccountId) -> Result<()> {
    let reopened = on!(tx, |c| sqlx::query(
        "UPDATE accounts SET state = CASE WHEN EXISTS (
             SELECT 1 FROM account_meters am JOIN meters m ON m.id = am.meter_id
                    LEFT JOIN wallets w ON w.meter_id = am.meter_id AND w.account_id = am.account_id
             WHERE am.account_id = accounts.id AND am.to_at IS NULL
               AND ((m.wallet = 'meter' AND am.epoch > 0) OR w.started_at IS NOT NULL)) THEN 'open' ELSE 'opening' END
         WHERE id = $1 AND state = 'closing'"
    )
    .bind(account.0)
    .execute(c)
    .await)?;
    if reopened == 1 { Ok(()) } else { Err(StoreError::Inconsistent { table: "accounts", column: "state" }) }
}
