//! The progress of an order: a list of what has happened, with times.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use super::order_body::order_body;
use crate::api::resident as api;
use crate::i18n::lang;
use crate::i18n::resident::texts;
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::notice::Notice;
use model::error::AppError;
use model::ids::OrderId;

/// The page of `/orders/:id`.
#[component]
pub fn OrderPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| OrderId::from_str(id).ok()));
    let read = async move { api::order(id.ok_or(AppError::NotFound)?).await };
    load(Tab::Records, read, |order| {
        let (lang, over) = (lang(), order.is_over());
        view! {
            <Frame title=texts(lang).order tab=Tab::Records own_heading=true>
                <Notice />
                <Live id="order" again=(!over).then_some(BUSY)>
                    <div class="stack" aria-live="polite">{order_body(&order, lang)}</div>
                </Live>
                {without_script(over)}
            </Frame>
        }
        .into_any()
    })
}
