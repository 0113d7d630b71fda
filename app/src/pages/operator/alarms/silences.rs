//! What is silenced for maintenance, and the form that silences.

use leptos::prelude::*;

use crate::api::alarms::{PAST_SILENCES, Silences};
use crate::i18n::alarms::{EndedEarly, PastSilencesMost, SilenceEnded, SilencedUntil, texts};
use crate::i18n::{common, lang};
use crate::pages::operator::frame::{Frame, Section};
use crate::pages::operator::parts::{param, wide_field};
use crate::ports::{may, now, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::alarm::SILENCE_MOST_H;
use model::console::{SilenceLine, SilenceOf};
use model::ids::SilenceId;
use model::permission::Permission;

/// The page: `/alarms/silences`.
#[component]
pub fn SilencesPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.alarms.silences(&who).await
    };
    load(read, |Silences { current, past, scopes }: Silences| {
        let t = texts(lang());
        let form = (may(Permission::Cases) && !scopes.is_empty()).then(|| {
            view! { <SilenceForm scopes back="/alarms/silences".to_owned() /> }
        });
        let none = current.is_empty().then(|| view! { <p class="empty">{t.no_silences}</p> });
        let rows = silence_rows(&current, "/alarms/silences");
        let done = outcome(current.iter().chain(&past));
        let most = (past.len() >= PAST_SILENCES).then(|| {
            view! { <p class="hint">{PastSilencesMost { most: PAST_SILENCES }.text(lang())}</p> }
        });
        let history = (!past.is_empty()).then(|| {
            view! {
                <section class="card stack-tight">
                    <h2>{t.past_silences}</h2>
                    {silence_rows(&past, "/alarms/silences")}
                    {most}
                </section>
            }
        });
        view! {
            <Frame title=t.silences section=Section::Alarms>
                <p><a href="/alarms">{t.all_alarms}</a></p>
                <h1>{t.silences}</h1>
                <Notice />
                {done}
                {none}
                {rows}
                {form}
                {history}
            </Frame>
        }
        .into_any()
    })
}

/// What the last form did, from the address: to which of these silences.
pub fn outcome<'a>(shown: impl Iterator<Item = &'a SilenceLine> + Clone) -> Option<AnyView> {
    let named = |key: &'static str| -> Option<&'a SilenceLine> {
        let id = param(key).parse::<SilenceId>().ok()?;
        shown.clone().find(|line| line.id == id)
    };
    let text = if let Some(SilenceLine { name, until, .. }) = named("silenced") {
        SilencedUntil { name, until: common::at(*until, now(), lang()) }.text(lang())
    } else {
        SilenceEnded { name: &named("ended")?.name }.text(lang())
    };
    Some(view! { <Callout tone=Tone::Good><p>{text}</p></Callout> }.into_any())
}

/// Silences with a button that ends each of those that go on.
pub fn silence_rows(silences: &[SilenceLine], back: &str) -> impl IntoView + use<> {
    let row = |line: &SilenceLine| {
        let t = texts(lang());
        let goes_on = line.ended.is_none() && line.until > now();
        let end = (goes_on && may(Permission::Cases)).then(|| {
            view! {
                <form method="post" action="/api/operator/alarms/silence-end">
                    <input type="hidden" name="silence" value=line.id.to_string() />
                    <input type="hidden" name="back" value=back.to_owned() />
                    <button>{t.end_silence}</button>
                </form>
            }
        });
        let ended = line.ended.as_ref().map(|(at, name)| {
            view! { " "<span class="muted">{EndedEarly { name }.text(lang())}" "<At at=*at /></span> }
        });
        let in_time = (line.ended.is_none() && line.until <= now()).then(|| {
            view! { " "<span class="muted">{t.ended_in_time}</span> }
        });
        let page = match line.of {
            SilenceOf::Meter(meter) => Some(format!("/rooms/{meter}")),
            SilenceOf::Gateway(gateway) => Some(format!("/gateways/{gateway}")),
            SilenceOf::Place(_) => None,
        };
        let name = line.name.clone();
        let name = match page {
            Some(page) => view! { <a class="tap" href=page>{name}</a> }.into_any(),
            None => name.into_any(),
        };
        view! {
            <li class="stack-tight">
                <span>
                    <strong>{name}</strong>" "<At at=line.from />" "{t.silence_until}" "<At at=line.until />{ended}{in_time}
                </span>
                <span class="muted">{line.reason.clone()}" · "{t.set_by}" "{line.set_by.clone()}</span>
                {end}
            </li>
        }
    };
    let rows = silences.iter().map(row).collect_view();
    (!silences.is_empty()).then(|| view! { <ul class="plain">{rows}</ul> })
}

/// Silences one of these, the first unless another is chosen.
#[component]
pub fn SilenceForm(scopes: Vec<(SilenceOf, String)>, back: String) -> impl IntoView {
    let t = texts(lang());
    let options = scopes.into_iter().map(|(of, name)| view! { <option value=of.text()>{name}</option> });
    let options = options.collect_view();
    view! {
        <section class="card stack-tight">
            <h2>{t.silence}</h2>
            <form class="filter" method="post" action="/api/operator/alarms/silence">
                <input type="hidden" name="back" value=back />
                <label class="filter-field"><span>{t.what}</span><select name="of">{options}</select></label>
                <label class="filter-field">
                    <span>{t.hours}</span>
                    <input type="number" name="hours" required min="1" max=SILENCE_MOST_H value="4" />
                </label>
                {wide_field("reason", "silence-reason".to_owned(), t.reason, t.reason_hint, 200)}
                <button>{t.set_silence}</button>
                <p class="hint">{t.silence_hint}</p>
            </form>
        </section>
    }
}
