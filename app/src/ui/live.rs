//! Parts of a page that move by themselves: with a script in place (`live.js`), without one by loading the page again.

use leptos::prelude::*;

use crate::i18n::lang;
use crate::i18n::resident::words;

/// How soon a part is asked for again while something is under way, ms.
pub const BUSY: u32 = 1_000;
/// The same while nothing is.
pub const IDLE: u32 = 5_000;
/// The same where only ages and readings move.
pub const CALM: u32 = 15_000;

/// A part that moves, by an id of its own; `again` is after how many ms it is asked for, `None` where nothing more will happen.
/// No islands inside: they are drawn by themselves.
#[component]
pub fn Live(
    id: &'static str,
    again: Option<u32>,
    #[prop(default = "stack")] class: &'static str,
    children: Children,
) -> impl IntoView {
    view! { <div id=id class=class data-live=again.map(|ms| ms.to_string())>{children()}</div> }
}

/// The same without a script: the page loads itself again every three seconds. Styles take the link away once the script runs.
/// Belongs below what it would load again, and outside of it.
pub fn without_script(over: bool) -> impl IntoView {
    (!over).then(|| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content="3" />
            </noscript>
            <p class="until-alive small">
                <a href="">{words(lang()).refresh}</a>
            </p>
        }
    })
}
