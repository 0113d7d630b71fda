//! Sessions: only the SHA-256 of a token is stored, so a stolen copy of the database opens none.

use std::collections::{BTreeSet, HashMap};

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{PlaceId, RoleId, UserId};
use model::log_in::{LogIn, LogInMethod, SecondFactorProof};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::{Db, Result, Tx, on, read, roles};
use domain::wall_layout::Scope;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A session to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Of its token.
    pub hash: TokenHash,
    pub user: UserId,
    pub log_in: LogIn,
    pub ip: String,
    /// The browser's user agent.
    pub agent: String,
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
    /// Somebody else chose the password: another one is chosen before anything else.
    pub password_due: bool,
    /// They see all buildings.
    #[sqlx(rename = "all_buildings")]
    pub whole_site: bool,
    /// It is one at a query machine.
    pub at_kiosk: bool,
    /// What they may do now.
    #[sqlx(skip)]
    pub permissions: Permissions,
}

/// What an operator may do and see at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    pub permissions: Permissions,
    pub buildings: Scope,
}

/// The session of that token, if it is open now.
pub async fn find(db: &Db, hash: &TokenHash, now: Timestamp) -> Result<Option<Session>> {
    let found: Option<Session> = read!(db, |pool| sqlx::query_as(
        "SELECT s.user_id, u.role, u.name, s.created_at, s.seen_at, u.password_due, u.all_buildings,
                s.kiosk_id IS NOT NULL AS at_kiosk
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled_at IS NULL"
    )
    .bind(hash.as_slice())
    .bind(now.0)
    .fetch_optional(pool)
    .await)?;
    let Some(session) = found else { return Ok(None) };
    let permissions = roles::of_user(db, session.user_id, session.role).await?;
    Ok(Some(Session { permissions, ..session }))
}

#[derive(FromRow)]
struct OperatorRow {
    token_hash: Vec<u8>,
    role: Role,
    own_role_id: Option<RoleId>,
    all_buildings: bool,
    place_id: Option<PlaceId>,
}

/// The open sessions of operators, and what each of them may do and see.
pub async fn operators(db: &Db, now: Timestamp) -> Result<HashMap<TokenHash, Right>> {
    let rows: Vec<OperatorRow> = read!(db, |pool| sqlx::query_as(
        "SELECT s.token_hash, u.role, u.own_role_id, u.all_buildings, b.place_id
         FROM sessions s JOIN users u ON u.id = s.user_id LEFT JOIN operator_buildings b ON b.user_id = s.user_id
         WHERE s.expires_at > $1 AND u.disabled_at IS NULL AND u.role <> 'resident'"
    )
    .bind(now.0)
    .fetch_all(pool)
    .await)?;
    let own = if rows.iter().any(|row| row.own_role_id.is_some()) { roles::own_permissions(db).await? } else { HashMap::new() };
    let mut rights = HashMap::new();
    for row in rows {
        let Ok(hash) = TokenHash::try_from(row.token_hash) else { continue };
        let right = || Right {
            permissions: row.own_role_id.map_or(Permissions::of(row.role), |id| own.get(&id).copied().unwrap_or_default()),
            buildings: if row.all_buildings { Scope::All } else { Scope::Buildings(BTreeSet::new()) },
        };
        if let (Scope::Buildings(buildings), Some(place)) =
            (&mut rights.entry(hash).or_insert_with(right).buildings, row.place_id)
        {
            buildings.insert(place);
        }
    }
    Ok(rights)
}

/// Opens a session of somebody who has proved who they are.
pub async fn open(db: &Db, at: Timestamp, session: &NewSession) -> Result<()> {
    let mut tx = db.begin().await?;
    log_in(&mut tx, at, session, AuditAction::SessionOpen).await?;
    tx.commit().await
}

