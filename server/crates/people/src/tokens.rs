//! Tokens by which programs read the figures of a resident's room. Only the SHA-256 of a token is stored.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{ApiTokenId, UserId};
use model::person::Who;
use model::personal::{ApiToken, TOKENS_MAX};
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;
use store::audit::record;
use store::sessions::{self, TokenHash};
use store::{Db, Result, on, read};

use domain::rng::Rng;

/// A token to make.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    pub hash: TokenHash,
    /// The session that it is made in.
    pub session: TokenHash,
    /// As its owner calls it.
    pub name: &'a str,
    pub reads_use: bool,
    pub reads_records: bool,
    pub expires_at: Timestamp,
}

/// Stores a token of somebody who has a room.
///
/// # Errors
/// Refused with [`AppError::AccountNotOpen`] for somebody without a room, [`AppError::TooManyKept`], or [`AppError::NotLoggedIn`]
/// where the session was ended meanwhile.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, who: &Who, new: &NewToken<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    sessions::hold_open(&mut tx, who.user, &new.session).await?;
    let counted: Option<(bool, i64)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM account_residents WHERE user_id = $1 AND to_at IS NULL),
                (SELECT COUNT(*) FROM api_tokens WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2)"
    )
    .bind(who.user)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let (has_room, kept) = counted.unwrap_or_default();
    if !has_room {
        return Err(AppError::AccountNotOpen.into());
    }
    if usize::try_from(kept).is_ok_and(|kept| kept >= TOKENS_MAX) {
        return Err(AppError::TooManyKept.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO api_tokens (id, token_hash, user_id, name, reads_use, reads_records, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(ApiTokenId(rng.id(at)))
    .bind(new.hash.as_slice())
    .bind(who.user)
    .bind(new.name)
    .bind(new.reads_use)
    .bind(new.reads_records)
    .bind(at)
    .bind(new.expires_at)
    .execute(c)
    .await)?;
    let detail = json!({ "name": new.name });
    record(&mut tx, at, who, (AuditAction::UserToken, &format!("user:{}", who.user)), &detail).await?;
    tx.commit().await
}

/// A person's tokens, at most fifty: usable ones first, so that none of these is left out for one that has ended.
pub async fn of_person(db: &Db, user: UserId) -> Result<Vec<ApiToken>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, name, reads_use, reads_records, created_at, expires_at, used_at, revoked_at
         FROM api_tokens WHERE user_id = $1 ORDER BY (revoked_at IS NULL) DESC, expires_at DESC, created_at DESC, id LIMIT 50"
    )
    .bind(user)
    .fetch_all(pool)
    .await)
}

/// Ends a token.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where they have no such token that can be used.
pub async fn revoke(db: &Db, at: Timestamp, who: &Who, id: ApiTokenId) -> Result<()> {
    let mut tx = db.begin().await?;
    let named: Option<(String,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE api_tokens SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING name"
    )
    .bind(id)
    .bind(who.user)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let (name,) = named.ok_or(AppError::NotFound)?;
    let detail = json!({ "name": name });
    record(&mut tx, at, who, (AuditAction::UserTokenEnd, &format!("user:{}", who.user)), &detail).await?;
    tx.commit().await
}

/// A token that can be used now, and whose it is.
#[derive(Clone, Debug, FromRow)]
pub struct TokenInUse {
    pub user_id: UserId,
    #[sqlx(flatten)]
    pub token: ApiToken,
}

/// The token of that hash, where it can be used now by somebody who has a room.
pub async fn find(db: &Db, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenInUse>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT t.user_id, t.id, t.name, t.reads_use, t.reads_records, t.created_at, t.expires_at, t.used_at, t.revoked_at
         FROM api_tokens t JOIN users u ON u.id = t.user_id AND u.disabled_at IS NULL
         WHERE t.token_hash = $1 AND t.expires_at > $2 AND t.revoked_at IS NULL
           AND EXISTS (SELECT 1 FROM account_residents ar WHERE ar.user_id = t.user_id AND ar.to_at IS NULL)"
    )
    .bind(hash.as_slice())
    .bind(now)
    .fetch_optional(pool)
    .await)
}

/// Writes down that it is in use.
pub async fn touch(db: &Db, id: ApiTokenId, now: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE api_tokens SET used_at = $2 WHERE id = $1").bind(id).bind(now).execute(c).await)?;
    tx.commit().await
}
