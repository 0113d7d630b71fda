//! Who may log in for an account.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, UserId, Uuid};
use model::person::Who;
use model::time::Timestamp;

use super::NewResident;
use super::meters::why_not_open;
use crate::audit::{self, Entry};
use crate::{Db, Result, StoreError, Tx, on, users};
use domain::rng::Rng;
use serde_json::{Value, json};

/// Somebody who moves in.
#[derive(Clone, Debug)]
pub enum ResidentToAdd {
    /// Never lived here.
    New(NewResident),
    /// Logs in by this name already, and has no account now.
    Known(String),
}

/// Lets a person log in for an account that is not closed.
///
/// # Errors
/// Refused with [`AppError::AccountNotOpen`], [`AppError::LoginTaken`], [`AppError::NotFound`] for a known resident who is
/// none, or [`AppError::HasAccount`] for one who has an account.
pub async fn add_resident(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    account: AccountId,
    newcomer: &ResidentToAdd,
) -> Result<()> {
    let mut tx = db.begin().await?;
    lock_open(&mut tx, account).await?;
    let login = match newcomer {
        ResidentToAdd::New(resident) => {
            insert(&mut tx, rng, at, account, resident).await?;
            &resident.login
        }
        ResidentToAdd::Known(login) => {
            let user = resident_by_login(&mut tx, login).await?.ok_or(AppError::NotFound)?;
            link(&mut tx, at, account, user).await?;
            login
        }
    };
    record(&mut tx, at, who, account, AuditAction::AccountResident, &json!({ "login": login })).await?;
    tx.commit().await
}

/// Ends a person's access to an account; everything else stays.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where it is not theirs (any more).
pub async fn remove_resident(db: &Db, at: Timestamp, who: &Who, account: AccountId, login: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let user: Option<(UserId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM users WHERE login = $1").bind(login).fetch_optional(c).await)?;
    let (user,) = user.ok_or(AppError::NotFound)?;
    leave(&mut tx, at, account, user).await?;
    record(&mut tx, at, who, account, AuditAction::AccountResidentOut, &json!({ "login": login })).await?;
    tx.commit().await
}

/// Ends a person's access and their tokens, in the caller's transaction, who writes the audit line.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where it is not theirs (any more).
pub async fn leave(tx: &mut Tx, at: Timestamp, account: AccountId, user: UserId) -> Result<()> {
    let ended = on!(tx, |c| sqlx::query(
        "UPDATE account_residents SET to_at = $1 WHERE account_id = $2 AND to_at IS NULL AND user_id = $3"
    )
    .bind(at.0)
    .bind(account.0)
    .bind(user)
    .execute(c)
    .await)?;
    if ended != 1 {
        return Err(AppError::NotFound.into());
    }
    revoke_tokens(tx, at, account).await
}

/// Ends the tokens of those who lived there and have no room now.
async fn revoke_tokens(tx: &mut Tx, at: Timestamp, account: AccountId) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE api_tokens SET revoked_at = $1
         WHERE revoked_at IS NULL AND user_id IN (SELECT user_id FROM account_residents WHERE account_id = $2)
           AND NOT EXISTS (SELECT 1 FROM account_residents r WHERE r.user_id = api_tokens.user_id AND r.to_at IS NULL)"
    )
    .bind(at.0)
    .bind(account.0)
    .execute(c)
    .await)?;
    Ok(())
}

/// A new person, and their access, in the caller's transaction.
pub async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, account: AccountId, resident: &NewResident) -> Result<UserId> {
    users::check_login(&resident.login)?;
    let user = UserId(rng.id(at));
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO users (id, role, login, name, password_hash, created_at, password_due)
         VALUES ($1, 'resident', $2, $3, $4, $5, $4 <> '')
         ON CONFLICT (login) DO NOTHING"
    )
    .bind(user.0)
    .bind(&resident.login)
    .bind(&resident.name)
    .bind(&resident.password_hash)
    .bind(at.0)
    .execute(c)
    .await)?;
    if inserted == 0 {
        return Err(StoreError::Refused(AppError::LoginTaken));
    }
    link(tx, at, account, user).await?;
    Ok(user)
}

/// Ends the access of all who have it, in the caller's transaction.
pub(crate) async fn end(tx: &mut Tx, at: Timestamp, account: AccountId) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE account_residents SET to_at = $1 WHERE account_id = $2 AND to_at IS NULL")
        .bind(at.0)
        .bind(account.0)
        .execute(c)
        .await)?;
    revoke_tokens(tx, at, account).await
}

/// Whoever had access to one account has it to another instead, in the caller's transaction.
pub(crate) async fn pass_on(tx: &mut Tx, at: Timestamp, from: AccountId, to: AccountId) -> Result<()> {
    let rows: Vec<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE account_residents SET to_at = $1 WHERE account_id = $2 AND to_at IS NULL RETURNING user_id"
    )
    .bind(at.0)
    .bind(from.0)
    .fetch_all(c)
    .await)?;
    for (user,) in rows {
        link(tx, at, to, UserId(user)).await?;
    }
    // Their schedules go with them to the next room.
    on!(tx, |c| sqlx::query("UPDATE switch_schedules SET account_id = $2 WHERE account_id = $1")
        .bind(from.0)
        .bind(to.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// The access of somebody who has a log-in already, in the caller's transaction.
///
/// # Errors
/// Refused with [`AppError::HasAccount`].
pub async fn link(tx: &mut Tx, at: Timestamp, account: AccountId, user: UserId) -> Result<()> {
    let linked: Result<u64> =
        on!(tx, |c| sqlx::query("INSERT INTO account_residents (account_id, user_id, from_at) VALUES ($1, $2, $3)")
            .bind(account.0)
            .bind(user.0)
            .bind(at.0)
            .execute(c)
            .await);
    linked.map(drop).map_err(|error| error.or_first(AppError::HasAccount))
}

async fn resident_by_login(tx: &mut Tx, login: &str) -> Result<Option<UserId>> {
    let row: Option<(Uuid,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM users WHERE login = $1 AND role = 'resident' AND disabled_at IS NULL")
            .bind(login)
            .fetch_optional(c)
            .await)?;
    Ok(row.map(|(id,)| UserId(id)))
}

/// Locks an account that is not closed until the transaction ends: the update changes nothing.
///
/// # Errors
/// Refused with why it is not open.
pub async fn lock_open(tx: &mut Tx, account: AccountId) -> Result<()> {
    let open = on!(tx, |c| sqlx::query("UPDATE accounts SET state = state WHERE id = $1 AND state IN ('opening', 'open')")
        .bind(account.0)
        .execute(c)
        .await)?;
    if open == 1 { Ok(()) } else { Err(why_not_open(tx, account).await?.into()) }
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, account: AccountId, action: AuditAction, detail: &Value) -> Result<()> {
    let (actor, subject) = (format!("user:{}", who.user), format!("account:{account}"));
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail: &detail.to_string() }).await
}
