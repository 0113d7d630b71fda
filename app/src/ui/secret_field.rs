//! A password field with a button that shows what was typed. Without WebAssembly there is no button and the field works.

use leptos::prelude::*;

/// The field; the page passes all texts, because an island has no context of the server.
#[island]
pub fn SecretField(
    /// The form field.
    name: String,
    label: String,
    /// The `autocomplete` token.
    autocomplete: String,
    /// The button's text while the password is hidden.
    show: String,
    /// The button's text while the password is shown.
    hide: String,
) -> impl IntoView {
    let shown = RwSignal::new(false);
    view! {
        <label class="field">
            <span>{label}</span>
            <span class="secret">
                <input
                    type=move || if shown.get() { "text" } else { "password" }
                    name=name
                    autocomplete=autocomplete
                    autocapitalize="off"
                    spellcheck="false"
                    required
                />
                <button
                    type="button"
                    class="quiet needs-script"
                    aria-pressed=move || if shown.get() { "true" } else { "false" }
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    {move || if shown.get() { hide.clone() } else { show.clone() }}
                </button>
            </span>
        </label>
    }
}
