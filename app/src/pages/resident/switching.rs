//! The progress of a switch command.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use super::switch_body::switch_body;
use crate::api::resident as api;
use crate::i18n::lang;
use crate::i18n::resident::texts;
use crate::ui::live::{BUSY, Live, without_script};
use model::error::AppError;
use model::ids::CommandId;

/// The page of `/switch/:id`.
#[component]
pub fn SwitchingPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| CommandId::from_str(id).ok()));
    let read = async move { api::command(id.ok_or(AppError::NotFound)?).await };
    load(Tab::Home, read, |command| {
        let (lang, over) = (lang(), command.state.is_final());
        view! {
            <Frame title=texts(lang).switch tab=Tab::Home own_heading=true>
                <Live id="switching" again=(!over).then_some(BUSY)>
                    <div class="stack" aria-live="polite">{switch_body(&command, lang)}</div>
                </Live>
                {without_script(over)}
            </Frame>
        }
        .into_any()
    })
}
