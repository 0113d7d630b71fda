//! Requests that a second person approves: the forms that make those about meters, and those that wait.

use leptos::prelude::*;

use super::parts::wide_field;
use super::prices;
use crate::i18n::approvals::{kind, texts};
use crate::i18n::common::Labelled;
use crate::i18n::{common, defaults, lang, ledger, places};
use crate::ports::allowed;
use crate::ui::time::At;
use model::approval::{ApprovalKind, ApprovalLine, Basis, Decision, PlanPrices, Position, PriceReach};
use model::defaults::DefaultsOf;
use model::ids::MeterId;
use model::money::Fen;
use model::subsidy::{Month, Per};
use model::tariff::Prices;
use model::time::Timestamp;

/// The form that makes a request about a meter. `field` is unique on the page.
pub fn ask(request: ApprovalKind, meter: MeterId, field: String) -> impl IntoView {
    let t = texts(lang());
    let (hint, button) = if request == ApprovalKind::CloseForeign {
        (t.close_foreign_hint, t.ask_close_foreign)
    } else {
        (t.adjustment_hint, t.ask_adjustment)
    };
    allowed("/api/operator/ask-about-meter").then(|| {
        view! {
            <form class="filter" method="post" action="/api/operator/ask-about-meter">
                <input type="hidden" name="kind" value=request.as_str() />
                <input type="hidden" name="meter" value=meter.to_string() />
                <p class="hint">{hint}</p>
                {wide_field("reason", field, t.reason, t.reason_hint, 200)}
                <button>{button}</button>
            </form>
        }
    })
}

/// The section of a room whose meter shows a foreign account, or none in place of its own.
pub fn foreign_account(meter: MeterId, is_open: bool) -> impl IntoView {
    let t = texts(lang());
    view! {
        <section class="card stack-tight">
            <h2>{if is_open { t.close_foreign_title } else { t.no_account_title }}</h2>
            <p>{if is_open { t.not_ours } else { t.no_account }}</p>
            {is_open.then(|| ask(ApprovalKind::CloseForeign, meter, format!("foreign-{meter}")))}
        </section>
    }
}

/// The requests that wait, with what the second person can do. Nothing where none waits.
pub fn waiting(lines: &[ApprovalLine], may: bool) -> Option<AnyView> {
    let t = texts(lang());
    let items = lines.iter().map(|line| item(line, may)).collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <section class="stack-tight">
                <h2>{t.title}</h2>
                <p class="hint">{t.hint}</p>
                <ul class="card-list">{items}</ul>
            </section>
        }
        .into_any()
    })
}

fn item(line: &ApprovalLine, may: bool) -> impl IntoView + use<> {
    let t = texts(lang());
    let (href, about) = about(line);
    view! {
        <li class="card case">
            <div class="page-head">
                <h3>{kind(line.decision.kind(), lang())}" "<a href=href>{about}</a></h3>
                <At at=line.asked_at />
            </div>
            <dl class="said">
                {facts(line)}
                {(!line.reason.is_empty()).then(|| view! { <dt>{t.reason}</dt><dd>{line.reason.clone()}</dd> })}
                <dt>{t.asked_by}</dt>
                <dd>{line.asked_by.clone()}</dd>
                <dt>{t.until}</dt>
                <dd><At at=line.expires_at /></dd>
            </dl>
            {line.mine.then(|| view! { <p class="hint">{t.own}</p> })}
            {(may && !line.mine).then(|| approve(line.id.to_string()))}
            {(may || line.mine).then(|| reject(line.id.to_string(), line.mine))}
        </li>
    }
}

fn approve(id: String) -> impl IntoView {
    let t = texts(lang());
    view! {
        <form method="post" action="/api/operator/approve-request">
            <input type="hidden" name="id" value=id />
            <button class="primary">{t.approve}</button>
        </form>
    }
}

/// Who asked withdraws what others reject.
fn reject(id: String, mine: bool) -> impl IntoView {
    let (t, field) = (texts(lang()), format!("note-{id}"));
    let (note, button) = if mine { (t.withdraw_note, t.withdraw) } else { (t.note, t.reject) };
    view! {
        <form class="filter" method="post" action="/api/operator/reject-request">
            <input type="hidden" name="id" value=id />
            {wide_field("reason", field, note, "", 200)}
            <button>{button}</button>
        </form>
    }
}

/// What it is about, and the page that shows that.
fn about(line: &ApprovalLine) -> (String, String) {
    match &line.decision {
        Decision::Subsidy { .. } => ("/subsidies".to_owned(), line.place.clone()),
        Decision::Prices { plan, .. } => ("/prices".to_owned(), plan.clone()),
        Decision::PricePlace { place, .. } => (or_prices(format!("/places/{place}")), line.place.clone()),
        Decision::PriceGroup { group, .. } => {
            let page = or_prices(format!("/places/groups/{group}"));
            (page, defaults::named(DefaultsOf::Group(*group), &line.place, lang()))
        }
        Decision::WriteOff { order } => (format!("/refunds/of/{order}"), line.place.clone()),
        Decision::CloseForeign { meter } | Decision::Adjustment { meter } => (format!("/rooms/{meter}"), line.place.clone()),
    }
}

/// The page of a place or group, or the one of prices for whoever may not see it.
fn or_prices(page: String) -> String {
    if allowed(&page) { page } else { "/prices".to_owned() }
}

