//! The people who work with the console: who they are, what they may do and see, and whether they can log in.
//!
//! Nobody gives or takes more than they have themselves, and somebody who may do everything always remains.

mod change;
mod links;
mod list;

use std::collections::BTreeSet;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::operator::{LinkKind, RoleChoice};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Result, Tx, on, roles};
use domain::wall_layout::Scope;

pub use change::{end_sessions, set_access, set_disabled};
pub use links::{NewLink, NewOperator, accept, invitation, invite, renew};
pub use list::{by_login, find, list};

/// Who changes something about an operator.
#[derive(Clone, Copy, Debug)]
pub enum ChangedBy<'a> {
    Person(&'a Who),
    /// Whoever runs the program on the server may do everything.
    CommandLine,
}

impl ChangedBy<'_> {
    fn user(self) -> Option<UserId> {
        match self {
            Self::Person(who) => Some(who.user),
            Self::CommandLine => None,
        }
    }

    /// Refuses permissions that the person does not have themselves.
    pub(crate) fn require_permissions(self, permissions: Permissions) -> Result<()> {
        match self {
            Self::Person(who) if !who.permissions.covers(permissions) => Err(AppError::Forbidden.into()),
            _ => Ok(()),
        }
    }

    /// Refuses permissions and buildings that the person does not have themselves.
    async fn require(self, tx: &mut Tx, permissions: Permissions, buildings: &Scope) -> Result<()> {
        let Self::Person(who) = self else { return Ok(()) };
        let within = match (scope(tx, who.user).await?, buildings) {
            (Scope::All, _) => true,
            (Scope::Buildings(_), Scope::All) => false,
            (Scope::Buildings(own), Scope::Buildings(given)) => given.is_subset(&own),
        };
        if within { self.require_permissions(permissions) } else { Err(AppError::Forbidden.into()) }
    }

    /// A line of the audit chain about a subject (`user:` and `role:` with their ids).
    pub(crate) async fn record(
        self,
        tx: &mut Tx,
        at: Timestamp,
        action: AuditAction,
        subject: &str,
        detail: &serde_json::Value,
    ) -> Result<()> {
        let (actor, ip) = match self {
            Self::Person(who) => (format!("user:{}", who.user), who.ip.as_str()),
            Self::CommandLine => ("command line".to_owned(), ""),
        };
        audit::append(tx, at, &Entry { actor: &actor, ip, action, subject, detail: &detail.to_string() }).await
    }
}

/// An operator as the checks need them.
#[derive(Clone, Debug)]
struct Target {
    role: RoleChoice,
    permissions: Permissions,
    buildings: Scope,
    is_disabled: bool,
}

#[derive(sqlx::FromRow)]
struct TargetRow {
    role: Role,
    own_role_id: Option<model::ids::RoleId>,
    is_disabled: bool,
}

/// An operator whom this person may change. The update changes nothing: it locks the row on an engine that locks rows.
async fn target(tx: &mut Tx, by: ChangedBy<'_>, user: UserId) -> Result<Target> {
    // In one order for all, so that two who take each other's role away wait and do not both succeed.
    on!(tx, |c| sqlx::query("UPDATE users SET role = role WHERE role = 'admin'").execute(c).await)?;
    let row: Option<TargetRow> = on!(tx, |c| sqlx::query_as(
        "UPDATE users SET role = role WHERE id = $1 AND role <> 'resident'
         RETURNING role, own_role_id, disabled_at IS NOT NULL AS is_disabled"
    )
    .bind(user)
    .fetch_optional(c)
    .await)?;
    let row = row.ok_or(AppError::NotFound)?;
    let role = row.own_role_id.map_or(RoleChoice::Ready(row.role), RoleChoice::Own);
    let target = Target {
        role,
        permissions: roles::of_choice(tx, role).await?,
        buildings: scope(tx, user).await?,
        is_disabled: row.is_disabled,
    };
    by.require(tx, target.permissions, &target.buildings).await?;
    Ok(target)
}

/// Refuses a change that leaves nobody who may do everything and can log in.
async fn require_administrator(tx: &mut Tx) -> Result<()> {
    let left: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM users WHERE role = 'admin' AND disabled_at IS NULL AND password_hash <> '' LIMIT 1"
    )
    .fetch_optional(c)
    .await)?;
    left.map(drop).ok_or_else(|| AppError::LastAdministrator.into())
}

/// The buildings that an operator sees.
async fn scope(tx: &mut Tx, user: UserId) -> Result<Scope> {
    let all: Option<(bool,)> =
        on!(tx, |c| sqlx::query_as("SELECT all_buildings FROM users WHERE id = $1").bind(user).fetch_optional(c).await)?;
    if all == Some((true,)) {
        return Ok(Scope::All);
    }
    let rows: Vec<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id FROM operator_buildings WHERE user_id = $1").bind(user).fetch_all(c).await)?;
    Ok(Scope::Buildings(rows.into_iter().map(|(id,)| id).collect()))
}

/// What the audit chain says of buildings.
fn named(buildings: &Scope) -> serde_json::Value {
    match buildings {
        Scope::All => "all".into(),
        Scope::Buildings(ids) => ids.iter().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect(),
    }
}

/// Whoever may do everything sees everything.
fn buildings_of(role: RoleChoice, buildings: &Scope) -> Scope {
    if role == RoleChoice::Ready(Role::Admin) { Scope::All } else { buildings.clone() }
}

/// The action that the audit chain names for a link.
const fn link_action(kind: LinkKind) -> AuditAction {
    match kind {
        LinkKind::Invite => AuditAction::OperatorInvite,
        LinkKind::Reset => AuditAction::OperatorReset,
    }
}
