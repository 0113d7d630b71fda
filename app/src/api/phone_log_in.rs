//! Logging in, and choosing another password, by a code on a phone. Strangers see the same for any number.

use async_trait::async_trait;
use leptos::prelude::*;

use super::auth::{LoggedIn, opened};
use super::form::at;
use super::{ApiError, answer};
use crate::ports::{Visit, ports, reply, visit};
use model::error::AppError;
use model::notification::PhoneNumber;
use model::typed::typed;

/// Characters of a code and of a password, at most.
const CODE_MAX: usize = 20;
const PASSWORD_MAX: usize = 200;

#[async_trait]
pub trait PhoneLogInPort: Send + Sync {
    /// Whether text messages can be sent.
    fn has_phones(&self) -> bool;
    /// Sends a code to the number where a resident has confirmed it; gives the token of the log-in that waits for it.
    async fn send_phone_code(&self, phone: &PhoneNumber, visit: &Visit) -> Result<String, AppError>;
    /// Whether this browser's log-in waits for a code.
    async fn waits_for_phone_code(&self, visit: &Visit) -> Result<bool, AppError>;
    /// [`AppError::WrongCode`], or [`AppError::LinkEnded`] where another code is needed.
    async fn log_in_by_phone(&self, code: &str, visit: &Visit) -> Result<LoggedIn, AppError>;
    /// The same errors; all sessions of the person end.
    async fn choose_password_by_phone(&self, code: &str, password: &str, visit: &Visit) -> Result<(), AppError>;
}

pub(crate) const PHONE: &str = "/login/phone";
pub(crate) const PHONE_CODE: &str = "/login/phone/code";

/// Where another code is needed, the page says so.
fn onwards(outcome: Result<String, AppError>) -> Result<(), ApiError> {
    match outcome {
        Err(AppError::LinkEnded) => answer(Ok(format!("{PHONE}?done=ended")), PHONE),
        outcome => answer(outcome, PHONE_CODE),
    }
}

/// Sends a code to a phone.
#[server(name = SendPhoneCode, prefix = "/api", endpoint = "auth/phone-code")]
pub async fn send_phone_code(phone: String) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let sent = async {
        let phone = at("phone", phone.parse::<PhoneNumber>().map_err(|_| AppError::Invalid))?;
        ports.phone_log_in.send_phone_code(&phone, &visit()).await
    };
    let to_code = |token: String| {
        reply.session(&token);
        PHONE_CODE.to_owned()
    };
    answer(sent.await.map(to_code), PHONE)
}

/// Logs in by the code.
#[server(name = LogInByPhone, prefix = "/api", endpoint = "auth/phone-log-in")]
pub async fn log_in_by_phone(code: String) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let logged_in = async {
        if code.len() > CODE_MAX {
            return Err(AppError::Invalid);
        }
        ports.phone_log_in.log_in_by_phone(&typed(&code), &visit()).await
    };
    onwards(logged_in.await.map(|logged_in| opened(&*reply, logged_in, None)))
}

/// Chooses another password by the code; the person logs in with it then.
#[server(name = ChoosePasswordByPhone, prefix = "/api", endpoint = "auth/phone-password")]
pub async fn choose_password_by_phone(code: String, password: String) -> Result<(), ApiError> {
    let (ports, reply) = (ports()?, reply()?);
    let chosen = async {
        if code.len() > CODE_MAX || password.chars().count() > PASSWORD_MAX {
            return Err(AppError::Invalid);
        }
        ports.phone_log_in.choose_password_by_phone(&typed(&code), &password, &visit()).await
    };
    onwards(chosen.await.map(|()| {
        reply.session("");
        "/login?done=chosen".to_owned()
    }))
}
