//! Emergency credit: what it is, and the button that takes it. A plain form.

use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use crate::api::resident as api;
use crate::i18n::resident::{EmergencyNext, EmergencyNotYet, EmergencyOffer, EmergencyTaken, EmergencyTooLittle, texts};
use crate::i18n::{common, lang};
use crate::ports::now;
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use model::friendly::EmergencyCredit;

/// The page: `/emergency-credit`.
#[component]
pub fn EmergencyCreditPage() -> impl IntoView {
    load(Tab::Home, api::emergency_credit(), |credit| view! { <Body credit /> }.into_any())
}

#[component]
fn Body(credit: EmergencyCredit) -> impl IntoView {
    let (t, lang, now) = (texts(lang()), lang(), now());
    let (tone, words) = match credit {
        EmergencyCredit::NotOffered => (Tone::Plain, t.emergency_none.to_owned()),
        EmergencyCredit::NotYet { amount } => (Tone::Plain, EmergencyNotYet { amount }.text(lang)),
        EmergencyCredit::Offered { amount } => (Tone::Plain, EmergencyOffer { amount }.text(lang)),
        EmergencyCredit::TooLittle { amount, least } => (Tone::Warn, EmergencyTooLittle { amount, least }.text(lang)),
        EmergencyCredit::Outstanding { amount, taken_at } => {
            (Tone::Warn, EmergencyTaken { amount, at: common::at(taken_at, now, lang) }.text(lang))
        }
        EmergencyCredit::Used { next } => (Tone::Plain, EmergencyNext { day: common::day(next, now.date(), lang) }.text(lang)),
    };
    let takes = matches!(credit, EmergencyCredit::Offered { .. }).then(|| {
        view! {
            <form method="post" action="/api/resident/emergency-credit">
                <button class="primary wide tall">{t.emergency_take}</button>
            </form>
        }
    });
    let is_owed = matches!(credit, EmergencyCredit::Outstanding { .. } | EmergencyCredit::TooLittle { .. });
    view! {
        <Frame title=t.emergency tab=Tab::Home>
            <Notice />
            <Callout tone><p>{words}</p></Callout>
            <p>{t.emergency_explained}</p>
            {takes}
            {is_owed.then(|| view! { <a class="button primary wide tall" href="/topup">{t.top_up}</a> })}
            <a class="button wide" href="/home">{t.back}</a>
        </Frame>
    }
}
