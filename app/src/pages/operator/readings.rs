//! Readings as a table: on the page of a room and in the history of a meter.

use leptos::prelude::*;

use crate::i18n::lang;
use crate::i18n::room::{quality, source, texts};
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::AtSeconds;
use crate::ui::units;
use model::console::Reading;
use model::reading::ReadingSource;

/// The table, in the order given. What does not count is marked.
pub fn table(readings: &[Reading]) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = readings.iter().map(row).collect_view();
    view! {
        <TableScroll label=t.readings>
            <table class="table sticky">
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
    }
}

fn row(reading: &Reading) -> impl IntoView + use<> {
    // A frozen midnight value has only the counter.
    let frozen = reading.source == ReadingSource::Freeze;
    view! {
        <tr class=(!reading.quality.counts()).then_some("held")>
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
