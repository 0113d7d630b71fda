//! Logging in and out, and passwords.

mod device;
mod fingerprint;
mod invitations;
mod joining;
mod lifetime;
mod password;
mod phone;
mod phone_limits;
mod second_factor;
mod throttle;
mod token;
pub mod totp;
mod vault;
mod wechat;

use app::api::auth::{AuthPort, LoggedIn, NewSession, OwnAccount, OwnSession, ProvedPassword, SecondFactorSetup};
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::ids::UserId;
use model::log_in::{LogIn, LogInMethod};
use model::person::{Role, Who};
use model::typed::typed;

pub use lifetime::{expires, kiosk_expires, worth_writing};
pub use password::{Passwords, Queue};
pub use token::{hash, new_token};

use super::Context;
use super::attempt_limits::address_of;
use super::log_limit;
use super::notifications::NotificationsService;
use device::Device;
use domain::password::{Owner, check, normalised};
use fingerprint::Fingerprints;
use people::{password_log_ins, second_factors};
use phone::Phones;
use store::{StoreError, sessions, users};
use throttle::Attempt;
pub(super) use throttle::{Caller, Throttle};
use vault::Vault;
use wechat::WechatSignIns;

/// Whether a password is refused that somebody chooses for another person, who has to change it at the first log-in.
#[must_use]
pub fn is_weak(password: &str) -> bool {
    check(password, &Owner::default()).is_err()
}

/// Operators reach more than their own room.
#[must_use]
pub fn is_operator(role: Role) -> bool {
    role != Role::Resident
}

pub struct AuthService {
    context: Context,
    passwords: Passwords,
    throttle: Throttle,
    vault: Vault,
    phones: Phones,
    wechat: WechatSignIns,
    fingerprints: Fingerprints,
}

impl AuthService {
    #[must_use]
    pub fn new(context: Context, passwords: Passwords) -> Self {
        let vault = Vault::new(context.db.derived_key("second factors"));
        let (phones, fingerprints) = (Phones::new(&context), Fingerprints::new(&context.rng));
        let (throttle, wechat) = (Throttle::default(), WechatSignIns::default());
        Self { context, passwords, throttle, vault, phones, wechat, fingerprints }
    }

    /// Adds the log-ins that need the site's message channels: by code on a phone, and by WeChat.
    #[must_use]
    pub fn with_channels(mut self, notifications: &NotificationsService) -> Self {
        self.phones.connect(notifications);
        self.wechat.connect(notifications);
        self
    }

    /// A session to open and its answer.
    fn session(
        &self,
        (user, role): (UserId, Role),
        method: LogInMethod,
        visit: &Visit,
        device: String,
    ) -> (NewSession, sessions::NewSession) {
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let stored = sessions::NewSession {
            hash: hash(&token),
            user,
            log_in: method.into(),
            ip: visit.ip.clone(),
            agent: visit.agent.clone(),
            expires: expires(role, now, now),
        };
        (NewSession { token, role, device }, stored)
    }

    /// Whoever logs in by a name: as signs are read now, else as it was typed, for names that were stored before that.
    async fn credentials(&self, narrow: &str, as_typed: &str) -> Result<Option<users::Credentials>, StoreError> {
        match users::by_login(&self.context.db, narrow).await? {
            None if narrow != as_typed => users::by_login(&self.context.db, as_typed).await,
            found => Ok(found),
        }
    }

    /// Counts the attempt and waits for its turn; logs a refusal.
    async fn turn(&self, caller: Caller<'_>, user: Option<UserId>, ip: &str) -> Result<Attempt, AppError> {
        let typed = match &caller {
            Caller::Stranger { login, .. } => Some(*login),
            _ => None,
        };
        let begun = self.throttle.begin(caller, self.context.now());
        let attempt = begun.inspect_err(|error| self.log_failure(ip, user, typed, *error))?;
        tokio::time::sleep(attempt.wait).await;
        Ok(attempt)
    }

    fn failed(&self, attempt: &Attempt, user: Option<UserId>, ip: &str, error: AppError) -> AppError {
        self.log_failure(ip, user, attempt.login(), error);
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

    /// The login that was typed is not logged: it may be a password in the wrong field. `typed` is what stood in its place.
    fn log_failure(&self, ip: &str, user: Option<UserId>, typed: Option<&str>, error: AppError) {
        let reason = error.code();
        let Some(left_out) = log_limit::admits(address_of(ip), &format!("log-in {reason}")) else { return };
        match user {
            Some(user) => tracing::info!(address = ip, user = user.to_string(), reason, left_out, "security.log_in_failed"),
            None => {
                let fingerprint = typed.map(|typed| self.fingerprints.of(typed)).unwrap_or_default();
                tracing::info!(address = ip, user = "unknown", fingerprint, reason, left_out, "security.log_in_failed");
            }
        }
    }
}

#[async_trait]
impl AuthPort for AuthService {
    async fn log_in(&self, login: &str, password: &str, visit: &Visit) -> Result<LoggedIn, AppError> {
        let narrow = typed(login);
        let find = || self.credentials(&narrow, login.trim());
        let mut found = find().await?;
        let user = found.as_ref().map(|user| UserId(user.id));
        // As much work for an unknown login, so that logins cannot be guessed by timing.
        let stored = found.as_ref().map_or(self.passwords.nobody(), |user| &user.password_hash);
        let address = address_of(&visit.ip);
        let (caller, queue) = match (Device::recognise(&visit.device, stored), user) {
            (Some(device), Some(user)) => (Caller::Known(device), Queue::Known(user)),
            _ => (Caller::Stranger { login: &narrow, address }, Queue::Stranger(address)),
        };
        let attempt = self.turn(caller, user, &visit.ip).await?;
        if !attempt.wait.is_zero() {
            // The password may have been changed meanwhile.
            found = find().await?;
        }
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let verified = self.passwords.verify(queue, password, stored).await;
        let is_right = verified.inspect_err(|error| self.log_failure(&visit.ip, user, Some(narrow.as_str()), *error))?;
        match found.filter(|_| is_right) {
            Some(user) => {
                let id = UserId(user.id);
                if self.has_second_factor(id).await? {
                    let token = self.begin_after_password(id, &user.password_hash).await?;
                    self.throttle.succeeded(&attempt, self.context.now());
                    return Ok(LoggedIn::SecondStep(token));
                }
                let device = Device::remember(&visit.device, &user.password_hash, &user.password_hash, &self.context.rng);
                let (session, stored) = self.session((id, user.role), LogInMethod::Password, visit, device);
                password_log_ins::open(&self.context.db, self.context.now(), &stored, &user.password_hash).await?;
                self.throttle.succeeded(&attempt, self.context.now());
                Ok(LoggedIn::Open(session))
            }
            None => Err(self.failed(&attempt, user, &visit.ip, AppError::BadCredentials)),
        }
    }

