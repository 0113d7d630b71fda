//! One-time links by which somebody chooses their password. Only the SHA-256 of the code in a link is stored.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::operator::{Invitation, LinkKind, RoleChoice};
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use super::{ChangedBy, buildings_of, in_turn, link_action, named, target};
use crate::audit::{self, Entry};
use crate::sessions::TokenHash;
use crate::{Db, Result, StoreError, Tx, on, read, roles, sessions, users};
use domain::rng::Rng;
use domain::wall_layout::Scope;

/// A link to make.
#[derive(Clone, Copy, Debug)]
pub struct NewLink {
    /// Of its code.
    pub hash: TokenHash,
    pub expires_at: Timestamp,
}

/// An operator to invite.
#[derive(Clone, Copy, Debug)]
pub struct NewOperator<'a> {
    pub login: &'a str,
    /// What to call them until they choose.
    pub name: &'a str,
    pub role: RoleChoice,
    pub buildings: &'a Scope,
}

/// Adds an operator who cannot log in until they have chosen a password through the link.
///
/// # Errors
/// Refused with [`AppError::LoginTaken`], [`AppError::Invalid`] for what is no login name, or [`AppError::Forbidden`] for more
/// than one has.
pub async fn invite(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    by: ChangedBy<'_>,
    new: &NewOperator<'_>,
    link: NewLink,
) -> Result<UserId> {
    users::check_login(new.login)?;
    let (id, buildings) = (UserId(rng.id(at)), buildings_of(new.role, new.buildings));
    let mut tx = db.begin().await?;
    in_turn(&mut tx).await?;
    let permissions = roles::of_choice(&mut tx, new.role).await?;
    by.require(&mut tx, permissions, &buildings).await?;
    let (role, own) = new.role.stored();
    let added = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO users (id, role, own_role_id, login, name, password_hash, created_at, all_buildings)
         VALUES ($1, $2, $3, $4, $5, '', $6, $7) ON CONFLICT (login) DO NOTHING"
    )
    .bind(id)
    .bind(role)
    .bind(own)
    .bind(new.login)
    .bind(new.name)
    .bind(at)
    .bind(buildings == Scope::All)
    .execute(c)
    .await)?;
    if added == 0 {
        return Err(AppError::LoginTaken.into());
    }
    users::assign(&mut tx, id, &buildings).await?;
    replace_link(&mut tx, at, by, (id, LinkKind::Invite), link).await?;
    let detail = json!({ "login": new.login, "role": new.role.to_string(), "buildings": named(&buildings) });
    by.record(&mut tx, at, AuditAction::OperatorInvite, &format!("user:{id}"), &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Makes a new link for an operator and ends the earlier ones: an invitation for whoever has no password yet, otherwise one to
/// choose another. The password stays as it is until the link is used.
///
/// # Errors
/// Refused with [`AppError::NotFound`], [`AppError::Forbidden`] for somebody who may do or see more, or [`AppError::Conflict`]
/// for a disabled one.
pub async fn renew(
    db: &Db,
    at: Timestamp,
    by: ChangedBy<'_>,
    user: UserId,
    link: impl Fn(LinkKind) -> NewLink,
) -> Result<LinkKind> {
    let mut tx = db.begin().await?;
    if target(&mut tx, by, user).await?.is_disabled {
        return Err(AppError::Conflict.into());
    }
    let accepted: Option<(bool,)> = on!(&mut tx, |c| sqlx::query_as("SELECT password_hash <> '' FROM users WHERE id = $1")
        .bind(user)
        .fetch_optional(c)
        .await)?;
    let kind = if accepted == Some((true,)) { LinkKind::Reset } else { LinkKind::Invite };
    replace_link(&mut tx, at, by, (user, kind), link(kind)).await?;
    by.record(&mut tx, at, link_action(kind), &format!("user:{user}"), &json!({})).await?;
    tx.commit().await?;
    Ok(kind)
}

/// Ends the links of a person that could still be used and stores another, in the caller's transaction.
pub async fn replace_link(
    tx: &mut Tx,
    at: Timestamp,
    by: ChangedBy<'_>,
    (user, kind): (UserId, LinkKind),
    link: NewLink,
) -> Result<()> {
    withdraw(tx, at, user).await?;
    on!(tx, |c| sqlx::query(
        "INSERT INTO invitations (code_hash, kind, user_id, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(link.hash.as_slice())
    .bind(kind)
    .bind(user)
    .bind(by.user())
    .bind(at)
    .bind(link.expires_at)
    .execute(c)
    .await)?;
    Ok(())
}

/// Ends the links of a person that could still be used, in the caller's transaction.
pub async fn withdraw(tx: &mut Tx, at: Timestamp, user: UserId) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE invitations SET withdrawn_at = $2 WHERE user_id = $1 AND used_at IS NULL AND withdrawn_at IS NULL"
    )
    .bind(user)
    .bind(at)
    .execute(c)
    .await)?;
    Ok(())
}

