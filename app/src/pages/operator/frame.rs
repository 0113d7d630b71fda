//! The frame of the console: the rail to the left, the search at the top, the page in the rest.

use leptos::prelude::*;

use crate::i18n::lang;
use crate::i18n::operator::texts;
use crate::ports::{self, allowed};
use crate::ui::preferences::Preferences;
use crate::ui::search_box::SearchBox;

use super::rail::Rail;
pub use super::rail::Section;

/// The frame. `q` is the search text, which stays in the box.
#[component]
pub fn Frame(
    #[prop(into)] title: String,
    section: Section,
    #[prop(optional, into)] q: String,
    children: Children,
) -> impl IntoView {
    let t = texts(lang());
    let name = ports::operator().map(|who| who.name).unwrap_or_default();
    view! {
        <leptos_meta::Title text=format!("{title} - Dormwatt") />
        <a class="skip" href="#main">{t.skip}</a>
        <div class="console">
            <header class="console-top">
                <button class="quiet console-menu" popovertarget="rail">{t.menu}</button>
                <a class="brand" href="/">"Dormwatt"</a>
                {allowed("/search").then(|| view! {
                    <form class="console-search" role="search" action="/search">
                        <SearchBox label=t.search.to_owned() hint=t.search_hint.to_owned() value=q />
                    </form>
                })}
                <div class="console-me">
                    <Preferences />
                    <a href="/password">{name}</a>
                    <form method="post" action="/api/auth/log-out">
                        <button class="quiet">{t.log_out}</button>
                    </form>
                </div>
            </header>
            <Rail section />
            <main class="console-main" id="main">
                {children()}
                <p class="print-only">{t.printed}" "{crate::ports::now().to_string()}</p>
            </main>
        </div>
    }
}
