//! Log-ins by a code on the phone that a resident has confirmed. What a browser asks for is stored in the same way for a number
//! that nobody has: its log-in can be tried and fails.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::language::Lang;
use model::notification::{NotificationChannel, NotificationKind, NotificationValues, PhoneNumber, QuietHours};
use model::time::{HOUR, MINUTE, Timestamp};
use serde_json::json;
use sqlx::FromRow;
use store::audit::{self, Entry};
use store::notifications::{About, NewNotification, ask};
use store::sessions::{self, NewSession, TokenHash};
use store::{Db, Result, Tx, on, operators, read};

use domain::rng::Rng;

/// How long a code is valid, how often one may be tried, and how many are sent to a number in an hour.
const VALID: i64 = 5 * MINUTE;
const MOST_TRIES: i64 = 5;
const MOST_CODES: i64 = 5;

/// A log-in that was asked for.
#[derive(Clone, Debug)]
pub struct NewPhoneLogIn<'a> {
    /// Of the browser's token.
    pub token: TokenHash,
    pub phone: &'a PhoneNumber,
    pub code_hash: &'a [u8],
}

/// Stores a log-in whose number was not looked up yet.
pub async fn begin(db: &Db, at: Timestamp, new: &NewPhoneLogIn<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO phone_log_ins (token_hash, phone, code_hash, expires_at) VALUES ($1, $2, $3, $4)"
    )
    .bind(new.token.as_slice())
    .bind(new.phone.as_str())
    .bind(new.code_hash)
    .bind(at.plus(VALID))
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Sends the code to whoever has confirmed the number last, where a resident has; gives who.
pub async fn send_code(db: &Db, rng: &Rng, at: Timestamp, new: &NewPhoneLogIn<'_>, code: &str) -> Result<Option<UserId>> {
    let mut tx = db.begin().await?;
    let found: Option<(UserId, String)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT u.id, p.language FROM alert_addresses d
         JOIN users u ON u.id = d.user_id AND u.disabled_at IS NULL AND u.role = 'resident'
         JOIN alert_preferences p ON p.user_id = u.id
         WHERE d.channel = 'sms' AND d.address = $1
           AND (SELECT COUNT(*) FROM notifications n
                WHERE n.channel = 'sms' AND n.kind = 'log-in-code' AND n.address = $1 AND n.asked_at > $2) < $3
         ORDER BY d.verified_at DESC, u.id LIMIT 1"
    )
    .bind(new.phone.as_str())
    .bind(at.plus(-HOUR))
    .bind(MOST_CODES)
    .fetch_optional(c)
    .await)?;
    let Some((user, language)) = found else { return Ok(None) };
    on!(&mut tx, |c| sqlx::query("UPDATE phone_log_ins SET user_id = $2 WHERE token_hash = $1")
        .bind(new.token.as_slice())
        .bind(user)
        .execute(c)
        .await)?;
    let values = NotificationValues { code: code.to_owned(), ..NotificationValues::default() };
    let subject = rng.id(at).as_simple().to_string();
    let message = NewNotification {
        kind: NotificationKind::LogInCode,
        channel: NotificationChannel::Sms,
        user: Some(user),
        address: new.phone.as_str(),
        language: Lang::choose(&language).unwrap_or_default(),
        quiet: QuietHours::default(),
        about: About::default(),
        subject: &subject,
        values: &values,
    };
    ask(&mut tx, rng, at, &message).await?;
    tx.commit().await?;
    Ok(Some(user))
}

/// Whether a browser's log-in waits for its code.
pub async fn waits(db: &Db, token: &TokenHash, now: Timestamp) -> Result<bool> {
    let found: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT tries FROM phone_log_ins WHERE token_hash = $1 AND expires_at > $2 AND tries < $3"
    )
    .bind(token.as_slice())
    .bind(now)
    .bind(MOST_TRIES)
    .fetch_optional(pool)
    .await)?;
    Ok(found.is_some())
}

