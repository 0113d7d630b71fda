//! The resident's help.

use leptos::prelude::*;

use super::frame::{Frame, Tab};
use crate::i18n::lang;
use crate::i18n::resident::texts;

/// The page. Nothing is folded, so that the browser's search finds everything.
#[component]
pub fn HelpPage() -> impl IntoView {
    let lang = lang();
    let answers = texts(lang).questions.iter().map(|part| {
        view! {
            <section class="stack-tight">
                <h2>{part.question}</h2>
                <p>{part.answer}</p>
            </section>
        }
    });
    view! { <Frame title=texts(lang).help tab=Tab::Me>{answers.collect_view()}</Frame> }
}
