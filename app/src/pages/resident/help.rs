//! How it works and what to do when.

use leptos::prelude::*;

use super::frame::{Frame, Tab};
use crate::i18n::lang;
use crate::i18n::resident::help::help;
use crate::i18n::resident::words;

/// The page: all open, so that the browser's own search finds everything.
#[component]
pub fn HelpPage() -> impl IntoView {
    let lang = lang();
    let answers = help(lang).iter().map(|&(question, answer)| {
        view! {
            <section class="stack-tight">
                <h2>{question}</h2>
                <p>{answer}</p>
            </section>
        }
    });
    view! { <Frame title=words(lang).help tab=Tab::Me>{answers.collect_view()}</Frame> }
}
