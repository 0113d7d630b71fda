//! Requests about meters: the forms that make them, and those that wait for the second person.

use leptos::prelude::*;

use super::parts::wide_field;
use crate::i18n::meter_requests::{kind, texts};
use crate::i18n::{common, lang};
use crate::ui::time::At;
use model::console::{MeterRequestKind, MeterRequestLine};
use model::ids::{MeterId, Uuid};
use model::money::Fen;

/// The form that makes a request.
pub fn ask(request: MeterRequestKind, meter: MeterId, key: Uuid) -> impl IntoView {
    let t = texts(lang());
    let (hint, button) = match request {
        MeterRequestKind::CloseForeign => (t.close_foreign_hint, t.ask_close_foreign),
        MeterRequestKind::Adjustment => (t.adjustment_hint, t.ask_adjustment),
    };
    view! {
        <form class="filter" method="post" action="/api/operator/ask-meter-request">
            <input type="hidden" name="kind" value=request.as_str() />
            <input type="hidden" name="meter" value=meter.to_string() />
            <input type="hidden" name="key" value=key.to_string() />
            <p class="hint">{hint}</p>
            {wide_field("reason", format!("reason-{key}"), t.reason, t.reason_hint, 200)}
            <button>{button}</button>
        </form>
    }
}

/// The section of a room whose meter shows a foreign account, or none in place of its own.
pub fn foreign_account(meter: MeterId, is_open: bool, key: Uuid) -> impl IntoView {
    let t = texts(lang());
    view! {
        <section class="card stack-tight">
            <h2>{if is_open { t.close_foreign_title } else { t.no_account_title }}</h2>
            <p>{if is_open { t.not_ours } else { t.no_account }}</p>
            {is_open.then(|| ask(MeterRequestKind::CloseForeign, meter, key))}
        </section>
    }
}

/// The requests that wait, with what the second person can do. Nothing where none waits.
pub fn waiting(lines: &[MeterRequestLine], may: bool) -> Option<AnyView> {
    let t = texts(lang());
    let items = lines.iter().map(|line| item(line, may)).collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <section class="stack-tight">
                <h2>{t.title}</h2>
                <p class="hint">{t.hint}</p>
                <ul class="case-list">{items}</ul>
            </section>
        }
        .into_any()
    })
}

fn item(line: &MeterRequestLine, may: bool) -> impl IntoView + use<> {
    let t = texts(lang());
    let position = |(count, amount): (i64, Fen)| format!("{} {count} · {amount} {}", t.count, common::yuan(lang()));
    let number = line.number.clone().unwrap_or_default();
    let decide = may && !line.mine;
    let id = line.id.to_string();
    let (approved, rejected) = (id.clone(), id);
    view! {
        <li class="card case">
            <div class="page-head">
                <h3>{kind(line.kind, lang())}" "<a href=format!("/rooms/{}", line.meter)>{line.room.to_string()}</a></h3>
                <At at=line.asked_at />
            </div>
            <dl class="said">
                {line.books.map(|books| view! { <dt>{t.books}</dt><dd class="num">{position(books)}</dd> })}
                <dt>{t.meter}</dt>
                <dd class="num">{number}" "{position(line.shown)}</dd>
                <dt>{t.reason}</dt>
                <dd>{line.reason.clone()}</dd>
                <dt>{t.asked_by}</dt>
                <dd>{line.asked_by.clone()}</dd>
                <dt>{t.until}</dt>
                <dd><At at=line.expires_at /></dd>
            </dl>
            {line.mine.then(|| view! { <p class="hint">{t.own}</p> })}
            {decide.then(|| view! {
                <form method="post" action="/api/operator/approve-meter-request">
                    <input type="hidden" name="id" value=approved />
                    <button class="primary">{t.approve}</button>
                </form>
                <form class="filter" method="post" action="/api/operator/reject-meter-request">
                    <input type="hidden" name="id" value=rejected />
                    {wide_field("note", format!("note-{}", line.id), t.note, "", 200)}
                    <button>{t.reject}</button>
                </form>
            })}
        </li>
    }
}
