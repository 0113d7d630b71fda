//! The live meter wall: one large island that paints only what its window shows.
//!
//! `model`, `layout`, `filter` and `fit` are pure and tested natively; `theme`, `shapes` and `paint` draw; `scene` ties them to
//! the page, `stream` and `input` drive it, `card` says what one looks at.

mod card;
mod chips;
pub mod filter;
pub mod fit;
mod input;
mod island;
pub mod layout;
mod paint;
mod rows;
mod scene;
mod shapes;
pub mod state;
mod stream;
mod theme;
mod worker;

pub use chips::chip_face;
pub use island::MeterWall;
pub use rows::LiveRows;

use crate::i18n::{Lang, common, wall::WallTexts};
use filter::Chip;
use model::meter::ControlMode;
use model::wall::Tile;

/// The marks of a tile beside its state, in words.
#[must_use]
pub fn marks(tile: Tile, words: &WallTexts, lang: Lang) -> Vec<&'static str> {
    let mode = tile.flags.mode();
    let mut marks = Vec::new();
    if mode != ControlMode::Prepaid {
        marks.push(common::mode(mode, lang));
    }
    if Chip::RelayOpen.holds(tile) {
        marks.push(words.relay_open);
    }
    if tile.flags.switched_off() {
        marks.push(words.switched_off);
    }
    if tile.flags.attention() {
        marks.push(words.attention);
    }
    marks
}
