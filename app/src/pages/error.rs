//! The page that says what went wrong.

use leptos::prelude::*;

use super::auth::AuthFrame;
use crate::i18n::site::words;
use crate::i18n::{errors, lang};
use crate::ports;
use model::error::AppError;

/// What is so and what to do next, with the status that goes with it.
#[component]
pub fn ErrorPage(error: AppError) -> impl IntoView {
    if let Ok(reply) = ports::reply() {
        reply.status(error.status());
    }
    let t = words(lang());
    let title = match error {
        AppError::NotFound => t.not_found,
        AppError::Forbidden => t.forbidden,
        _ => t.failed,
    };
    view! {
        <AuthFrame title>
            <p>{errors::words(error, lang())}</p>
            <p><a href="/">{t.to_start}</a></p>
        </AuthFrame>
    }
}