/// The outcome of a code that was typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneCodeOutcome {
    Right(UserId),
    /// Whose code it was, where the number is somebody's.
    Wrong(Option<UserId>),
    /// No code is awaited from this browser, it is too old, or it was tried too often.
    Ended,
}

#[derive(FromRow)]
struct WaitingRow {
    user_id: Option<UserId>,
    code_hash: Vec<u8>,
}

/// Checks a code by its hash. Each try counts, also of several at once.
pub async fn check_code(db: &Db, at: Timestamp, token: &TokenHash, hash: &[u8]) -> Result<PhoneCodeOutcome> {
    let mut tx = db.begin().await?;
    let row: Option<WaitingRow> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE phone_log_ins SET tries = tries + 1 WHERE token_hash = $1 AND expires_at > $2 AND tries < $3
         RETURNING user_id, code_hash"
    )
    .bind(token.as_slice())
    .bind(at)
    .bind(MOST_TRIES)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    let Some(row) = row else { return Ok(PhoneCodeOutcome::Ended) };
    Ok(match row.user_id.filter(|_| row.code_hash == hash) {
        Some(user) => PhoneCodeOutcome::Right(user),
        None => PhoneCodeOutcome::Wrong(row.user_id),
    })
}

/// Opens the session of somebody whose code was right; the code serves once.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`] where it was used meanwhile.
pub async fn open(db: &Db, at: Timestamp, token: &TokenHash, session: &NewSession) -> Result<()> {
    let mut tx = db.begin().await?;
    take(&mut tx, token, session.user).await?;
    sessions::log_in(&mut tx, at, session, AuditAction::SessionPhone).await?;
    tx.commit().await
}

/// Uses up a code that was right, before another step of the log-in.
///
/// # Errors
/// As [`open`].
pub async fn use_up(db: &Db, token: &TokenHash, user: UserId) -> Result<()> {
    let mut tx = db.begin().await?;
    take(&mut tx, token, user).await?;
    tx.commit().await
}

/// Replaces the password of somebody whose code was right, and ends all their sessions, links, API tokens and their binding of
/// WeChat; the code serves once.
///
/// # Errors
/// As [`open`].
pub async fn reset_password(
    db: &Db,
    at: Timestamp,
    token: &TokenHash,
    (user, password_hash): (UserId, &str),
    ip: &str,
) -> Result<()> {
    let mut tx = db.begin().await?;
    take(&mut tx, token, user).await?;
    let changed = on!(&mut tx, |c| {
        sqlx::query(
        "UPDATE users SET password_hash = $2, password_due = FALSE WHERE id = $1 AND disabled_at IS NULL AND role = 'resident'"
    )
    .bind(user)
    .bind(password_hash)
    .execute(c)
    .await
    })?;
    if changed == 0 {
        return Err(AppError::LinkEnded.into());
    }
    operators::withdraw(&mut tx, at, user).await?;
    let (ended, tokens) = sessions::end_all_access(&mut tx, at, user).await?;
    let (actor, detail) = (format!("user:{user}"), json!({ "sessions_ended": ended, "tokens_ended": tokens }).to_string());
    let action = AuditAction::UserPasswordPhone;
    audit::append(&mut tx, at, &Entry { actor: &actor, ip, action, subject: &actor, detail: &detail }).await?;
    tx.commit().await
}

/// All of a person's codes end with the one that was used. The person before their codes, as [`sessions::hold`] says.
async fn take(tx: &mut Tx, token: &TokenHash, user: UserId) -> Result<()> {
    let is_held = sessions::hold(tx, user).await?;
    let taken = on!(tx, |c| sqlx::query("DELETE FROM phone_log_ins WHERE token_hash = $1 AND user_id = $2")
        .bind(token.as_slice())
        .bind(user)
        .execute(c)
        .await)?;
    if !is_held || taken == 0 {
        return Err(AppError::LinkEnded.into());
    }
    on!(tx, |c| sqlx::query("DELETE FROM phone_log_ins WHERE user_id = $1").bind(user).execute(c).await)?;
    Ok(())
}
