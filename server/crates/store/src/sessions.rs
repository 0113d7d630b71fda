//! Sessions: only the SHA-256 of a token is stored, so a stolen copy of the database opens none.

use std::collections::{BTreeSet, HashMap};

use model::audit::AuditAction;
use model::ids::{PlaceId, UserId};
use model::person::{Role, Who};
use model::time::Timestamp;
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, read};
use domain::wall_layout::Scope;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A session to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Of its token.
    pub hash: TokenHash,
    pub user: UserId,
    pub ip: String,
    /// Until when, unless it is used.
    pub expires: Timestamp,
}

/// An open session and whose it is.
#[derive(Clone, Debug, FromRow)]
pub struct Session {
    pub user_id: UserId,
    pub role: Role,
    /// What to call them.
    pub name: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its use was last written down.
    pub seen_at: Timestamp,
}

/// The session of that token, if it is open now.
pub async fn find(db: &Db, hash: &TokenHash, now: Timestamp) -> Result<Option<Session>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT s.user_id, u.role, u.name, s.created_at, s.seen_at
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL"
    )
    .bind(hash.as_slice())
    .bind(now.0)
    .fetch_optional(pool)
    .await)
}

/// The open sessions of operators and supervisors, and which buildings each sees.
pub async fn operators(db: &Db, now: Timestamp) -> Result<HashMap<TokenHash, Scope>> {
    let rows: Vec<(Vec<u8>, bool, Option<PlaceId>)> = read!(db, |pool| sqlx::query_as(
        "SELECT s.token_hash, u.all_buildings, b.place_id
         FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN operator_buildings b ON b.user_id = s.user_id
         WHERE s.expires_at > $1 AND u.disabled_at IS NULL AND u.role <> 'resident'"
    )
    .bind(now.0)
    .fetch_all(pool)
    .await)?;
    let mut scopes = HashMap::new();
    for (hash, all, building) in rows {
        let Ok(hash) = TokenHash::try_from(hash) else { continue };
        let own = if all { Scope::All } else { Scope::Buildings(BTreeSet::new()) };
        if let (Scope::Buildings(buildings), Some(building)) = (scopes.entry(hash).or_insert(own), building) {
            buildings.insert(building);
        }
    }
    Ok(scopes)
}

/// Opens a session after the password was right.
pub async fn open(db: &Db, at: Timestamp, session: &NewSession) -> Result<()> {
    let mut tx = db.begin().await?;
    insert(&mut tx, at, session).await?;
    let actor = format!("user:{}", session.user);
    let entry = Entry { actor: &actor, ip: &session.ip, action: AuditAction::SessionOpen, subject: &actor, detail: "{}" };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

pub(super) async fn insert(tx: &mut Tx, at: Timestamp, session: &NewSession) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at, ip) VALUES ($1, $2, $3, $3, $4, $5)"
    )
    .bind(session.hash.as_slice())
    .bind(session.user.0)
    .bind(at.0)
    .bind(session.expires.0)
    .bind(&session.ip)
    .execute(c)
    .await)?;
    Ok(())
}

/// Writes down that it is in use, and until when it now lasts.
pub async fn touch(db: &Db, hash: &TokenHash, now: Timestamp, expires: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE sessions SET seen_at = $1, expires_at = $2 WHERE token_hash = $3")
        .bind(now.0)
        .bind(expires.0)
        .bind(hash.as_slice())
        .execute(c)
        .await)?;
    tx.commit().await
}

/// Ends one session.
pub async fn close(db: &Db, at: Timestamp, who: &Who, hash: &TokenHash) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM sessions WHERE token_hash = $1 AND user_id = $2")
        .bind(hash.as_slice())
        .bind(who.user.0)
        .execute(c)
        .await)?;
    let actor = format!("user:{}", who.user);
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SessionClose, subject: &actor, detail: "{}" };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Removes what has expired; gives how many.
pub async fn purge(db: &Db, now: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let removed = on!(&mut tx, |c| sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.0).execute(c).await)?;
    tx.commit().await?;
    Ok(removed)
}
