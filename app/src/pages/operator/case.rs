//! One case: its meaning, the next step as forms, comments, who works on it and by when.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::approval::ApprovalKind;
use model::case::{CaseDetail, CaseKind};
use model::console::{CaseFile, CaseLine, CaseNote, CaseStep};
use model::error::AppError;
use model::ids::{CaseId, OrderId, UserId};
use model::permission::Permission;

use super::cash_desk::order::address as order_page;
use super::frame::{Frame, Section};
use super::parts::wide_field;
use super::{approvals, counter};
use crate::i18n::case_work::TakeFrom;
use crate::i18n::commands::Labelled;
use crate::i18n::counter::texts as counter_texts;
use crate::i18n::operator::texts;
use crate::i18n::{account_lifecycle, case_work, cases, common, errors, lang, refunds};
use crate::ports::{allowed, may, now, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;

/// The page: `/cases/:id`.
#[component]
pub fn CasePage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: CaseId = id.parse().map_err(|_| AppError::NotFound)?;
        Ok((ports.cases.case(&who, id).await?, who.user))
    };
    load(read, |(file, me)| view! { <File file me /> }.into_any())
}

#[component]
fn File(file: CaseFile, me: UserId) -> impl IntoView {
    let (t, words) = (texts(lang()), cases::of_line(&file.line, lang()));
    let CaseFile { line, notes, operators } = file;
    let place = line.room.clone().zip(line.meter);
    let title = place.as_ref().map_or_else(|| words.name.to_owned(), |(room, _)| format!("{} {room}", words.name));
    let place = place.map(|(room, meter)| view! { <a href=format!("/rooms/{meter}")>{room.to_string()}</a> });
    view! {
        <Frame title section=Section::Cases>
            <p><a href="/cases">{t.cases}</a></p>
            <div class="page-head"><h1>{words.name}" "{place}</h1></div>
            <Notice />
            <div class="case-page">
                {facts_and_forms(&line)}
                <div>
                    {work(&line, operators, me)}
                    {history(&line, notes)}
                </div>
            </div>
        </Frame>
    }
}

/// Who works on it and by when, with the forms that change it.
fn work(line: &CaseLine, operators: Vec<(UserId, String)>, me: UserId) -> impl IntoView + use<> {
    let (w, id) = (case_work::texts(lang()), line.id.to_string());
    let changes = line.closed_at.is_none() && may(Permission::Cases);
    let overdue = line.closed_at.is_none() && line.due_at < now();
    let owner = line.owner.clone();
    let mine = owner.as_ref().is_some_and(|(owner, _)| *owner == me);
    // Somebody else's case is taken over by name, not by mistake.
    let take_word = match &owner {
        Some((_, name)) => TakeFrom { name }.text(lang()),
        None => w.take.to_owned(),
    };
    let take = (!mine).then(|| {
        view! {
            <form method="post" action="/api/operator/cases/assign">
                <input type="hidden" name="case" value=id.clone() />
                {seen(line)}
                <input type="hidden" name="owner" value=me.to_string() />
                <button class=owner.is_none().then_some("primary")>{take_word}</button>
            </form>
        }
    });
    let chosen = owner.as_ref().map(|(owner, _)| *owner);
    let options = operators.into_iter().map(|(user, name)| {
        let selected = chosen == Some(user);
        view! { <option value=user.to_string() selected=selected>{name}</option> }
    });
    let forms = changes.then(|| {
        view! {
            {take}
            <form class="filter" method="post" action="/api/operator/cases/assign">
                <input type="hidden" name="case" value=id.clone() />
                {seen(line)}
                <label class="filter-field">
                    <span>{w.hand_over}</span>
                    <select name="owner"><option value="">{w.nobody}</option>{options.collect_view()}</select>
                </label>
                <button>{w.set}</button>
            </form>
            <form class="filter" method="post" action="/api/operator/cases/due">
                <input type="hidden" name="case" value=id.clone() />
                {seen(line)}
                <label class="filter-field">
                    <span>{w.due_day}</span>
                    <input type="date" name="day" required value=line.due_at.plus(-1).date().to_string() />
                </label>
                <button>{w.set}</button>
            </form>
        }
    });
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{w.since}</dt><dd><At at=line.opened_at /></dd>
                <dt>{w.due}</dt>
                <dd>
                    <At at=line.due_at />
                    {overdue.then(|| view! { " " <strong class="bad">{w.overdue}</strong> })}
                </dd>
                <dt>{w.owner}</dt><dd>{owner.map_or_else(|| w.nobody.to_owned(), |(_, name)| name)}</dd>
            </dl>
            {forms}
        </section>
    }
}

