//! The people who log in.

use std::collections::HashSet;

use model::audit::AuditAction;
use model::ids::UserId;
use model::person::{Role, Who, is_login_name};
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::sessions::{self, NewSession};
use super::{Db, Result, StoreError, Tx, on, operators, read, roles};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use model::error::AppError;

/// What logging in needs to know.
#[derive(Clone, Debug, FromRow)]
pub struct Credentials {
    /// [`UserId`].
    pub id: Uuid,
    pub role: Role,
    /// What to call them.
    pub name: String,
    /// A PHC string.
    pub password_hash: String,
}

/// Whoever logs in by that name: somebody disabled does not, and neither does somebody without a password.
pub async fn by_login(db: &Db, login: &str) -> Result<Option<Credentials>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, role, name, password_hash FROM users
         WHERE login = $1 AND disabled_at IS NULL AND password_hash <> ''"
    )
    .bind(login)
    .fetch_optional(pool)
    .await)
}

/// The credentials of a person by id.
pub async fn by_id(db: &Db, user: UserId) -> Result<Option<Credentials>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, role, name, password_hash FROM users
         WHERE id = $1 AND disabled_at IS NULL AND password_hash <> ''"
    )
    .bind(user.0)
    .fetch_optional(pool)
    .await)
}

/// A person to add.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// What they are.
    pub role: Role,
    /// What they log in as.
    pub login: &'a str,
    /// What to call them.
    pub name: &'a str,
    /// A PHC string.
    pub password_hash: &'a str,
    /// The buildings that an operator sees; of no meaning for residents.
    pub buildings: &'a Scope,
}

/// Adds a person, who has to choose a password of their own at the first log-in; `actor` is who did it, for the audit chain.
///
/// # Errors
/// Refused with [`AppError::LoginTaken`], or [`AppError::Invalid`] for what is no login name.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, user: &NewUser<'_>, actor: &str) -> Result<UserId> {
    let mut tx = db.begin().await?;
    let id = create_within(&mut tx, rng, at, user, actor).await?;
    tx.commit().await?;
    Ok(id)
}

/// Refuses what nobody could log in by, whichever form, file or command it came from.
///
/// # Errors
/// Refused with [`AppError::Invalid`].
pub(super) fn check_login(login: &str) -> Result<()> {
    if is_login_name(login) { Ok(()) } else { Err(AppError::Invalid.into()) }
}

/// Which of these log-in names somebody has, also somebody who can no longer log in.
pub async fn taken(db: &Db, logins: &[&str]) -> Result<HashSet<String>> {
    let names = serde_json::json!(logins).to_string();
    let found: Vec<(String,)> = match db {
        Db::Sqlite { read, .. } => {
            let sql = "SELECT login FROM users WHERE login IN (SELECT value FROM json_each($1))";
            sqlx::query_as(sql).bind(names).fetch_all(read).await?
        }
        Db::Postgres { pool, .. } => {
            let sql = "SELECT login FROM users WHERE login IN (SELECT json_array_elements_text(CAST($1 AS JSON)))";
            sqlx::query_as(sql).bind(names).fetch_all(pool).await?
        }
    };
    Ok(found.into_iter().map(|(login,)| login).collect())
}

/// [`create`] in the caller's transaction.
pub async fn create_within(tx: &mut Tx, rng: &Rng, at: Timestamp, user: &NewUser<'_>, actor: &str) -> Result<UserId> {
    check_login(user.login)?;
    let id = UserId(rng.id(at));
    let added = on!(tx, |c| {
        sqlx::query(
            "INSERT INTO users (id, role, login, name, password_hash, created_at, all_buildings, password_due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $5 <> '')
         ON CONFLICT (login) DO NOTHING",
        )
        .bind(id.0)
        .bind(user.role)
        .bind(user.login)
        .bind(user.name)
        .bind(user.password_hash)
        .bind(at.0)
        .bind(*user.buildings == Scope::All)
        .execute(c)
        .await
    })?;
    if added == 0 {
        return Err(StoreError::Refused(AppError::LoginTaken));
    }
    assign(tx, id, user.buildings).await?;
    let detail = serde_json::json!({ "login": user.login, "role": user.role }).to_string();
    let subject = format!("user:{id}");
    audit::append(tx, at, &Entry { actor, ip: "", action: AuditAction::UserCreate, subject: &subject, detail: &detail }).await?;
    Ok(id)
}

pub(super) async fn assign(tx: &mut Tx, user: UserId, buildings: &Scope) -> Result<()> {
    let Scope::Buildings(buildings) = buildings else { return Ok(()) };
    for building in buildings {
        on!(tx, |c| sqlx::query("INSERT INTO operator_buildings (user_id, place_id) VALUES ($1, $2)")
            .bind(user)
            .bind(building)
            .execute(c)
            .await)?;
    }
    Ok(())
}

