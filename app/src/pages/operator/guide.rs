//! The operator's guide.

use leptos::prelude::*;
use model::case::CaseKind;

use super::frame::{Frame, Section};
use crate::i18n::guide::{ChapterItemPartsTexts, chapters, texts};
use crate::i18n::{Lang, cases as kinds, lang};
use crate::ui::marked::marked;

/// The page. Nothing is folded, so that the browser's search finds everything.
#[component]
pub fn GuidePage() -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let headings = |parts: &[ChapterItemPartsTexts]| parts.iter().map(|part| part.heading).collect::<Vec<_>>().join(" · ");
    let contents = chapters(lang)
        .map(|(anchor, chapter)| (anchor, chapter.title, headings(chapter.parts)))
        .into_iter()
        .chain([("cases", t.cases_title, String::new())])
        .map(|(anchor, title, headings)| {
            view! { <li><a href=format!("#{anchor}")>{title}</a>" "<span class="small muted">{headings}</span></li> }
        });
    let text = chapters(lang).into_iter().map(move |(anchor, chapter)| {
        let parts = chapter.parts.iter().map(|text| part(text.heading, view! { <p>{marked(text.text)}</p> }.into_any()));
        view! {
            <section class="stack" id=anchor>
                <h2>{chapter.title}</h2>
                {picture(lang, anchor, chapter.picture)}
                {parts.collect_view()}
            </section>
        }
    });
    let cases = CaseKind::ALL.into_iter().map(move |kind| {
        let case = kinds::case(kind, lang);
        part(case.name, view! { <p>{case.meaning}</p><p>{case.next}</p> }.into_any())
    });
    view! {
        <Frame title=t.title section=Section::Guide>
            <article class="guide">
                <h1>{t.title}</h1>
                <p class="muted">{t.lead}</p>
                <nav aria-label=t.title>
                    <ul class="contents">{contents.collect_view()}</ul>
                </nav>
                {text.collect_view()}
                <section class="stack" id="cases">
                    <h2>{t.cases_title}</h2>
                    <p>{t.cases_lead}</p>
                    {cases.collect_view()}
                </section>
            </article>
        </Frame>
    }
}

/// The chapter's page of the demo, which `npm run screenshots` takes into `public/guide`.
fn picture(lang: Lang, anchor: &'static str, caption: &'static str) -> impl IntoView + use<> {
    let file = format!("/guide/{}/{anchor}.webp", lang.tag());
    view! {
        <figure>
            <a href=file.clone() aria-label=texts(lang).enlarge>
                <img src=file.clone() alt="" width="1280" height="800" loading="lazy" />
            </a>
            <figcaption class="muted">{caption}</figcaption>
        </figure>
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