    async fn log_out(&self, who: &Who, token: &str) -> Result<(), AppError> {
        Ok(sessions::close(&self.context.db, self.context.now(), who, &hash(token)).await?)
    }

    async fn change_password(&self, who: &Who, old: &str, new: &str, visit: &Visit) -> Result<NewSession, AppError> {
        let (login, site) = (users::login_of(&self.context.db, who.user).await?, users::site_name(&self.context.db).await?);
        let password_only = is_operator(who.role) && !self.has_second_factor(who.user).await?;
        check(new, &Owner { login: &login, site: &site, password_only })?;
        if normalised(new) == normalised(old) {
            return Err(AppError::SamePassword);
        }
        // A stolen session must not allow unlimited guesses of the password.
        let attempt = self.turn(Caller::Session(who.user), Some(who.user), &who.ip).await?;
        let user = users::by_id(&self.context.db, who.user).await?.ok_or(AppError::NotLoggedIn)?;
        if !self.passwords.verify(Queue::Known(who.user), old, Some(user.password_hash.clone())).await? {
            return Err(self.failed(&attempt, Some(who.user), &who.ip, AppError::WrongPassword));
        }
        let password_hash = self.passwords.hash(new).await?;
        let device = Device::remember(&visit.device, &user.password_hash, &password_hash, &self.context.rng);
        let (session, stored) = self.session((who.user, who.role), LogInMethod::PasswordChange, visit, device);
        let hashes = (user.password_hash.as_str(), password_hash.as_str());
        users::change_password(&self.context.db, self.context.now(), who, hashes, &stored).await?;
        self.throttle.succeeded(&attempt, self.context.now());
        Ok(session)
    }

    async fn prove_password(&self, who: &Who, password: &str) -> Result<ProvedPassword, AppError> {
        self.require_password(who, password).await.map(ProvedPassword)
    }

    async fn second_step(&self, code: &str, visit: &Visit) -> Result<NewSession, AppError> {
        self.take_second_step(code, visit).await
    }

    async fn waits_for_code(&self, visit: &Visit) -> Result<bool, AppError> {
        Ok(second_factors::waits(&self.context.db, &hash(&visit.session), self.context.now()).await?.is_some())
    }

    async fn account(&self, who: &Who, visit: &Visit) -> Result<OwnAccount, AppError> {
        let (db, now, current) = (&self.context.db, self.context.now(), hash(&visit.session));
        let listed = sessions::of_person(db, who.user, now).await?.into_iter().map(|one| OwnSession {
            id: hex::encode(&one.token_hash),
            is_this: one.token_hash == current,
            created_at: one.created_at,
            seen_at: one.seen_at,
            ip: one.ip,
            agent: one.agent,
            log_in: LogIn { method: one.method, second_factor: one.second_factor },
        });
        let has_second_factor = self.has_second_factor(who.user).await?;
        Ok(OwnAccount {
            sessions: listed.collect(),
            has_second_factor,
            recovery_codes: second_factors::recovery_codes_left(db, who.user).await?,
            password_due: users::password_due(db, who.user).await?,
            password_only: is_operator(who.role) && !has_second_factor,
        })
    }

    async fn prepare_second_factor(&self, who: &Who, password: &str) -> Result<(), AppError> {
        self.prepare(who, password).await
    }

    async fn second_factor_setup(&self, who: &Who) -> Result<SecondFactorSetup, AppError> {
        self.setup(who).await
    }

    async fn confirm_second_factor(&self, who: &Who, code: &str) -> Result<Vec<String>, AppError> {
        self.confirm(who, code).await
    }

    async fn turn_off_second_factor(&self, who: &Who, password: &str) -> Result<(), AppError> {
        self.turn_off(who, password).await
    }

    async fn renew_recovery_codes(&self, who: &Who, password: &str) -> Result<Vec<String>, AppError> {
        self.renew(who, password).await
    }

    async fn end_session(&self, who: &Who, id: &str) -> Result<(), AppError> {
        let hash = hex::decode(id).map_err(|_| AppError::NotFound)?;
        Ok(sessions::end(&self.context.db, self.context.now(), who, &hash).await?)
    }

    async fn end_other_sessions(&self, who: &Who, visit: &Visit) -> Result<(), AppError> {
        sessions::end_others(&self.context.db, self.context.now(), who, &hash(&visit.session)).await?;
        Ok(())
    }
}
