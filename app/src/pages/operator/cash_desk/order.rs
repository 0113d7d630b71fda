//! An order: to whom it was sold, how far it has come, and what became of it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::register;
use super::refunds::table;
use super::state;
use crate::api::form::parse;
use crate::i18n::cash_desk::{kind, texts};
use crate::i18n::{cases, commands, common, lang, operator as console, refunds};
use crate::ports::{allowed, operator, ports};
use crate::ui::live::{IDLE, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{CaseLine, OrderView, RecordState, ReturnLine};
use model::error::AppError;
use model::ids::OrderId;
use model::meter::Wallet;
use model::money::Fen;
use model::order::{OrderState, ReturnState};
use model::time::Timestamp;

/// The page: `/sales/:order`.
#[component]
pub fn OrderPage() -> impl IntoView {
    let order = use_params_map().with_untracked(|params| params.get("order")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.receipts.order(&who, parse::<OrderId>(&order).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |order| view! { <Body order /> }.into_any())
}

/// The address of an order's page, for whoever may open it.
pub fn address(order: OrderId) -> Option<String> {
    Some(format!("/sales/{order}")).filter(|page| allowed(page))
}

#[component]
fn Body(order: OrderView) -> impl IntoView {
    let lang = lang();
    let (w, r) = (texts(lang), refunds::texts(lang));
    let title = format!("{} {}", w.order_number, order.number);
    let moves = matches!(order.state, OrderState::Pending | OrderState::Paid | OrderState::Refunding);
    let cases = (!order.cases.is_empty()).then(|| {
        let lines = order.cases.iter().map(case).collect_view();
        view! { <h2>{console::texts(lang).cases}</h2><ul class="plain">{lines}</ul> }
    });
    let corrections = (!order.corrections.is_empty()).then(|| {
        let lines = order.corrections.iter().map(correction).collect_view();
        view! { <h2>{w.corrections}</h2><ul class="plain">{lines}</ul> }
    });
    let refunded = (!order.refunds.is_empty()).then(|| view! { <h2>{r.all_of_order}</h2> {table(&order.refunds, None)} });
    let (facts, buttons) = (facts(&order), buttons(&order));
    view! {
        <Frame title=title.clone() section=Section::Sales>
            <h1>{title}</h1>
            <Notice />
            <Live id="order" again=moves.then_some(IDLE)>
                {facts}
                {cases}
                {corrections}
                {refunded}
            </Live>
            {buttons}
            {without_script(!moves)}
        </Frame>
    }
}

fn facts(order: &OrderView) -> impl IntoView + use<> {
    let (w, r, o, lang) = (texts(lang()), refunds::texts(lang()), console::texts(lang()), lang());
    let record = RecordState::Sale(order.state);
    let step = |word: &'static str, at: Option<Timestamp>| {
        let time = at.map_or_else(|| "—".into_any(), |at| view! { <At at /> }.into_any());
        view! { <dt>{word}</dt><dd>{time}</dd> }
    };
    let trades = order.trades.iter().map(|(channel, number)| {
        view! { <dt>{r.trade_no}" · "{common::tender(*channel, lang)}</dt><dd class="num">{number.clone()}</dd> }
    });
    let reason = order.reason.filter(|_| order.credited_at.is_none());
    // A wallet on the server has the money at once, and no purchase count.
    let in_meter = order.wallet == Wallet::Meter;
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{o.state}</dt>
                <dd><span class=register::colour(record)>{common::order(order.state, lang)}</span></dd>
                {reason.map(|reason| view! { <dt>{w.waits_because}</dt><dd>{commands::reason(reason, lang)}</dd> })}
                <dt>{w.amount}</dt>
                <dd class="num">{order.amount.to_string()}</dd>
                <dt>{o.tender}</dt>
                <dd>{common::tender(order.tender, lang)}</dd>
                <dt>{w.room}</dt>
                <dd><a href=format!("/rooms/{}", order.meter)>{order.room.to_string()}</a></dd>
                <dt>{w.account}</dt>
                <dd class="num">{order.account.clone()}</dd>
                <dt>{w.meter}</dt>
                <dd class="num">{order.serial.clone()}</dd>
                <dt>{w.made}</dt>
                <dd>{order.by.clone()}" · "<At at=order.made_at /></dd>
                {step(w.paid, order.paid_at)}
                {in_meter.then(|| step(w.sent, order.sent_at))}
                {step(if in_meter { w.credited } else { w.credited_account }, order.credited_at)}
                {order.count.filter(|_| in_meter).map(|count| view! { <dt>{w.count}</dt><dd class="num">{count}</dd> })}
                {order.remaining.map(|fen| view! { <dt>{w.left}</dt><dd class="num">{fen.to_string()}</dd> })}
                {trades.collect_view()}
            </dl>
        </section>
    }
}

fn buttons(order: &OrderView) -> impl IntoView + use<> {
    let (w, r) = (texts(lang()), refunds::texts(lang()));
    let correct = format!("/corrections/{}", order.id);
    let holds = |state: ReturnState| state == ReturnState::Waiting || state.is_carried_out();
    let back: Fen = order.corrections.iter().filter(|one| holds(one.state)).map(|one| one.amount).sum();
    let left = order.tender.left_to_correct(order.amount, back);
    let correctable = order.state == OrderState::Credited && left > Fen::ZERO && allowed(&correct);
    let money = format!("/refunds/of/{}", order.id);
    view! {
        <div class="buttons">
            {order.receipt.map(|number| view! { <a class="button"
                href=format!("/receipts/{number}")>{w.receipt}" "{number.to_string()}</a> })}
            {correctable.then(|| view! { <a class="button" href=correct>{w.correct}</a> })}
            {order.tender.is_channel().then(|| view! { <a class="button" href=money>{r.give_back}</a> })}
            <a class="button" href=format!("/rooms/{}", order.meter)>{w.back}</a>
        </div>
    }
}

fn case(line: &CaseLine) -> impl IntoView + use<> {
    let name = cases::of_line(line, lang()).name;
    let closed = line.closed_at.map(|at| view! { " · "{console::texts(lang()).closed}" "<At at /> });
    view! { <li><a class="tap" href=format!("/cases/{}", line.id)>{name}</a>" · "<At at=line.opened_at />{closed}</li> }
}

fn correction(line: &ReturnLine) -> impl IntoView + use<> {
    view! {
        <li>
            <a class="tap" href=format!("/returns/{}", line.id)>{kind(line.kind, lang())}</a>
            " · "<span class="num">{line.amount.to_string()}</span>" · "{state(line.state)}" · "{line.asked_by.clone()}" "
            <At at=line.asked_at />
        </li>
    }
}