/// The same in the caller's transaction, with the action that the audit has for it.
pub async fn log_in(tx: &mut Tx, at: Timestamp, session: &NewSession, action: AuditAction) -> Result<()> {
    insert(tx, at, session).await?;
    logged_in(tx, at, session.user).await?;
    let LogIn { method, second_factor } = session.log_in;
    let detail = match second_factor {
        Some(proof) => json!({ "method": method, "second_factor": proof }),
        None => json!({ "method": method }),
    };
    let (actor, detail) = (format!("user:{}", session.user), detail.to_string());
    audit::append(tx, at, &Entry { actor: &actor, ip: &session.ip, action, subject: &actor, detail: &detail }).await
}

/// Writes down that a person has logged in.
pub async fn logged_in(tx: &mut Tx, at: Timestamp, user: UserId) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE users SET logged_in_at = $2 WHERE id = $1").bind(user).bind(at).execute(c).await)?;
    Ok(())
}

pub async fn insert(tx: &mut Tx, at: Timestamp, session: &NewSession) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
            "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at, ip, agent, method, second_factor)
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8)",
        )
        .bind(session.hash.as_slice())
        .bind(session.user.0)
        .bind(at.0)
        .bind(session.expires.0)
        .bind(&session.ip)
        .bind(cut(&session.agent))
        .bind(session.log_in.method)
        .bind(session.log_in.second_factor)
        .execute(c)
        .await
    })?;
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

/// Bytes of a user agent that are stored.
const AGENT: usize = 300;

fn cut(agent: &str) -> &str {
    agent.get(..agent.floor_char_boundary(AGENT)).unwrap_or_default()
}

/// An open session of a person, for their own list.
#[derive(Clone, Debug, FromRow)]
pub struct OwnSession {
    pub token_hash: Vec<u8>,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub ip: String,
    pub agent: String,
    pub method: LogInMethod,
    pub second_factor: Option<SecondFactorProof>,
}

/// A person's open sessions that are listed.
const LISTED: i64 = 100;

/// A person's open sessions, the one used last first; at most a hundred.
pub async fn of_person(db: &Db, user: UserId, now: Timestamp) -> Result<Vec<OwnSession>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT token_hash, created_at, seen_at, ip, agent, method, second_factor
         FROM sessions WHERE user_id = $1 AND expires_at > $2
         ORDER BY seen_at DESC, created_at DESC LIMIT $3"
    )
    .bind(user)
    .bind(now)
    .bind(LISTED)
    .fetch_all(pool)
    .await)
}

/// Ends another session of the same person.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where they have no such session.
pub async fn end(db: &Db, at: Timestamp, who: &Who, hash: &[u8]) -> Result<()> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query("DELETE FROM sessions WHERE token_hash = $1 AND user_id = $2")
        .bind(hash)
        .bind(who.user)
        .execute(c)
        .await)?;
    if ended == 0 {
        return Err(AppError::NotFound.into());
    }
    let actor = format!("user:{}", who.user);
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SessionEnd, subject: &actor, detail: "{}" };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Holds a person until the transaction ends; gives whether they may log in. Whoever opens a session by a code or link does so
/// first, as does whoever ends what a person has open. Sessions, codes and log-ins are changed after it: in one order nobody
/// waits for somebody who waits for them.
pub async fn hold(tx: &mut Tx, user: UserId) -> Result<bool> {
    let sql = "UPDATE users SET logged_in_at = logged_in_at WHERE id = $1 AND disabled_at IS NULL";
    Ok(on!(tx, |c| sqlx::query(sql).bind(user).execute(c).await)? == 1)
}

/// The same of somebody who has proved the password of this hash before the transaction.
///
/// # Errors
/// Refused with [`AppError::WrongPassword`] where they have another one by now, or were disabled.
pub async fn hold_proved(tx: &mut Tx, user: UserId, password_hash: &str) -> Result<()> {
    let sql = "UPDATE users SET logged_in_at = logged_in_at WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL";
    let held = on!(tx, |c| sqlx::query(sql).bind(user).bind(password_hash).execute(c).await)?;
    if held == 1 { Ok(()) } else { Err(AppError::WrongPassword.into()) }
}

