//! The meter wall; `?view=table` is the same as a table, `?view=screen` fills the screen of a control room.

use leptos::prelude::*;

use super::channels;
use super::frame::{Frame, Section};
use super::parts::{page_param, param};
use super::wall_controls::{choices, controls, profile_shown, wall_address};
use super::wall_screen::WallScreenPage;
use super::wall_table::WallTable;
use crate::api::channels::ChannelStatus;
use crate::api::meter_wall::{Wall, WallMeter};
use crate::i18n::operator::texts;
use crate::i18n::{lang, wall};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::wall::MeterWall;
use crate::ui::wall::filter::{Filter, count};
use model::wall::Tile;

/// The page. The choices are in the address: `?profile=dlt645&show=arrears,lost&q=301&by=gateway&sort=amount&zoom=heat`.
#[component]
pub fn WallPage() -> impl IntoView {
    match param("view").as_str() {
        "screen" => view! { <WallScreenPage /> }.into_any(),
        "table" => view! { <WallInFrame table=true /> }.into_any(),
        _ => view! { <WallInFrame table=false /> }.into_any(),
    }
}

#[component]
fn WallInFrame(table: bool) -> impl IntoView {
    let choices = choices();
    let (profile, page) = (param("profile"), page_param());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok((ports.meter_wall.wall(&who, &profile).await?, ports.channels.channels(&who).await?))
    };
    load(read, move |(Wall { meters: seats, sets }, channels): (Wall, Vec<ChannelStatus>)| {
        let t = texts(lang());
        let counts = count(seats.iter().map(|seat| Tile::of(&seat.latest)));
        let filter = Filter::parse(&choices.show, &choices.q);
        let totals = totals(&seats, filter.clone());
        let body = if table {
            view! { <WallTable seats sets counts filter page /> }.into_any()
        } else if seats.is_empty() && sets.profile.is_some() {
            view! {
                <h1>{t.wall}</h1>
                <p class="empty">{wall::texts(lang()).nothing}</p>
                <p class="wall-controls">{profile_shown(&sets, "/wall".to_owned())}</p>
            }
            .into_any()
        } else {
            view! {
                <h1 class="visually-hidden">{t.wall}</h1>
                <MeterWall tag=lang().tag().to_owned() counts totals path=wall_address("", &sets) choices=choices.clone()>
                    {controls(&choices, &sets, false)}
                </MeterWall>
            }
            .into_any()
        };
        view! { <Frame title=t.wall section=Section::Wall>{channels::banner(&channels)}{body}</Frame> }.into_any()
    })
}

/// What the filter shows: rooms, credit in fen, and power in W.
pub(super) fn totals(seats: &[WallMeter], filter: Filter) -> (usize, i64, i64) {
    let filter = filter.among(seats.iter().map(|seat| &seat.search_text));
    let tiles = seats.iter().map(|seat| (Tile::of(&seat.latest), &seat.search_text));
    let shown = tiles.filter(|(tile, text)| filter.shows(*tile, text));
    shown.fold((0, 0, 0), |(rooms, credit, power), (tile, _)| {
        (rooms + 1, credit + i64::from(tile.remaining), power + i64::from(tile.power_w))
    })
}
