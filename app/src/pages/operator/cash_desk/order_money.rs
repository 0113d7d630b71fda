//! The refundable amounts and the refunds of an order.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::reason_field;
use super::refunds::table;
use crate::api::form::parse;
use crate::i18n::refunds::{self, texts};
use crate::i18n::{cash_desk as cash_desk_texts, common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::{ConsoleRefund, OrderMoney, RefundOf, Refundable};
use model::error::AppError;
use model::ids::{OrderId, Uuid};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::refund::RefundSource;

/// The page: `/refunds/of/:order`.
#[component]
pub fn OrderMoneyPage() -> impl IntoView {
    let order = use_params_map().with_untracked(|params| params.get("order")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.refunds.order_money(&who, parse::<OrderId>(&order).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |money| view! { <Body money /> }.into_any())
}

#[component]
fn Body(money: OrderMoney) -> impl IntoView {
    let (t, w, lang) = (texts(lang()), cash_desk_texts::texts(lang()), lang());
    let title = format!("{} {}", t.give_back, money.room);
    let open = |one: &&Refundable| one.left > Fen::ZERO && (one.by_channel || one.over_counter);
    let forms = money
        .payments
        .iter()
        .filter(open)
        .filter(|_| allowed("/api/operator/refund"))
        .map(|one| form(money.order, money.key, one))
        .collect_view();
    let nothing = money.console_refund.is_none() && !money.payments.iter().any(|one| open(&one));
    let console_refund = money.console_refund.as_ref().map(|found| console_refund(money.order, found));
    let is_open = matches!(money.state, OrderState::Pending | OrderState::Closed);
    let credits = money
        .payments
        .iter()
        .filter(|one| {
            is_open && allowed("/api/operator/credit-payment") && one.source == RefundSource::Suspense && one.left == one.paid
        })
        .map(|one| credit(money.order, one))
        .collect_view();
    let asked = (param("done") == "asked").then(|| view! { <Callout tone=Tone::Good><p>{t.query_done}</p></Callout> });
    let ask = (money.tender.is_channel() && allowed("/api/operator/ask-channel")).then(|| {
        view! {
            <form class="filter" method="post" action="/api/operator/ask-channel">
                <input type="hidden" name="order" value=money.order.to_string() />
                <button>{t.ask}</button>
                <p class="hint">{t.ask_hint}</p>
            </form>
        }
    });
    let deliver = (money.deliverable && allowed("/api/operator/deliver-order")).then(|| {
        view! {
            <form class="card stack-tight" method="post" action="/api/operator/deliver-order">
                <input type="hidden" name="order" value=money.order.to_string() />
                <p class="hint">{t.deliver_hint}</p>
                <button>{t.deliver}</button>
            </form>
        }
    });
    let before = (!money.refunds.is_empty()).then(|| view! { <h2>{t.all_of_order}</h2> {table(&money.refunds, None)} });
    view! {
        <Frame title=title.clone() section=Section::Sales>
            <h1>{title}</h1>
            <Notice />
            {asked}
            <section class="card">
                <dl class="facts">
                    <dt>{w.order_number}</dt>
                    <dd class="num">{money.number}</dd>
                    <dt>{crate::i18n::operator::texts(lang).tender}</dt>
                    <dd>{common::tender(money.tender, lang)}</dd>
                    <dt>{crate::i18n::operator::texts(lang).state}</dt>
                    <dd>{common::order(money.state, lang)}</dd>
                </dl>
            </section>
            {nothing.then(|| view! { <p class="empty">{t.nothing}</p> })}
            {ask}
            {console_refund}
            {credits}
            {forms}
            {deliver}
            {before}
            <div class="buttons"><a class="button" href=format!("/rooms/{}", money.meter)>{w.back}</a></div>
        </Frame>
    }
}

/// Refunds from the channel's console: settle them with a payment, or write them off.
fn console_refund(order: OrderId, found: &ConsoleRefund) -> impl IntoView + use<> {
    let (t, w, c) = (texts(lang()), cash_desk_texts::texts(lang()), common::yuan(lang()));
    let pays = found.pays.iter().filter(|_| allowed("/api/operator/clear-refund")).map(|(of, amount)| {
        let (payment, back) = fields(*of);
        let source = if back.is_empty() { RefundSource::Order } else { RefundSource::Return };
        view! {
            <form class="filter" method="post" action="/api/operator/clear-refund">
                <input type="hidden" name="order" value=order.to_string() />
                <input type="hidden" name="payment" value=payment />
                <input type="hidden" name="back" value=back />
                <p>{refunds::source(source, lang())}" "<strong class="num">{amount.to_string()}" "{c}</strong></p>
                <button class="primary">{t.clear}</button>
            </form>
        }
    });
    let none = (found.pays.is_empty() && allowed("/api/operator/correct")).then(|| {
        view! {
            <p>{t.elsewhere_none}</p>
            <p><a class="button" href=format!("/corrections/{order}")>{w.correct}</a></p>
        }
    });
    let lost = (found.may_write_off && allowed("/api/operator/write-off-refund")).then(|| {
        view! {
            <details>
                <summary>{t.write_off}</summary>
                <form class="stack-tight" method="post" action="/api/operator/write-off-refund">
                    <p class="hint">{t.write_off_hint}</p>
                    <input type="hidden" name="order" value=order.to_string() />
                    {reason_field("reason", w.reason)}
                    <div class="buttons"><button class="danger">{t.write_off}</button></div>
                </form>
            </details>
        }
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.elsewhere}</h2>
            <p class="hint">{t.elsewhere_hint}</p>
            <dl class="facts"><dt>{t.elsewhere_left}</dt><dd class="num">{found.left.to_string()}</dd></dl>
            {pays.collect_view()}
            {none}
            {lost}
        </section>
    }
}

/// The hidden fields that identify the payment.
fn fields(of: RefundOf) -> (String, String) {
    match of {
        RefundOf::Payment(event) => (event.as_simple().to_string(), String::new()),
        RefundOf::Return(id) => (String::new(), id.to_string()),
    }
}

/// Makes the order one of the amount that was paid.
fn credit(order: OrderId, one: &Refundable) -> impl IntoView + use<> {
    let t = texts(lang());
    let (payment, _) = fields(one.of);
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/credit-payment">
            <input type="hidden" name="order" value=order.to_string() />
            <input type="hidden" name="payment" value=payment />
            <p>{t.paid}" "<strong class="num">{one.paid.to_string()}</strong></p>
            <p class="hint">{t.credit_hint}</p>
            <button class="primary">{t.credit}</button>
        </form>
    }
}

fn form(order: OrderId, key: Uuid, one: &Refundable) -> impl IntoView + use<> {
    let (t, w, lang) = (texts(lang()), cash_desk_texts::texts(lang()), lang());
    let (payment, back) = fields(one.of);
    let channel = one.by_channel.then(|| {
        view! { <option value="">{t.by_channel}" · "{common::tender(one.channel, lang)}</option> }
    });
    let counter = one.over_counter.then(|| {
        Tender::COUNTER
            .map(|tender| view! { <option value=tender.as_str()>{common::tender(tender, lang)}</option> })
            .collect_view()
    });
    let hint = if one.source == RefundSource::Order { t.whole_hint } else { t.part_hint };
    let whole = one.source == RefundSource::Order;
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/refund">
            <h2>{refunds::source(one.source, lang)}</h2>
            <dl class="facts">
                <dt>{t.came_by}</dt>
                <dd>{common::tender(one.channel, lang)}" · "<At at=one.at /></dd>
                <dt>{t.trade_no}</dt>
                <dd class="num">{one.trade_no.clone()}</dd>
                <dt>{t.paid}</dt>
                <dd class="num">{one.paid.to_string()}</dd>
                <dt>{t.left}</dt>
                <dd class="num">{one.left.to_string()}</dd>
            </dl>
            <input type="hidden" name="order" value=order.to_string() />
            <input type="hidden" name="payment" value=payment />
            <input type="hidden" name="back" value=back />
            <input type="hidden" name="key" value=key.to_string() />
            <label class="field">
                <span>{t.amount}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" required
                    pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" value=one.left.to_string() readonly=whole />
            </label>
            <label class="field">
                <span>{t.way}</span>
                <select class="input" name="way">{channel}{counter}</select>
            </label>
            {reason_field("reason", w.reason)}
            <p class="hint">{hint}</p>
            {one.over_counter.then(|| view! { <p class="hint">{t.counter_hint}</p> })}
            <div class="buttons"><button class="danger">{t.give_back}</button></div>
        </form>
    }
}
