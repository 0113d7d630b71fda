//! Tokens of a resident for programs, and the end of their personal data: always their own.

use async_trait::async_trait;
use leptos::prelude::*;

use super::auth::ProvedPassword;
use super::form::{at, fits, parse};
use super::{ApiError, answer, show_once};
use crate::i18n::{lang, personal};
use crate::link;
use crate::ports::{Visit, Who, ports, reply, resident, visit};
use model::error::AppError;
use model::ids::ApiTokenId;
use model::person::is_name;
use model::personal::{ApiScope, ApiToken, Erasable, TOKEN_DAYS};

/// A token to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// As its owner calls it.
    pub name: String,
    pub reads_use: bool,
    pub reads_records: bool,
    pub days: u16,
}

#[async_trait]
pub trait PersonalPort: Send + Sync {
    async fn tokens(&self, who: &Who) -> Result<Vec<ApiToken>, AppError>;
    /// Makes a token and gives it; only its hash is stored.
    async fn create_token(&self, who: &Who, visit: &Visit, new: &NewToken) -> Result<String, AppError>;
    async fn revoke_token(&self, who: &Who, id: ApiTokenId) -> Result<(), AppError>;
    /// Whether the person's data can be removed now.
    async fn erasable(&self, who: &Who) -> Result<Erasable, AppError>;
    /// Removes the person's data.
    async fn erase(&self, who: &Who, proved: &ProvedPassword) -> Result<(), AppError>;
}

const TOKENS: &str = "/me/tokens";
const DATA: &str = "/me/data";

/// The resident's tokens.
pub async fn tokens() -> Result<Vec<ApiToken>, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.personal.tokens(&who).await
}

/// Whether the resident's data can be removed now.
pub async fn erasable() -> Result<Erasable, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.personal.erasable(&who).await
}

/// Makes a token, which the next page shows once.
#[server(name = CreateToken, prefix = "/api", endpoint = "resident/tokens/create")]
pub async fn create_token(name: String, #[server(default)] scopes: Vec<String>, days: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let done = async {
        let name = name.trim();
        let t = personal::texts(lang());
        let is_called = if is_name(name) { Ok(name.to_owned()) } else { Err(AppError::Invalid) };
        let name = fits("name", (t.token_name, t.token_name_form), is_called)?;
        let days: u16 = at("days", parse(&days))?;
        let reads = |scope: ApiScope| scopes.iter().any(|word| word == scope.as_str());
        let new = NewToken { name, reads_use: reads(ApiScope::Use), reads_records: reads(ApiScope::Records), days };
        if !TOKEN_DAYS.contains(&days) || !(new.reads_use || new.reads_records) {
            return fits("scopes", (t.scopes, t.scopes_form), Err(AppError::Invalid));
        }
        ports.personal.create_token(&who, &visit(), &new).await
    };
    show_once(done.await, TOKENS)
}

/// Ends a token.
#[server(name = RevokeToken, prefix = "/api", endpoint = "resident/tokens/revoke")]
pub async fn revoke_token(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let done = async { ports.personal.revoke_token(&who, parse(&id)?).await };
    answer(done.await.map(|()| link::with(TOKENS, "done", "revoked")), TOKENS)
}

/// Removes the resident's personal data and ends the session. Takes the password, so that an open session is not enough.
#[server(name = EraseMe, prefix = "/api", endpoint = "resident/erase")]
pub async fn erase_me(password: String) -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, resident()?);
    let erased = async {
        let proved = at("password", ports.auth.prove_password(&who, &password).await)?;
        ports.personal.erase(&who, &proved).await
    };
    let erased = erased.await;
    if erased.is_ok() {
        reply.session("");
        reply.known_device("");
    }
    answer(erased.map(|()| "/login?done=erased".to_owned()), DATA)
}
