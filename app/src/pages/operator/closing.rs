//! One closing, move or replacement: how far it is, and the one next step.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Section};
use super::room::life::{device, way};
use crate::api::life::{Closing, ClosingKind, ClosingMeter, Registry, Stranded, registry};
use crate::api::operator::parse;
use crate::error::AppError;
use crate::i18n::life::{kind, words};
use crate::i18n::{Lang, common, lang};
use crate::model::ids::ClosingId;
use crate::model::money::{Fen, Money};
use crate::model::order::{CommandState, OrderState, ReturnState};
use crate::ports::now;
use crate::ui::live::{IDLE, Live};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::steps::{Reach, Step, steps};

/// The page: `/closings/:id`.
#[component]
pub fn ClosingPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let Registry { who, port } = registry()?;
        port.closing(&who, parse::<ClosingId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |closing| view! { <Body closing /> }.into_any())
}

#[component]
fn Body(closing: Closing) -> impl IntoView {
    let (lang, now) = (lang(), now());
    let title = format!("{} {}", kind(closing.kind, lang), closing.room);
    let (way, moving, next) = (way_of(&closing, lang), closing.is_moving(), next(&closing));
    let (facts, counts, stranded) = (facts(&closing), counts(&closing), stranded(&closing));
    let install = closing.waits_for_meter().then(|| install(&closing));
    let decide = closing.may_decide().then(|| decide(&closing));
    view! {
        <Frame title=title.clone() section=Section::Accounts>
            <h1>{title}</h1>
            <Notice />
            <Live id="closing" again=moving.then_some(IDLE)>
                <section class="card">{steps(way, now, lang)}</section>
                {next}
            </Live>
            {facts}
            {counts}
            {install}
            {decide}
            {stranded}
        </Frame>
    }
}

/// Decided, each meter, the money, the end.
fn way_of(closing: &Closing, lang: Lang) -> Vec<Step> {
    let t = words(lang);
    let mut way = vec![Step::new(Reach::Done, t.decided, Some(closing.begun_at)).note(closing.by.clone())];
    way.extend(closing.meters.iter().map(|meter| of_meter(meter, lang)));
    way.push(of_money(closing, lang));
    way.push(match closing.ended_at {
        Some(at) => Step::new(Reach::Done, t.done, Some(at)),
        None => Step::new(Reach::Ahead, t.done, None),
    });
    way
}

fn of_meter(meter: &ClosingMeter, lang: Lang) -> Step {
    let t = words(lang);
    let name = |text: &str| format!("{} {text}", meter.serial);
    if let Some(at) = meter.final_at {
        let text = if meter.counted.is_some() { t.counted } else { t.read };
        return Step::new(Reach::Done, name(text), Some(at)).note(left(meter, lang));
    }
    if meter.command == Some(CommandState::Case) {
        return Step::new(Reach::Bad, name(t.held), None);
    }
    if meter.lost_since.is_some() {
        return Step::new(Reach::Bad, name(t.lost), meter.lost_since);
    }
    match (meter.own_wallet, meter.sent_at) {
        (true, Some(at)) => Step::new(Reach::Now, name(t.to_read), Some(at)),
        (true, None) => Step::new(Reach::Now, name(t.asked), None),
        (false, _) => Step::new(Reach::Now, name(t.wait_reading), None),
    }
}

/// What was left in a meter, where its counter stood, what was written off.
fn left(meter: &ClosingMeter, lang: Lang) -> String {
    let t = words(lang);
    let mut said = vec![format!("{} {} {}", t.left, meter.left.unwrap_or(Fen::ZERO), common::yuan(lang))];
    if let Some(off) = meter.written_off.filter(|off| *off != Money::ZERO) {
        said.push(format!("{} {off}", t.written_off));
    }
    if let Some(total) = meter.total {
        said.push(format!("{} {total}", t.total));
    }
    if let Some((who, why)) = &meter.counted {
        said.push(format!("{who}: {why}"));
    }
    said.join(" · ")
}

fn of_money(closing: &Closing, lang: Lang) -> Step {
    let t = words(lang);
    if closing.read_at.is_none() {
        return Step::new(Reach::Ahead, t.to_settle, None);
    }
    let amount = format!("{} {}", closing.left(), common::yuan(lang));
    if let Some((_, state)) = closing.carried {
        let reach = if state == OrderState::Credited { Reach::Done } else { Reach::Now };
        let text = if state == OrderState::Credited { t.carried } else { t.carrying };
        return Step::new(reach, text, closing.ended_at).note(amount);
    }
    match closing.returned.map(|(_, state)| state) {
        Some(ReturnState::Waiting) => Step::new(Reach::Now, t.approve, None).note(amount),
        Some(ReturnState::Done) => Step::new(Reach::Done, t.paid, closing.ended_at).note(amount),
        Some(ReturnState::Taken) => Step::new(Reach::Now, t.pay, None).note(amount),
        Some(_) => Step::new(Reach::Bad, t.came_to_nothing, None).note(amount),
        None if closing.ended_at.is_some() => Step::new(Reach::Done, t.nothing_left, closing.ended_at),
        None if closing.waits_for_meter() => Step::new(Reach::Now, t.wait_meter, None).note(amount),
        None => Step::new(Reach::Now, t.to_settle, None).note(amount),
    }
}

