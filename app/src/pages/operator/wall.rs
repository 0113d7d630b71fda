//! The meter wall; `?view=table` is the same as a table, `?view=screen` fills the screen of a control room.

use leptos::prelude::*;

use super::channels;
use super::frame::{Frame, Section};
use super::parts::{page_param, param};
use super::wall_controls::{choices, controls};
use super::wall_screen::WallScreenPage;
use super::wall_table::WallTable;
use crate::api::channels::ChannelStatus;
use crate::api::meter_wall::WallMeter;
use crate::i18n::lang;
use crate::i18n::operator::texts;
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::wall::MeterWall;
use crate::ui::wall::filter::{Filter, count};
use model::wall::Tile;

/// The page. The choices are in the address: `?show=arrears,lost&q=301&by=gateway&sort=amount&zoom=heat`.
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
    let page = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let seats = ports.meter_wall.wall_meters(&who).await?;
        Ok((seats, ports.meter_wall.wall_sets(&who).await?, ports.channels.channels(&who).await?))
    };
    load(read, move |(seats, sets, channels): (Vec<WallMeter>, Vec<String>, Vec<ChannelStatus>)| {
        let t = texts(lang());
        let counts = count(seats.iter().map(|seat| Tile::of(&seat.latest)));
        let filter = Filter::parse(&choices.show, &choices.q);
        let totals = totals(&seats, filter.clone());
        let body = if table {
            view! { <WallTable seats counts filter page /> }.into_any()
        } else {
            view! {
                <h1 class="visually-hidden">{t.wall}</h1>
                <MeterWall tag=lang().tag().to_owned() counts totals path="/wall".to_owned() choices=choices.clone()>
                    {controls(&choices, sets, false)}
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