/// What the page showed: a decision on something else is asked again.
pub(super) fn seen(line: &CaseLine) -> impl IntoView + use<> {
    view! { <input type="hidden" name="seen" value=line.steps.to_string() /> }
}

/// What was done, oldest first, and the form for a comment.
fn history(line: &CaseLine, notes: Vec<CaseNote>) -> impl IntoView + use<> {
    let (w, t, lang) = (case_work::texts(lang()), texts(lang()), lang());
    let labelled = |label: &str, value: String| Labelled { label, value }.text(lang);
    let said = |note: CaseNote| {
        let what = match note.step {
            CaseStep::Comment(text) => text,
            CaseStep::Owner(Some(name)) => labelled(w.owner, name),
            CaseStep::Owner(None) => w.released.to_owned(),
            CaseStep::Due(at) => labelled(w.due, common::at(at, now(), lang)),
        };
        let by = note.by.unwrap_or_else(|| w.by_itself.to_owned());
        view! { <li><At at=note.at />" "<strong>{by}</strong>" "<span class="wrap">{what}</span></li> }
    };
    let closed = line.closed_at.map(|at| {
        let by = line.closed_by.clone().unwrap_or_else(|| w.by_itself.to_owned());
        view! { <li><At at />" "<strong>{by}</strong>" "{t.closed}</li> }
    });
    let form = (line.closed_at.is_none() && may(Permission::Cases)).then(|| {
        view! {
            <form class="filter" method="post" action="/api/operator/cases/comment">
                <input type="hidden" name="case" value=line.id.to_string() />
                {wide_field("comment", "comment".to_owned(), w.comment, w.comment_hint, 500)}
                <button>{w.add}</button>
            </form>
        }
    });
    view! {
        <section class="card">
            <h2>{w.history}</h2>
            <ul class="plain">
                <li><At at=line.opened_at />" "{w.opened}</li>
                {notes.into_iter().map(said).collect_view()}
                {closed}
            </ul>
            {form}
        </section>
    }
}

/// What is so, and the forms by which a person settles it.
fn facts_and_forms(line: &CaseLine) -> impl IntoView + use<> {
    let end = match line.closed_at {
        Some(_) => ended(line).into_any(),
        None if !may(Permission::Cases) => ().into_any(),
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
        <section class="card case">
            {case_facts(line)}
            {give_back(line)}
            {(line.bookable && allowed("/api/operator/book-refund")).then(|| book(line))}
            {end}
        </section>
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
            {line.order.map(|order| view! { <dt>{t.order_number}</dt><dd class="num">{order_number(order)}</dd> })}
            {day.map(|page| view! { <dt>{r.reconcile}</dt><dd>{settlement_day(line, page)}</dd> })}
            {closing.map(|id| view! { <dt>{l.title}</dt><dd><a href=format!("/closings/{id}")>{l.see}</a></dd> })}
            {known.map(|known| view! { <dt>{t.detail}</dt><dd>{known}</dd> })}
        </dl>
    }
}

/// The number, and for whoever may see its order as a link.
fn order_number((order, number): (OrderId, i64)) -> AnyView {
    match order_page(order) {
        Some(page) => view! { <a href=page>{number}</a> }.into_any(),
        None => number.into_any(),
    }
}

/// The day, and for whoever may see it as a link.
fn settlement_day(line: &CaseLine, page: String) -> AnyView {
    let name = cases::settlement_name(&line.detail, lang());
    if allowed(&page) { view! { <a href=page>{name}</a> }.into_any() } else { name.into_any() }
}

fn ended(line: &CaseLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let resolution = cases::resolution(line.resolution.as_deref().unwrap_or_default(), lang());
    view! {
        <p>
            <strong>{Labelled { label: t.resolution, value: "" }.text(lang())}</strong>
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
            {seen(line)}
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
            {seen(line)}
            <p>{c.answers}" "<strong class="num">{answers.to_owned()}</strong></p>
            {wide_field("resolution", field, t.resolution, t.resolution_hint, 500)}
            <button>{c.take_over}</button>
            <p class="hint">{c.take_over_hint}</p>
        </form>
    }
}

/// The link to the refunds of its order.
fn give_back(line: &CaseLine) -> impl IntoView + use<> {
    line.refunds.filter(|_| line.closed_at.is_none() && allowed("/refunds")).map(|order| {
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
            {seen(line)}
            {wide_field("resolution", field, t.resolution, t.resolution_hint, 500)}
            <button>{t.close_case}</button>
        </form>
    }
    .into_any()
}
