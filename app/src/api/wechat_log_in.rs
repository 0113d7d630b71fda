//! Logging in by WeChat, for residents who have bound their account there.

use async_trait::async_trait;
use leptos::prelude::*;

use super::auth::{LoggedIn, ProvedPassword, opened};
use super::form::at;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Visit, Who, anyone, ports, reply, resident, visit};
use model::error::AppError;
use model::time::Timestamp;

/// Where a log-in goes on, and the token of the browser that is sent there.
#[derive(Clone, Debug)]
pub struct WechatRedirect {
    pub address: String,
    pub token: String,
}

#[async_trait]
pub trait WechatLogInPort: Send + Sync {
    /// Whether the site has a service account at WeChat.
    fn has_wechat(&self) -> bool;
    /// Begins a log-in, which ends on the page `next`.
    async fn begin_wechat_log_in(&self, next: Option<&str>, visit: &Visit) -> Result<WechatRedirect, AppError>;
    /// Logs in the resident who has bound the account: [`AppError::NotFound`] if nobody who may log in has bound it, and
    /// [`AppError::LinkEnded`] if this browser was not sent to WeChat with that state, came back too late, or came back before.
    async fn log_in_by_wechat(&self, state: &str, code: &str, visit: &Visit) -> Result<LoggedIn, AppError>;
    /// When the resident bound their account.
    async fn wechat_bound_at(&self, who: &Who) -> Result<Option<Timestamp>, AppError>;
    /// Gives the address of WeChat's sign-in to somebody who has proved their password.
    async fn begin_wechat_binding(&self, who: &Who, proved: &ProvedPassword, visit: &Visit) -> Result<String, AppError>;
    /// Binds the account in the place of an earlier one: [`AppError::Conflict`] where it is another resident's, and
    /// [`AppError::LinkEnded`] as in a log-in.
    async fn bind_wechat_log_in(&self, who: &Who, state: &str, code: &str, visit: &Visit) -> Result<(), AppError>;
    async fn unbind_wechat_log_in(&self, who: &Who) -> Result<(), AppError>;
}

const LOGIN: &str = "/login";
const PAGE: &str = "/me/wechat";
/// Characters of the page that a log-in leads to; WeChat takes no long addresses.
const NEXT_MAX: usize = 200;

/// How a resident logs in by WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WechatBinding {
    pub bound_at: Option<Timestamp>,
    /// The site has a service account, so that one can be bound.
    pub is_offered: bool,
}

/// The resident's own binding.
pub async fn wechat_binding() -> Result<WechatBinding, AppError> {
    let (ports, who) = (ports()?, resident()?);
    let bound_at = ports.wechat_log_in.wechat_bound_at(&who).await?;
    Ok(WechatBinding { bound_at, is_offered: ports.wechat_log_in.has_wechat() })
}

/// Handles the return from WeChat's sign-in to the page of log-ins; gives where the browser goes.
pub async fn log_in_by_wechat(state: &str, code: &str, next: Option<String>) -> Result<String, AppError> {
    let (ports, reply, who, visit) = (ports()?, reply()?, anyone(), visit());
    let login = |done: &str| {
        let page = link::with(LOGIN, "done", done);
        match next.as_deref() {
            Some(next) => link::with(&page, "next", next),
            None => page,
        }
    };
    Ok(match ports.wechat_log_in.log_in_by_wechat(state, code, &visit).await {
        Ok(logged_in) => opened(&*reply, logged_in, next.as_deref()),
        // The page was loaded again after the log-in had succeeded.
        Err(AppError::LinkEnded) if who.is_ok() => "/".to_owned(),
        Err(AppError::LinkEnded) => login("wechat-ended"),
        Err(AppError::NotFound) => login("wechat-unbound"),
        Err(error) => link::with(LOGIN, "e", error.code()),
    })
}

/// Leads to WeChat's sign-in, which says who the person is there.
#[server(name = BeginWechatLogIn, prefix = "/api", endpoint = "auth/wechat-log-in")]
pub async fn begin_wechat_log_in(next: Option<String>) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let next = next.as_deref().map(link::local).filter(|next| next.len() <= NEXT_MAX);
    match ports.wechat_log_in.begin_wechat_log_in(next, &visit()).await {
        Ok(redirect) => {
            reply.session(&redirect.token);
            reply.leave(&redirect.address);
            Ok(())
        }
        Err(error) => answer(Err(error), LOGIN),
    }
}

/// Redirects to WeChat's sign-in to bind the account. Takes the password: an open session must not be enough to add a log-in.
#[server(name = BindWechatLogIn, prefix = "/api", endpoint = "resident/wechat/bind")]
pub async fn bind_wechat_log_in(password: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, resident()?);
    let begun = async {
        let proved = at("password", ports.auth.prove_password(&who, &password).await)?;
        ports.wechat_log_in.begin_wechat_binding(&who, &proved, &visit()).await
    };
    match begun.await {
        Ok(address) => {
            reply.leave(&address);
            Ok(())
        }
        Err(error) => answer(Err(error), PAGE),
    }
}

#[server(name = UnbindWechatLogIn, prefix = "/api", endpoint = "resident/wechat/unbind")]
pub async fn unbind_wechat_log_in() -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let ended = ports.wechat_log_in.unbind_wechat_log_in(&who).await;
    answer(ended.map(|()| link::with(PAGE, "done", "unbound")), PAGE)
}
