//! The roles that a site makes for itself.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{RoleId, UserId};
use model::operator::{OwnRole, ROLES_MAX, RoleChoice};
use model::permission::{Permission, Permissions};
use model::time::Timestamp;
use serde_json::json;

use super::{of_choice, own_permissions};
use crate::console::case_work;
use crate::operators::{self, ChangedBy};
use crate::{Db, Result, Tx, on, read};
use domain::rng::Rng;
use domain::wall_layout::Scope;

/// What a role is called and allows.
#[derive(Clone, Copy, Debug)]
pub struct RoleTerms<'a> {
    pub name: &'a str,
    pub permissions: Permissions,
}

/// The roles by name.
pub async fn list(db: &Db) -> Result<Vec<OwnRole>> {
    let rows: Vec<(RoleId, String, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT r.id, r.name, (SELECT COUNT(*) FROM users u WHERE u.own_role_id = r.id) FROM roles r ORDER BY r.name"
    )
    .fetch_all(pool)
    .await)?;
    let permissions = own_permissions(db).await?;
    let role = |(id, name, people)| OwnRole { id, name, permissions: permissions.get(&id).copied().unwrap_or_default(), people };
    Ok(rows.into_iter().map(role).collect())
}

/// Makes a role. What its permissions need is added to them. Roles are the whole site's.
///
/// # Errors
/// Refused with [`AppError::Forbidden`] for permissions that one has not or without all buildings, [`AppError::NameTaken`], or
/// [`AppError::TooManyKept`] for one role too many.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, by: ChangedBy<'_>, terms: RoleTerms<'_>) -> Result<RoleId> {
    let (id, name, permissions) = (RoleId(rng.id(at)), terms.name, terms.permissions.with_needs());
    let mut tx = db.begin().await?;
    operators::in_turn(&mut tx).await?;
    by.require(&mut tx, permissions, &Scope::All).await?;
    let count: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as("SELECT COUNT(*) FROM roles").fetch_optional(c).await)?;
    if count.is_some_and(|(count,)| usize::try_from(count).is_ok_and(|count| count >= ROLES_MAX)) {
        return Err(AppError::TooManyKept.into());
    }
    let added = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO roles (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"
    )
    .bind(id)
    .bind(name)
    .bind(at)
    .execute(c)
    .await)?;
    if added == 0 {
        return Err(AppError::NameTaken.into());
    }
    insert(&mut tx, id, permissions).await?;
    let detail = json!({ "name": name, "permissions": words(permissions) });
    by.record(&mut tx, at, AuditAction::RoleCreate, &format!("role:{id}"), &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a role for everybody who has it, with the consequences of [`operators::set_access`]. What its permissions need is
/// added to them.
///
/// # Errors
/// Refused with [`AppError::NotFound`], [`AppError::Forbidden`] for permissions that one has not or without all buildings, or
/// [`AppError::NameTaken`].
pub async fn change(db: &Db, rng: &Rng, at: Timestamp, by: ChangedBy<'_>, id: RoleId, terms: RoleTerms<'_>) -> Result<()> {
    let (name, permissions) = (terms.name, terms.permissions.with_needs());
    let mut tx = db.begin().await?;
    operators::in_turn(&mut tx).await?;
    let before = of_choice(&mut tx, RoleChoice::Own(id)).await?;
    by.require(&mut tx, before, &Scope::All).await?;
    by.require(&mut tx, permissions, &Scope::All).await?;
    let renamed: Result<u64> =
        on!(&mut tx, |c| sqlx::query("UPDATE roles SET name = $2 WHERE id = $1").bind(id).bind(name).execute(c).await);
    renamed.map_err(|error| error.or_first(AppError::NameTaken))?;
    clear(&mut tx, id).await?;
    insert(&mut tx, id, permissions).await?;
    for person in people(&mut tx, id).await? {
        if !before.covers(permissions) {
            operators::withdraw_of_others(&mut tx, at, by, person).await?;
        }
        if !permissions.covers(before) {
            operators::take_back(&mut tx, at, person).await?;
            case_work::release(&mut tx, (rng, at), by, person).await?;
        }
    }
    let detail = json!({ "name": name, "permissions": { "before": words(before), "after": words(permissions) } });
    by.record(&mut tx, at, AuditAction::RoleChange, &format!("role:{id}"), &detail).await?;
    tx.commit().await
}

/// Removes a role that nobody has.
///
/// # Errors
/// Refused with [`AppError::NotFound`], [`AppError::Forbidden`] for permissions that one has not or without all buildings, or
/// [`AppError::RoleInUse`].
pub async fn remove(db: &Db, at: Timestamp, by: ChangedBy<'_>, id: RoleId) -> Result<()> {
    let mut tx = db.begin().await?;
    operators::in_turn(&mut tx).await?;
    let permissions = of_choice(&mut tx, RoleChoice::Own(id)).await?;
    by.require(&mut tx, permissions, &Scope::All).await?;
    let held: Option<(i64,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT CAST(1 AS BIGINT) FROM users WHERE own_role_id = $1 LIMIT 1")
            .bind(id)
            .fetch_optional(c)
            .await)?;
    if held.is_some() {
        return Err(AppError::RoleInUse.into());
    }
    clear(&mut tx, id).await?;
    let name: Option<(String,)> =
        on!(&mut tx, |c| sqlx::query_as("DELETE FROM roles WHERE id = $1 RETURNING name").bind(id).fetch_optional(c).await)?;
    let detail = json!({ "name": name.map(|(name,)| name) });
    by.record(&mut tx, at, AuditAction::RoleRemove, &format!("role:{id}"), &detail).await?;
    tx.commit().await
}

/// Whoever has the role.
async fn people(tx: &mut Tx, id: RoleId) -> Result<Vec<UserId>> {
    let rows: Vec<(UserId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM users WHERE own_role_id = $1 ORDER BY id").bind(id).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

async fn clear(tx: &mut Tx, id: RoleId) -> Result<()> {
    on!(tx, |c| sqlx::query("DELETE FROM role_permissions WHERE role_id = $1").bind(id).execute(c).await)?;
    Ok(())
}

async fn insert(tx: &mut Tx, id: RoleId, permissions: Permissions) -> Result<()> {
    for permission in permissions.iter() {
        on!(tx, |c| sqlx::query("INSERT INTO role_permissions (role_id, permission) VALUES ($1, $2)")
            .bind(id)
            .bind(permission)
            .execute(c)
            .await)?;
    }
    Ok(())
}

fn words(permissions: Permissions) -> Vec<&'static str> {
    permissions.iter().map(Permission::as_str).collect()
}
