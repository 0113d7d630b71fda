//! An order's honest progress: a list of what has happened, with times.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use super::order_body::order_body;
use crate::api::resident::{self as api, OrderView};
use crate::error::AppError;
use crate::i18n::resident::words;
use crate::i18n::{Lang, lang};
use crate::model::ids::OrderId;
use crate::ui::notice::Notice;
use crate::ui::poll;

/// The page of `/orders/:id`.
#[component]
pub fn OrderPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| OrderId::from_str(id).ok()));
    let read = async move { api::order(id.ok_or(AppError::NotFound)?).await };
    load(Tab::Records, read, |order| {
        let (lang, over) = (lang(), order.is_over());
        view! {
            <Frame title=words(lang).order tab=Tab::Records own_heading=true>
                <Notice />
                <OrderLive order lang />
                {poll::without_script(over)}
            </Frame>
        }
        .into_any()
    })
}

/// Follows the order until nothing more will happen.
#[island]
fn OrderLive(order: OrderView, lang: Lang) -> impl IntoView {
    let shown = RwSignal::new(order);
    poll::every_second(
        move || async move {
            let id = shown.with_untracked(|order| order.id);
            let Ok(next) = api::order_progress(id).await else { return poll::Next::Ask };
            let end = next.is_over();
            // Drawn again only when something happened, so that nothing moves under a finger.
            if shown.with_untracked(|old| OrderView { now: old.now, ..next.clone() } != *old) {
                shown.set(next);
            }
            if end { poll::Next::Stop } else { poll::Next::Ask }
        },
        !shown.with_untracked(|order| order.is_over()),
    );
    view! { <div class="stack" aria-live="polite">{move || shown.with(|order| order_body(order, lang))}</div> }
}
