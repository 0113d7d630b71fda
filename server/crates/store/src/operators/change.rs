//! Changes of operators who are there.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::UserId;
use model::operator::RoleChoice;
use model::time::Timestamp;
use serde_json::json;

use super::links::{withdraw, withdraw_of_others};
use super::{ChangedBy, Target, buildings_of, named, require_administrator, take_back, target};
use crate::console::case_work;
use crate::{Db, Result, on, roles, sessions, users};
use domain::rng::Rng;
use domain::wall_layout::Scope;

/// What an operator may do and see.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    pub role: RoleChoice,
    pub buildings: &'a Scope,
}

/// Lets an operator log in no longer: ends their sessions, their links and those that they made, and gives up their cases. Or
/// lets them log in again.
///
/// # Errors
/// Refused with [`AppError::NotFound`], [`AppError::Forbidden`] for somebody who may do or see more, [`AppError::Conflict`] where
/// it is so already, or [`AppError::LastAdministrator`].
pub async fn set_disabled(db: &Db, rng: &Rng, at: Timestamp, by: ChangedBy<'_>, user: UserId, disabled: bool) -> Result<()> {
    let mut tx = db.begin().await?;
    let target = target(&mut tx, by, user).await?;
    if target.is_disabled == disabled {
        return Err(AppError::Conflict.into());
    }
    on!(&mut tx, |c| sqlx::query("UPDATE users SET disabled_at = $2 WHERE id = $1")
        .bind(user)
        .bind(disabled.then_some(at))
        .execute(c)
        .await)?;
    let (mut action, mut detail) = (AuditAction::OperatorEnable, json!({}));
    if disabled {
        require_administrator(&mut tx).await?;
        withdraw(&mut tx, at, user).await?;
        take_back(&mut tx, at, user).await?;
        case_work::release(&mut tx, (rng, at), by, user).await?;
        let ended = sessions::end_all(&mut tx, user).await?;
        (action, detail) = (AuditAction::OperatorDisable, json!({ "sessions_ended": ended }));
    }
    by.record(&mut tx, at, action, &format!("user:{user}"), &detail).await?;
    tx.commit().await
}

/// Ends all sessions of an operator; gives how many.
///
/// # Errors
/// Refused with [`AppError::NotFound`], or [`AppError::Forbidden`] for somebody who may do or see more.
pub async fn end_sessions(db: &Db, at: Timestamp, by: ChangedBy<'_>, user: UserId) -> Result<u64> {
    let mut tx = db.begin().await?;
    target(&mut tx, by, user).await?;
    sessions::hold(&mut tx, user).await?;
    let ended = sessions::end_all(&mut tx, user).await?;
    by.record(&mut tx, at, AuditAction::OperatorSessions, &format!("user:{user}"), &json!({ "sessions_ended": ended })).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Gives an operator another role and other buildings. Their sessions go on, with what they may do then. Who gains
/// something loses the links that others made for them; who loses something loses the links that they made, and the
/// cases that they cannot work on.
///
/// # Errors
/// Refused with [`AppError::NotFound`], [`AppError::Forbidden`] for more than one has, or [`AppError::LastAdministrator`].
pub async fn set_access(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    by: ChangedBy<'_>,
    user: UserId,
    Access { role, buildings }: Access<'_>,
) -> Result<()> {
    let mut tx = db.begin().await?;
    let before = target(&mut tx, by, user).await?;
    let buildings = buildings_of(role, buildings);
    let permissions = roles::of_choice(&mut tx, role).await?;
    by.require(&mut tx, permissions, &buildings).await?;
    let (word, own) = role.stored();
    on!(&mut tx, |c| sqlx::query("UPDATE users SET role = $2, own_role_id = $3, all_buildings = $4 WHERE id = $1")
        .bind(user)
        .bind(word)
        .bind(own)
        .bind(buildings == Scope::All)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM operator_buildings WHERE user_id = $1").bind(user).execute(c).await)?;
    users::assign(&mut tx, user, &buildings).await?;
    require_administrator(&mut tx).await?;
    if !before.covers(permissions, &buildings) {
        withdraw_of_others(&mut tx, at, by, user).await?;
    }
    let after = Target { role, permissions, buildings, is_disabled: before.is_disabled };
    if !after.covers(before.permissions, &before.buildings) {
        take_back(&mut tx, at, user).await?;
        case_work::release(&mut tx, (rng, at), by, user).await?;
    }
    let Target { role: old_role, buildings: old_buildings, .. } = before;
    let detail = json!({
        "role": { "before": old_role.to_string(), "after": role.to_string() },
        "buildings": { "before": named(&old_buildings), "after": named(&after.buildings) },
    });
    by.record(&mut tx, at, AuditAction::OperatorRole, &format!("user:{user}"), &detail).await?;
    tx.commit().await
}
