//! What a meter records itself: energy by rate, its journal, its alarms and its identity.

use leptos::prelude::*;

use crate::i18n::events::{self, event};
use crate::i18n::meter_journal::{record, texts};
use crate::i18n::{common, lang};
use crate::pages::operator::alarms::figures;
use crate::ports::now;
use crate::ui::data_table::{Column, DataTable};
use crate::ui::mark;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::{At, AtSeconds};
use model::console::{EventLine, JournalLine, Room, RoomDay};
use model::energy::Energy;
use model::reading::JournalKind;

/// The current rate, the tier position and whether the meter reports a serial number; unknown values are left out.
pub fn facts(room: &Room) -> impl IntoView + use<> {
    let (t, latest) = (texts(lang()), &room.progress.latest);
    let rate = latest.rate.and_then(|rate| common::texts(lang()).rates.get(usize::from(rate).checked_sub(1)?).copied());
    let unsure = room.identified == Some(false);
    view! {
        {unsure.then(|| view! { <dd class="muted">{t.no_serial}</dd> })}
        {rate.map(|rate| view! { <dt>{t.rate_now}</dt><dd>{rate}</dd> })}
        {latest.tier.map(|energy| view! { <dt>{t.tier_use}</dt><dd class="num">{energy.to_string()}" kWh"</dd> })}
    }
}

/// The days in a table: total, rates, reverse.
pub fn parts(room: &Room) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows: Vec<_> = room.days.iter().rev().filter(|day| day.energy.is_some()).map(day_row).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <details>
                <summary>{t.by_day}</summary>
                <TableScroll label=t.by_day>
                    <table class="table">
                        <thead>
                            <tr>
                                <th scope="col">{t.day}</th>
                                <th scope="col" class="number">{t.total}</th>
                                {common::texts(lang()).rates.map(|rate| view! { <th scope="col" class="number">{rate}</th> })}
                                <th scope="col" class="number">{t.reverse}</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </TableScroll>
            </details>
        }
    })
}

fn day_row(day: &RoomDay) -> impl IntoView + use<> {
    let split = day.rates.iter().any(|rate| *rate != Energy::ZERO);
    let rates = day.rates.map(|rate| view! { <td class="number">{if split { rate.to_string() } else { "—".to_owned() }}</td> });
    view! {
        <tr>
            <th scope="row">{common::day(day.day, now().date(), lang())}</th>
            <td class="number">{mark::sign(day.mark)}{day.energy.map(|energy| energy.to_string())}</td>
            {rates}
            <td class="number">{day.reverse.to_string()}</td>
        </tr>
    }
}

/// Its active and ended alarms.
pub fn events(room: &Room) -> Option<impl IntoView + use<>> {
    let t = events::texts(lang());
    let items = room.events.iter().map(item).collect_view();
    (!room.events.is_empty())
        .then(|| view! { <section class="card stack-tight"><h2>{t.title}</h2><ul class="plain">{items}</ul></section> })
}

fn item(line: &EventLine) -> impl IntoView + use<> {
    let (t, words) = (events::texts(lang()), event(line.kind, lang()));
    let end = match line.until {
        Some(at) => view! { <span class="muted">"— "<At at /></span> }.into_any(),
        None => view! { <span class="state alarm2">{t.open}</span> }.into_any(),
    };
    view! { <li><strong>{words.name}</strong>{figures(line)}" "<At at=line.since />" "{end}</li> }
}

/// Its own journal.
pub fn journal(room: &Room) -> Option<impl IntoView + use<>> {
    let t = texts(lang());
    let rows = room.journal.iter().map(row).collect_view();
    (!room.journal.is_empty()).then(|| {
        let columns = [
            Column::text(crate::i18n::room::texts(lang()).time),
            Column::text(t.what),
            Column::number(t.amount),
            Column::number(t.count),
            Column::number(t.remaining),
        ];
        view! {
            <section class="card stack-tight">
                <h2>{t.journal}</h2>
                <DataTable label=t.journal columns>{rows}</DataTable>
            </section>
        }
    })
}

fn row(line: &JournalLine) -> impl IntoView + use<> {
    let t = texts(lang());
    let money = matches!(line.kind, JournalKind::Credit | JournalKind::Debit | JournalKind::Close);
    let at = match line.at {
        Some(at) => view! { <AtSeconds at /> }.into_any(),
        None => view! { <span class="muted">{t.clock_lost}</span> }.into_any(),
    };
    view! {
        <tr>
            <td>{at}</td>
            <td>{record(line, lang())}</td>
            <td class="number">{money.then(|| line.amount.to_string())}</td>
            <td class="number">{line.count}</td>
            <td class="number">{line.remaining.map(|fen| fen.to_string())}</td>
        </tr>
    }
}
