//! Joining the room of a roommate by their link, without a log-in. Guesses at codes are slowed down as guesses at passwords are.

use app::api::roommates::{JoiningPort, NewRoommate};
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::personal::{ROOMMATE_PREFIX, RoommateInvitation};

use super::throttle::{Attempt, Caller};
use super::{AuthService, address_of, hash};
use crate::qr::qr;
use domain::password::{Owner, check};
use people::roommates;
use store::accounts::NewResident;
use store::users;

impl AuthService {
    /// The attempt counts as failed until the caller says otherwise.
    async fn find_room(&self, code: &str, visit: &Visit) -> Result<(RoommateInvitation, Attempt), AppError> {
        // Not even a guess, and not worth a turn.
        if !code.starts_with(ROOMMATE_PREFIX) {
            return Err(AppError::LinkEnded);
        }
        let address = address_of(&visit.ip);
        let attempt = self.turn(Caller::Stranger { login: code, address }, None, &visit.ip).await?;
        let now = self.context.now();
        match roommates::invitation(&self.context.db, &hash(code), now).await? {
            Some(invitation) => Ok((invitation, attempt)),
            None => Err(self.failed(&attempt, None, &visit.ip, AppError::LinkEnded)),
        }
    }
}

#[async_trait]
impl JoiningPort for AuthService {
    async fn roommate_invitation(&self, code: &str, visit: &Visit) -> Result<RoommateInvitation, AppError> {
        let (invitation, attempt) = self.find_room(code, visit).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(invitation)
    }

    async fn join_as_new(&self, code: &str, person: &NewRoommate, visit: &Visit) -> Result<(), AppError> {
        // Refusals count: whoever holds a link must not try login names without end.
        let (_, attempt) = self.find_room(code, visit).await?;
        let (db, rng, now) = (&self.context.db, &self.context.rng, self.context.now());
        let site = users::site_name(db).await?;
        check(&person.password, &Owner { login: &person.login, site: &site, password_only: false })?;
        let password_hash = self.passwords.hash(&person.password).await?;
        let new = NewResident { name: person.name.clone(), login: person.login.clone(), password_hash };
        roommates::join_as_new(db, rng, now, &hash(code), &new, &visit.ip).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(())
    }

    fn qr(&self, text: &str) -> Option<(i32, String)> {
        qr(text)
    }
}
