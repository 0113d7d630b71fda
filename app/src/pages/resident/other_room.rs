//! Paying for another room: name it and one of its residents, then choose an amount. Plain forms.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load};
use super::topup::pay_form;
use crate::api::other_rooms::{self as api, OtherRoomOffer};
use crate::i18n::pay::texts;
use crate::i18n::{lang, resident};
use crate::ui::field::Field;
use crate::ui::notice::Notice;

/// The page: `/topup/other`.
#[component]
pub fn OtherRoomPage() -> impl IntoView {
    let ticket = use_query_map().with_untracked(|query| query.get("room")).filter(|ticket| !ticket.is_empty());
    load(Tab::TopUp, api::other_room(ticket), |found| match found {
        Some((ticket, offer)) => view! { <Pay ticket offer /> }.into_any(),
        None => view! { <Ask /> }.into_any(),
    })
}

#[component]
fn Ask() -> impl IntoView {
    let t = texts(lang());
    view! {
        <Frame title=t.title tab=Tab::TopUp>
            <p class="muted">{t.lead}</p>
            <Notice />
            <form class="stack" method="post" action="/api/resident/find-room">
                <Field name="room" label=t.room hint=t.room_hint />
                <Field name="resident_name" label=t.resident hint=t.resident_hint />
                <button class="primary wide tall">{t.next}</button>
            </form>
        </Frame>
    }
}

#[component]
fn Pay(ticket: String, offer: OtherRoomOffer) -> impl IntoView {
    let t = texts(lang());
    let (check, form) = if offer.is_own {
        let to_own = view! { <p><a class="button primary wide" href="/topup">{resident::texts(lang()).top_up}</a></p> };
        (t.own_room, to_own.into_any())
    } else {
        (t.check, pay_form("/api/resident/top-up-other", Some(("room", ticket)), &offer.pay))
    };
    view! {
        <Frame title=t.title tab=Tab::TopUp>
            <Notice />
            <section class="card stack-tight">
                <dl class="facts">
                    <dt>{t.room}</dt>
                    <dd>{offer.place.clone()}</dd>
                    <dt>{t.resident}</dt>
                    <dd>{offer.resident.clone()}</dd>
                </dl>
                <p class="hint">{check}</p>
                <p><a class="tap" href="/topup/other">{t.another}</a></p>
            </section>
            {form}
        </Frame>
    }
}
