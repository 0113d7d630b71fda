//! Logging in, and the password.

pub mod code;
pub mod invitation;
pub mod join;
pub mod login;
pub mod password;
pub mod phone;
pub mod second_factor;
pub mod setup;
pub mod wechat;

use leptos::prelude::*;

use crate::i18n::{auth, lang};
use crate::ports::reply;
use crate::ui::callout::{Callout, Tone};
use crate::ui::preferences::Preferences;
use crate::ui::secret_field::SecretField;
use model::error::AppError;

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

fn password_field(name: &str, label: &str, autocomplete: &str) -> impl IntoView + use<> {
    let t = auth::texts(lang());
    view! {
        <SecretField
            name=name.to_owned()
            label=label.to_owned()
            autocomplete=autocomplete.to_owned()
            show=t.show.to_owned()
            hide=t.hide.to_owned()
        />
    }
}

/// The page of a link that has ended, with the address where one goes on.
pub fn link_ended(title: &'static str, hint: &'static str, (to, label): (&'static str, &'static str)) -> AnyView {
    if let Ok(reply) = reply() {
        reply.status(AppError::LinkEnded.status());
    }
    view! {
        <AuthFrame title=title>
            <Callout tone=Tone::Warn><p>{hint}</p></Callout>
            <p><a class="button" href=to>{label}</a></p>
        </AuthFrame>
    }
    .into_any()
}
