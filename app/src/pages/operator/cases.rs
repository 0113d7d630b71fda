//! The cases: their meaning, the next step and the resolution.

use leptos::prelude::*;
use model::case::{CaseDetail, CaseKind};

use super::approvals;
use super::counter;
use super::frame::{Frame, Section};
use super::parts::{page_param, pager, param, wide_field};
use crate::i18n::counter::texts as counter_texts;
use crate::i18n::operator::texts;
use crate::i18n::{account_lifecycle, cases, errors, lang, refunds};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::approval::ApprovalKind;
use model::console::{CaseLine, CaseQuery, Page};
use model::error::AppError;

/// The page: `/cases`, and `/cases?state=closed`.
#[component]
pub fn CasesPage() -> impl IntoView {
    let query = CaseQuery { closed: param("state") == "closed", page: page_param() };
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.cases.cases(&who, &query).await
    };
    load(read, move |page| view! { <List page query /> }.into_any())
}

#[component]
fn List(page: Page<CaseLine>, query: CaseQuery) -> impl IntoView {
    let t = texts(lang());
    let here = if query.closed { "/cases?state=closed" } else { "/cases" };
    let current = [false, true].map(|closed| (query.closed == closed).then_some("page"));
    let [open, closed] = current;
    let items = page.lines.iter().map(item).collect_view();
    view! {
        <Frame title=t.cases section=Section::Cases>
            <div class="page-head">
                <h1>{t.cases}</h1>
                <nav class="tabs" aria-label=t.state>
                    <a href="/cases" aria-current=open>{t.open_cases}</a>
                    <a href="/cases?state=closed" aria-current=closed>{t.closed_cases}</a>
                </nav>
            </div>
            <Notice />
            <ul class="case-list">{items}</ul>
            {page.lines.is_empty().then(|| {
                view! { <p class="empty">{if query.closed { t.no_closed_cases } else { t.no_cases }}</p> }
            })}
            {pager(&page, query.page, here)}
        </Frame>
    }
}

fn item(line: &CaseLine) -> impl IntoView + use<> {
    let words = cases::of_line(line, lang());
    let place = line.room.clone().zip(line.meter).map(|(room, meter)| {
        view! { <a href=format!("/rooms/{meter}")>{room.to_string()}</a> }
    });
    let end = match line.closed_at {
        Some(_) => ended(line).into_any(),
        None if line.held => again(line).into_any(),
        None if let CaseDetail::Identity { answers } = &line.detail => {
            view! { {replaced(line, answers)}{close(line)} }.into_any()
        }
        None if line.counter.is_some() => counter::settle(line).into_any(),
        None if line.detail.kind() == CaseKind::MeterDiffers => {
            let correct = line.meter.map(|meter| approvals::ask(ApprovalKind::Adjustment, meter, format!("ask-{}", line.id)));
            view! { {correct}{close(line)} }.into_any()
        }
        None if line.bookable => ().into_any(),
        None => close(line),
    };
    view! {
        <li class="card case">
            <div class="page-head">
                <h2>{words.name}" "{place}</h2>
                <At at=line.opened_at />
            </div>
            {case_facts(line)}
            {give_back(line)}
            {line.bookable.then(|| book(line))}
            {end}
        </li>
    }
}

/// What is so and what to do; also on the page of the room.
pub fn case_facts(line: &CaseLine) -> impl IntoView + use<> {
    let (t, r) = (texts(lang()), crate::i18n::reconcile::texts(lang()));
    let case = cases::of_line(line, lang());
    let (mut reason, mut ends) = (None, None);
    match &line.detail {
        CaseDetail::Unusable(case) => reason = Some(cases::unusable(case, lang())),
        CaseDetail::Expiry(case) => ends = Some(cases::expiry(case, lang())),
        _ => {}
    }
    let (closing, l) = (line.detail.closing(), account_lifecycle::texts(lang()));
    let known = if line.counter.is_some() { None } else { cases::facts(&line.detail, lang()) };
    let day = cases::settlement(&line.detail);
    view! {
        <dl class="said">
            <dt>{t.what_is_so}</dt>
            <dd>{ends.map(|ends| view! { <strong>{ends}</strong>" " })}{case.meaning}</dd>
            <dt>{t.next_step}</dt>
            <dd>{reason.unwrap_or_else(|| case.next.to_owned())}</dd>
            {line.order.map(|number| view! { <dt>{t.order_number}</dt><dd class="num">{number}</dd> })}
            {day.map(|page| view! { <dt>{r.reconcile}</dt><dd><a href=page.clone()>{cases::settlement_name(&line.detail,
                lang())}</a></dd> })}
            {closing.map(|id| view! { <dt>{l.title}</dt><dd><a href=format!("/closings/{id}")>{l.see}</a></dd> })}
            {known.map(|known| view! { <dt>{t.detail}</dt><dd>{known}</dd> })}
        </dl>
    }
}

fn ended(line: &CaseLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let resolution = cases::resolution(line.resolution.as_deref().unwrap_or_default(), lang());
    view! {
        <p>
            <strong>{t.resolution}": "</strong>
            {resolution}
            <span class="muted">" "{line.closed_by.clone()}" "{line.closed_at.map(|at| view! { <At at /> })}</span>
        </p>
    }
}

/// Money depends on it, so it cannot just be closed: the meter is read again and the money rule decides.
fn again(line: &CaseLine) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <form class="filter" method="post" action="/api/operator/try-again">
            <input type="hidden" name="case" value=line.id.to_string() />
            <button>{t.try_again}</button>
            <p class="hint">{t.try_again_hint}</p>
        </form>
    }
}

/// Accepts the responding meter; its serial number was read and is not entered by hand.
fn replaced(line: &CaseLine, answers: &str) -> impl IntoView + use<> {
    let (t, c) = (texts(lang()), counter_texts(lang()));
    let field = format!("replaced-{}", line.id);
    view! {
        <form class="filter" method="post" action="/api/operator/confirm-serial">
            <input type="hidden" name="case" value=line.id.to_string() />
            <p>{c.answers}" "<strong class="num">{answers.to_owned()}</strong></p>
            {wide_field("resolution", field, t.resolution, t.resolution_hint, 500)}
            <button>{c.take_over}</button>
            <p class="hint">{c.take_over_hint}</p>
        </form>
    }
}

/// The link to the refunds of its order.
fn give_back(line: &CaseLine) -> impl IntoView + use<> {
    line.refunds.filter(|_| line.closed_at.is_none()).map(|order| {
        view! { <p><a class="button primary" href=format!("/refunds/of/{order}")>{refunds::texts(lang()).give_back}</a></p> }
    })
}

/// Books the refund that the statement tells of.
fn book(line: &CaseLine) -> impl IntoView + use<> {
    let r = refunds::texts(lang());
    view! {
        <form class="filter" method="post" action="/api/operator/book-refund">
            <input type="hidden" name="case" value=line.id.to_string() />
            <button class="primary">{r.book}</button>
            <p class="hint">{r.book_hint}</p>
        </form>
    }
}

/// The form that closes it. While money depends on it, what has to be done first.
fn close(line: &CaseLine) -> AnyView {
    let t = texts(lang());
    if !line.closable {
        return view! { <p class="hint">{errors::message(AppError::MoneyOpen, lang())}</p> }.into_any();
    }
    let field = format!("resolution-{}", line.id);
    view! {
        <form class="filter" method="post" action="/api/operator/close-case">
            <input type="hidden" name="case" value=line.id.to_string() />
            {wide_field("resolution", field, t.resolution, t.resolution_hint, 500)}
            <button>{t.close_case}</button>
        </form>
    }
    .into_any()
}
