//! The search box of the console; `/` focuses it.

use leptos::ev::keydown;
use leptos::html::Input;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The field; its form works without the script.
#[island]
pub fn SearchBox(label: String, hint: String, value: String) -> impl IntoView {
    let field = NodeRef::<Input>::new();
    Effect::new(move |_| {
        let listening = window_event_listener(keydown, move |event| {
            // A slash typed into a field is text.
            let target = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
            let writing = target.is_some_and(|element| element.matches("input, textarea, select").unwrap_or(false));
            if event.key() == "/" && !writing && !event.ctrl_key() && !event.meta_key() && !event.alt_key() {
                event.prevent_default();
                if let Some(field) = field.get_untracked() {
                    let _ = field.focus();
                    field.select();
                }
            }
        });
        // The listener lives as long as the page.
        std::mem::forget(listening);
    });
    view! {
        <input
            type="search"
            name="q"
            node_ref=field
            value=value
            aria-label=label
            aria-keyshortcuts="/"
            placeholder=format!("{hint}  /")
            autocomplete="off"
            required
        />
    }
}
