//! The error page.

use leptos::prelude::*;

use super::auth::AuthFrame;
use crate::i18n::site::texts;
use crate::i18n::{errors, lang};
use crate::ports;
use model::error::AppError;

/// The error and the next step, with the matching HTTP status.
#[component]
pub fn ErrorPage(error: AppError) -> impl IntoView {
    if let Ok(reply) = ports::reply() {
        reply.status(error.status());
    }
    let t = texts(lang());
    let title = match error {
        AppError::NotFound => t.not_found,
        AppError::Forbidden => t.forbidden,
        _ => t.failed,
    };
    view! {
        <AuthFrame title>
            <p>{errors::message(error, lang())}</p>
            <p><a href="/">{t.to_start}</a></p>
        </AuthFrame>
    }
}
