//! Log-ins by WeChat: the account that a resident has bound, and sign-ins at WeChat that have not come back. A sign-in belongs
//! to the browser that was sent there, ends after some minutes, and serves once.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::person::Who;
use model::time::{MINUTE, Timestamp};
use serde_json::json;
use store::audit::record;
use store::sessions::{self, NewSession, TokenHash};
use store::{Db, Result, on, read};

/// How long a sign-in at WeChat may take.
const VALID: i64 = 10 * MINUTE;

/// A sign-in at WeChat.
#[derive(Clone, Copy, Debug)]
pub struct WechatSignIn {
    /// The hash of the token in the browser's cookie.
    pub token: TokenHash,
    /// The hash of the state that WeChat gives back.
    pub state: TokenHash,
    /// The resident who binds their account; `None` where somebody logs in.
    pub user: Option<UserId>,
}

/// Begins the sign-in of a browser that is sent to WeChat, in place of an earlier one. Who binds their account has proved the
/// password of this hash.
///
/// # Errors
/// As [`sessions::hold_proved`].
pub async fn begin(db: &Db, at: Timestamp, sign_in: &WechatSignIn, password_hash: Option<&str>) -> Result<()> {
    let mut tx = db.begin().await?;
    if let Some((user, password_hash)) = sign_in.user.zip(password_hash) {
        sessions::hold_proved(&mut tx, user, password_hash).await?;
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO wechat_sign_ins (token_hash, state_hash, user_id, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (token_hash) DO UPDATE SET state_hash = excluded.state_hash, user_id = excluded.user_id,
             expires_at = excluded.expires_at"
    )
    .bind(sign_in.token.as_slice())
    .bind(sign_in.state.as_slice())
    .bind(sign_in.user)
    .bind(at.plus(VALID))
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Ends the sign-in of a browser that comes back; gives whether there was one, in time and for this purpose.
pub async fn end(db: &Db, at: Timestamp, sign_in: &WechatSignIn) -> Result<bool> {
    let mut tx = db.begin().await?;
    let ended: Option<(Option<UserId>,)> = on!(&mut tx, |c| sqlx::query_as(
        "DELETE FROM wechat_sign_ins WHERE token_hash = $1 AND state_hash = $2 AND expires_at > $3 RETURNING user_id"
    )
    .bind(sign_in.token.as_slice())
    .bind(sign_in.state.as_slice())
    .bind(at)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    Ok(ended.is_some_and(|(user,)| user == sign_in.user))
}

/// The resident who has bound the account, if they may log in.
pub async fn resident(db: &Db, openid: &str) -> Result<Option<UserId>> {
    let found: Option<(UserId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT b.user_id FROM wechat_bindings b
         JOIN users u ON u.id = b.user_id AND u.disabled_at IS NULL AND u.role = 'resident'
         WHERE b.openid = $1"
    )
    .bind(openid)
    .fetch_optional(pool)
    .await)?;
    Ok(found.map(|(user,)| user))
}

/// Opens the session of somebody whom WeChat has named.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where they were disabled or took the binding back meanwhile.
pub async fn open(db: &Db, at: Timestamp, openid: &str, session: &NewSession) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold(&mut tx, session.user).await?;
    let bound: Option<(UserId,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT b.user_id FROM wechat_bindings b JOIN users u ON u.id = b.user_id AND u.disabled_at IS NULL
         WHERE b.openid = $1 AND b.user_id = $2"
    )
    .bind(openid)
    .bind(session.user)
    .fetch_optional(c)
    .await)?;
    if bound.is_none() {
        return Err(AppError::NotFound.into());
    }
    sessions::log_in(&mut tx, at, session, AuditAction::SessionWechat).await?;
    tx.commit().await
}

/// When a resident bound their account.
pub async fn bound_at(db: &Db, user: UserId) -> Result<Option<Timestamp>> {
    let found: Option<(Timestamp,)> =
        read!(db, |pool| sqlx::query_as("SELECT bound_at FROM wechat_bindings WHERE user_id = $1")
            .bind(user)
            .fetch_optional(pool)
            .await)?;
    Ok(found.map(|(at,)| at))
}

/// Lets a resident log in by this account alone. Replaces a binding of somebody who may no longer log in.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where another resident has bound it, and as [`sessions::hold_open`] where the session was
/// ended while WeChat was asked, as by another password.
pub async fn bind(db: &Db, at: Timestamp, who: &Who, openid: &str, session: &TokenHash) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold_open(&mut tx, who.user, session).await?;
    on!(&mut tx, |c| sqlx::query(
        "DELETE FROM wechat_bindings WHERE openid = $1 AND user_id <> $2
         AND EXISTS (SELECT 1 FROM users u WHERE u.id = wechat_bindings.user_id AND u.disabled_at IS NOT NULL)"
    )
    .bind(openid)
    .bind(who.user)
    .execute(c)
    .await)?;
    let bound = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO wechat_bindings (user_id, openid, bound_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET openid = excluded.openid, bound_at = excluded.bound_at"
    )
    .bind(who.user)
    .bind(openid)
    .bind(at)
    .execute(c)
    .await);
    match bound {
        Err(error) if error.is_duplicate() => return Err(AppError::Conflict.into()),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    record(&mut tx, at, who, (AuditAction::UserWechat, &format!("user:{}", who.user)), &json!({})).await?;
    tx.commit().await
}

/// Removes a resident's binding, so that they no longer log in by WeChat.
pub async fn unbind(db: &Db, at: Timestamp, who: &Who) -> Result<()> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query("DELETE FROM wechat_bindings WHERE user_id = $1").bind(who.user).execute(c).await)?;
    if ended > 0 {
        record(&mut tx, at, who, (AuditAction::UserWechatEnd, &format!("user:{}", who.user)), &json!({})).await?;
    }
    tx.commit().await
}