/// Records for the audit chain that log-ins of this person are delayed, after so many wrong passwords.
pub async fn log_ins_delayed(db: &Db, at: Timestamp, user: UserId, ip: &str, failed: u32) -> Result<()> {
    let mut tx = db.begin().await?;
    let (subject, detail) = (format!("user:{user}"), format!(r#"{{"failed":{failed}}}"#));
    let entry = Entry { actor: "system", ip, action: AuditAction::SessionRefuse, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Replaces the password of that hash, ends all sessions and links of that person and opens the session given.
///
/// # Errors
/// Refused with [`AppError::WrongPassword`] where they have another one by now, which has ended the session that asks.
pub async fn change_password(db: &Db, at: Timestamp, who: &Who, (old, new): (&str, &str), session: &NewSession) -> Result<()> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE users SET password_hash = $3, password_due = FALSE WHERE id = $1 AND password_hash = $2";
    let changed = on!(&mut tx, |c| sqlx::query(sql).bind(who.user).bind(old).bind(new).execute(c).await)?;
    if changed == 0 {
        return Err(AppError::WrongPassword.into());
    }
    operators::withdraw(&mut tx, at, who.user).await?;
    let ended = sessions::end_all(&mut tx, who.user).await?;
    sessions::insert(&mut tx, at, session).await?;
    let subject = format!("user:{}", who.user);
    let detail = format!(r#"{{"sessions_ended":{ended},"method":"{}"}}"#, session.log_in.method.as_str());
    let entry = Entry { actor: &subject, ip: &who.ip, action: AuditAction::UserPassword, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// Gives a person another password, which they have to change at the next log-in, and ends all of their sessions, links, API
/// tokens and their WeChat binding; `actor` is who did it, for the audit chain.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where nobody logs in by that name.
pub async fn reset_password(db: &Db, at: Timestamp, login: &str, password_hash: &str, actor: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<(UserId,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE users SET password_hash = $2, password_due = TRUE WHERE login = $1 AND disabled_at IS NULL RETURNING id"
    )
    .bind(login)
    .bind(password_hash)
    .fetch_optional(c)
    .await)?;
    let (user,) = found.ok_or(AppError::NotFound)?;
    operators::withdraw(&mut tx, at, user).await?;
    let (ended, tokens) = sessions::end_all_access(&mut tx, at, user).await?;
    let detail = serde_json::json!({ "sessions_ended": ended, "tokens_ended": tokens }).to_string();
    let subject = format!("user:{user}");
    audit::append(
        &mut tx,
        at,
        &Entry { actor, ip: "", action: AuditAction::UserPasswordReset, subject: &subject, detail: &detail },
    )
    .await?;
    tx.commit().await
}

/// Takes the passwords of all people for their own, so that nobody has to choose another: for demos and tests, whose passwords
/// are known anyway.
pub async fn keep_passwords(db: &Db) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE users SET password_due = FALSE WHERE password_due").execute(c).await)?;
    tx.commit().await
}

/// Whether a person has to change their password: somebody else chose it, or it may be too short now.
pub async fn password_due(db: &Db, user: UserId) -> Result<bool> {
    let due: Option<(bool,)> =
        read!(db, |pool| sqlx::query_as("SELECT password_due FROM users WHERE id = $1").bind(user).fetch_optional(pool).await)?;
    Ok(due.is_some_and(|(due,)| due))
}

/// An operator who may log in, as they act when nobody is there: the caller does so in their name.
pub async fn operator(db: &Db, user: UserId) -> Result<Option<Who>> {
    let row: Option<(Role, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT role, name FROM users WHERE id = $1 AND disabled_at IS NULL AND role <> 'resident'"
    )
    .bind(user)
    .fetch_optional(pool)
    .await)?;
    let Some((role, name)) = row else { return Ok(None) };
    let permissions = roles::of_user(db, user, role).await?;
    Ok(Some(Who { user, role, permissions, name, ip: String::new() }))
}

/// What a person logs in as.
pub async fn login_of(db: &Db, user: UserId) -> Result<String> {
    let login: Option<(String,)> =
        read!(db, |pool| sqlx::query_as("SELECT login FROM users WHERE id = $1").bind(user).fetch_optional(pool).await)?;
    Ok(login.map(|(login,)| login).unwrap_or_default())
}

/// What the site is called; empty where it has no name yet.
pub async fn site_name(db: &Db) -> Result<String> {
    let name: Option<(String,)> =
        read!(db, |pool| sqlx::query_as("SELECT name FROM places WHERE kind = 'site' ORDER BY sort, name LIMIT 1")
            .fetch_optional(pool)
            .await)?;
    Ok(name.map(|(name,)| name).unwrap_or_default())
}
