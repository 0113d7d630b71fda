//! Second factors, recovery codes, and log-ins between their two steps.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::log_in::{LogIn, LogInMethod, SecondFactorProof};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use store::audit::{self, Entry};
use store::sessions::{self, NewSession, TokenHash};
use store::{Db, Result, Tx, on, read};

/// Codes that are tried in one log-in.
pub const TRIES: i64 = 5;

#[derive(Clone, Debug, FromRow)]
pub struct SecondFactor {
    /// As it is stored: encrypted.
    pub secret: Vec<u8>,
    /// `None` while it is being set up.
    pub confirmed_at: Option<Timestamp>,
    /// The newest time step whose code was accepted.
    pub last_step: i64,
}

/// What proves the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The code of this time step.
    Step(i64),
    /// The recovery code with this hash.
    Recovery(TokenHash),
}

/// A person's second factor, also while it is being set up.
pub async fn find(db: &Db, user: UserId) -> Result<Option<SecondFactor>> {
    read!(db, |pool| sqlx::query_as("SELECT secret, confirmed_at, last_step FROM second_factors WHERE user_id = $1")
        .bind(user)
        .fetch_optional(pool)
        .await)
}

/// Recovery codes that are not used.
pub async fn recovery_codes_left(db: &Db, user: UserId) -> Result<i64> {
    let left: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL")
            .bind(user)
            .fetch_optional(pool)
            .await)?;
    Ok(left.map_or(0, |(left,)| left))
}

/// Keeps a secret until a code confirms it; one that was not confirmed is replaced.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where the person has a second factor.
pub async fn prepare(db: &Db, at: Timestamp, user: UserId, secret: &[u8]) -> Result<()> {
    let mut tx = db.begin().await?;
    let kept = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO second_factors (user_id, secret, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
         WHERE second_factors.confirmed_at IS NULL"
    )
    .bind(user)
    .bind(secret)
    .bind(at)
    .execute(c)
    .await)?;
    if kept == 0 {
        return Err(AppError::Conflict.into());
    }
    tx.commit().await
}

/// Turns the second factor on, after the code of a time step of this secret, with new recovery codes. `checked` is the secret, as
/// it is stored, and the step.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where nothing is being set up, or another secret by now.
pub async fn confirm(db: &Db, at: Timestamp, who: &Who, checked: (&[u8], i64), codes: &[TokenHash]) -> Result<()> {
    let (secret, step) = checked;
    let mut tx = db.begin().await?;
    let confirmed = on!(&mut tx, |c| sqlx::query(
        "UPDATE second_factors SET confirmed_at = $2, last_step = $3
         WHERE user_id = $1 AND confirmed_at IS NULL AND secret = $4"
    )
    .bind(who.user)
    .bind(at)
    .bind(step)
    .bind(secret)
    .execute(c)
    .await)?;
    if confirmed == 0 {
        return Err(AppError::Conflict.into());
    }
    replace_codes(&mut tx, who.user, codes).await?;
    note(&mut tx, at, who, AuditAction::UserSecondFactor).await?;
    tx.commit().await
}

/// Gives new recovery codes in place of the earlier ones to somebody who has proved the password of this hash.
///
/// # Errors
/// As [`sessions::hold_proved`].
pub async fn renew_codes(db: &Db, at: Timestamp, who: &Who, password_hash: &str, codes: &[TokenHash]) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold_proved(&mut tx, who.user, password_hash).await?;
    replace_codes(&mut tx, who.user, codes).await?;
    note(&mut tx, at, who, AuditAction::UserRecoveryCodes).await?;
    tx.commit().await
}

/// Turns the second factor off for somebody who has proved the password of this hash.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is none, and as [`sessions::hold_proved`].
pub async fn turn_off(db: &Db, at: Timestamp, who: &Who, password_hash: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold_proved(&mut tx, who.user, password_hash).await?;
    if !delete(&mut tx, who.user).await? {
        return Err(AppError::NotFound.into());
    }
    note(&mut tx, at, who, AuditAction::UserSecondFactorOff).await?;
    tx.commit().await
}

