//! Language and theme, kept in cookies.

use leptos::prelude::*;

use super::{ApiError, answer};
use crate::i18n::Lang;
use crate::ports::reply;
use crate::ui::theme::Theme;
use model::error::AppError;

#[server(name = ChooseLanguage, prefix = "/api", endpoint = "site/language")]
pub async fn choose_language(lang: String, back: String) -> Result<(), ApiError> {
    let reply = reply()?;
    let chosen = Lang::choose(&lang).ok_or(AppError::Invalid);
    answer(
        chosen.map(|lang| {
            reply.remember("lang", lang.tag());
            back.clone()
        }),
        &back,
    )
}

#[server(name = ChooseTheme, prefix = "/api", endpoint = "site/theme")]
pub async fn choose_theme(theme: String, back: String) -> Result<(), ApiError> {
    let reply = reply()?;
    let chosen = Theme::parse(&theme).ok_or(AppError::Invalid);
    answer(
        chosen.map(|theme| {
            reply.remember("theme", theme.word());
            back.clone()
        }),
        &back,
    )
}
