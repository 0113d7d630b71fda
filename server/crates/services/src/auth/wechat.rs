//! Logging in by WeChat, where the service account of the messages says who somebody is. A resident binds their account first,
//! logged in by another way.

use app::api::auth::{LoggedIn, ProvedPassword};
use app::api::wechat_log_in::{WechatLogInPort, WechatRedirect};
use app::link;
use app::ports::Visit;
use async_trait::async_trait;
use model::error::AppError;
use model::ids::UserId;
use model::log_in::LogInMethod;
use model::person::Who;
use model::time::Timestamp;
use notify::{Channels, Wechat};
use people::wechat_log_ins::{self, WechatSignIn};
use store::sessions::TokenHash;
use store::users;

use super::throttle::Caller;
use super::{AuthService, Device, address_of, hash, new_token};
use crate::attempt_limits::AttemptLimits;
use crate::notifications::NotificationsService;

/// Sign-ins that are begun in an hour: by one person, and from one address, which a whole dormitory can share.
const OF_PERSON: usize = 20;
const OF_ADDRESS: usize = 300;
/// Characters of a state and of a code that WeChat gives back.
const LONGEST: usize = 512;

/// What sends people to WeChat.
pub(super) struct WechatSignIns {
    channels: Channels,
    limits: AttemptLimits,
}

impl Default for WechatSignIns {
    fn default() -> Self {
        Self { channels: Channels::default(), limits: AttemptLimits::new(OF_PERSON, OF_ADDRESS) }
    }
}

impl WechatSignIns {
    pub(super) fn connect(&mut self, notifications: &NotificationsService) {
        self.channels = notifications.channels().clone();
    }

    fn account(&self) -> Result<&Wechat, AppError> {
        self.channels.wechat().ok_or(AppError::Unavailable)
    }
}

/// What WeChat has added to the address of a page.
#[derive(Clone, Copy)]
struct Returned<'a> {
    state: &'a str,
    code: &'a str,
}

impl AuthService {
    /// Gives the address of WeChat's sign-in, which leads back to a page of this site in the browser that has the token. `proved`
    /// binds their account, by the hash of their password; without one somebody logs in.
    async fn begin_sign_in(
        &self,
        back: &str,
        token: TokenHash,
        proved: Option<(UserId, &str)>,
        ip: &str,
    ) -> Result<String, AppError> {
        let (account, now) = (self.wechat.account()?, self.context.now());
        let (user, password_hash) = proved.unzip();
        self.wechat.limits.take(user, ip, now).inspect_err(|error| self.log_failure(ip, user, None, *error))?;
        let state = hex::encode(self.context.rng.bytes::<16>());
        let sign_in = WechatSignIn { token, state: hash(&state), user };
        wechat_log_ins::begin(&self.context.db, now, &sign_in, password_hash).await?;
        Ok(account.sign_in_address(back, &state))
    }

    /// The person's id at WeChat, of a browser that was sent there and comes back.
    async fn end_sign_in(&self, returned: Returned<'_>, visit: &Visit, user: Option<UserId>) -> Result<String, AppError> {
        let account = self.wechat.account()?;
        let Returned { state, code } = returned;
        if state.len() > LONGEST || code.len() > LONGEST {
            return Err(AppError::LinkEnded);
        }
        let sign_in = WechatSignIn { token: hash(&visit.session), state: hash(state), user };
        // Before the code is used: a forged state must cause no request to WeChat.
        if !wechat_log_ins::end(&self.context.db, self.context.now(), &sign_in).await? {
            return Err(AppError::LinkEnded);
        }
        if code.is_empty() {
            return Err(AppError::Unavailable);
        }
        account.openid(code).await.map_err(|reason| {
            tracing::warn!(reason = reason.as_str(), "security.wechat_sign_in");
            AppError::Unavailable
        })
    }

    /// The id at WeChat of the person who comes back, and the resident who has bound it.
    async fn named(&self, returned: Returned<'_>, visit: &Visit) -> Result<(String, UserId), AppError> {
        let openid = self.end_sign_in(returned, visit, None).await?;
        let user = wechat_log_ins::resident(&self.context.db, &openid).await?.ok_or(AppError::NotFound)?;
        Ok((openid, user))
    }
}

#[async_trait]
impl WechatLogInPort for AuthService {
    fn has_wechat(&self) -> bool {
        self.wechat.channels.wechat().is_some()
    }

    async fn begin_wechat_log_in(&self, next: Option<&str>, visit: &Visit) -> Result<WechatRedirect, AppError> {
        let token = new_token(&self.context.rng);
        let page = "/login/wechat";
        let back = next.map_or_else(|| page.to_owned(), |next| link::with(page, "next", next));
        let address = self.begin_sign_in(&back, hash(&token), None, &visit.ip).await?;
        Ok(WechatRedirect { address, token })
    }

    async fn log_in_by_wechat(&self, state: &str, code: &str, visit: &Visit) -> Result<LoggedIn, AppError> {
        if visit.session.is_empty() {
            return Err(AppError::LinkEnded);
        }
        let stranger = Caller::Stranger { login: &visit.session, address: address_of(&visit.ip) };
        let attempt = self.turn(stranger, None, &visit.ip).await?;
        let named = self.named(Returned { state, code }, visit).await;
        let (openid, user) = named.map_err(|error| self.failed(&attempt, None, &visit.ip, error))?;
        let (db, now) = (&self.context.db, self.context.now());
        self.throttle.succeeded(&attempt, now);
        let found = users::by_id(db, user).await?.ok_or(AppError::NotFound)?;
        if self.has_second_factor(user).await? {
            return Ok(LoggedIn::SecondStep(self.begin_second_step(user, LogInMethod::Wechat).await?));
        }
        let device = Device::remember(&visit.device, &found.password_hash, &found.password_hash, &self.context.rng);
        let (session, stored) = self.session((user, found.role), LogInMethod::Wechat, visit, device);
        wechat_log_ins::open(db, now, &openid, &stored).await?;
        Ok(LoggedIn::Open(session))
    }

    async fn wechat_bound_at(&self, who: &Who) -> Result<Option<Timestamp>, AppError> {
        Ok(wechat_log_ins::bound_at(&self.context.db, who.user).await?)
    }

    async fn begin_wechat_binding(&self, who: &Who, proved: &ProvedPassword, visit: &Visit) -> Result<String, AppError> {
        self.begin_sign_in("/me/wechat/back", hash(&visit.session), Some((who.user, proved.0.as_str())), &who.ip).await
    }

    async fn bind_wechat_log_in(&self, who: &Who, state: &str, code: &str, visit: &Visit) -> Result<(), AppError> {
        let openid = self.end_sign_in(Returned { state, code }, visit, Some(who.user)).await?;
        Ok(wechat_log_ins::bind(&self.context.db, self.context.now(), who, &openid, &hash(&visit.session)).await?)
    }

    async fn unbind_wechat_log_in(&self, who: &Who) -> Result<(), AppError> {
        Ok(wechat_log_ins::unbind(&self.context.db, self.context.now(), who).await?)
    }
}
