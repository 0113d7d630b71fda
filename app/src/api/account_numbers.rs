//! The scheme of account numbers.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::NumberSchemeView;
use model::error::AppError;
use serde::{Deserialize, Serialize};

#[async_trait]
pub trait AccountNumbersPort: Send + Sync {
    async fn number_scheme(&self) -> Result<NumberSchemeView, AppError>;
    /// Sets the scheme; `None` for numbers that nobody can guess. `next` is the running number of the next account.
    async fn set_number_scheme(&self, who: &Who, scheme: Option<(&str, bool)>, next: u64) -> Result<(), AppError>;
}

/// How account numbers are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberKind {
    /// Prefix, running number and perhaps a check digit.
    Running,
    /// The day and a number that nobody can guess.
    Random,
}

/// Sets the scheme.
#[server(name = SetNumberScheme, prefix = "/api", endpoint = "operator/numbers/scheme")]
pub async fn set_number_scheme(
    kind: NumberKind,
    prefix: String,
    next: String,
    #[server(default)] check: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let scheme = match kind {
            NumberKind::Running => Some((prefix.trim(), check == "1")),
            NumberKind::Random => None,
        };
        let next = if next.trim().is_empty() { 1 } else { at("next", parse(&next))? };
        ports.account_numbers.set_number_scheme(&who, scheme, next).await
    };
    answer(done.await.map(|()| link::with("/accounts/numbers", "done", "set")), "/accounts/numbers")
}
