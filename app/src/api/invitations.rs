//! One-time links by which somebody chooses their password.

use async_trait::async_trait;
use leptos::prelude::*;

use super::{ApiError, answer};
use crate::ports::{Visit, ports, visit};
use model::error::AppError;
use model::operator::Invitation;
use model::person::is_name;
use model::typed::typed;

/// Characters of a code, at most.
const CODE_MAX: usize = 64;
/// Characters of a password, at most.
const PASSWORD_MAX: usize = 200;

#[async_trait]
pub trait InvitationsPort: Send + Sync {
    /// What a link is for. Looking does not use it.
    async fn invitation(&self, code: &str, visit: &Visit) -> Result<Invitation, AppError>;
    /// Stores the password that was chosen, and the name of somebody new.
    async fn accept(&self, code: &str, name: &str, password: &str, visit: &Visit) -> Result<(), AppError>;
}

/// Chooses the password; the person logs in with it then.
#[server(name = AcceptInvitation, prefix = "/api", endpoint = "auth/accept-invitation")]
pub async fn accept_invitation(code: String, #[server(default)] name: String, password: String) -> Result<(), ApiError> {
    let ports = ports()?;
    let code = &typed(&code);
    let done = async {
        let name = name.trim();
        if code.len() > CODE_MAX || !(name.is_empty() || is_name(name)) || password.chars().count() > PASSWORD_MAX {
            return Err(AppError::Invalid);
        }
        ports.invitations.accept(code, name, &password, &visit()).await
    };
    answer(done.await.map(|()| "/login?done=chosen".to_owned()), &format!("/invitations/{code}"))
}
