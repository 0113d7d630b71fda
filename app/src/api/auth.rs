//! Logging in and out.

use async_trait::async_trait;

use crate::error::AppError;
use crate::ports::{Role, Who};

/// A session that was just opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The token for the cookie; only its hash is stored.
    pub token: String,
    /// Where to send the person.
    pub role: Role,
}

/// Logging in and out, as the server does it.
#[async_trait]
pub trait AuthPort: Send + Sync {
    /// Checks the password and opens a session.
    async fn log_in(&self, login: &str, password: &str, ip: &str) -> Result<NewSession, AppError>;
    /// Ends the session.
    async fn log_out(&self, token: &str, who: &Who) -> Result<(), AppError>;
    /// Changes the password of the person and ends all their other sessions.
    async fn change_password(&self, who: &Who, old: &str, new: &str) -> Result<NewSession, AppError>;
}
