//! The page that the service worker shows without a network, to residents and to an operator who opens the site's start page. It
//! holds nobody's data: a script fills in the balance that this browser saw last, with its age.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::i18n::installed::{AsOf, texts};
use crate::i18n::{common, lang};

/// The page: `/offline`.
#[component]
pub fn OfflinePage() -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let as_of = AsOf { at: "{at}", age: "{age}" }.text(lang);
    view! {
        <Title text=format!("{} · Dormwatt", t.title) />
        <main class="column bare stack" id="offline-page">
            <h1>{t.title}</h1>
            <section class="balance" id="last" aria-labelledby="last-balance" hidden>
                <h2 class="muted small" id="last-balance">{t.last_balance}</h2>
                <p class="figure"><span class="num" id="last-amount"></span><span class="unit">{common::yuan(lang)}</span></p>
                <p class="meaning" id="last-words"></p>
                <p class="muted small" id="last-at" data-text=as_of></p>
                <p>{t.changed}</p>
            </section>
            <p class="muted" id="nothing">{t.nothing}</p>
            <p>{t.comes_back}</p>
            <button class="primary wide" id="again" type="button">{t.again}</button>
        </main>
        <script type="module" nonce=use_nonce()>{include_str!("offline.js")}</script>
    }
}
