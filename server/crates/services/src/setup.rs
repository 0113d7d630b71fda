//! The first start. Whoever can read the log of a server on an empty database may set it up: there is no default password.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use app::api::auth::NewSession;
use app::api::setup::{SetUpForm, SetupPort};
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::log_in::LogInMethod;
use model::person::{Role, Who, is_login_name, is_name};
use model::setup::Checklist;
use model::time::{DAY, Timestamp};

use super::attempt_limits::address_of;
use super::auth::{Caller, Passwords, Throttle, expires, hash, new_token};
use super::{Context, checklist, log_limit};
use domain::password::{Owner, check};
use estate::setup::{self, NewSite};
use payments::Payments;
use store::sessions::{self, TokenHash};

/// How long the printed address can be used, ms: a log is read by more people later.
const TOKEN_LASTS: i64 = DAY;
/// Wrong tokens are counted together, like the attempts of a login.
const ATTEMPTS: &str = "set-up";

pub struct SetupService {
    context: Context,
    passwords: Passwords,
    payments: Payments,
    throttle: Throttle,
    /// The printed token's hash, and until when it counts.
    token: (TokenHash, Timestamp),
    /// There are people: it never opens again.
    is_closed: AtomicBool,
    has_checklist: AtomicBool,
}

impl SetupService {
    /// Makes a new one-time token, and gives it if the database has no people yet.
    pub async fn start(context: &Context, payments: &Payments) -> Result<(Arc<Self>, Option<String>), AppError> {
        let (token, is_open) = (new_token(&context.rng), setup::is_open(&context.db).await?);
        let service = Self {
            context: context.clone(),
            passwords: Passwords::new(context.rng.clone())?,
            payments: payments.clone(),
            throttle: Throttle::default(),
            token: (hash(&token), context.now().plus(TOKEN_LASTS)),
            is_closed: AtomicBool::new(!is_open),
            has_checklist: AtomicBool::new(false),
        };
        service.list().await?;
        Ok((Arc::new(service), is_open.then_some(token)))
    }

    async fn list(&self) -> Result<Checklist, AppError> {
        let list = checklist::read(&self.context.db, self.context.now(), self.payments.merchants()).await?;
        self.has_checklist.store(list.is_shown(), Ordering::Relaxed);
        Ok(list)
    }
}

#[async_trait]
impl SetupPort for SetupService {
    async fn is_open(&self) -> Result<bool, AppError> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let is_open = setup::is_open(&self.context.db).await?;
        // Also where another process or the command line added somebody.
        self.is_closed.store(!is_open, Ordering::Relaxed);
        Ok(is_open)
    }

    async fn check_token(&self, token: &str, visit: &Visit) -> Result<(), AppError> {
        if !self.is_open().await? {
            return Err(AppError::NotFound);
        }
        let (now, (expected, until)) = (self.context.now(), self.token);
        // 256 random bits are not guessed: whoever has them does not wait for those who try.
        if hash(token) == expected && now < until {
            return Ok(());
        }
        let address = address_of(&visit.ip);
        let attempt = self.throttle.begin(Caller::Stranger { login: ATTEMPTS, address }, now)?;
        tokio::time::sleep(attempt.wait).await;
        if let Some(left_out) = log_limit::admits(address, "set-up") {
            tracing::info!(address = visit.ip, left_out, "security.set_up_refused");
        }
        Err(AppError::Forbidden)
    }

    async fn set_up(&self, token: &str, form: &SetUpForm, visit: &Visit) -> Result<NewSession, AppError> {
        self.check_token(token, visit).await?;
        if !is_login_name(&form.login) || !is_name(&form.name) || !is_name(&form.site) {
            return Err(AppError::Invalid);
        }
        check(&form.password, &Owner { login: &form.login, site: &form.site, password_only: true })?;
        let password_hash = self.passwords.hash(&form.password).await?;
        let SetUpForm { login, name, site, defaults, .. } = form;
        let new = NewSite { login, name, password_hash: &password_hash, site, defaults, ip: &visit.ip };
        let (token, now) = (new_token(&self.context.rng), self.context.now());
        let session = |user| sessions::NewSession {
            hash: hash(&token),
            user,
            log_in: LogInMethod::SetUp.into(),
            ip: visit.ip.clone(),
            agent: visit.agent.clone(),
            expires: expires(Role::Admin, now, now),
        };
        let user = setup::set_up(&self.context.db, &self.context.rng, now, &new, session).await?;
        self.is_closed.store(true, Ordering::Relaxed);
        tracing::info!(address = visit.ip, %user, "setup.done");
        Ok(NewSession { token, role: Role::Admin, device: String::new() })
    }

    async fn checklist(&self, who: &Who) -> Result<Checklist, AppError> {
        self.context.require_whole_site(who).await?;
        self.list().await
    }

    async fn hide_checklist(&self, who: &Who, hidden: bool) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        estate::checklist::hide(&self.context.db, self.context.now(), who, hidden).await?;
        self.list().await.map(drop)
    }

    fn reads_meters(&self) -> bool {
        self.context.gateway.polls()
    }

    fn has_checklist(&self) -> bool {
        self.has_checklist.load(Ordering::Relaxed)
    }
}
