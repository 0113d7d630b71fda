//! The page of a meter out of service: since when, by whom, what came in its place, and its history.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use super::super::parts::address;
use crate::i18n::retired::{TakenOut, texts};
use crate::i18n::room::{account, command};
use crate::i18n::{common, history, lang, operator};
use crate::ports::allowed;
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::time::At;
use model::console::{CommandLine, RetiredMeter, RetiredMeterAccount};

/// Days of the history that its link shows.
const DAYS: i64 = 31;

#[component]
pub fn Retired(meter: RetiredMeter) -> impl IntoView {
    let (t, o) = (texts(lang()), operator::texts(lang()));
    let by = meter.by.as_ref().map(|by| view! { <p>{TakenOut { by }.text(lang())}</p> });
    let replaced = meter.replaced_by.as_ref().map(|(new, serial)| {
        view! { <p class="sentence">{t.replaced_by}" "<a class="num" href=format!("/rooms/{new}")>{serial.clone()}</a></p> }
    });
    let elsewhere = meter.in_room.filter(|now| meter.replaced_by.as_ref().is_none_or(|(new, _)| new != now));
    let in_room = elsewhere.map(|now| view! { <p><a href=format!("/rooms/{now}")>{t.in_room}</a></p> });
    let (from, until) = (meter.since.date().plus(1 - DAYS).to_string(), meter.since.date().to_string());
    let readings = format!("/meters/{}/readings", meter.id);
    let readings = address(&readings, &[("kind", "days"), ("from", &from), ("until", &until)]);
    let log = address("/audit", &[("q", &meter.serial)]);
    let log = allowed("/audit").then(|| view! { <a class="button" href=log>{t.log}</a> });
    view! {
        <Frame title=meter.serial.clone() section=Section::Meters>
            <div class="stack-tight">
                <p class="small">{meter.room.to_string()}</p>
                <h1 class="num">{meter.serial.clone()}</h1>
            </div>
            <Callout tone=Tone::Warn>
                <p><strong>{t.out_of_service}" "<At at=meter.since /></strong></p>
                {by}
                {replaced}
                {in_room}
            </Callout>
            <dl class="facts card">
                <dt>{o.room}</dt>
                <dd>{meter.room.to_string()}</dd>
                <dt>{o.profile}</dt>
                <dd>{meter.profile.clone()}</dd>
                <dt>{o.gateway}</dt>
                <dd>{meter.gateway.clone()}</dd>
            </dl>
            <div class="buttons"><a class="button" href=readings>{history::texts(lang()).title}</a>{log}</div>
            {accounts(&meter.accounts)}
            {commands(&meter.commands)}
        </Frame>
    }
}

fn accounts(accounts: &[RetiredMeterAccount]) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = accounts.iter().map(|one| {
        let number = match one.closing {
            Some(closing) => view! { <a class="num" href=format!("/closings/{closing}")>{one.number.clone()}</a> }.into_any(),
            None => view! { <span class="num">{one.number.clone()}</span> }.into_any(),
        };
        view! {
            <tr>
                <th scope="row">{number}</th>
                <td>{account(one.state, lang())}</td>
                <td><At at=one.from /></td>
                <td>{one.until.map(|at| view! { <At at /> })}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns = [t.account, t.state, t.from, t.until].map(Column::text);
    view! {
        <section class="stack-tight">
            <h2>{t.accounts}</h2>
            {if accounts.is_empty() {
                view! { <p class="empty">{t.no_accounts}</p> }.into_any()
            } else {
                view! { <DataTable label=t.accounts columns>{rows}</DataTable> }.into_any()
            }}
        </section>
    }
}

fn commands(commands: &[CommandLine]) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = commands.iter().map(|one| {
        view! {
            <tr>
                <th scope="row"><At at=one.decided_at /></th>
                <td>{command(&one.what, lang())}</td>
                <td>{common::command(one.state, lang())}</td>
                <td class="number">{one.count}</td>
                <td>{one.by.clone()}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let columns =
        [Column::text(t.at), Column::text(t.command), Column::text(t.state), Column::number(t.count), Column::text(t.decided_by)];
    view! {
        <section class="stack-tight">
            <h2>{t.commands}</h2>
            {if commands.is_empty() {
                view! { <p class="empty">{t.no_commands}</p> }.into_any()
            } else {
                view! { <DataTable label=t.commands columns>{rows}</DataTable> }.into_any()
            }}
        </section>
    }
}