/// Where the next step is made.
fn next(closing: &Closing) -> impl IntoView + use<> {
    let t = words(lang());
    let back = closing.returned.filter(|(_, state)| matches!(state, ReturnState::Waiting | ReturnState::Taken));
    back.map(|(id, state)| {
        let text = if state == ReturnState::Taken { t.pay } else { t.approve };
        view! { <p><a class="button primary" href=format!("/returns/{id}")>{text}</a></p> }
    })
}

fn facts(closing: &Closing) -> impl IntoView + use<> {
    let t = words(lang());
    let goes = match (closing.tender, &closing.to_account) {
        (Some(tender), _) => Some(common::tender(tender, lang()).to_owned()),
        (None, Some(number)) => Some(number.clone()),
        (None, None) => None,
    };
    let rooms = closing.meters.iter().map(|meter| meter.meter).chain(closing.to_meter).map(|meter| {
        view! { " "<a href=format!("/rooms/{meter}")>{t.old_room}</a> }
    });
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{t.account}</dt>
                <dd class="num">{closing.account.clone()}</dd>
                {goes.map(|goes| view! { <dt>{t.to_settle}</dt><dd>{goes}</dd> })}
                <dt>{t.reason}</dt>
                <dd>{closing.reason.clone()}</dd>
                <dt>{t.by}</dt>
                <dd>{closing.by.clone()}{rooms.collect_view()}</dd>
            </dl>
        </section>
    }
}

/// A form for each meter that has not ended.
fn counts(closing: &Closing) -> impl IntoView + use<> {
    let t = words(lang());
    let id = closing.id.to_string();
    let forms = closing.meters.iter().filter(|meter| meter.final_at.is_none()).map(|meter| {
        let remaining = meter.own_wallet.then(|| {
            view! {
                <label class="field">
                    <span>{t.remaining}</span>
                    <input class="input" name="remaining" required inputmode="decimal" pattern="-?[0-9]+([.][0-9]{1,2})?" autocomplete="off" />
                </label>
            }
        });
        let none = (!meter.own_wallet).then(|| view! { <input type="hidden" name="remaining" value="" /> });
        view! {
            <details class="card">
                <summary>{t.count_title}" "<span class="num">{meter.serial.clone()}</span></summary>
                <form class="stack-tight" method="post" action="/api/operator/count-meter">
                    <p class="hint">{t.count_hint}</p>
                    <input type="hidden" name="closing" value=id.clone() />
                    <input type="hidden" name="meter" value=meter.meter.to_string() />
                    {remaining}
                    {none}
                    <label class="field">
                        <span>{t.count_total}</span>
                        <input class="input" name="total" required=!meter.own_wallet inputmode="decimal" pattern="[0-9]+([.][0-9]{1,3})?" autocomplete="off" />
                    </label>
                    {super::room::life::reason()}
                    <button class="danger">{t.count}</button>
                </form>
            </details>
        }
    });
    forms.collect_view()
}

fn install(closing: &Closing) -> impl IntoView + use<> {
    let t = words(lang());
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/install-meter">
            <h2>{t.install}</h2>
            <p class="hint">{t.install_hint}</p>
            <input type="hidden" name="closing" value=closing.id.to_string() />
            {device(&closing.gateways)}
            <button class="primary">{t.install}</button>
        </form>
    }
}

fn decide(closing: &Closing) -> impl IntoView + use<> {
    let t = words(lang());
    let title = if closing.kind == ClosingKind::Replace { t.not_replaced } else { t.decide_title };
    view! {
        <details class="card">
            <summary>{title}</summary>
            <form class="stack-tight" method="post" action="/api/operator/decide-closing">
                <input type="hidden" name="closing" value=closing.id.to_string() />
                {way()}
                <button>{t.decide}</button>
            </form>
        </details>
    }
}

/// Purchases that wait for a person.
fn stranded(closing: &Closing) -> impl IntoView + use<> {
    let t = words(lang());
    let id = closing.id.to_string();
    let rows = closing.stranded.iter().map(|one| row(one, &id));
    (!closing.stranded.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.stranded}</h2>
                <p class="hint">{t.stranded_hint}</p>
                <ul class="plain-list">{rows.collect_view()}</ul>
            </section>
        }
    })
}

fn row(one: &Stranded, closing: &str) -> impl IntoView + use<> {
    let t = words(lang());
    let what = format!("{} · {} {} · {}", one.number, one.amount, common::yuan(lang()), common::tender(one.tender, lang()));
    let back = (!one.tender.is_channel())
        .then(|| view! { <a class="button" href=format!("/corrections/{}", one.order)>{t.give_back}</a> });
    view! {
        <li class="stack-tight">
            <p class="num">{what}</p>
            <form class="filter" method="post" action="/api/operator/readdress">
                <input type="hidden" name="closing" value=closing.to_owned() />
                <input type="hidden" name="order" value=one.order.to_string() />
                <label class="filter-field">
                    <span>{t.account}</span>
                    <input name="account" required inputmode="numeric" maxlength="16" pattern="[0-9]{16}" autocomplete="off" />
                </label>
                <button>{t.send_on}</button>
                {back}
            </form>
        </li>
    }
}
