//! The roles that a site made for itself, and what each person may do.

mod own;

use std::collections::HashMap;

use model::error::AppError;
use model::ids::{RoleId, UserId};
use model::operator::RoleChoice;
use model::permission::{Permission, Permissions};
use model::person::{Role, Who};

use crate::{Db, Result, Tx, on, read, users};
pub use own::{RoleTerms, change, create, list, remove};

/// Whether the person of that alias has a permission: by a ready role, or by one of the site's own.
#[macro_export]
macro_rules! holds {
    ($user:literal, $ready:literal, $permission:literal) => {
        concat!(
            "(",
            $user,
            ".role IN (",
            $ready,
            ") OR EXISTS (SELECT 1 FROM role_permissions WHERE role_id = ",
            $user,
            ".own_role_id AND permission = '",
            $permission,
            "'))"
        )
    };
}

/// Whether the person of that alias may approve what others ask for.
#[macro_export]
macro_rules! approves {
    ($user:literal) => {
        $crate::roles::holds!($user, "'admin', 'manager'", "approve")
    };
}

/// Whether the person of that alias may read the operation log.
#[macro_export]
macro_rules! audits {
    ($user:literal) => {
        $crate::roles::holds!($user, "'admin', 'manager', 'auditor'", "audit")
    };
}

/// Whether the person of that alias may work on cases.
#[macro_export]
macro_rules! works_on_cases {
    ($user:literal) => {
        $crate::roles::holds!($user, "'admin', 'manager', 'technician'", "cases")
    };
}

/// Whether the person of that alias can log in: whoever never accepted their invitation cannot.
#[macro_export]
macro_rules! can_log_in {
    ($user:literal) => {
        concat!("(", $user, ".disabled_at IS NULL AND ", $user, ".password_hash <> '')")
    };
}

pub use crate::{approves, audits, can_log_in, holds, works_on_cases};

/// What a person with that role may do now.
pub(crate) async fn of_user(db: &Db, user: UserId, role: Role) -> Result<Permissions> {
    if role != Role::Own {
        return Ok(Permissions::of(role));
    }
    let rows: Vec<(Permission,)> = read!(db, |pool| sqlx::query_as(
        "SELECT p.permission FROM users u JOIN role_permissions p ON p.role_id = u.own_role_id WHERE u.id = $1"
    )
    .bind(user)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(permission,)| permission).collect())
}

/// The permissions of the roles that the site made for itself. A role without any is missing.
pub async fn own_permissions(db: &Db) -> Result<HashMap<RoleId, Permissions>> {
    let rows: Vec<(RoleId, Permission)> =
        read!(db, |pool| sqlx::query_as("SELECT role_id, permission FROM role_permissions").fetch_all(pool).await)?;
    let mut roles: HashMap<RoleId, Vec<Permission>> = HashMap::new();
    for (role, permission) in rows {
        roles.entry(role).or_default().push(permission);
    }
    Ok(roles.into_iter().map(|(role, permissions)| (role, permissions.into_iter().collect())).collect())
}

/// The permissions of a role, in the caller's transaction.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a role that is not there.
pub(crate) async fn of_choice(tx: &mut Tx, role: RoleChoice) -> Result<Permissions> {
    let id = match role {
        RoleChoice::Ready(role) => return Ok(Permissions::of(role)),
        RoleChoice::Own(id) => id,
    };
    let rows: Vec<(Option<Permission>,)> = on!(tx, |c| sqlx::query_as(
        "SELECT p.permission FROM roles r LEFT JOIN role_permissions p ON p.role_id = r.id WHERE r.id = $1"
    )
    .bind(id)
    .fetch_all(c)
    .await)?;
    if rows.is_empty() {
        return Err(AppError::NotFound.into());
    }
    Ok(rows.into_iter().filter_map(|(permission,)| permission).collect())
}

/// Whoever logs in by that name, with what they may do; for commands that name who gives them.
pub async fn by_login(db: &Db, login: &str) -> Result<Option<Who>> {
    let Some(user) = users::by_login(db, login).await? else { return Ok(None) };
    let id = UserId(user.id);
    let permissions = of_user(db, id, user.role).await?;
    Ok(Some(Who { user: id, role: user.role, permissions, name: user.name, ip: String::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_name_the_ready_roles_with_their_permission() {
        for role in Role::READY {
            let queries = [
                (approves!("u"), Permission::Approve),
                (audits!("u"), Permission::Audit),
                (works_on_cases!("u"), Permission::Cases),
            ];
            for (query, permission) in queries {
                let named = query.contains(&format!("'{}'", role.as_str()));
                assert_eq!(named, Permissions::of(role).has(permission), "{role:?} {permission:?}");
            }
        }
    }
}
