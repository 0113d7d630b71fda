//! A copy of the resident's personal data, and its end.

use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use crate::api::personal as api;
use crate::i18n::lang;
use crate::i18n::personal::texts;
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::notice::Notice;
use model::personal::Erasable;

/// The page: `/me/data`.
#[component]
pub fn DataPage() -> impl IntoView {
    load(Tab::Me, api::erasable(), |erasable| view! { <Body erasable /> }.into_any())
}

#[component]
fn Body(erasable: Erasable) -> impl IntoView {
    let t = texts(lang());
    let refused = |text: &'static str| view! { <Callout><p>{text}</p></Callout> }.into_any();
    let end = match erasable {
        Erasable::HasRoom => refused(t.erase_has_room),
        Erasable::NotSettled => refused(t.erase_not_settled),
        Erasable::Now => view! {
            <form class="stack-tight" method="post" action="/api/resident/erase">
                <Callout tone=Tone::Warn><p>{t.erase_final}</p></Callout>
                <Field name="password" label=t.erase_password kind="password" autocomplete="current-password" />
                <button class="danger wide">{t.erase}</button>
            </form>
        }
        .into_any(),
    };
    view! {
        <Frame title=t.data tab=Tab::Me>
            <Notice />
            <section class="card stack-tight" aria-labelledby="copy">
                <h2 id="copy">{t.copy}</h2>
                <p>{t.copy_what}</p>
                <a class="button wide" href="/own-data.json" download="dormwatt-personal-data.json">{t.download}</a>
            </section>
            <section class="card stack-tight" aria-labelledby="erase">
                <h2 id="erase">{t.erase_title}</h2>
                <p>{t.erase_what}</p>
                <p>{t.erase_stays}</p>
                {end}
            </section>
        </Frame>
    }
}
