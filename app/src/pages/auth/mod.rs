//! Logging in, and the password.

pub mod code;
pub mod invitation;
pub mod login;
pub mod password;
pub mod second_factor;
pub mod setup;

use leptos::prelude::*;

use crate::ui::preferences::Preferences;

/// A narrow column under the product's name.
#[component]
pub fn AuthFrame(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <leptos_meta::Title text=title/>
        <main class="auth">
            <header>
                <p class="brand">"Dormwatt"</p>
                <Preferences/>
            </header>
            <h1>{title}</h1>
            {children()}
        </main>
    }
}
