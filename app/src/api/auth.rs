//! Logging in and out.

use async_trait::async_trait;
use leptos::prelude::*;

use super::{ApiError, answer};
use crate::access::start;
use crate::link;
use crate::ports::{Reply, Role, Visit, Who, anyone, ports, reply, visit};
use model::error::AppError;
use model::time::Timestamp;
use model::typed::typed;

/// A session that was opened by a log-in.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The token for the cookie; only its hash is stored.
    pub token: String,
    pub role: Role,
    /// For the cookie by which the next log-in recognises this browser.
    pub device: String,
}

/// What the right password leads to.
#[derive(Clone, Debug)]
pub enum LoggedIn {
    Open(NewSession),
    /// The token of a log-in that waits for the code of the second factor; it takes the session's place in the cookie.
    SecondStep(String),
}

/// The hash of a password that its owner has proved; what it was asked for is refused where they have another one by then.
pub struct ProvedPassword(pub String);

/// What a person sees of their own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAccount {
    /// The one used last first.
    pub sessions: Vec<OwnSession>,
    pub has_second_factor: bool,
    /// Recovery codes that are left.
    pub recovery_codes: i64,
    /// Nothing else is open until the password is changed.
    pub password_due: bool,
    /// The password of an operator is all that is asked for, and has to be longer.
    pub password_only: bool,
}

/// An open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// To end it by; not its token.
    pub id: String,
    /// The one that asks.
    pub is_this: bool,
    pub created_at: Timestamp,
    /// Written down every ten minutes.
    pub seen_at: Timestamp,
    pub ip: String,
    /// The user agent of its browser.
    pub agent: String,
    /// How it was opened.
    pub log_in: model::log_in::LogIn,
}

/// A second factor to be set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactorSetup {
    /// The secret as a person types it.
    pub typed: String,
    /// The `otpauth:` address.
    pub address: String,
    /// Size and path of its QR code.
    pub size: i32,
    pub path: String,
}

#[async_trait]
pub trait AuthPort: Send + Sync {
    /// Checks the password of a log-in name as it was typed, and opens a session where no code is asked for.
    async fn log_in(&self, login: &str, password: &str, visit: &Visit) -> Result<LoggedIn, AppError>;
    /// Checks the code of the second factor, or a recovery code, and opens the session.
    async fn second_step(&self, code: &str, visit: &Visit) -> Result<NewSession, AppError>;
    /// Whether this browser's log-in waits for a code.
    async fn waits_for_code(&self, visit: &Visit) -> Result<bool, AppError>;
    /// The person's own account, with their sessions.
    async fn account(&self, who: &Who, visit: &Visit) -> Result<OwnAccount, AppError>;
    /// Makes the secret of a second factor, which counts once it is confirmed.
    async fn prepare_second_factor(&self, who: &Who, password: &str) -> Result<(), AppError>;
    /// The second factor that is being set up; [`AppError::NotFound`] without one.
    async fn second_factor_setup(&self, who: &Who) -> Result<SecondFactorSetup, AppError>;
    /// Turns the second factor on and makes recovery codes, of which only hashes are stored.
    async fn confirm_second_factor(&self, who: &Who, code: &str) -> Result<Vec<String>, AppError>;
    async fn turn_off_second_factor(&self, who: &Who, password: &str) -> Result<(), AppError>;
    async fn renew_recovery_codes(&self, who: &Who, password: &str) -> Result<Vec<String>, AppError>;
    /// Ends another session of the person.
    async fn end_session(&self, who: &Who, id: &str) -> Result<(), AppError>;
    /// Ends all other sessions of the person.
    async fn end_other_sessions(&self, who: &Who, visit: &Visit) -> Result<(), AppError>;
    /// Ends the session.
    async fn log_out(&self, who: &Who, token: &str) -> Result<(), AppError>;
    /// Checks the password again where an open session must not be enough. Attempts are throttled as those of a log-in.
    async fn prove_password(&self, who: &Who, password: &str) -> Result<ProvedPassword, AppError>;
    /// Changes the password of the person and ends all their other sessions.
    async fn change_password(&self, who: &Who, old: &str, new: &str, visit: &Visit) -> Result<NewSession, AppError>;
}

/// Sets the cookies of what a log-in has opened; gives the page that follows, which is `next` once nothing more is asked for.
pub(crate) fn opened(reply: &dyn Reply, opened: LoggedIn, next: Option<&str>) -> String {
    match opened {
        LoggedIn::Open(session) => {
            reply.session(&session.token);
            reply.known_device(&session.device);
            next.unwrap_or_else(|| start(session.role)).to_owned()
        }
        LoggedIn::SecondStep(token) => {
            reply.session(&token);
            next.map_or_else(|| CODE.to_owned(), |next| link::with(CODE, "next", next))
        }
    }
}

/// Logs in, and redirects to the page that the person wanted.
#[server(name = LogIn, prefix = "/api", endpoint = "auth/log-in")]
pub async fn log_in(login: String, password: String, next: Option<String>) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let back = next.as_deref().map_or_else(|| "/login".to_owned(), |next| link::with("/login", "next", next));
    let logged_in = ports.auth.log_in(&login, &password, &visit()).await;
    answer(logged_in.map(|logged_in| opened(&*reply, logged_in, next.as_deref())), &back)
}

