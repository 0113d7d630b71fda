//! What the views and server functions ask of the outside, and who is asking.
//!
//! The server implements these traits and puts them, with the person of the session, into the context of each request.

use std::sync::Arc;

use async_trait::async_trait;
use leptos::prelude::use_context;

use crate::api::auth::AuthPort;
use crate::api::operator::OperatorPort;
use crate::api::resident::ResidentPort;
use crate::error::AppError;
use crate::model::ids::UserId;
use crate::model::time::Timestamp;

/// All the ports of one server.
#[derive(Clone)]
pub struct Ports {
    /// Logging in and out.
    pub auth: Arc<dyn AuthPort>,
    /// What a resident may do.
    pub resident: Arc<dyn ResidentPort>,
    /// What an operator may do.
    pub operator: Arc<dyn OperatorPort>,
    /// The answer's headers.
    pub reply: Arc<dyn Reply>,
}

/// The parts of the HTTP answer that a server function sets. Must be called before the first await that outlives the request.
#[async_trait]
pub trait Reply: Send + Sync {
    /// Answers with a redirect (303) to a path on this site.
    fn redirect(&self, path: &str);
    /// Sets the session cookie; an empty token removes it.
    fn session(&self, token: &str);
    /// Sets the status of the page being rendered.
    fn status(&self, code: u16);
}

/// What kind of person is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Lives in a room.
    Resident,
    /// Sells, switches, reads.
    Operator,
    /// An operator who also keeps operators and settings.
    Admin,
}

/// The person of the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Their id.
    pub user: UserId,
    /// What they are.
    pub role: Role,
    /// What to call them.
    pub name: String,
    /// Where the request came from; for the audit chain.
    pub ip: String,
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
