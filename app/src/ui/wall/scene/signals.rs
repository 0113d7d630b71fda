//! What the scene tells the page.

use leptos::prelude::*;

use crate::ui::wall::filter::Counts;
use crate::ui::wall::stream::Link;
use model::ids::MeterId;
use model::wall::Tile;

/// What the scene reports to the page.
#[derive(Clone, Copy)]
pub struct Signals {
    /// The number of tiles per chip.
    pub counts: RwSignal<Counts>,
    pub shown: RwSignal<Option<usize>>,
    /// What is shown: number of tiles, credit in fen, power in W.
    pub totals: RwSignal<(usize, i64, i64)>,
    /// The focused tile.
    pub focus: RwSignal<Option<FocusedTile>>,
    /// The selection: number of tiles, credit in fen, power in W.
    pub selected: RwSignal<Option<(usize, i64, i64)>>,
    /// The state of the stream.
    pub link: RwSignal<Link>,
    /// The server's time, epoch seconds.
    pub now_s: RwSignal<i64>,
}

/// A tile and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct FocusedTile {
    /// Building, floor and room.
    pub place: String,
    pub meter: MeterId,
    pub tile: Tile,
}
