//! A boxed message: the situation and the next step.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::i18n::{errors, lang};
use model::error::AppError;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Good,
    Warn,
    Bad,
    /// The meter is lost.
    Lost,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Plain => "notice",
            Self::Good => "notice good",
            Self::Warn => "notice warn",
            Self::Bad => "notice bad",
            Self::Lost => "notice lost",
        }
    }
}

/// The box. Bad ones are announced by screen readers at once.
#[component]
pub fn Callout(#[prop(optional)] tone: Tone, children: Children) -> impl IntoView {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    view! { <div class=tone.class() role=role>{children()}</div> }
}

/// The outcome of the last form, which the address of the page names: how it is told.
#[must_use]
pub fn outcome(told: impl FnOnce(&str) -> Option<(Tone, &'static str)>) -> Option<AnyView> {
    let done = use_query_map().with_untracked(|query| query.get("done")).unwrap_or_default();
    told(&done).map(|(tone, text)| view! { <Callout tone><p>{text}</p></Callout> }.into_any())
}

/// The message of an error.
#[component]
pub fn Problem(error: AppError) -> impl IntoView {
    view! { <Callout tone=Tone::Bad><p>{errors::message(error, lang())}</p></Callout> }
}
