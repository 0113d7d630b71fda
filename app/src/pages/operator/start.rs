//! What a new site still lacks, with a link to where each is done.

use leptos::prelude::*;

use super::frame::{Frame, Section};
use crate::i18n::lang;
use crate::i18n::setup::{progress, step, texts};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::marked::marked;
use model::setup::{Checklist, SetupProgress, SetupStep};

/// The page: `/start`.
#[component]
pub fn StartPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok((ports.setup.checklist(&who).await?, ports.setup.reads_meters()))
    };
    load(read, |(list, reads)| view! { <Steps list reads /> }.into_any())
}

/// Where a step is done.
const fn path(step: SetupStep) -> &'static str {
    match step {
        SetupStep::Places => "/places",
        SetupStep::Meters => "/meters/new",
        SetupStep::Gateways => "/gateways",
        SetupStep::Prices => "/prices",
        SetupStep::Defaults => "/settings",
        SetupStep::Channels => "/channels",
        SetupStep::People => "/operators",
        SetupStep::Reading => "/meters",
        SetupStep::Sale => "/wall",
    }
}

#[component]
fn Steps(list: Checklist, reads: bool) -> impl IntoView {
    let t = texts(lang());
    let done = list.is_done().then(|| view! { <Callout tone=Tone::Good><p>{t.all_done}</p></Callout> });
    // Another process may be the one that reads them.
    let is_read = list.steps.iter().any(|step| step.step == SetupStep::Reading && step.done);
    let no_keys = (!reads && !is_read).then(|| view! { <Callout tone=Tone::Warn><p>{t.no_keys}</p></Callout> });
    let steps = list.steps.iter().map(row).collect_view();
    let (hidden, word, hint) = if list.hidden { ("", t.show, t.hidden) } else { ("1", t.hide, t.hide_hint) };
    let hide = (!list.is_done()).then(|| {
        view! {
            <form class="stack-tight" method="post" action="/api/operator/setup/hide">
                <input type="hidden" name="hidden" value=hidden />
                <div class="buttons"><button>{word}</button></div>
                <p class="hint">{hint}</p>
            </form>
        }
    });
    view! {
        <Frame title=t.start_title section=Section::Start>
            <h1>{t.start_title}</h1>
            {done}
            {no_keys}
            <p class="muted">{marked(t.start_lead)}</p>
            <p><a href="/import">{t.import_all}</a></p>
            <ol class="checklist">{steps}</ol>
            {hide}
        </Frame>
    }
}

fn row(one: &SetupProgress) -> impl IntoView + use<> {
    let t = texts(lang());
    let about = step(one.step, lang());
    let (class, mark) = if one.done { ("card done", t.done) } else { ("card", t.missing) };
    let (to, word) = if one.differing > 0 { ("/settings#issue", t.issue_defaults) } else { (path(one.step), about.link) };
    let link = if one.done { "button" } else { "button primary" };
    view! {
        <li class=class>
            <div class="stack-tight">
                <h2>{about.name}</h2>
                <p><strong>{mark}</strong>" · "{progress(one, lang())}</p>
                <p class="muted">{about.why}</p>
            </div>
            <a class=link href=to>{word}</a>
        </li>
    }
}
