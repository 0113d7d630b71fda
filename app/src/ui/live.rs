//! Parts of a page that update themselves: in place with `live.js`, by reloading the page without it.

use leptos::prelude::*;

use crate::i18n::lang;
use crate::i18n::resident::texts;

/// The refresh interval while something is in progress, ms.
pub const BUSY: u32 = 1_000;
/// The refresh interval while nothing is in progress, ms.
pub const IDLE: u32 = 5_000;
/// The refresh interval where only ages and readings change, ms.
pub const CALM: u32 = 15_000;

/// A part with a unique id that is refreshed after `again` ms; `None` if it no longer changes.
/// It must not contain islands, which render themselves.
#[component]
pub fn Live(
    id: &'static str,
    again: Option<u32>,
    #[prop(default = "stack")] class: &'static str,
    children: Children,
) -> impl IntoView {
    view! { <div id=id class=class data-live=again.map(|ms| ms.to_string())>{children()}</div> }
}

/// Without the script, the page reloads every three seconds. Styles hide the link once the script runs.
/// Place it below and outside the part that it refreshes.
pub fn without_script(over: bool) -> impl IntoView {
    (!over).then(|| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content="3" />
            </noscript>
            <p class="until-alive small">
                <a href="">{texts(lang()).refresh}</a>
            </p>
        }
    })
}
