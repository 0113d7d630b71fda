//! How one works with the console.

use leptos::prelude::*;
use model::case::CaseKind;

use super::frame::{Frame, Section};
use crate::i18n::guide::{cases, chapters, heading};
use crate::i18n::{cases as kinds, lang};

/// The page: all of it open, so that the browser's own search finds everything.
#[component]
pub fn GuidePage() -> impl IntoView {
    let lang = lang();
    let (title, lead) = heading(lang);
    let (cases_title, cases_lead) = cases(lang);
    let contents = chapters(lang)
        .iter()
        .map(|chapter| (chapter.anchor, chapter.title))
        .chain([("cases", cases_title)])
        .map(|(anchor, title)| view! { <li><a href=format!("#{anchor}")>{title}</a></li> });
    let text = chapters(lang).iter().map(|chapter| {
        let parts = chapter.parts.iter().map(|&(name, text)| part(name, view! { <p>{text}</p> }.into_any()));
        view! {
            <section class="stack" id=chapter.anchor>
                <h2>{chapter.title}</h2>
                {parts.collect_view()}
            </section>
        }
    });
    let cases = CaseKind::ALL.into_iter().map(move |kind| {
        let case = kinds::case(kind, lang);
        part(case.name, view! { <p>{case.meaning}</p><p>{case.next}</p> }.into_any())
    });
    view! {
        <Frame title=title section=Section::Guide>
            <article class="guide">
                <h1>{title}</h1>
                <p class="muted">{lead}</p>
                <nav aria-label=title>
                    <ul class="contents">{contents.collect_view()}</ul>
                </nav>
                {text.collect_view()}
                <section class="stack" id="cases">
                    <h2>{cases_title}</h2>
                    <p>{cases_lead}</p>
                    {cases.collect_view()}
                </section>
            </article>
        </Frame>
    }
}

fn part(name: &'static str, text: AnyView) -> impl IntoView + use<> {
    view! {
        <section class="stack-tight">
            <h3>{name}</h3>
            {text}
        </section>
    }
}
