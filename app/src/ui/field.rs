//! A labelled input with its hint and error.

use leptos::prelude::*;

/// One field of a plain form.
#[component]
pub fn Field(
    /// The form field; also its id.
    name: &'static str,
    /// What it is called.
    #[prop(into)]
    label: String,
    /// `text`, `password`, ...
    #[prop(default = "text")]
    kind: &'static str,
    /// The `autocomplete` token.
    #[prop(default = "off")]
    autocomplete: &'static str,
    /// The `inputmode`: the keyboard of a phone.
    #[prop(default = "text")]
    inputmode: &'static str,
    /// The initial value.
    #[prop(optional, into)]
    value: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] placeholder: Option<&'static str>,
    /// Whether it may be empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    let hint_id = format!("{name}-hint");
    let described = (!hint.is_empty()).then(|| hint_id.clone());
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                type=kind
                value=value
                placeholder=placeholder
                autocomplete=autocomplete
                inputmode=inputmode
                required=!optional
                aria-describedby=described
            />
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint}</p> })}
        </div>
    }
}