/// Removes somebody's second factor, who lost it, and ends their sessions; `actor` is who did it, for the audit chain. An
/// operator has to choose another password: beside the second factor a short one was enough, and nobody knows how long it is.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where nobody logs in by that name, or without a second factor.
pub async fn remove(db: &Db, at: Timestamp, login: &str, actor: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<(UserId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM users WHERE login = $1").bind(login).fetch_optional(c).await)?;
    let (user,) = found.ok_or(AppError::NotFound)?;
    sessions::hold(&mut tx, user).await?;
    if !delete(&mut tx, user).await? {
        return Err(AppError::NotFound.into());
    }
    on!(&mut tx, |c| sqlx::query("UPDATE users SET password_due = TRUE WHERE id = $1 AND role <> 'resident'")
        .bind(user)
        .execute(c)
        .await)?;
    let ended = sessions::end_all(&mut tx, user).await?;
    let (subject, detail) = (format!("user:{user}"), format!(r#"{{"sessions_ended":{ended}}}"#));
    let action = AuditAction::UserSecondFactorRemoved;
    audit::append(&mut tx, at, &Entry { actor, ip: "", action, subject: &subject, detail: &detail }).await?;
    tx.commit().await
}

async fn delete(tx: &mut Tx, user: UserId) -> Result<bool> {
    on!(tx, |c| sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user).execute(c).await)?;
    let deleted = on!(tx, |c| sqlx::query("DELETE FROM second_factors WHERE user_id = $1").bind(user).execute(c).await)?;
    Ok(deleted > 0)
}

async fn replace_codes(tx: &mut Tx, user: UserId, codes: &[TokenHash]) -> Result<()> {
    on!(tx, |c| sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user).execute(c).await)?;
    for code in codes {
        on!(tx, |c| sqlx::query("INSERT INTO recovery_codes (user_id, code_hash) VALUES ($1, $2)")
            .bind(user)
            .bind(code.as_slice())
            .execute(c)
            .await)?;
    }
    Ok(())
}

async fn note(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("user:{}", who.user)), &json!({})).await
}

/// A log-in whose first step is done.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct FirstStep {
    #[sqlx(rename = "user_id")]
    pub user: UserId,
    pub method: LogInMethod,
}

/// Remembers the first step, until the second factor comes.
pub async fn begin(db: &Db, at: Timestamp, first: &FirstStep, token: &TokenHash, expires: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    begin_within(&mut tx, at, first, token, expires).await?;
    tx.commit().await
}

pub(crate) async fn begin_within(
    tx: &mut Tx,
    at: Timestamp,
    first: &FirstStep,
    token: &TokenHash,
    expires: Timestamp,
) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO log_in_steps (token_hash, user_id, created_at, expires_at, method) VALUES ($1, $2, $3, $4, $5)"
    )
    .bind(token.as_slice())
    .bind(first.user)
    .bind(at)
    .bind(expires)
    .bind(first.method)
    .execute(c)
    .await)?;
    Ok(())
}

/// Counts a try before the code is looked at, and says whose log-in it is; `None` where it has expired or was tried too often.
pub async fn count_try(db: &Db, token: &TokenHash, now: Timestamp) -> Result<Option<UserId>> {
    let mut tx = db.begin().await?;
    let found: Option<(UserId,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE log_in_steps SET tries = tries + 1 WHERE token_hash = $1 AND expires_at > $2 AND tries < $3 RETURNING user_id"
    )
    .bind(token.as_slice())
    .bind(now)
    .bind(TRIES)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    Ok(found.map(|(user,)| user))
}

/// The log-in that waits for its second factor.
pub async fn waits(db: &Db, token: &TokenHash, now: Timestamp) -> Result<Option<FirstStep>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT user_id, method FROM log_in_steps WHERE token_hash = $1 AND expires_at > $2 AND tries < $3"
    )
    .bind(token.as_slice())
    .bind(now)
    .bind(TRIES)
    .fetch_optional(pool)
    .await)
}

/// Completes a log-in: takes the proof, which serves once and is noted with the session, and opens it.
///
/// # Errors
/// Refused with [`AppError::WrongCode`] where the proof was used before or is none.
pub async fn complete(db: &Db, at: Timestamp, step: &TokenHash, proof: Proof, session: &NewSession) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold(&mut tx, session.user).await?;
    let ended = on!(&mut tx, |c| sqlx::query("DELETE FROM log_in_steps WHERE token_hash = $1 AND user_id = $2")
        .bind(step.as_slice())
        .bind(session.user)
        .execute(c)
        .await)?;
    let (taken, given) = match proof {
        Proof::Step(step) => (
            on!(&mut tx, |c| sqlx::query(
                "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL"
            )
            .bind(session.user)
            .bind(step)
            .execute(c)
            .await)?,
            SecondFactorProof::Code,
        ),
        Proof::Recovery(hash) => (
            on!(&mut tx, |c| sqlx::query(
                "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL"
            )
            .bind(session.user)
            .bind(hash.as_slice())
            .bind(at)
            .execute(c)
            .await)?,
            SecondFactorProof::RecoveryCode,
        ),
    };
    if ended != 1 || taken != 1 {
        return Err(AppError::WrongCode.into());
    }
    let log_in = LogIn { second_factor: Some(given), ..session.log_in };
    sessions::log_in(&mut tx, at, &NewSession { log_in, ..session.clone() }, AuditAction::SessionOpen).await?;
    tx.commit().await
}
