//! Logging in and out, and passwords.

mod lifetime;
mod password;
mod throttle;
mod token;

use app::api::auth::{AuthPort, NewSession};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::UserId;
use model::person::{Role, Who};

pub use lifetime::{expires, worth_writing};
pub use password::Passwords;
pub use token::{hash, new_token};

use super::Context;
use store::{sessions, users};
use throttle::{Throttle, pause};

/// Characters of a password.
const MIN_PASSWORD: usize = 10;

/// Whether a password is too short.
#[must_use]
pub fn is_weak(password: &str) -> bool {
    password.chars().count() < MIN_PASSWORD
}

pub struct AuthService {
    context: Context,
    passwords: Passwords,
    throttle: Throttle,
}

impl AuthService {
    #[must_use]
    pub fn new(context: Context, passwords: Passwords) -> Self {
        Self { context, passwords, throttle: Throttle::default() }
    }

    fn session(&self, user: UserId, role: Role, ip: &str) -> (NewSession, sessions::NewSession) {
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let stored = sessions::NewSession { hash: hash(&token), user, ip: ip.to_owned(), expires: expires(role, now, now) };
        (NewSession { token, role }, stored)
    }
}

#[async_trait]
impl AuthPort for AuthService {
    async fn log_in(&self, login: &str, password: &str, ip: &str) -> Result<NewSession, AppError> {
        let now = self.context.now();
        self.throttle.admit(ip, login, now)?;
        let found = users::by_login(&self.context.db, login).await?;
        if found.as_ref().and_then(|user| user.locked_until).is_some_and(|until| until > now.0) {
            return Err(AppError::RateLimited);
        }
        // An unknown login takes the same time as a wrong password, so that logins cannot be guessed by timing.
        let right = self.passwords.verify(password, found.as_ref().map(|user| user.password_hash.clone())).await?;
        match found {
            Some(user) if right => {
                let role = user.role;
                let (session, stored) = self.session(UserId(user.id), role, ip);
                sessions::open(&self.context.db, self.context.now(), &stored).await?;
                Ok(session)
            }
            Some(user) => {
                self.throttle.failed(ip, None, now);
                users::password_was_wrong(&self.context.db, now, UserId(user.id), ip, pause).await?;
                Err(AppError::BadCredentials)
            }
            None => {
                self.throttle.failed(ip, Some(login), now);
                Err(AppError::BadCredentials)
            }
        }
    }

    async fn log_out(&self, who: &Who, token: &str) -> Result<(), AppError> {
        Ok(sessions::close(&self.context.db, self.context.now(), who, &hash(token)).await?)
    }

    async fn change_password(&self, who: &Who, old: &str, new: &str) -> Result<NewSession, AppError> {
        if is_weak(new) || new == old {
            return Err(AppError::WeakPassword);
        }
        // A stolen session must not allow unlimited guesses of the password.
        let now = self.context.now();
        self.throttle.admit(&who.ip, &who.user.to_string(), now)?;
        let user = users::by_id(&self.context.db, who.user).await?.ok_or(AppError::NotLoggedIn)?;
        if !self.passwords.verify(old, Some(user.password_hash)).await? {
            self.throttle.failed(&who.ip, Some(&who.user.to_string()), now);
            return Err(AppError::WrongPassword);
        }
        let password_hash = self.passwords.hash(new).await?;
        let (session, stored) = self.session(who.user, who.role, &who.ip);
        users::change_password(&self.context.db, self.context.now(), who, &password_hash, &stored).await?;
        Ok(session)
    }
}
