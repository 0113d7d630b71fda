//! The consumption and the readings of a room.

use leptos::prelude::*;

use super::meter_journal;
use crate::i18n::room::{quality, source, texts};
use crate::i18n::{common, lang};
use crate::ports::now;
use crate::ui::bars::{Bar, Bars};
use crate::ui::mark;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::AtSeconds;
use crate::ui::units;
use model::console::{Reading, Room, RoomDay};
use model::energy::Energy;
use model::reading::ReadingSource;
use model::time::Date;

/// Energy of the last days as bars.
pub fn days(room: &Room) -> impl IntoView + use<> {
    let (t, lang, today) = (texts(lang()), lang(), now().date());
    let spoken = room.days.iter().map(|day| {
        let energy = day.energy.map_or_else(|| "—".to_owned(), |energy| format!("{energy} kWh"));
        format!("{} {energy}", common::day(day.day, today, lang))
    });
    let label = format!("{}: {}", t.days, spoken.collect::<Vec<_>>().join(", "));
    let bars = room.days.iter().map(|day| bar(day, today)).collect();
    view! {
        <section class="card stack-tight">
            <h2>{t.days}<span class="unit">"kWh"</span></h2>
            <Bars bars label height=80 />
            {mark::legend(room.days.iter().map(|day| day.mark))}
            <p><a href=format!("/meters/{}/readings", room.progress.latest.meter)>{crate::i18n::history::texts(lang).all}</a></p>
            {meter_journal::parts(room)}
        </section>
    }
}

/// Fourteen bars leave room for one decimal.
fn bar(day: &RoomDay, today: Date) -> Bar {
    let tenths = |energy: Energy| format!("{}.{}", energy.0 / 1_000, energy.0 % 1_000 / 100);
    Bar {
        label: format!("{}{}", day.day.ymd().2, mark::sign(day.mark)),
        figure: day.energy.map(tenths).unwrap_or_default(),
        value: day.energy.map(|energy| energy.0),
        strong: day.day == today,
    }
}

/// The last readings.
pub fn readings(room: &Room) -> impl IntoView + use<> {
    let t = texts(lang());
    if room.readings.is_empty() {
        return view! { <section class="card"><h2>{t.readings}</h2><p class="empty">{t.no_readings}</p></section> }.into_any();
    }
    let rows = room.readings.iter().map(row).collect_view();
    view! {
        <section class="card stack-tight">
            <h2>{t.readings}</h2>
            <TableScroll label=t.readings>
                <table class="table">
                    <caption class="visually-hidden">{t.readings}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.time}</th>
                            <th scope="col" class="number">{t.total_kwh}</th>
                            <th scope="col" class="number">{t.reverse_kwh}</th>
                            <th scope="col" class="number">{t.remaining_yuan}</th>
                            <th scope="col" class="number">{t.power_w}</th>
                            <th scope="col" class="number">{t.voltage_v}</th>
                            <th scope="col" class="number">{t.current_a}</th>
                            <th scope="col">{t.source}</th>
                            <th scope="col">{t.quality}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
        </section>
    }
    .into_any()
}

fn row(reading: &Reading) -> impl IntoView + use<> {
    let held = !reading.quality.counts();
    // A frozen midnight value has only the counter.
    let frozen = reading.source == ReadingSource::Freeze;
    view! {
        <tr class=held.then_some("held")>
            <td><AtSeconds at=reading.at /></td>
            <td class="number">{reading.total.to_string()}</td>
            <td class="number">{reading.reverse.map(|energy| energy.to_string())}</td>
            <td class="number">{(!frozen).then(|| reading.remaining.to_string())}</td>
            <td class="number">{units::whole(reading.power_w)}</td>
            <td class="number">{units::tenths(reading.voltage_dv)}</td>
            <td class="number">{units::hundredths(reading.current_ca)}</td>
            <td>{source(reading.source, lang())}</td>
            <td>{quality(reading.quality, lang())}</td>
        </tr>
    }
}
