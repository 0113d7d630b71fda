//! Query machines, and how residents log in at them: by a QR code that their phone confirms, or by a code that it shows. Only
//! hashes of codes and tokens are stored.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{UserId, Uuid};
use model::kiosk::KioskLine;
use model::log_in::LogInMethod;
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};
use store::audit::{self, Entry};
use store::sessions::{self, NewSession, TokenHash};
use store::{Db, Result, Tx, on, read};

use crate::other_rooms::room_names;

/// Machines that a site may have.
const MOST: i64 = 200;
/// Wrong tries that a code takes.
const TRIES: i64 = 5;

/// The machines in service, by name.
pub async fn all(db: &Db) -> Result<Vec<KioskLine>> {
    let rows: Vec<(Uuid, String, Timestamp, Option<Timestamp>)> = read!(db, |pool| sqlx::query_as(
        "SELECT id, name, created_at, registered_at FROM kiosks WHERE retired_at IS NULL ORDER BY name LIMIT $1"
    )
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let line = |(id, name, created_at, registered_at)| KioskLine { id, name, created_at, registered_at };
    Ok(rows.into_iter().map(line).collect())
}

/// A machine to add, with the hash of the code in its one-time link.
#[derive(Clone, Debug)]
pub struct NewKiosk<'a> {
    /// Made with the form, so that a form that is sent twice adds one machine.
    pub id: Uuid,
    pub name: &'a str,
    pub link: TokenHash,
    pub expires: Timestamp,
}

/// Adds a machine, whose browser is registered by the link. A form that is sent again before that gets another link in place of
/// the first one, of which only the hash is stored. The caller has checked the permission.
///
/// # Errors
/// Refused with [`AppError::NameTaken`], [`AppError::TooManyKept`], or [`AppError::Conflict`] for a form whose machine
/// a browser has registered.
pub async fn add(db: &Db, at: Timestamp, who: &Who, new: &NewKiosk<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let again = on!(&mut tx, |c| sqlx::query(
        "UPDATE kiosks SET link_hash = $4, link_expires_at = $5
         WHERE id = $1 AND name = $2 AND created_by = $3 AND registered_at IS NULL AND retired_at IS NULL"
    )
    .bind(new.id)
    .bind(new.name)
    .bind(who.user)
    .bind(new.link.as_slice())
    .bind(new.expires)
    .execute(c)
    .await)?;
    if again == 1 {
        return tx.commit().await;
    }
    let kept: Option<(i64,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT COUNT(*) FROM kiosks WHERE retired_at IS NULL").fetch_optional(c).await)?;
    if kept.is_some_and(|(kept,)| kept >= MOST) {
        return Err(AppError::TooManyKept.into());
    }
    let taken: Option<(Uuid,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM kiosks WHERE id = $1 OR (name = $2 AND retired_at IS NULL) LIMIT 1")
            .bind(new.id)
            .bind(new.name)
            .fetch_optional(c)
            .await)?;
    match taken {
        Some((id,)) if id == new.id => return Err(AppError::Conflict.into()),
        Some(_) => return Err(AppError::NameTaken.into()),
        None => {}
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO kiosks (id, name, link_hash, link_expires_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(new.id)
    .bind(new.name)
    .bind(new.link.as_slice())
    .bind(new.expires)
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await)?;
    record(&mut tx, at, (&format!("user:{}", who.user), &who.ip), AuditAction::KioskAdd, new.id, json!({ "name": new.name }))
        .await?;
    tx.commit().await
}

/// Takes a machine out of service, and ends the session that is open at it.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where no such machine is in service.
pub async fn retire(db: &Db, at: Timestamp, who: &Who, id: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    let retired: Option<(String,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE kiosks SET retired_at = $2, token_hash = NULL, link_hash = NULL WHERE id = $1 AND retired_at IS NULL
         RETURNING name"
    )
    .bind(id)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let Some((name,)) = retired else { return Err(AppError::NotFound.into()) };
    on!(&mut tx, |c| sqlx::query("DELETE FROM sessions WHERE kiosk_id = $1").bind(id).execute(c).await)?;
    record(&mut tx, at, (&format!("user:{}", who.user), &who.ip), AuditAction::KioskRetire, id, json!({ "name": name })).await?;
    tx.commit().await
}

/// Registers the browser of a machine by its one-time link.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`] for a link that was used or has expired.
pub async fn register(db: &Db, at: Timestamp, ip: &str, link: &TokenHash, token: &TokenHash) -> Result<()> {
    // Anybody may try, so a wrong link is refused before anything is written.
    let known: Option<(Uuid,)> = read!(db, |pool| sqlx::query_as("SELECT id FROM kiosks WHERE link_hash = $1")
        .bind(link.as_slice())
        .fetch_optional(pool)
        .await)?;
    if known.is_none() {
        return Err(AppError::LinkEnded.into());
    }
    let mut tx = db.begin().await?;
    let registered: Option<(Uuid, String)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE kiosks SET token_hash = $2, link_hash = NULL, registered_at = $3
         WHERE link_hash = $1 AND link_expires_at > $3 AND retired_at IS NULL RETURNING id, name"
    )
    .bind(link.as_slice())
    .bind(token.as_slice())
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let Some((id, name)) = registered else { return Err(AppError::LinkEnded.into()) };
    record(&mut tx, at, ("system", ip), AuditAction::KioskRegister, id, json!({ "name": name })).await?;
    tx.commit().await
}

async fn record(
    tx: &mut Tx,
    at: Timestamp,
    (actor, ip): (&str, &str),
    action: AuditAction,
    kiosk: Uuid,
    detail: Value,
) -> Result<()> {
    let (subject, detail) = (format!("kiosk:{}", kiosk.as_simple()), detail.to_string());
    audit::append(tx, at, &Entry { actor, ip, action, subject: &subject, detail: &detail }).await
}

/// A registered machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kiosk {
    pub id: Uuid,
    pub name: String,
}