/// The page that asks for the code of the second factor.
const CODE: &str = "/login/code";
/// A person's own page.
const ACCOUNT: &str = "/password";
const SETUP: &str = "/password/second-factor";
const CODES: &str = "/password/recovery-codes";

/// The second step of a log-in: a code of the app, or a recovery code.
#[server(name = SecondStep, prefix = "/api", endpoint = "auth/second-step")]
pub async fn second_step(code: String, next: Option<String>) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let back = next.as_deref().map_or_else(|| CODE.to_owned(), |next| link::with(CODE, "next", next));
    let onwards = ports.auth.second_step(&typed(&code), &visit()).await.map(|session| {
        reply.session(&session.token);
        reply.known_device(&session.device);
        next.unwrap_or_else(|| start(session.role).to_owned())
    });
    answer(onwards, &back)
}

/// Between recovery codes that are shown once.
pub(crate) const BETWEEN_CODES: &str = ".";

/// Leaves recovery codes for the page that shows them.
#[cfg(feature = "ssr")]
fn show_once(reply: &dyn Reply, codes: &[String]) -> String {
    reply.once(&codes.join(BETWEEN_CODES));
    CODES.to_owned()
}

/// Begins to set up a second factor. Whoever finds an open session does not lock its owner out with it.
#[server(name = PrepareSecondFactor, prefix = "/api", endpoint = "auth/prepare-second-factor")]
pub async fn prepare_second_factor(password: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, anyone()?);
    answer(ports.auth.prepare_second_factor(&who, &password).await.map(|()| SETUP.to_owned()), ACCOUNT)
}

/// Turns the second factor on with a code of the app.
#[server(name = ConfirmSecondFactor, prefix = "/api", endpoint = "auth/confirm-second-factor")]
pub async fn confirm_second_factor(code: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let codes = ports.auth.confirm_second_factor(&who, &typed(&code)).await;
    answer(codes.map(|codes| show_once(&*reply, &codes)), SETUP)
}

#[server(name = TurnOffSecondFactor, prefix = "/api", endpoint = "auth/turn-off-second-factor")]
pub async fn turn_off_second_factor(password: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, anyone()?);
    answer(ports.auth.turn_off_second_factor(&who, &password).await.map(|()| ACCOUNT.to_owned()), ACCOUNT)
}

#[server(name = RenewRecoveryCodes, prefix = "/api", endpoint = "auth/renew-recovery-codes")]
pub async fn renew_recovery_codes(password: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let codes = ports.auth.renew_recovery_codes(&who, &password).await;
    answer(codes.map(|codes| show_once(&*reply, &codes)), ACCOUNT)
}

#[server(name = EndSession, prefix = "/api", endpoint = "auth/end-session")]
pub async fn end_session(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, anyone()?);
    answer(ports.auth.end_session(&who, &id).await.map(|()| ACCOUNT.to_owned()), ACCOUNT)
}

#[server(name = EndOtherSessions, prefix = "/api", endpoint = "auth/end-other-sessions")]
pub async fn end_other_sessions() -> Result<(), ApiError> {
    let (ports, who) = (ports()?, anyone()?);
    answer(ports.auth.end_other_sessions(&who, &visit()).await.map(|()| ACCOUNT.to_owned()), ACCOUNT)
}

#[server(name = LogOut, prefix = "/api", endpoint = "auth/log-out")]
pub async fn log_out() -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let ended = ports.auth.log_out(&who, &visit().session).await;
    if ended.is_ok() {
        reply.session("");
    }
    if !visit().at_kiosk {
        return answer(ended.map(|()| "/login".to_owned()), "/");
    }
    // The machine goes on to the next person, who finds nothing of this one.
    reply.clear_storage();
    for preference in ["lang", "theme"] {
        reply.remember(preference, "");
    }
    answer(ended.map(|()| "/kiosk".to_owned()), "/")
}

/// Ends all sessions of the person, this one too.
#[server(name = LogOutEverywhere, prefix = "/api", endpoint = "auth/log-out-everywhere")]
pub async fn log_out_everywhere() -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let ended = async {
        ports.auth.end_other_sessions(&who, &visit()).await?;
        ports.auth.log_out(&who, &visit().session).await
    };
    let ended = ended.await;
    if ended.is_ok() {
        reply.session("");
    }
    answer(ended.map(|()| "/login".to_owned()), ACCOUNT)
}

/// Changes the password; this device stays logged in with a new session. Somebody who had to change it goes on to the start page.
#[server(name = ChangePassword, prefix = "/api", endpoint = "auth/password")]
pub async fn change_password(old: String, new: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, anyone()?);
    let was_due = ports.auth.account(&who, &visit()).await.is_ok_and(|account| account.password_due);
    let changed = ports.auth.change_password(&who, &old, &new, &visit()).await;
    let onwards = changed.map(|session| {
        reply.session(&session.token);
        reply.known_device(&session.device);
        if was_due { start(session.role).to_owned() } else { link::with(ACCOUNT, "done", "changed") }
    });
    answer(onwards, ACCOUNT)
}
