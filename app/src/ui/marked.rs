//! Texts in which commands stand between backticks.

use leptos::prelude::*;

/// The text with its commands as code.
pub fn marked(text: &str) -> impl IntoView + use<> {
    let parts = text.split('`').enumerate().map(|(n, part)| {
        let part = part.to_owned();
        if n % 2 == 1 { view! { <code>{part}</code> }.into_any() } else { part.into_any() }
    });
    parts.collect_view()
}
