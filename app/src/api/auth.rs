//! Logging in and out.

use async_trait::async_trait;
use leptos::prelude::*;

use super::{ApiError, answer};
use crate::access::start;
use crate::link;
use crate::ports::{Role, Visit, Who, anyone, ports, reply, visit};
use model::error::AppError;

/// A session that was opened by a log-in.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The token for the cookie; only its hash is stored.
    pub token: String,
    pub role: Role,
    /// For the cookie by which the next log-in recognises this browser.
    pub device: String,
}

#[async_trait]
pub trait AuthPort: Send + Sync {
    /// Checks the password and opens a session.
    async fn log_in(&self, login: &str, password: &str, visit: &Visit) -> Result<NewSession, AppError>;
    /// Ends the session.
    async fn log_out(&self, who: &Who, token: &str) -> Result<(), AppError>;
    /// Changes the password of the person and ends all their other sessions.
    async fn change_password(&self, who: &Who, old: &str, new: &str, visit: &Visit) -> Result<NewSession, AppError>;
}

/// Logs in, and redirects to the page that the person wanted.
#[server(name = LogIn, prefix = "/api", endpoint = "auth/log-in")]
pub async fn log_in(login: String, password: String, next: Option<String>) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let back = next.as_deref().map_or_else(|| "/login".to_owned(), |next| link::with("/login", "next", next));
    let opened = ports.auth.log_in(login.trim(), &password, &visit()).await;
    let onwards = opened.map(|session| {
        reply.session(&session.token);
        reply.known_device(&session.device);
        next.unwrap_or_else(|| start(session.role).to_owned())
    });
    answer(onwards, &back)
}

#[server(name = LogOut, prefix = "/api", endpoint = "auth/log-out")]
pub async fn log_out() -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let ended = ports.auth.log_out(&who, &visit().session).await;
    if ended.is_ok() {
        reply.session("");
    }
    answer(ended.map(|()| "/login".to_owned()), "/")
}

/// Changes the password; this device stays logged in with a new session.
#[server(name = ChangePassword, prefix = "/api", endpoint = "auth/password")]
pub async fn change_password(old: String, new: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let changed = ports.auth.change_password(&who, &old, &new, &visit()).await;
    let onwards = changed.map(|session| {
        reply.session(&session.token);
        reply.known_device(&session.device);
        start(session.role).to_owned()
    });
    answer(onwards, "/password")
}