/// The machine in service whose browser has this token.
pub async fn by_token(db: &Db, token: &TokenHash) -> Result<Option<Kiosk>> {
    let row: Option<(Uuid, String)> =
        read!(db, |pool| sqlx::query_as("SELECT id, name FROM kiosks WHERE token_hash = $1 AND retired_at IS NULL")
            .bind(token.as_slice())
            .fetch_optional(pool)
            .await)?;
    Ok(row.map(|(id, name)| Kiosk { id, name }))
}

/// Begins a log-in at a machine, in place of an earlier one; and removes what has expired everywhere.
pub async fn begin(db: &Db, at: Timestamp, kiosk: Uuid, code: &TokenHash, expires: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM kiosk_log_ins WHERE kiosk_id = $1 OR expires_at <= $2")
        .bind(kiosk)
        .bind(at)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM kiosk_codes WHERE expires_at <= $1").bind(at).execute(c).await)?;
    on!(&mut tx, |c| sqlx::query("INSERT INTO kiosk_log_ins (code_hash, kiosk_id, expires_at) VALUES ($1, $2, $3)")
        .bind(code.as_slice())
        .bind(kiosk)
        .bind(expires)
        .execute(c)
        .await)?;
    tx.commit().await
}

/// A log-in that is open: at which machine, and whether somebody confirmed it.
pub async fn log_in(db: &Db, at: Timestamp, code: &TokenHash) -> Result<Option<(Kiosk, bool)>> {
    let row: Option<(Uuid, String, bool)> = read!(db, |pool| sqlx::query_as(
        "SELECT k.id, k.name, l.user_id IS NOT NULL FROM kiosk_log_ins l JOIN kiosks k ON k.id = l.kiosk_id
         WHERE l.code_hash = $1 AND l.expires_at > $2 AND k.retired_at IS NULL"
    )
    .bind(code.as_slice())
    .bind(at)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(id, name, is_confirmed)| (Kiosk { id, name }, is_confirmed)))
}

/// A resident confirms on their phone that it is they who stand at the machine.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`] where it was confirmed already, or has expired.
pub async fn confirm(db: &Db, at: Timestamp, user: UserId, code: &TokenHash) -> Result<()> {
    let mut tx = db.begin().await?;
    let confirmed = on!(&mut tx, |c| sqlx::query(
        "UPDATE kiosk_log_ins SET user_id = $2 WHERE code_hash = $1 AND expires_at > $3 AND user_id IS NULL"
    )
    .bind(code.as_slice())
    .bind(user)
    .bind(at)
    .execute(c)
    .await)?;
    if confirmed == 0 {
        return Err(AppError::LinkEnded.into());
    }
    tx.commit().await
}

/// Stores a code that a resident types in at a machine, in place of an earlier one.
pub async fn set_code(db: &Db, user: UserId, code: &TokenHash, expires: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO kiosk_codes (user_id, code_hash, tries, expires_at) VALUES ($1, $2, 0, $3)
         ON CONFLICT (user_id) DO UPDATE SET code_hash = $2, tries = 0, expires_at = $3"
    )
    .bind(user)
    .bind(code.as_slice())
    .bind(expires)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// A session to open at a machine; its user follows from the log-in.
