//! What the views and server functions ask of the outside, and who is asking.
//!
//! The server implements these traits and puts them, with the person of the session, into the context of each request.

use std::sync::Arc;

use leptos::prelude::use_context;

use crate::api::auth::AuthPort;
use crate::api::life::LifePort;
use crate::api::operator::OperatorPort;
use crate::api::reconcile::ReconcilePort;
use crate::api::resident::ResidentPort;
use crate::api::till::TillPort;
use crate::ui::theme::Theme;
use model::error::AppError;
pub use model::person::{Role, Who};
use model::time::Timestamp;

/// All the ports of one server.
#[derive(Clone)]
pub struct Ports {
    /// Logging in and out.
    pub auth: Arc<dyn AuthPort>,
    /// What a resident may do.
    pub resident: Arc<dyn ResidentPort>,
    /// What an operator may do.
    pub operator: Arc<dyn OperatorPort>,
    /// What the till does.
    pub till: Arc<dyn TillPort>,
    /// What reconciliation does.
    pub reconcile: Arc<dyn ReconcilePort>,
    /// The life of accounts.
    pub life: Arc<dyn LifePort>,
    /// The answer's headers.
    pub reply: Arc<dyn Reply>,
}

/// The parts of the HTTP answer that a server function or page sets; the answer leaves when it returns.
pub trait Reply: Send + Sync {
    /// Answers with a redirect (303) to a path on this site; anything else becomes `/`.
    fn redirect(&self, path: &str);
    /// Answers with a redirect (303) to an address of another site that this server itself made: a cashier's page.
    fn leave(&self, address: &str);
    /// Sends a form back to `back` with the error's code as `?e=` (or to the login page), and says true. For a caller
    /// that is a program it sets the status and says false.
    fn send_back(&self, error: AppError, back: &str) -> bool;
    /// Sets the session cookie; an empty token removes it.
    fn session(&self, token: &str);
    /// Sets a cookie for a year that holds a choice and no secret.
    fn remember(&self, name: &'static str, value: &'static str);
    /// Sets the status of the page being rendered.
    fn status(&self, code: u16);
}

/// What is known of a request before anybody has logged in.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Where it came from.
    pub ip: String,
    /// Path and query of the page.
    pub here: String,
    /// The session's token; empty without one.
    pub session: String,
    /// What the browser calls itself.
    pub agent: String,
    /// Light or dark.
    pub theme: Theme,
}

/// The instant of the request, from the server's clock; views show ages against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now(pub Timestamp);

/// The ports of this request.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn ports() -> Result<Ports, AppError> {
    use_context().ok_or(AppError::Internal)
}

/// Whoever is logged in.
///
/// # Errors
/// [`AppError::NotLoggedIn`].
pub fn anyone() -> Result<Who, AppError> {
    use_context().ok_or(AppError::NotLoggedIn)
}

/// The resident who is logged in.
///
/// # Errors
/// [`AppError::NotLoggedIn`], or [`AppError::Forbidden`] for an operator.
pub fn resident() -> Result<Who, AppError> {
    let who = anyone()?;
    if who.role == Role::Resident { Ok(who) } else { Err(AppError::Forbidden) }
}

/// The operator who is logged in.
///
/// # Errors
/// [`AppError::NotLoggedIn`], or [`AppError::Forbidden`] for a resident.
pub fn operator() -> Result<Who, AppError> {
    let who = anyone()?;
    if who.role == Role::Resident { Err(AppError::Forbidden) } else { Ok(who) }
}

/// The instant of the request.
#[must_use]
pub fn now() -> Timestamp {
    use_context::<Now>().map_or(Timestamp(0), |now| now.0)
}

#[must_use]
pub fn visit() -> Visit {
    use_context().unwrap_or_default()
}
