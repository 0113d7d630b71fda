//! The wall for the screen of a control room: nothing but the wall, the power of the last day and the newest alarms.

use leptos::prelude::*;

use super::alarms::part;
use super::parts::param;
use super::wall::totals;
use super::wall_controls::{choices, controls, wall_address};
use crate::api::meter_wall::Wall;
use crate::i18n::events::event;
use crate::i18n::operator::texts;
use crate::i18n::wall_controls::PowerMost;
use crate::i18n::{lang, wall_controls};
use crate::ports::{allowed, now, operator, ports};
use crate::ui::live::{CALM, Live};
use crate::ui::load::load;
use crate::ui::series::{Column, Series};
use crate::ui::time::At;
use crate::ui::wall::MeterWall;
use crate::ui::wall::card::sums;
use crate::ui::wall::filter::{Filter, count};
use model::console::{EventLine, EventQuery};
use model::energy::Energy;
use model::time::{HOUR, Timestamp};
use model::wall::Tile;

/// The most alarms beside the wall.
const ALARMS: usize = 12;
/// The hours of the curve.
const HOURS: i64 = 24;

/// The page: `/wall?view=screen`, with the choices of the wall.
#[component]
pub fn WallScreenPage() -> impl IntoView {
    let (choices, profile) = (choices(), param("profile"));
    let alarms = allowed("/alarms");
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let wall = ports.meter_wall.wall(&who, &profile).await?;
        // It is known of all meters together.
        let hours = if wall.sets.profile.is_none() { Some(ports.meter_wall.site_hours(&who).await?) } else { None };
        let newest = if alarms { Some(ports.alarms.events(&who, &EventQuery::default()).await?.0.lines) } else { None };
        Ok((wall, hours, newest))
    };
    load(read, move |(wall, hours, newest): (Wall, Option<Vec<(Timestamp, Energy)>>, Option<Vec<EventLine>>)| {
        let Wall { meters: seats, sets } = wall;
        let (path, leave) = (wall_address("screen", &sets), wall_address("", &sets));
        let (t, p) = (texts(lang()), wall_controls::texts(lang()));
        let (rooms, credit, power) = totals(&seats, Filter::default());
        let counts = count(seats.iter().map(|seat| Tile::of(&seat.latest)));
        let shown = totals(&seats, Filter::parse(&choices.show, &choices.q));
        view! {
            <leptos_meta::Title text=format!("{} - Dormwatt", t.wall) />
            <main class="wall-screen">
                <h1 class="visually-hidden">{t.wall}</h1>
                <MeterWall tag=lang().tag().to_owned() counts totals=shown path choices=choices.clone()>
                    {controls(&choices, &sets, true)}
                </MeterWall>
                <aside class="wall-board">
                    <p class="wall-leave"><a class="button" href=leave>{p.leave}</a></p>
                    <Live id="board" again=Some(CALM)>
                        <p class="small muted"><At at=now() /></p>
                        {sums(rooms, credit, power, lang())}
                        {hours.map(|hours| view! {
                            <section class="stack-tight">
                                <h2>{p.power_day}</h2>
                                {curve(&hours, now())}
                            </section>
                        })}
                        {newest.map(|newest| view! {
                            <section class="stack-tight">
                                <h2>{p.newest}</h2>
                                {list(&newest)}
                            </section>
                        })}
                    </Live>
                </aside>
            </main>
        }
        .into_any()
    })
}

/// The mean power of each hour: its energy in Wh is that power in W.
fn curve(hours: &[(Timestamp, Energy)], now: Timestamp) -> AnyView {
    let p = wall_controls::texts(lang());
    let first = now.0.div_euclid(HOUR) - HOURS;
    let column = |(at, energy): &(Timestamp, Energy)| Column { place: at.0 / HOUR - first, low: 0, high: energy.0 };
    let columns: Vec<Column> = hours.iter().map(column).collect();
    let Some(most) = columns.iter().map(|column| column.high).max() else {
        return view! { <p class="muted">{p.no_power}</p> }.into_any();
    };
    let most = PowerMost { power: &kilowatts(most) }.text(lang());
    let clock = |hour: i64| format!("{:02}:00", Timestamp(hour * HOUR).civil().hour);
    let marks = [clock(first), clock(first + HOURS / 2), clock(first + HOURS)];
    view! { <Series columns places=HOURS label=p.power_day most marks /> }.into_any()
}

fn kilowatts(watts: i64) -> String {
    if watts < 10_000 { format!("{watts} W") } else { format!("{}.{} kW", watts / 1_000, watts % 1_000 / 100) }
}

fn list(newest: &[EventLine]) -> AnyView {
    if newest.is_empty() {
        return view! { <p class="muted">{wall_controls::texts(lang()).no_alarms}</p> }.into_any();
    }
    let line = |line: &EventLine| {
        let place = match (&line.meter, &line.gateway, &line.instrument) {
            (Some((meter, room)), ..) => view! { <a href=format!("/rooms/{meter}")>{room.to_string()}</a> }.into_any(),
            (None, Some((_, name)), _) | (None, None, Some((_, name))) => name.clone().into_any(),
            (None, None, None) => part(line).into_any(),
        };
        let name = event(line.kind, lang()).name;
        view! { <li>{place}" "<strong>{name}</strong>" "<span class="muted"><At at=line.since /></span></li> }
    };
    view! { <ul class="wall-alarms">{newest.iter().take(ALARMS).map(line).collect_view()}</ul> }.into_any()
}
