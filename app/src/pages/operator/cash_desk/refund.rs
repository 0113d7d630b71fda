//! One refund: its state and the next step.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::{hand_over, press, second_person};
use crate::api::form::parse;
use crate::i18n::refunds::{self, texts};
use crate::i18n::{cash_desk as cash_desk_texts, common, lang};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::console::RefundLine;
use model::error::AppError;
use model::ids::RefundId;
use model::refund::RefundState;

/// The page: `/refunds/:id`.
#[component]
pub fn RefundPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.refunds.refund(&who, parse::<RefundId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |line| view! { <Body line /> }.into_any())
}

/// A state with its colour.
pub(super) fn badge(state: RefundState) -> impl IntoView {
    let class = match state {
        RefundState::Done => "state open",
        RefundState::Sending => "state accent",
        RefundState::Waiting | RefundState::Payable => "state alarm1",
        RefundState::Failed => "state alarm2",
        RefundState::Rejected | RefundState::Cancelled | RefundState::Expired => "state quiet",
    };
    view! { <span class=class>{refunds::state(state, lang())}</span> }
}

/// The state, or what holds it up.
pub(super) fn state_badge(line: &RefundLine) -> impl IntoView + use<> {
    match line.obstacle {
        Some(obstacle) => view! { <span class="state alarm1">{refunds::obstacle(obstacle, lang()).0}</span> }.into_any(),
        None => badge(line.state).into_any(),
    }
}

#[component]
fn Body(line: RefundLine) -> impl IntoView {
    let t = texts(lang());
    let title = format!("{} {}", t.refund, line.room);
    let tone = match line.state {
        RefundState::Done | RefundState::Payable => Tone::Good,
        RefundState::Failed => Tone::Warn,
        _ if line.obstacle.is_some() => Tone::Warn,
        _ => Tone::Plain,
    };
    let sending = line.state == RefundState::Sending;
    let badge = state_badge(&line);
    let next = line.obstacle.map_or_else(|| refunds::next(line.state, lang()), |obstacle| refunds::obstacle(obstacle, lang()).1);
    let (actions, facts) = (actions(&line), facts(&line));
    view! {
        <Frame title=title.clone() section=Section::Sales>
            <h1>{title}</h1>
            <Notice />
            <Live id="refund" again=sending.then_some(BUSY)>
                <Callout tone=tone>
                    <p>{badge}</p>
                    <p>{next}</p>
                </Callout>
                {actions}
                {facts}
            </Live>
            {without_script(!sending)}
        </Frame>
    }
}

fn actions(line: &RefundLine) -> impl IntoView + use<> {
    let (t, w, id) = (texts(lang()), cash_desk_texts::texts(lang()), line.id.to_string());
    let waits = line.state == RefundState::Waiting;
    let decide = waits.then(|| {
        let approve = ("/api/operator/approve-refund", t.approve);
        second_person(&id, line.mine, approve, "/api/operator/reject-refund")
    });
    let payable = line.state == RefundState::Payable;
    let pay = payable.then(|| hand_over("/api/operator/pay-refund", &id, t.pay, t.pay_hint));
    let cancel = (waits && line.mine || payable).then(|| press("/api/operator/cancel-refund", &id, "", w.cancel));
    let back = line.back.map(|id| view! { <a class="button" href=format!("/returns/{id}")>{t.open_return}</a> });
    view! {
        {decide} {pay}
        <div class="buttons">
            {line.receipt.map(|number| view! { <a class="button"
                href=format!("/receipts/{number}")>{w.receipt}" "{number.to_string()}</a> })}
            <a class="button" href=format!("/refunds/of/{}", line.order)>{t.all_of_order}</a>
            {back} {cancel}
            <a class="button" href=format!("/rooms/{}", line.meter)>{w.back}</a>
        </div>
    }
}

fn facts(line: &RefundLine) -> impl IntoView + use<> {
    let (t, w, lang) = (texts(lang()), cash_desk_texts::texts(lang()), lang());
    let sent = (line.tries > 0).then(|| view! { <dt>{t.tries}</dt><dd class="num">{line.tries}" "{t.times}</dd> });
    let ended = line.settled_at.map(|at| view! { <dt>{t.settled}</dt><dd>{line.settled_by.clone()}" "<At at /></dd> });
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{t.amount}</dt>
                <dd class="num">{line.amount.to_string()}</dd>
                <dt>{t.what}</dt>
                <dd>{refunds::source(line.source, lang)}</dd>
                <dt>{t.way}</dt>
                <dd>{common::tender(line.tender, lang)}</dd>
                <dt>{t.came_by}</dt>
                <dd>{common::tender(line.channel, lang)}</dd>
                <dt>{t.refund_no}</dt>
                <dd class="num">{line.refund_no.clone()}</dd>
                <dt>{t.trade_no}</dt>
                <dd class="num">{line.trade_no.clone()}</dd>
                <dt>{t.of_order}</dt>
                <dd class="num">{line.order_number}</dd>
                <dt>{w.account}</dt>
                <dd class="num">{line.account.clone()}</dd>
                <dt>{w.reason}</dt>
                <dd>{refunds::reason(&line.reason, line.asked_by.is_none(), lang)}</dd>
                <dt>{t.asked}</dt>
                <dd>{line.asked_by.clone().unwrap_or_else(|| t.system.to_owned())}" · "<At at=line.asked_at /></dd>
                {line.expires_at.map(|at| view! { <dt>{w.until}</dt><dd><At at /></dd> })}
                {line.decided_by.clone().map(|name| view! { <dt>{w.decided}</dt><dd>{name}</dd> })}
                {line.note.clone().map(|note| view! { <dt>{w.reject_reason}</dt><dd>{note}</dd> })}
                {sent}
                {line.next_at.map(|at| view! { <dt>{t.next_try}</dt><dd><At at /></dd> })}
                {ended}
            </dl>
        </section>
    }
}
