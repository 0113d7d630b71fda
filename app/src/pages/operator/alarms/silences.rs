//! What is silenced for maintenance, and the form that silences.

use leptos::prelude::*;

use crate::i18n::alarms::{EndedEarly, texts};
use crate::i18n::lang;
use crate::pages::operator::frame::{Frame, Section};
use crate::pages::operator::parts::wide_field;
use crate::ports::{may, now, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::alarm::SILENCE_MOST_H;
use model::console::{SilenceLine, SilenceOf};
use model::permission::Permission;

/// The page: `/alarms/silences`.
#[component]
pub fn SilencesPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.alarms.silences(&who).await
    };
    load(read, |(silences, scopes): (Vec<SilenceLine>, Vec<(SilenceOf, String)>)| {
        let t = texts(lang());
        let form = (may(Permission::Cases) && !scopes.is_empty()).then(|| {
            view! { <SilenceForm scopes back="/alarms/silences".to_owned() /> }
        });
        let none = silences.is_empty().then(|| view! { <p class="empty">{t.no_silences}</p> });
        let rows = silence_rows(&silences, "/alarms/silences");
        view! {
            <Frame title=t.silences section=Section::Alarms>
                <p><a href="/alarms">{t.all_alarms}</a></p>
                <h1>{t.silences}</h1>
                <Notice />
                {none}
                {rows}
                {form}
            </Frame>
        }
        .into_any()
    })
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
                    <strong>{name}</strong>" "<At at=line.from />" "{t.silence_until}" "<At at=line.until />{ended}
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