/// The same for those that somebody else than `by` made, because the person may do or see more than then. What was made on the
/// server stays: whoever is there may do everything.
pub(crate) async fn withdraw_of_others(tx: &mut Tx, at: Timestamp, by: ChangedBy<'_>, user: UserId) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
            "UPDATE invitations SET withdrawn_at = $2
         WHERE user_id = $1 AND used_at IS NULL AND withdrawn_at IS NULL
           AND created_by IS NOT NULL AND created_by IS DISTINCT FROM $3",
        )
        .bind(user)
        .bind(at)
        .bind(by.user())
        .execute(c)
        .await
    })?;
    Ok(())
}

/// Withdraws the open links that a person made, who has lost a permission or building since.
pub(super) async fn withdraw_made_by(tx: &mut Tx, at: Timestamp, user: UserId) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE invitations SET withdrawn_at = $2 WHERE created_by = $1 AND used_at IS NULL AND withdrawn_at IS NULL"
    )
    .bind(user)
    .bind(at)
    .execute(c)
    .await)?;
    Ok(())
}

#[derive(FromRow)]
struct LinkRow {
    kind: LinkKind,
    login: String,
    name: String,
    expires_at: Timestamp,
    password_only: bool,
}

/// What a link that can be used now is for.
pub async fn invitation(db: &Db, at: Timestamp, hash: &TokenHash) -> Result<Option<Invitation>> {
    let row: Option<LinkRow> = read!(db, |pool| sqlx::query_as(
        "SELECT i.kind, u.login, u.name, i.expires_at,
                u.role <> 'resident' AND NOT EXISTS
                    (SELECT 1 FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS password_only
         FROM invitations i JOIN users u ON u.id = i.user_id
         WHERE i.code_hash = $1 AND i.expires_at > $2 AND i.used_at IS NULL AND i.withdrawn_at IS NULL AND u.disabled_at IS NULL"
    )
    .bind(hash.as_slice())
    .bind(at)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|LinkRow { kind, login, name, expires_at, password_only }| Invitation {
        kind,
        login,
        name,
        expires_at,
        password_only,
    }))
}

/// Uses a link: stores the password, and for a new operator their name, and ends all of their sessions, API tokens and what they
/// have bound at WeChat.
///
/// # Errors
/// Refused with [`AppError::LinkEnded`] for a link that was used, has ended or never was.
pub async fn accept(db: &Db, at: Timestamp, hash: &TokenHash, name: &str, password_hash: &str, ip: &str) -> Result<UserId> {
    let mut tx = db.begin().await?;
    let found: Option<(LinkKind, UserId)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT kind, user_id FROM invitations WHERE code_hash = $1")
            .bind(hash.as_slice())
            .fetch_optional(c)
            .await)?;
    let (kind, user) = found.ok_or(StoreError::Refused(AppError::LinkEnded))?;
    let chosen = if kind == LinkKind::Invite { Some(name) } else { None };
    // The person before their links, as everywhere: whoever disables them or ends their links waits, or is waited for.
    let stored = on!(&mut tx, |c| sqlx::query(
        "UPDATE users SET password_hash = $2, password_due = FALSE, name = COALESCE($3, name)
         WHERE id = $1 AND disabled_at IS NULL"
    )
    .bind(user)
    .bind(password_hash)
    .bind(chosen)
    .execute(c)
    .await)?;
    let used = on!(&mut tx, |c| sqlx::query(
        "UPDATE invitations SET used_at = $2
         WHERE code_hash = $1 AND expires_at > $2 AND used_at IS NULL AND withdrawn_at IS NULL"
    )
    .bind(hash.as_slice())
    .bind(at)
    .execute(c)
    .await)?;
    if stored == 0 || used == 0 {
        return Err(AppError::LinkEnded.into());
    }
    withdraw(&mut tx, at, user).await?;
    let (ended, tokens) = sessions::end_all_access(&mut tx, at, user).await?;
    let actor = format!("user:{user}");
    let detail = json!({ "link": kind, "name": chosen, "sessions_ended": ended, "tokens_ended": tokens }).to_string();
    let entry = Entry { actor: &actor, ip, action: AuditAction::OperatorAccept, subject: &actor, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(user)
}
