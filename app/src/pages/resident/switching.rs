//! A switching on its way from decided to read back.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use super::switch_body::switch_body;
use crate::api::resident::{self as api, CommandView};
use crate::error::AppError;
use crate::i18n::resident::words;
use crate::i18n::{Lang, lang};
use crate::model::ids::CommandId;
use crate::ui::poll;

/// The page of `/switch/:id`.
#[component]
pub fn SwitchingPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| CommandId::from_str(id).ok()));
    let read = async move {
        let id = id.ok_or(AppError::NotFound)?;
        Ok((id, api::command(id).await?))
    };
    load(Tab::Home, read, |(id, command)| {
        let (lang, over) = (lang(), command.state.is_final());
        view! {
            <Frame title=words(lang).switch tab=Tab::Home own_heading=true>
                <SwitchLive id command lang />
                {poll::without_script(over)}
            </Frame>
        }
        .into_any()
    })
}

/// Follows the command until nothing more will happen.
#[island]
fn SwitchLive(id: CommandId, command: CommandView, lang: Lang) -> impl IntoView {
    let shown = RwSignal::new(command);
    poll::every_second(
        move || async move {
            let Ok(next) = api::command_progress(id).await else { return poll::Next::Ask };
            let end = next.state.is_final();
            if shown.with_untracked(|old| CommandView { now: old.now, ..next.clone() } != *old) {
                shown.set(next);
            }
            if end { poll::Next::Stop } else { poll::Next::Ask }
        },
        !shown.with_untracked(|command| command.state.is_final()),
    );
    view! { <div class="stack" aria-live="polite">{move || shown.with(|command| switch_body(command, lang))}</div> }
}
