//! The people who work with the console, and their roles.

use app::api::operators::{NewAccess, NewOperator, OperatorsPort};
use async_trait::async_trait;
use model::console::Page;
use model::error::AppError;
use model::ids::{RoleId, UserId};
use model::operator::{LinkKind, OperatorChoices, OperatorLine, OwnRole};
use model::permission::{Permission, Permissions};
use model::person::{Role, Who};
use model::time::{DAY, Timestamp};

use super::ConsoleService;
use crate::Context;
use crate::auth::{hash, new_token};
use domain::wall_layout::Scope;
use estate::places;
use store::operators::{self, Access, ChangedBy, NewLink};
use store::roles;
use store::roles::RoleTerms;

/// How long a one-time link can be used.
#[must_use]
pub const fn link_until(kind: LinkKind, now: Timestamp) -> Timestamp {
    now.plus(match kind {
        LinkKind::Invite => 7 * DAY,
        LinkKind::Reset => DAY,
    })
}

/// Refuses whoever may not, whatever the page said.
fn by(who: &Who) -> Result<ChangedBy<'_>, AppError> {
    if who.may(Permission::Operators) { Ok(ChangedBy::Person(who)) } else { Err(AppError::Forbidden) }
}

fn scope(access: &NewAccess) -> Scope {
    match &access.buildings {
        None => Scope::All,
        Some(buildings) => Scope::Buildings(buildings.iter().copied().collect()),
    }
}

impl ConsoleService {
    /// Refuses what is no building of the site.
    async fn require_buildings(&self, scope: &Scope) -> Result<(), AppError> {
        let Scope::Buildings(given) = scope else { return Ok(()) };
        let all = places::buildings(&self.context.db).await?;
        if given.iter().all(|id| all.iter().any(|(building, _)| building == id)) { Ok(()) } else { Err(AppError::Invalid) }
    }
}

#[async_trait]
impl OperatorsPort for ConsoleService {
    async fn operators(&self, who: &Who, page: i64) -> Result<Page<OperatorLine>, AppError> {
        Ok(queries::operators(&self.context.db, self.context.now(), by(who)?, page).await?)
    }

    async fn operator(&self, who: &Who, id: UserId) -> Result<OperatorLine, AppError> {
        queries::operator(&self.context.db, self.context.now(), by(who)?, id).await?.ok_or(AppError::NotFound)
    }

    async fn choices(&self, who: &Who) -> Result<OperatorChoices, AppError> {
        by(who)?;
        let (db, covers) = (&self.context.db, |permissions| who.permissions.covers(permissions));
        let own = roles::list(db).await?.into_iter().filter(|role| covers(role.permissions)).collect();
        let within = queries::scope(db, who.user).await?;
        let buildings = places::buildings(db).await?.into_iter().filter(|(id, _)| within.holds(*id)).collect();
        let ready = Role::READY.into_iter().filter(|role| covers(Permissions::of(*role))).collect();
        Ok(OperatorChoices { ready, own, buildings, all_buildings: within == Scope::All })
    }

    async fn invite(&self, who: &Who, new: NewOperator) -> Result<(UserId, String), AppError> {
        let (by, scope) = (by(who)?, scope(&new.access));
        self.require_buildings(&scope).await?;
        let Context { db, rng, .. } = &self.context;
        let (code, now) = (new_token(rng), self.context.now());
        let link = NewLink { hash: hash(&code), expires_at: link_until(LinkKind::Invite, now) };
        let new = operators::NewOperator { login: &new.login, name: &new.name, role: new.access.role, buildings: &scope };
        Ok((operators::invite(db, rng, now, by, &new, link).await?, code))
    }

    async fn new_link(&self, who: &Who, id: UserId) -> Result<String, AppError> {
        let (code, now) = (new_token(&self.context.rng), self.context.now());
        let link = |kind| NewLink { hash: hash(&code), expires_at: link_until(kind, now) };
        operators::renew(&self.context.db, now, by(who)?, id, link).await?;
        Ok(code)
    }

    async fn set_disabled(&self, who: &Who, id: UserId, disabled: bool) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        Ok(operators::set_disabled(db, rng, self.context.now(), by(who)?, id, disabled).await?)
    }

    async fn end_sessions(&self, who: &Who, id: UserId) -> Result<(), AppError> {
        operators::end_sessions(&self.context.db, self.context.now(), by(who)?, id).await?;
        Ok(())
    }

    async fn set_access(&self, who: &Who, id: UserId, access: NewAccess) -> Result<(), AppError> {
        let (by, scope) = (by(who)?, scope(&access));
        self.require_buildings(&scope).await?;
        let (Context { db, rng, .. }, access) = (&self.context, Access { role: access.role, buildings: &scope });
        Ok(operators::set_access(db, rng, self.context.now(), by, id, access).await?)
    }

    async fn roles(&self) -> Result<Vec<OwnRole>, AppError> {
        Ok(roles::list(&self.context.db).await?)
    }

    async fn save_role(&self, who: &Who, id: Option<RoleId>, name: &str, permissions: Permissions) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        let (by, now, terms) = (by(who)?, self.context.now(), RoleTerms { name, permissions });
        match id {
            Some(id) => roles::change(db, rng, now, by, id, terms).await?,
            None => drop(roles::create(db, rng, now, by, terms).await?),
        }
        Ok(())
    }

    async fn remove_role(&self, who: &Who, id: RoleId) -> Result<(), AppError> {
        Ok(roles::remove(&self.context.db, self.context.now(), by(who)?, id).await?)
    }
}
