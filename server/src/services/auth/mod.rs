//! Logging in and out, and passwords.

mod device;
mod invitations;
mod lifetime;
mod password;
mod throttle;
mod token;

use std::net::{IpAddr, Ipv4Addr};

use app::api::auth::{AuthPort, NewSession};
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::ids::UserId;
use model::person::{Role, Who};

pub use lifetime::{expires, worth_writing};
pub use password::{Passwords, Queue};
pub use token::{hash, new_token};

use super::Context;
use device::Device;
use domain::address::block;
use store::{sessions, users};
use throttle::Attempt;
pub(super) use throttle::{Caller, Throttle};

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

    /// A session to open and its answer.
    fn session(&self, user: UserId, role: Role, ip: &str, device: String) -> (NewSession, sessions::NewSession) {
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let stored = sessions::NewSession { hash: hash(&token), user, ip: ip.to_owned(), expires: expires(role, now, now) };
        (NewSession { token, role, device }, stored)
    }

    /// Counts the attempt and waits for its turn; logs a refusal.
    async fn turn(&self, caller: Caller<'_>, user: Option<UserId>, ip: &str) -> Result<Attempt, AppError> {
        let begun = self.throttle.begin(caller, self.context.now());
        let attempt = begun.inspect_err(|error| log_failure(ip, user, *error))?;
        tokio::time::sleep(attempt.wait).await;
        Ok(attempt)
    }

    fn failed(&self, attempt: &Attempt, user: Option<UserId>, ip: &str, error: AppError) -> AppError {
        log_failure(ip, user, error);
        if let (Some(user), Some(failed)) = (user, attempt.first_delayed) {
            // Beside the answer, which must take as long for an unknown login.
            let (context, ip) = (self.context.clone(), ip.to_owned());
            tokio::spawn(async move {
                if let Err(error) = users::log_ins_delayed(&context.db, context.now(), user, &ip, failed).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, %user, "security.not_recorded");
                }
            });
        }
        error
    }
}

/// The login that was typed is not logged: it may be a password in the wrong field.
fn log_failure(ip: &str, user: Option<UserId>, error: AppError) {
    let user = user.map_or_else(|| "unknown".to_owned(), |user| user.to_string());
    tracing::info!(address = ip, user, reason = error.code(), "security.log_in_failed");
}

#[async_trait]
impl AuthPort for AuthService {
    async fn log_in(&self, login: &str, password: &str, visit: &Visit) -> Result<NewSession, AppError> {
        let find = || users::by_login(&self.context.db, login);
        let mut found = find().await?;
        let user = found.as_ref().map(|user| UserId(user.id));
        // As much work for an unknown login, so that logins cannot be guessed by timing.
        let stored = found.as_ref().map_or(self.passwords.nobody(), |user| &user.password_hash);
        let address = block(visit.ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let (caller, queue) = match (Device::recognise(&visit.device, stored), user) {
            (Some(device), Some(user)) => (Caller::Known(device), Queue::Known(user)),
            _ => (Caller::Stranger { login, address }, Queue::Stranger(address)),
        };
        let attempt = self.turn(caller, user, &visit.ip).await?;
        if !attempt.wait.is_zero() {
            // The password may have been changed meanwhile.
            found = find().await?;
        }
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let verified = self.passwords.verify(queue, password, stored).await;
        let is_right = verified.inspect_err(|error| log_failure(&visit.ip, user, *error))?;
        match found.filter(|_| is_right) {
            Some(user) => {
                let device = Device::remember(&visit.device, &user.password_hash, &user.password_hash, &self.context.rng);
                let (session, stored) = self.session(UserId(user.id), user.role, &visit.ip, device);
                sessions::open(&self.context.db, self.context.now(), &stored).await?;
                self.throttle.succeeded(&attempt, self.context.now());
                Ok(session)
            }
            None => Err(self.failed(&attempt, user, &visit.ip, AppError::BadCredentials)),
        }
    }

    async fn log_out(&self, who: &Who, token: &str) -> Result<(), AppError> {
        Ok(sessions::close(&self.context.db, self.context.now(), who, &hash(token)).await?)
    }

    async fn change_password(&self, who: &Who, old: &str, new: &str, visit: &Visit) -> Result<NewSession, AppError> {
        if is_weak(new) || new == old {
            return Err(AppError::WeakPassword);
        }
        // A stolen session must not allow unlimited guesses of the password.
        let attempt = self.turn(Caller::Session(who.user.to_string()), Some(who.user), &who.ip).await?;
        let user = users::by_id(&self.context.db, who.user).await?.ok_or(AppError::NotLoggedIn)?;
        if !self.passwords.verify(Queue::Known(who.user), old, Some(user.password_hash.clone())).await? {
            return Err(self.failed(&attempt, Some(who.user), &who.ip, AppError::WrongPassword));
        }
        let password_hash = self.passwords.hash(new).await?;
        let device = Device::remember(&visit.device, &user.password_hash, &password_hash, &self.context.rng);
        let (session, stored) = self.session(who.user, who.role, &who.ip, device);
        users::change_password(&self.context.db, self.context.now(), who, &password_hash, &stored).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(session)
    }
}
