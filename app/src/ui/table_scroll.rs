//! A table that is wider than the page.

use leptos::prelude::*;

/// Scrolls its table sideways, also by keyboard. `label` names the region for screen readers.
#[component]
pub fn TableScroll(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! { <div class="table-scroll" tabindex="0" role="region" aria-label=label>{children()}</div> }
}
