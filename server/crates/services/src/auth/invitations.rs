//! Choosing a password through a one-time link. Guesses at codes are slowed down as guesses at passwords are.

use app::api::invitations::InvitationsPort;
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::operator::{Invitation, LinkKind};

use super::throttle::{Attempt, Caller};
use super::{AuthService, address_of, hash};
use domain::password::{Owner, check};
use store::{operators, users};

impl AuthService {
    /// The invitation of a code, and the attempt, which counts as failed until it succeeds.
    async fn find(&self, code: &str, visit: &Visit) -> Result<(Invitation, Attempt), AppError> {
        let address = address_of(&visit.ip);
        let attempt = self.turn(Caller::Stranger { login: code, address }, None, &visit.ip).await?;
        let found = operators::invitation(&self.context.db, self.context.now(), &hash(code)).await?;
        match found {
            Some(invitation) => Ok((invitation, attempt)),
            None => Err(self.failed(&attempt, None, &visit.ip, AppError::LinkEnded)),
        }
    }
}

#[async_trait]
impl InvitationsPort for AuthService {
    async fn invitation(&self, code: &str, visit: &Visit) -> Result<Invitation, AppError> {
        let (invitation, attempt) = self.find(code, visit).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(invitation)
    }

    async fn accept(&self, code: &str, name: &str, password: &str, visit: &Visit) -> Result<(), AppError> {
        let (invitation, attempt) = self.find(code, visit).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        if invitation.kind == LinkKind::Invite && name.is_empty() {
            return Err(AppError::Invalid);
        }
        let site = users::site_name(&self.context.db).await?;
        check(password, &Owner { login: &invitation.login, site: &site, password_only: invitation.password_only })?;
        let password_hash = self.passwords.hash(password).await?;
        operators::accept(&self.context.db, self.context.now(), &hash(code), name, &password_hash, &visit.ip).await?;
        Ok(())
    }
}
