//! The consumption and the readings of a room.

use leptos::prelude::*;

use super::super::readings;
use super::meter_journal;
use crate::i18n::room::texts;
use crate::i18n::{common, lang, price_steps};
use crate::ports::now;
use crate::ui::bars::{Bar, Bars};
use crate::ui::mark;
use model::console::{Room, RoomDay};
use model::energy::Energy;
use model::meter::Wallet;
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
    let (meter, sells) = (room.progress.latest.meter, room.kind != Wallet::None);
    view! {
        <section class="card stack-tight">
            <h2>{t.days}<span class="unit">"kWh"</span></h2>
            <Bars bars label height=80 />
            {mark::legend(room.days.iter().map(|day| day.mark))}
            <p>
                <a href=format!("/meters/{meter}/readings")>{crate::i18n::history::texts(lang).all}</a>
                {sells.then(|| view! {
                    " · "<a href=format!("/rooms/{meter}/price")>{price_steps::texts(lang).now_title}</a>
                    " · "<a href=format!("/rooms/{meter}/days/{}", today.plus(-1))>{price_steps::texts(lang).yesterday}</a>
                })}
            </p>
            {meter_journal::parts(room)}
        </section>
    }
}

/// Fourteen bars leave room for one decimal.
fn bar(day: &RoomDay, today: Date) -> Bar {
    let tenths = |energy: Energy| (energy.0 + 50) / 100;
    Bar {
        label: format!("{}{}", day.day.ymd().2, mark::sign(day.mark)),
        figure: day.energy.map(tenths).map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)).unwrap_or_default(),
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
    view! {
        <section class="card stack-tight">
            <h2>{t.readings}</h2>
            {readings::table(&room.readings)}
        </section>
    }
    .into_any()
}
