//! Progress as a list of what has happened, with times; not a spinner.

use leptos::prelude::*;

use crate::i18n::{Lang, common};
use crate::ui::time::iso;
use model::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    Done,
    Now,
    Ahead,
    Bad,
}

impl StepState {
    const fn class(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Ahead => "ahead",
            Self::Bad => "bad",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub state: StepState,
    pub text: String,
    /// Further text in smaller type.
    pub note: Option<String>,
    /// When it happened.
    pub at: Option<Timestamp>,
}

impl Step {
    /// A step without a note.
    #[must_use]
    pub fn new(state: StepState, text: impl Into<String>, at: Option<Timestamp>) -> Self {
        Self { state, text: text.into(), note: None, at }
    }

    /// The same with a note.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// The list. A plain function, so that islands draw it too: they have no context of language or time.
pub fn steps(steps: Vec<Step>, now: Timestamp, lang: Lang) -> impl IntoView {
    view! {
        <ol class="steps">
            {steps
                .into_iter()
                .map(|step| {
                    view! {
                        <li class=step.state.class() aria-current=(step.state == StepState::Now).then_some("step")>
                            <span>{step.text}{step.note.map(|note| view! { <span class="note">{note}</span> })}</span>
                            {step.at.map(|at| view! { <time datetime=iso(at)>{common::at_seconds(at, now, lang)}</time> })}
                        </li>
                    }
                })
                .collect_view()}
        </ol>
    }
}
