//! The meters of an account: whether one takes money now, and one more.

use model::audit::AuditAction;
use model::console::AccountState;
use model::error::AppError;
use model::ids::{AccountId, MeterId, PlaceId, UserId, Uuid};
use model::meter::Wallet;
use model::person::Who;
use model::time::Timestamp;

use super::{Opened, attach};
use crate::audit::{self, Entry};
use crate::{Db, Result, Tx, on};
use domain::rng::Rng;

/// Whether a meter of an account takes money, and into which wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// It does, where its credit lives.
    Open(Wallet),
    /// It will: its account is being opened, and commands of a meter keep their order.
    Opening(Wallet),
    /// It is not, or will not be, a meter of that account.
    No,
}

/// Whether a meter of an account takes money. Locks the account's meter, and asks for the account only then: on PostgreSQL a
/// statement that waited for a lock still sees everything else as it was before.
pub(crate) async fn takes(tx: &mut Tx, account: AccountId, meter: MeterId) -> Result<Takes> {
    // SQLite has one writer.
    if let Tx::Postgres(connection) = tx {
        sqlx::query("SELECT FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL FOR NO KEY UPDATE")
            .bind(account)
            .bind(meter)
            .execute(&mut **connection)
            .await?;
    }
    takes_locked(tx, account, meter).await
}

/// [`takes`] of an account's meter that the transaction has locked.
pub(crate) async fn takes_locked(tx: &mut Tx, account: AccountId, meter: MeterId) -> Result<Takes> {
    let row: Option<(AccountState, i64, Wallet)> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT a.state, (SELECT COUNT(*) FROM account_closure_meters WHERE meter_id = $2 AND final_at IS NULL), m.wallet
             FROM account_meters here JOIN accounts a ON a.id = here.account_id JOIN meters m ON m.id = here.meter_id
             WHERE here.account_id = $1 AND here.meter_id = $2 AND here.to_at IS NULL",
        )
        .bind(account.0)
        .bind(meter.0)
        .fetch_optional(c)
        .await
    })?;
    let Some((state, 0, wallet)) = row else { return Ok(Takes::No) };
    Ok(match state {
        AccountState::Open => Takes::Open(wallet),
        AccountState::Opening => Takes::Opening(wallet),
        AccountState::Closing | AccountState::Closed => Takes::No,
    })
}

/// Why an account takes part in nothing that needs it open: it is being closed or moved, or there is none.
pub(crate) async fn why_not_open(tx: &mut Tx, account: AccountId) -> Result<AppError> {
    let row: Option<(AccountState,)> =
        on!(tx, |c| sqlx::query_as("SELECT state FROM accounts WHERE id = $1").bind(account.0).fetch_optional(c).await)?;
    Ok(match row {
        Some((AccountState::Closing,)) => AppError::AccountClosing,
        _ => AppError::AccountNotOpen,
    })
}

/// Gives an open account one more meter of its room.
///
/// # Errors
/// Refused with [`AppError::AccountNotOpen`], [`AppError::AccountAlreadyOpen`] for a meter that has an account,
/// [`AppError::NotFound`] for one that is not in service, [`AppError::Invalid`] for an instrument or a meter of another room,
/// or [`AppError::NoPrices`].
pub async fn add_meter(db: &Db, rng: &Rng, at: Timestamp, who: &Who, account: AccountId, meter: MeterId) -> Result<()> {
    let mut tx = db.begin().await?;
    attach_to(&mut tx, rng, at, account, meter, who.user).await?;
    let (actor, subject) = (format!("user:{}", who.user), format!("account:{account}"));
    let detail = serde_json::json!({ "meter": meter }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::AccountMeter, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// The same in the caller's transaction; the audit line is the caller's.
pub(crate) async fn attach_to(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    account: AccountId,
    meter: MeterId,
    by: UserId,
) -> Result<()> {
    let row: Option<(String, Uuid)> = on!(tx, |c| sqlx::query_as(
        "UPDATE accounts SET state = state WHERE id = $1 AND state = 'open' RETURNING number, place_id"
    )
    .bind(account.0)
    .fetch_optional(c)
    .await)?;
    let Some((number, place)) = row else { return Err(why_not_open(tx, account).await?.into()) };
    attach(tx, rng, at, &Opened { account, number, place: PlaceId(place), by }, meter).await
}

/// The first meter of an account that takes money.
pub(crate) async fn first_that_takes(tx: &mut Tx, account: AccountId) -> Result<Option<MeterId>> {
    let meters: Vec<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT meter_id FROM account_meters WHERE account_id = $1 AND to_at IS NULL ORDER BY from_at, meter_id"
    )
    .bind(account.0)
    .fetch_all(c)
    .await)?;
    for (meter,) in meters {
        if takes(tx, account, MeterId(meter)).await? != Takes::No {
            return Ok(Some(MeterId(meter)));
        }
    }
    Ok(None)
}
