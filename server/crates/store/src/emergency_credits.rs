//! Emergency credit: once in a period an account may go below zero by an amount. It is no money, only a limit, so the ledger
//! has nothing of it: what is used shows as a negative balance, which the next purchase covers.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, MeterId, UserId};
use model::money::Fen;
use model::time::{Date, Timestamp};
use serde_json::json;
use sqlx::FromRow;

use super::accounts::{self, Takes};
use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, read, wallets};
use domain::rng::Rng;

/// Somebody takes emergency credit.
#[derive(Clone, Debug)]
pub struct NewEmergencyCredit<'a> {
    pub account: AccountId,
    pub meter: MeterId,
    pub amount: Fen,
    /// The first day of the period.
    pub period_from: Date,
    pub by: UserId,
    /// For the audit chain.
    pub ip: &'a str,
}

/// Emergency credit that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct TakenCredit {
    pub amount_fen: Fen,
    pub taken_at: Timestamp,
    pub repaid_at: Option<Timestamp>,
}

/// The emergency credit that the account has not repaid, else the last one that it has taken since a period began.
pub async fn taken(db: &Db, account: AccountId, period_from: Date) -> Result<Option<TakenCredit>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT amount_fen, taken_at, repaid_at FROM emergency_credits
         WHERE account_id = $1 AND (repaid_at IS NULL OR taken_at >= $2)
         ORDER BY CASE WHEN repaid_at IS NULL THEN 0 ELSE 1 END, taken_at DESC LIMIT 1"
    )
    .bind(account)
    .bind(period_from.start())
    .fetch_optional(pool)
    .await)
}

/// Takes emergency credit, once in a period, with its audit line. The caller has checked that it was offered at that instant.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where it was taken in this period, or is not repaid, or where a purchase has come since;
/// as sales are for an account that takes no money.
pub async fn take(db: &Db, rng: &Rng, at: Timestamp, new: &NewEmergencyCredit<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let Takes::Open(_) = accounts::takes(&mut tx, new.account, new.meter).await? else {
        return Err(accounts::why_not_open(&mut tx, new.account).await?.into());
    };
    let stored = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO emergency_credits (id, account_id, meter_id, period_from, amount_fen, taken_by, taken_at)
         SELECT $1, $2, $3, $4, $5, $6, $7
         WHERE NOT EXISTS (SELECT 1 FROM emergency_credits e
                           WHERE e.account_id = $2 AND (e.repaid_at IS NULL OR e.taken_at >= $8))
           AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.account_id = $2 AND o.credited_at > $7)
         ON CONFLICT DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(new.account)
    .bind(new.meter)
    .bind(new.period_from)
    .bind(new.amount)
    .bind(new.by)
    .bind(at)
    .bind(new.period_from.start())
    .execute(c)
    .await)?;
    if stored == 0 {
        return Err(AppError::Conflict.into());
    }
    wallets::follow_emergency(&mut tx, rng, at, new.meter).await?;
    let entry = Entry {
        actor: &format!("user:{}", new.by),
        ip: new.ip,
        action: AuditAction::AccountEmergencyCredit,
        subject: &format!("meter:{}", new.meter),
        detail: &json!({ "account": new.account, "amount_fen": new.amount }).to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Repays emergency credit of a meter where a purchase has left its balance at zero or above. An account's server wallets share
/// one emergency credit.
pub(super) async fn repay(tx: &mut Tx, at: Timestamp, account: AccountId, meter: MeterId, balance: Fen) -> Result<()> {
    if balance < Fen::ZERO {
        return Ok(());
    }
    on!(tx, |c| sqlx::query(
        "UPDATE emergency_credits SET repaid_at = $1 WHERE account_id = $2 AND repaid_at IS NULL AND taken_at < $1
           AND (meter_id = $3 OR EXISTS (
                SELECT 1 FROM meters m JOIN meters b ON b.id = $3
                WHERE m.id = emergency_credits.meter_id AND m.wallet = 'server' AND b.wallet = 'server'))"
    )
    .bind(at)
    .bind(account)
    .bind(meter)
    .execute(c)
    .await)
    .map(drop)
}

/// A meter takes the place of another one: emergency credit that is not repaid goes with the account.
pub(super) async fn follow(tx: &mut Tx, from: MeterId, to: MeterId) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE emergency_credits SET meter_id = $2 WHERE meter_id = $1 AND repaid_at IS NULL")
        .bind(from)
        .bind(to)
        .execute(c)
        .await)
    .map(drop)
}
