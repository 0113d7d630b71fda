//! What a person is told: what is so, since when, what to do next.

use leptos::prelude::*;

use crate::i18n::{errors, lang};
use model::error::AppError;

/// How much it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    #[default]
    Plain,
    /// It went well.
    Good,
    /// Look at it.
    Warn,
    /// It does not work.
    Bad,
    /// The meter does not answer.
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

/// The words of an error.
#[component]
pub fn Problem(error: AppError) -> impl IntoView {
    view! { <Callout tone=Tone::Bad><p>{errors::words(error, lang())}</p></Callout> }
}