/// What it would do, in figures.
fn facts(line: &ApprovalLine) -> AnyView {
    match (&line.decision, &line.basis) {
        (Decision::Subsidy { from, per, amount, .. }, Basis::Subsidy { before, rooms }) => {
            subsidy(line.amount, (*from, *per, *amount), *before, *rooms).into_any()
        }
        (Decision::Prices { effective_at, prices, .. }, _) => version(*effective_at, prices).into_any(),
        (Decision::PricePlace { .. } | Decision::PriceGroup { .. }, _) => {
            let plan = line.plan.clone().unwrap_or_else(|| places::texts(lang()).no_plan.to_owned());
            let reach = line.reach.as_ref().map(reach);
            view! { <dt>{texts(lang()).plan}</dt><dd>{plan}</dd>{reach} }.into_any()
        }
        (Decision::CloseForeign { .. } | Decision::Adjustment { .. }, Basis::Meter { number, shown, books }) => {
            let number = number.clone().unwrap_or_default();
            view! { {meter(number, *shown, *books)}{(line.amount != Fen::ZERO).then(|| amount_of(line.amount))} }.into_any()
        }
        _ => amount_of(line.amount).into_any(),
    }
}

/// Whom a plan of a place or group is for, and the prices there now and afterwards.
fn reach(reach: &PriceReach) -> impl IntoView + use<> {
    let (t, p) = (texts(lang()), places::texts(lang()));
    let count = |(rooms, meters): (usize, usize)| view! { <dd class="num">{p.rooms}" "{rooms}" · "{p.meters}" "{meters}</dd> };
    let is_alone = reach.changes.len() == 1;
    let changes = reach.changes.iter().map(|change| {
        let name = change.place.clone().unwrap_or_else(|| t.of_these.to_owned());
        let of = (change.place.is_some() || !is_alone).then(|| view! { <dt>{name}</dt>{count((change.rooms, change.meters))} });
        let after = if change.before == change.after { t.unchanged.to_owned() } else { prices_of(change.after.as_ref()) };
        view! {
            {of}
            <dt>{t.prices_now}</dt>
            <dd class="num">{prices_of(change.before.as_ref())}</dd>
            <dt>{t.prices_after}</dt>
            <dd class="num">{after}</dd>
        }
    });
    let changes = changes.collect_view();
    view! { <dt>{p.concerns}</dt>{count(reach.rooms_and_meters())}{changes} }
}

/// `Rooms: 0.5380 yuan/kWh`.
fn prices_of(plan: Option<&PlanPrices>) -> String {
    let Some(PlanPrices { plan, prices }) = plan else { return places::texts(lang()).no_plan.to_owned() };
    Labelled { label: plan, text: &prices::brief(prices) }.text(lang())
}

fn amount_of(amount: Fen) -> impl IntoView {
    view! { <dt>{texts(lang()).amount}</dt><dd class="num">{in_yuan(amount)}</dd> }
}

fn in_yuan(amount: Fen) -> String {
    format!("{amount} {}", common::yuan(lang()))
}

/// `100.00 yuan per room from 2026-11`.
fn rule((from, per, amount): (Month, Per, Fen)) -> String {
    let (t, l) = (texts(lang()), ledger::texts(lang()));
    let per = match per {
        Per::Room => l.per_room,
        Per::Head => l.per_head,
    };
    format!("{} / {per}, {} {from}", in_yuan(amount), t.from)
}

fn subsidy(a_month: Fen, now: (Month, Per, Fen), before: Option<(Month, Per, Fen)>, rooms: i64) -> impl IntoView {
    let t = texts(lang());
    let before = before.map_or_else(|| t.nothing_before.to_owned(), rule);
    view! {
        <dt>{t.amount}</dt>
        <dd class="num">{rule(now)}</dd>
        <dt>{t.before}</dt>
        <dd class="num">{before}</dd>
        <dt>{t.a_month}</dt>
        <dd class="num">{in_yuan(a_month)}" · "{rooms}" "{ledger::texts(lang()).rooms}</dd>
    }
}

fn version(effective_at: Option<Timestamp>, prices: &Prices) -> impl IntoView + use<> {
    let (t, p) = (texts(lang()), crate::i18n::prices::texts(lang()));
    let from = match effective_at {
        Some(at) => view! { <At at /> }.into_any(),
        None => t.at_once.into_any(),
    };
    view! {
        <dt>{p.effective}</dt>
        <dd>{from}</dd>
        <dt>{p.price}</dt>
        <dd class="num">{prices::rates(prices)}</dd>
        <dt>{p.tiers}</dt>
        <dd class="num">{prices::tiers(prices)}</dd>
        <dt>{p.slots}</dt>
        <dd class="num">{prices::slots(prices)}</dd>
    }
}

fn meter(number: String, shown: Position, books: Option<Position>) -> impl IntoView {
    let t = texts(lang());
    let position = |at: Position| format!("{} {} · {}", t.count, at.count, in_yuan(at.cumulative));
    view! {
        {books.map(|books| view! { <dt>{t.books}</dt><dd class="num">{position(books)}</dd> })}
        <dt>{t.meter}</dt>
        <dd class="num">{number}" "{position(shown)}</dd>
    }
}
