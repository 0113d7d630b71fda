//! The meter wall; `?view=table` is the same as a table.

use leptos::prelude::*;

use super::channels;
use super::frame::{Frame, Section};
use super::parts::{page_param, param};
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

/// The page. The filter is in the address: `?show=arrears,lost&q=301`.
#[component]
pub fn WallPage() -> impl IntoView {
    let (show, q, zoom, table) = (param("show"), param("q"), param("zoom"), param("view") == "table");
    let page = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok((ports.meter_wall.wall_meters(&who).await?, ports.channels.channels(&who).await?))
    };
    load(read, move |(seats, channels): (Vec<WallMeter>, Vec<ChannelStatus>)| {
        let t = texts(lang());
        let counts = count(seats.iter().map(|seat| Tile::of(&seat.latest)));
        let body = if table {
            view! { <WallTable seats counts filter=Filter::parse(&show, &q) page /> }.into_any()
        } else {
            view! { <h1 class="visually-hidden">{t.wall}</h1><MeterWall tag=lang().tag().to_owned() counts show q zoom /> }
                .into_any()
        };
        view! { <Frame title=t.wall section=Section::Wall>{channels::banner(&channels)}{body}</Frame> }.into_any()
    })
}
