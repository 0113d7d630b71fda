//! The confirmation of the switch, or why it cannot be used.

use leptos::prelude::*;

use super::balance_status::{read, relay};
use super::frame::{Frame, Tab, load};
use super::schedules::Schedules;
use crate::api::resident::{self as api, SwitchOffer};
use crate::i18n::resident::texts;
use crate::i18n::{errors, lang};
use crate::ports::now;
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use model::error::AppError;

/// The confirmation page.
#[component]
pub fn SwitchPage() -> impl IntoView {
    load(Tab::Home, api::switch_offer(), |offer| view! { <Ask offer /> }.into_any())
}

#[component]
fn Ask(offer: SwitchOffer) -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let latest = &offer.room.latest;
    let state = [Some(relay(latest, lang).to_owned()), read(latest, now(), lang)];
    let state = state.into_iter().flatten().map(|words| format!(" · {words}")).collect::<String>();
    let question = match offer.refusal {
        Some(error) => view! { <Refused error /> }.into_any(),
        None => view! { <Question offer=offer.clone() /> }.into_any(),
    };
    view! {
        <Frame title=t.switch tab=Tab::Home>
            <p class="muted">
                {offer.room.place.clone()}" "{offer.room.name.clone()}{state}
            </p>
            <Notice />
            {question}
            <Schedules offer />
        </Frame>
    }
}

#[component]
fn Question(offer: SwitchOffer) -> impl IntoView {
    let t = texts(lang());
    let on = offer.room.latest.status.user_switch_off();
    let (ask, warn, yes, class) = if on {
        (t.ask_on, t.warn_on, t.yes_on, "primary wide tall")
    } else {
        (t.ask_off, t.warn_off, t.yes_off, "danger wide tall")
    };
    view! {
        <section class="card stack">
            <h2>{ask}</h2>
            <p>{warn}</p>
            <form method="post" action="/api/resident/switch" class="stack-tight">
                <input type="hidden" name="key" value=offer.key.to_string() />
                <input type="hidden" name="on" value=on.to_string() />
                <button class=class>{yes}</button>
                <a class="button wide" href="/home">{t.no}</a>
            </form>
        </section>
    }
}

#[component]
fn Refused(error: AppError) -> impl IntoView {
    let t = texts(lang());
    view! {
        <Callout tone=Tone::Warn>
            <p><strong>{t.may_not}</strong></p>
            <p>{errors::message(error, lang())}</p>
        </Callout>
        {(error == AppError::OffForArrears).then(|| view! { <a class="button primary wide tall" href="/topup">{t.top_up}</a> })}
        <a class="button wide" href="/home">{t.done}</a>
    }
}
