//! The error page.

use leptos::prelude::*;

use super::auth::AuthFrame;
use super::resident::frame::log_out_soon;
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
        AppError::NotAtKiosk => t.not_at_kiosk,
        _ => t.failed,
    };
    view! {
        <AuthFrame title>
            {ports::visit().at_kiosk.then(log_out_soon)}
            <p>{errors::message(error, lang())}</p>
            <p><a class="tap" href="/">{t.to_start}</a></p>
        </AuthFrame>
    }
}
