//! One settlement day of a channel: statement, ledger and meters compared, and closing the day.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::calendar::mark;
use super::lines::{foreign_lines, lines};
use crate::api::reconciliation::{DayView, SettlementDay, day_of};
use crate::i18n::reconcile::{problem, texts};
use crate::i18n::{common, lang};
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::ids::Uuid;
use model::money::Money;

/// The page: `/reconcile/alipay/2026-11-23`.
#[component]
pub fn DayPage() -> impl IntoView {
    let (channel, day) = use_params_map()
        .with_untracked(|params| (params.get("channel").unwrap_or_default(), params.get("day").unwrap_or_default()));
    let read = async move {
        let (ports, who, (channel, day)) = (ports()?, operator()?, day_of(&channel, &day)?);
        ports.reconciliation.settlement_day(&who, channel, day).await
    };
    load(read, |shown| view! { <Body shown /> }.into_any())
}

#[component]
fn Body(shown: DayView) -> impl IntoView {
    let t = texts(lang());
    let DayView { day, lines: listed, foreign, key } = shown;
    let title = format!("{} {}", common::tender(day.channel, lang()), day.day);
    let file = format!("/reconcile.csv?channel={}&day={}", day.channel.as_str(), day.day);
    let (compared, may) = (day.compared_at.is_some(), allowed("/api/operator/reconcile-run"));
    let missing = day.problem.map(|cause| problem(cause, day.problem_row, day.problem_column.as_deref(), lang()));
    view! {
        <Frame title=title.clone() section=Section::Reconcile>
            <div class="page-head"><h1>{t.reconcile}" "{title}</h1>{mark(&day)}</div>
            <Notice />
            {missing.map(|says| view! { <Callout tone=Tone::Warn><p>{says}</p></Callout> })}
            {compared.then(|| totals(&day))}
            {facts(&day)}
            {compared.then(|| lines(&listed))}
            {foreign_lines(&day, &foreign)}
            <div class="buttons">
                {may.then(|| view! {
                    <form method="post" action="/api/operator/reconcile-run">
                        {names(&day)}
                        <button>{if day.tried_at.is_some() { t.run } else { t.fetch }}</button>
                    </form>
                })}
                {compared.then(|| view! { <a class="button" href=file>{t.file}</a> })}
            </div>
            {may.then(|| view! { <p class="hint">{t.run_hint}</p> })}
            {end(&day)}
            {day.window.filter(|_| may).map(|_| receipt(&day, key))}
        </Frame>
    }
}

/// The hidden fields that identify the day.
fn names(day: &SettlementDay) -> impl IntoView + use<> {
    view! {
        <input type="hidden" name="channel" value=day.channel.as_str() />
        <input type="hidden" name="day" value=day.day.to_string() />
    }
}

/// Statement = ledger + listed differences; less the fees it is the net amount due.
fn totals(day: &SettlementDay) -> impl IntoView + use<> {
    let t = texts(lang());
    let (tone, says) = if day.balances() { (Tone::Good, t.balances) } else { (Tone::Bad, t.unbalanced) };
    let outstanding = day.net() - day.received.money();
    let rows = [
        (t.statement, day.statement.to_string()),
        (t.ledger, day.ledger.to_string()),
        (t.difference, (day.statement - day.ledger).to_string()),
        (t.listed, day.gaps.to_string()),
        (t.fees, day.fees.to_string()),
        (t.net, day.net().to_string()),
        (t.received, day.received.to_string()),
        (t.outstanding, if outstanding == Money::ZERO { "0.00".to_owned() } else { outstanding.to_string() }),
    ];
    let rows = rows.map(|(name, sum)| view! { <tr><th scope="row">{name}</th><td class="number">{sum}</td></tr> });
    view! {
        <Callout tone=tone><p>{says}</p></Callout>
        <TableScroll label=t.reconcile>
            <table class="table">
                <caption class="visually-hidden">{t.reconcile}</caption>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    }
}

fn facts(day: &SettlementDay) -> impl IntoView + use<> {
    let t = texts(lang());
    let (paid, delivered, witnessed) = day.meters;
    let window = day.window.map(|(from, to)| {
        view! { <dt>{t.window}</dt><dd>{from.to_string()}" – "{to.to_string()}</dd> }
    });
    let compared = day.compared_at.map(|at| {
        view! {
            <dt>{t.compared}</dt>
            <dd><At at=at /></dd>
            <dt>{t.equal_lines}</dt>
            <dd class="num">{day.equal}</dd>
            <dt>{t.meters}</dt>
            <dd>{format!("{paid} {} · {delivered} {} · {witnessed} {}", t.paid_orders, t.delivered, t.witnessed)}</dd>
        }
    });
    view! {
        <dl class="facts">
            {window}
            {compared}
            {day.tried_at.map(|at| view! { <dt>{t.tried}</dt><dd><At at /></dd> })}
        </dl>
    }
}

fn end(day: &SettlementDay) -> impl IntoView + use<> {
    let t = texts(lang());
    match (&day.closed, day.compared_at) {
        (Some((at, by, reason)), _) => view! {
            <p><strong>{t.closed}" "</strong><At at=*at />" "{by.clone()}" "<span class="muted">{reason.clone()}</span></p>
        }
        .into_any(),
        (None, Some(_)) if allowed("/api/operator/reconcile-close") => view! {
            <form class="card stack-tight" method="post" action="/api/operator/reconcile-close">
                <h2>{t.close}</h2>
                <p class="hint">{t.close_hint}</p>
                {names(day)}
                <label class="field">
                    <span>{t.reason}</span>
                    <input class="input" name="reason" maxlength="200" autocomplete="off" required=day.undecided.is_positive() />
                </label>
                <button>{t.close}</button>
            </form>
        }
        .into_any(),
        (None, _) => ().into_any(),
    }
}

fn receipt(day: &SettlementDay, key: Uuid) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/reconcile-receipt">
            <h2>{t.receipt}</h2>
            <p class="hint">{t.receipt_hint}</p>
            {names(day)}
            <input type="hidden" name="key" value=key.to_string() />
            <label class="field">
                <span>{t.amount}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" required
                    pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" />
            </label>
            <button>{t.receipt}</button>
        </form>
    }
}