#[derive(Clone, Debug)]
pub struct KioskSession<'a> {
    pub kiosk: &'a Kiosk,
    pub hash: TokenHash,
    pub ip: &'a str,
    pub agent: &'a str,
    pub expires: Timestamp,
}

/// Opens the session of a log-in that was confirmed, once.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`] where nobody confirmed it, or it has expired.
pub async fn enter(db: &Db, at: Timestamp, code: &TokenHash, session: &KioskSession<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let confirmed: Option<(UserId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT user_id FROM kiosk_log_ins WHERE code_hash = $1 AND user_id IS NOT NULL")
            .bind(code.as_slice())
            .fetch_optional(c)
            .await)?;
    let Some((user,)) = confirmed else { return Err(AppError::LinkEnded.into()) };
    // The person before their log-in, as `sessions::hold` says: whoever ends their sessions waits, or is waited for.
    let is_held = sessions::hold(&mut tx, user).await?;
    let taken = on!(&mut tx, |c| sqlx::query(
        "DELETE FROM kiosk_log_ins WHERE code_hash = $1 AND kiosk_id = $2 AND expires_at > $3 AND user_id = $4"
    )
    .bind(code.as_slice())
    .bind(session.kiosk.id)
    .bind(at)
    .bind(user)
    .execute(c)
    .await)?;
    if !is_held || taken == 0 {
        return Err(AppError::LinkEnded.into());
    }
    open(&mut tx, at, (user, LogInMethod::KioskQr), session).await?;
    tx.commit().await
}

/// Opens a session by the code of a resident of a room, which is named by its account's number or by its name, alone or with
/// what it is in, in the form of [`domain::other_room::comparable`]; gives whether the code was right. Each try counts for all
/// residents whom it may be meant for.
pub async fn enter_by_code(db: &Db, at: Timestamp, room: &str, code: &TokenHash, session: &KioskSession<'_>) -> Result<bool> {
    let mut tx = db.begin().await?;
    let tried: Vec<(UserId, Vec<u8>)> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "UPDATE kiosk_codes SET tries = tries + 1 WHERE expires_at > $1 AND tries < $2 AND EXISTS (
             SELECT 1 FROM account_residents ar JOIN accounts a ON a.id = ar.account_id AND a.closed_at IS NULL
                    JOIN places r ON r.id = a.place_id
                    LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
                    LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
             WHERE ar.user_id = kiosk_codes.user_id AND ar.to_at IS NULL
               AND (a.number = $3 OR LOWER($3) IN",
        room_names!(),
        ")) RETURNING user_id, code_hash"
    ))
    .bind(at)
    .bind(TRIES)
    .bind(room)
    .fetch_all(c)
    .await)?;
    tx.commit().await?;
    let user = tried.into_iter().find(|(_, hash)| hash.as_slice() == code.as_slice()).map(|(user, _)| user);
    let Some(user) = user else { return Ok(false) };
    // The tries hold the codes, and a person is held before their code, as `sessions::hold` says: so in a transaction of its own.
    let mut tx = db.begin().await?;
    let is_held = sessions::hold(&mut tx, user).await?;
    let taken = on!(&mut tx, |c| sqlx::query("DELETE FROM kiosk_codes WHERE user_id = $1 AND code_hash = $2")
        .bind(user)
        .bind(code.as_slice())
        .execute(c)
        .await)?;
    if !is_held || taken == 0 {
        return Ok(false);
    }
    open(&mut tx, at, (user, LogInMethod::KioskCode), session).await?;
    tx.commit().await?;
    Ok(true)
}

/// One person at a time: the session before ends.
async fn open(tx: &mut Tx, at: Timestamp, (user, method): (UserId, LogInMethod), session: &KioskSession<'_>) -> Result<()> {
    on!(tx, |c| sqlx::query("DELETE FROM sessions WHERE kiosk_id = $1").bind(session.kiosk.id).execute(c).await)?;
    let new = NewSession {
        hash: session.hash,
        user,
        log_in: method.into(),
        ip: session.ip.to_owned(),
        agent: session.agent.to_owned(),
        expires: session.expires,
    };
    sessions::insert(tx, at, &new).await?;
    on!(tx, |c| sqlx::query("UPDATE sessions SET kiosk_id = $2 WHERE token_hash = $1")
        .bind(session.hash.as_slice())
        .bind(session.kiosk.id)
        .execute(c)
        .await)?;
    sessions::logged_in(tx, at, user).await?;
    let detail = json!({ "method": method, "kiosk": session.kiosk.name }).to_string();
    let actor = format!("user:{user}");
    let entry = Entry { actor: &actor, ip: session.ip, action: AuditAction::SessionOpen, subject: &actor, detail: &detail };
    audit::append(tx, at, &entry).await
}
