//! The error of a submitted form: `?e=<code>`.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::i18n::{errors, lang};
use model::error::AppError;

/// The message of the error in the query, if there is one.
#[component]
pub fn Notice() -> impl IntoView {
    let error = use_query_map().with_untracked(|query| query.get_str("e").and_then(AppError::from_code));
    error.map(|error| view! { <p class="notice bad" role="alert">{errors::message(error, lang())}</p> })
}
