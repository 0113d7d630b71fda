//! Keeps the table of the wall up to date: the numbers of the rows that stand there follow the stream.

use std::cell::RefCell;
use std::rc::Rc;

use leptos::prelude::*;
use web_sys::Element;

use super::stream::{self, Link, StreamConsumer};
use crate::i18n::{Lang, common, wall};
use crate::ui::state::{class, mode_shape, shape};
use model::ids::MeterId;
use model::meter::SupplyState;
use model::money::Fen;
use model::time::Timestamp;
use model::wall::{Delta, Snapshot, Tile};

/// Says how the stream is doing, and fills the rows.
#[island]
pub fn LiveRows(tag: String) -> impl IntoView {
    let lang = Lang::choose(&tag).unwrap_or_default();
    let words = wall::texts(lang);
    let link = RwSignal::new(Link::Connecting);
    Effect::new(move |_| stream::open(link, Rc::new(Rows { lang, at: RefCell::default() })));
    let text = move || match link.get() {
        Link::Connecting => words.connecting,
        Link::Live => words.live,
        Link::Cut => words.reconnecting,
        Link::Refused => words.ended,
    };
    view! { <p class="wall-link needs-script" role="status">{text}</p> }
}

struct Rows {
    lang: Lang,
    /// The rows of this page by index on the wall.
    at: RefCell<Vec<(usize, Element)>>,
}

impl StreamConsumer for Rows {
    fn snapshot(&self, snapshot: Snapshot) {
        let mut rows: Vec<(MeterId, Element)> = Vec::new();
        let mut next = document().query_selector("tr[data-meter]").ok().flatten();
        while let Some(row) = next {
            next = row.next_element_sibling();
            if let Some(Ok(meter)) = row.get_attribute("data-meter").map(|id| id.parse()) {
                rows.push((meter, row));
            }
        }
        let rooms = snapshot.buildings.iter().flat_map(|building| &building.floors).flat_map(|floor| &floor.rooms);
        let shown = |id: &MeterId| rows.iter().find(|(meter, _)| meter == id).map(|(_, row)| row.clone());
        *self.at.borrow_mut() = rooms.enumerate().filter_map(|(index, (_, meter))| Some((index, shown(meter)?))).collect();
        for (index, numbers) in snapshot.tiles.chunks(Tile::WIDTH).enumerate() {
            self.fill(index, numbers, snapshot.at);
        }
    }

    fn delta(&self, delta: &Delta) {
        for one in delta.tiles.chunks(Tile::WIDTH + 1) {
            if let Some((index, numbers)) = one.split_first()
                && let Ok(index) = usize::try_from(*index)
            {
                self.fill(index, numbers, delta.at);
            }
        }
    }
}

impl Rows {
    fn fill(&self, index: usize, numbers: &[i64], now: i64) {
        let at = self.at.borrow();
        let row = at.iter().find(|(shown, _)| *shown == index);
        let (Some((_, row)), Some(tile)) = (row, Tile::from_numbers(numbers)) else { return };
        let cell = |name: &str| row.query_selector(&format!("[data-cell={name}]")).ok().flatten();
        if let Some(cell) = cell("state") {
            cell.set_inner_html(&state(tile, self.lang));
        }
        for (name, text) in texts(tile, now, self.lang) {
            if let Some(cell) = cell(name) {
                cell.set_text_content(Some(&text));
            }
        }
    }
}

/// What stands in the cells of a tile.
fn texts(tile: Tile, now: i64, lang: Lang) -> [(&'static str, String); 4] {
    let dash = || "—".to_owned();
    let (state, known) = (tile.flags.state(), tile.observed_s != 0);
    let since = i64::from(if state.is_unread() { tile.since_s() } else { tile.observed_s }) * 1_000;
    let amount = if known && state != SupplyState::NotOpen { Fen(tile.remaining.into()).to_string() } else { dash() };
    [
        ("marks", super::marks(tile, &wall::texts(lang), lang).join(" · ")),
        ("amount", amount),
        ("power", if known { tile.power_w.to_string() } else { dash() }),
        ("age", if since == 0 { dash() } else { common::ago(Timestamp(since), Timestamp(now), lang) }),
    ]
}

/// State and mode as `ui/state.rs` renders them; only our own words, so nothing needs escaping.
fn state(tile: Tile, lang: Lang) -> String {
    let state = tile.flags.state();
    let (path, filled) = shape(state);
    let one = mark(class(state), path, filled, common::supply_of(state, tile.observed_s != 0, lang));
    let mode = tile.flags.mode();
    let other = mode_shape(mode).map(|(class, path, filled)| mark(class, path, filled, common::mode(mode, lang)));
    format!("{one} {}", other.unwrap_or_default())
}

fn mark(class: &str, path: &str, filled: bool, word: &str) -> String {
    let fill = if filled { "currentColor" } else { "none" };
    format!(
        "<span class=\"state {class}\"><svg viewBox=\"0 0 16 16\" fill=\"{fill}\" stroke=\"currentColor\" stroke-width=\"2\" \
         stroke-linejoin=\"round\" aria-hidden=\"true\"><path d=\"{path}\"/></svg>{word}</span>"
    )
}
