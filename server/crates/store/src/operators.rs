//! The people who work with the console: who they are, what they may do and see, and whether they can log in.
//!
//! Nobody gives or takes more than they have themselves, and somebody who may do everything always remains.

mod change;
mod links;

use std::collections::BTreeSet;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::operator::{LinkKind, RoleChoice};
use model::permission::{Permission, Permissions};
use model::person::{Role, Who};
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Result, Tx, on, roles};
use domain::wall_layout::Scope;

pub use change::{Access, end_sessions, set_access, set_disabled};
use links::withdraw_made_by;
pub(crate) use links::withdraw_of_others;
pub use links::{NewLink, NewOperator, accept, invitation, invite, renew, replace_link, withdraw};

/// Who changes something about an operator.
#[derive(Clone, Copy, Debug)]
pub enum ChangedBy<'a> {
    Person(&'a Who),
    /// Whoever runs the program on the server may do everything.
    CommandLine,
}

impl ChangedBy<'_> {
    /// `None` for the command line.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::Person(who) => Some(who.user),
            Self::CommandLine => None,
        }
    }

    /// Refuses permissions and buildings that the person does not have themselves, and whoever no longer manages operators. What
    /// they have is read here: since their request began it may have been taken away. The caller holds [`in_turn`].
    pub(crate) async fn require(self, tx: &mut Tx, permissions: Permissions, buildings: &Scope) -> Result<()> {
        let Self::Person(who) = self else { return Ok(()) };
        let own = current(tx, who.user).await?.filter(|own| !own.is_disabled && own.permissions.has(Permission::Operators));
        let own = own.ok_or(AppError::Forbidden)?;
        if own.covers(permissions, buildings) { Ok(()) } else { Err(AppError::Forbidden.into()) }
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

impl Target {
    fn covers(&self, permissions: Permissions, buildings: &Scope) -> bool {
        let sees = match (&self.buildings, buildings) {
            (Scope::All, _) => true,
            (Scope::Buildings(_), Scope::All) => false,
            (Scope::Buildings(own), Scope::Buildings(others)) => others.is_subset(own),
        };
        sees && self.permissions.covers(permissions)
    }
}

#[derive(sqlx::FromRow)]
struct TargetRow {
    role: Role,
    own_role_id: Option<model::ids::RoleId>,
    is_disabled: bool,
}

/// Lets changes of operators and roles happen one after the other, each in its transaction from its beginning: what somebody may
/// give follows from rows that another change writes. On SQLite there is one writer anyway.
pub(crate) async fn in_turn(tx: &mut Tx) -> Result<()> {
    if let Tx::Postgres(c) = tx {
        // No reader waits for it, and no foreign key.
        sqlx::query("LOCK TABLE roles IN SHARE ROW EXCLUSIVE MODE").execute(&mut **c).await?;
    }
    Ok(())
}

/// An operator as they are now. The caller holds [`in_turn`].
async fn current(tx: &mut Tx, user: UserId) -> Result<Option<Target>> {
    let row: Option<TargetRow> = on!(tx, |c| sqlx::query_as(
        "SELECT role, own_role_id, disabled_at IS NOT NULL AS is_disabled FROM users WHERE id = $1 AND role <> 'resident'"
    )
    .bind(user)
    .fetch_optional(c)
    .await)?;
    let Some(row) = row else { return Ok(None) };
    let role = row.own_role_id.map_or(RoleChoice::Ready(row.role), RoleChoice::Own);
    Ok(Some(Target {
        role,
        permissions: roles::of_choice(tx, role).await?,
        buildings: scope(tx, user).await?,
        is_disabled: row.is_disabled,
    }))
}

/// An operator whom this person may change, until the transaction ends.
async fn target(tx: &mut Tx, by: ChangedBy<'_>, user: UserId) -> Result<Target> {
    in_turn(tx).await?;
    let target = current(tx, user).await?.ok_or(AppError::NotFound)?;
    by.require(tx, target.permissions, &target.buildings).await?;
    Ok(target)
}

/// Takes back what a person made, who may no longer do or see what they could then: links that could still be used, and e-mails
/// with their saved reports that wait.
pub(crate) async fn take_back(tx: &mut Tx, at: Timestamp, user: UserId) -> Result<()> {
    withdraw_made_by(tx, at, user).await?;
    on!(tx, |c| sqlx::query(
        "DELETE FROM mails WHERE state = 'waiting' AND report_id IN (SELECT id FROM saved_reports WHERE owner_id = $1)"
    )
    .bind(user)
    .execute(c)
    .await)?;
    Ok(())
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
