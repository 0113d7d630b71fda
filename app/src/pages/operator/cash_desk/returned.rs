//! One return or correction: its state and the next step.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::{hand_over, press, second_person, state};
use crate::api::form::parse;
use crate::i18n::cash_desk::{kind, next, texts};
use crate::i18n::{common, lang, operator as console, refunds, room};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::command::CommandReason;
use model::console::ReturnLine;
use model::error::AppError;
use model::ids::ReturnId;
use model::order::ReturnState;
use model::refund::RefundState;

/// The page: `/returns/:id`.
#[component]
pub fn ReturnPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.sales.return_line(&who, parse::<ReturnId>(&id).map_err(|_| AppError::NotFound)?).await
    };
    load(read, |line| view! { <Body line /> }.into_any())
}

#[component]
fn Body(line: ReturnLine) -> impl IntoView {
    let title = format!("{} {}", kind(line.kind, lang()), line.room);
    let tone = match line.state {
        ReturnState::Done | ReturnState::Taken => Tone::Good,
        ReturnState::Case | ReturnState::Refused => Tone::Warn,
        _ => Tone::Plain,
    };
    let taking = line.state == ReturnState::Taking;
    let refunding = line.state == ReturnState::Taken && line.tender.is_channel();
    let means = if refunding { refunds::next(RefundState::Sending, lang()) } else { next(line.kind, line.state, lang()) };
    let lost = (taking && matches!(line.waits, Some(CommandReason::Lost | CommandReason::Unreadable)))
        .then(|| view! { <Callout tone=Tone::Lost><p>{room::though_lost(lang())}</p></Callout> });
    view! {
        <Frame title=title.clone() section=Section::Approvals>
            <h1>{title}</h1>
            <Notice />
            {(param("done") == "before").then(|| {
                view! { <Callout tone=Tone::Warn><p>{room::texts(lang()).done_before}</p></Callout> }
            })}
            <Live id="return" again=taking.then_some(BUSY)>
                <Callout tone=tone>
                    <p>{state(line.state)}</p>
                    <p>{means}</p>
                </Callout>
                {lost}
                {actions(&line)}
                {facts(&line)}
            </Live>
            {without_script(!taking)}
        </Frame>
    }
}

fn actions(line: &ReturnLine) -> impl IntoView + use<> {
    let (t, id) = (texts(lang()), line.id.to_string());
    let waits = line.state == ReturnState::Waiting;
    let decide = waits.then(|| {
        let approve = ("/api/operator/approve-return", t.approve);
        second_person(&id, line.mine, approve, "/api/operator/reject-return")
    });
    let cancel = (waits && line.mine || line.state == ReturnState::Taking && line.unsent)
        .then(|| press("/api/operator/cancel-return", &id, "", t.cancel));
    let by_channel =
        line.tender.is_channel().then_some(line.sale).flatten().map(
            |order| view! { <a class="button" href=format!("/refunds/of/{order}")>{refunds::texts(lang()).all_of_order}</a> },
        );
    let pay = (line.state == ReturnState::Taken && line.tender.is_counter())
        .then(|| hand_over("/api/operator/pay-out", &id, t.pay_out, t.pay_out_hint));
    let case = (line.state == ReturnState::Case && allowed("/cases"))
        .then(|| view! { <p><a class="button" href="/cases">{console::texts(lang()).cases}</a></p> });
    let correct = (line.is_correctable && allowed("/api/operator/correct"))
        .then(|| view! { <a class="button" href=format!("/corrections/{}", line.id)>{t.correct}</a> });
    view! {
        {decide} {pay} {case}
        <div class="buttons">
            {line.receipt.map(|number| view! { <a class="button"
                href=format!("/receipts/{number}")>{t.receipt}" "{number.to_string()}</a> })}
            {by_channel} {correct} {cancel}
            <a class="button" href=format!("/rooms/{}", line.meter)>{t.back}</a>
        </div>
    }
}

fn facts(line: &ReturnLine) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{t.amount}</dt>
                <dd class="num">{line.amount.to_string()}</dd>
                <dt>{t.pay_by}</dt>
                <dd>{common::tender(line.tender, lang())}</dd>
                <dt>{t.reason}</dt>
                <dd>{line.reason.clone()}</dd>
                <dt>{t.account}</dt>
                <dd class="num">{line.account.clone()}</dd>
                <dt>{t.order_number}</dt>
                <dd class="num">{line.number}</dd>
                {line.corrects.map(|number| view! { <dt>{t.original}</dt><dd class="num">{number}</dd> })}
                <dt>{t.asked}</dt>
                <dd>{line.asked_by.clone()}" · "<At at=line.asked_at /></dd>
                {line.expires_at.map(|at| view! { <dt>{t.until}</dt><dd><At at /></dd> })}
                {line.decided_by.clone().map(|name| view! { <dt>{t.decided}</dt><dd>{name}</dd> })}
                {line.note.clone().filter(|_| line.state == ReturnState::Rejected).map(|note| view! {
                    <dt>{t.reject_reason}</dt><dd>{note}</dd> })}
                {line.taken_at.map(|at| view! { <dt>{t.taken}</dt><dd><At at /></dd> })}
                {line.remaining.map(|fen| view! { <dt>{t.remaining}</dt><dd class="num">{fen.to_string()}</dd> })}
                {line.settled_at.map(|at| view! { <dt>{t.settled}</dt><dd>{line.settled_by.clone()}" · "<At at /></dd> })}
            </dl>
        </section>
    }
}
