//! Logging in, or choosing another password, by a code on the phone that a resident has confirmed. What strangers see is the same
//! for a number that nobody has.

use std::sync::Arc;

use app::api::auth::LoggedIn;
use app::api::phone_log_in::PhoneLogInPort;
use app::ports::Visit;
use async_trait::async_trait;
use aws_lc_rs::hmac;
use model::error::AppError;
use model::ids::UserId;
use model::log_in::LogInMethod;
use model::notification::{NotificationChannel, PhoneNumber};
use notify::phone_log_ins::{self, NewPhoneLogIn, PhoneCodeOutcome};
use tokio::sync::Notify;

use super::phone_limits::PhoneLimits;
use super::throttle::Caller;
use super::{AuthService, Device, address_of, hash, new_token};
use crate::Context;
use crate::notifications::NotificationsService;
use domain::password::{Owner, check};
use store::sessions::TokenHash;
use store::users;

/// What sends codes to phones.
pub(super) struct Phones {
    limits: PhoneLimits,
    /// Codes are stored under this key.
    key: [u8; 32],
    /// Is signalled when a text message waits; `None` where no channel of text messages is set up.
    requests: Option<Arc<Notify>>,
}

impl Phones {
    pub(super) fn new(context: &Context) -> Self {
        let key = context.db.derived_key("phone codes").unwrap_or_default();
        Self { limits: PhoneLimits::default(), key, requests: None }
    }

    /// Sends codes through the channel of text messages, where one is set up.
    pub(super) fn connect(&mut self, notifications: &NotificationsService) {
        let sms = NotificationChannel::Sms;
        self.requests = notifications.channels().has(sms).then(|| notifications.requests(sms));
    }

    /// What is stored of a code; of use only with the browser's token.
    fn code_hash(&self, token: &TokenHash, code: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.key));
        context.update(token);
        context.update(code.as_bytes());
        context.sign().as_ref().to_vec()
    }
}

impl AuthService {
    /// Sends a code beside the answer, which must take as long for a number that nobody has.
    fn deliver_code(&self, (token, phone): (TokenHash, PhoneNumber), code: String, ip: String, requests: Arc<Notify>) {
        let (context, code_hash) = (self.context.clone(), self.phones.code_hash(&token, &code));
        tokio::spawn(async move {
            let new = NewPhoneLogIn { token, phone: &phone, code_hash: &code_hash };
            match phone_log_ins::send_code(&context.db, &context.rng, context.now(), &new, &code).await {
                Ok(Some(user)) => {
                    tracing::info!(address = ip, %user, "security.phone_code_sent");
                    requests.notify_one();
                }
                Ok(None) => tracing::info!(address = ip, "security.phone_code_for_nobody"),
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "security.phone_code_failed"),
            }
        });
    }

    /// Whose code it is, and the token that it belongs to. Each try counts.
    async fn phone_code(&self, code: &str, visit: &Visit) -> Result<(TokenHash, UserId), AppError> {
        if visit.session.is_empty() {
            return Err(AppError::LinkEnded);
        }
        let token = hash(&visit.session);
        let stranger = Caller::Stranger { login: &visit.session, address: address_of(&visit.ip) };
        let attempt = self.turn(stranger, None, &visit.ip).await?;
        let given = self.phones.code_hash(&token, code.trim());
        match phone_log_ins::check_code(&self.context.db, self.context.now(), &token, &given).await? {
            PhoneCodeOutcome::Right(user) => {
                self.throttle.succeeded(&attempt, self.context.now());
                Ok((token, user))
            }
            PhoneCodeOutcome::Wrong(user) => Err(self.failed(&attempt, user, &visit.ip, AppError::WrongCode)),
            PhoneCodeOutcome::Ended => Err(self.failed(&attempt, None, &visit.ip, AppError::LinkEnded)),
        }
    }
}

#[async_trait]
impl PhoneLogInPort for AuthService {
    fn has_phones(&self) -> bool {
        self.phones.requests.is_some()
    }

    async fn send_phone_code(&self, phone: &PhoneNumber, visit: &Visit) -> Result<String, AppError> {
        let requests = self.phones.requests.clone().ok_or(AppError::Unavailable)?;
        let (now, rng) = (self.context.now(), &self.context.rng);
        let taken = self.phones.limits.take(phone, address_of(&visit.ip), now);
        taken.inspect_err(|error| self.log_failure(&visit.ip, None, None, *error))?;
        let (secret, code) = (new_token(rng), format!("{:06}", rng.below(1_000_000)));
        let token = hash(&secret);
        let new = NewPhoneLogIn { token, phone, code_hash: &self.phones.code_hash(&token, &code) };
        phone_log_ins::begin(&self.context.db, now, &new).await?;
        self.deliver_code((token, phone.clone()), code, visit.ip.clone(), requests);
        Ok(secret)
    }

    async fn waits_for_phone_code(&self, visit: &Visit) -> Result<bool, AppError> {
        Ok(phone_log_ins::waits(&self.context.db, &hash(&visit.session), self.context.now()).await?)
    }

    async fn log_in_by_phone(&self, code: &str, visit: &Visit) -> Result<LoggedIn, AppError> {
        let (token, user) = self.phone_code(code, visit).await?;
        let db = &self.context.db;
        let found = users::by_id(db, user).await?.ok_or(AppError::LinkEnded)?;
        if self.has_second_factor(user).await? {
            phone_log_ins::use_up(db, &token, user).await?;
            return Ok(LoggedIn::SecondStep(self.begin_second_step(user, LogInMethod::Phone).await?));
        }
        let device = Device::remember(&visit.device, &found.password_hash, &found.password_hash, &self.context.rng);
        let (session, stored) = self.session((user, found.role), LogInMethod::Phone, visit, device);
        phone_log_ins::open(db, self.context.now(), &token, &stored).await?;
        Ok(LoggedIn::Open(session))
    }

    async fn choose_password_by_phone(&self, code: &str, password: &str, visit: &Visit) -> Result<(), AppError> {
        let db = &self.context.db;
        let site = users::site_name(db).await?;
        // A password that nobody may choose is refused before it costs a try.
        check(password, &Owner { login: "", site: &site, password_only: false })?;
        let (token, user) = self.phone_code(code, visit).await?;
        let login = users::login_of(db, user).await?;
        check(password, &Owner { login: &login, site: &site, password_only: false })?;
        let password_hash = self.passwords.hash(password).await?;
        let chosen = (user, password_hash.as_str());
        Ok(phone_log_ins::reset_password(db, self.context.now(), &token, chosen, &visit.ip).await?)
    }
}