/// The same of somebody who acts in this session.
///
/// # Errors
/// Refused with [`AppError::NotLoggedIn`] where it was ended meanwhile.
pub async fn hold_open(tx: &mut Tx, user: UserId, session: &TokenHash) -> Result<()> {
    let is_held = hold(tx, user).await?;
    let sql = "SELECT user_id FROM sessions WHERE token_hash = $1 AND user_id = $2";
    let found: Option<(UserId,)> = on!(tx, |c| sqlx::query_as(sql).bind(session.as_slice()).bind(user).fetch_optional(c).await)?;
    if is_held && found.is_some() { Ok(()) } else { Err(AppError::NotLoggedIn.into()) }
}

/// Ends all sessions of a person but the one given; gives how many.
pub async fn end_others(db: &Db, at: Timestamp, who: &Who, kept: &TokenHash) -> Result<u64> {
    let mut tx = db.begin().await?;
    hold(&mut tx, who.user).await?;
    let ended = on!(&mut tx, |c| sqlx::query("DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2")
        .bind(who.user)
        .bind(kept.as_slice())
        .execute(c)
        .await)?;
    end_log_ins(&mut tx, who.user).await?;
    let (actor, detail) = (format!("user:{}", who.user), format!(r#"{{"sessions_ended":{ended}}}"#));
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SessionEnd, subject: &actor, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends all sessions of a person, and log-ins that are not complete, in the transaction of a caller who holds the person; gives
/// how many sessions.
pub async fn end_all(tx: &mut Tx, user: UserId) -> Result<u64> {
    end_log_ins(tx, user).await?;
    on!(tx, |c| sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user).execute(c).await)
}

/// The same after a reset of the password, with the API tokens and the WeChat binding: whoever knew the old password may have
/// made them. Gives how many sessions, and how many of these.
pub async fn end_all_access(tx: &mut Tx, at: Timestamp, user: UserId) -> Result<(u64, u64)> {
    let tokens = on!(tx, |c| sqlx::query("UPDATE api_tokens SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL")
        .bind(user)
        .bind(at)
        .execute(c)
        .await)?;
    let bound = on!(tx, |c| sqlx::query("DELETE FROM wechat_bindings WHERE user_id = $1").bind(user).execute(c).await)?;
    Ok((end_all(tx, user).await?, tokens + bound))
}

/// Ends what could still open a session, and removes a person's devices that [`purge`] left: ending all sessions is meant to end
/// their messages too.
async fn end_log_ins(tx: &mut Tx, user: UserId) -> Result<()> {
    for sql in [
        "DELETE FROM log_in_steps WHERE user_id = $1",
        "DELETE FROM phone_log_ins WHERE user_id = $1",
        "DELETE FROM kiosk_log_ins WHERE user_id = $1",
        "DELETE FROM kiosk_codes WHERE user_id = $1",
        "DELETE FROM alert_addresses WHERE user_id = $1 AND channel = 'push' AND session_hash IS NULL",
    ] {
        on!(tx, |c| sqlx::query(sql).bind(user).execute(c).await)?;
    }
    Ok(())
}

/// Removes what has expired; gives how many. A device that was added in such a session goes on being told: its person did not log
/// out, and may only not have looked for a while.
pub async fn purge(db: &Db, now: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE alert_addresses SET session_hash = NULL
         WHERE session_hash IN (SELECT token_hash FROM sessions WHERE expires_at <= $1)"
    )
    .bind(now.0)
    .execute(c)
    .await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM log_in_steps WHERE expires_at <= $1").bind(now.0).execute(c).await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM wechat_sign_ins WHERE expires_at <= $1").bind(now.0).execute(c).await)?;
    let removed = on!(&mut tx, |c| sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now.0).execute(c).await)?;
    tx.commit().await?;
    Ok(removed)
}
