//! The live meter wall: one large island that paints only what its window shows.
//!
//! `state`, `arrange`, `layout`, `filter` and `fit` are pure and tested natively; `theme`, `shapes` and `paint` draw; `scene`
//! ties them to the page, `stream` and `input` drive it, `card` says what one looks at.

pub mod arrange;
pub mod card;
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

pub use chips::{chip_face, chip_word};
pub use island::{MeterWall, WallChoices};
pub use rows::LiveRows;

use crate::i18n::{Lang, common, wall::WallTexts};
use filter::Chip;
use model::meter::ControlMode;
use model::wall::{Attention, Tile};

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
    marks.extend(Attention::ALL.into_iter().filter(|one| tile.flags.has(*one)).map(|one| reason(one, words)));
    marks
}

/// Why a meter needs attention, in words.
#[must_use]
pub const fn reason(reason: Attention, words: &WallTexts) -> &'static str {
    match reason {
        Attention::Overload => words.overload,
        Attention::Malignant => words.malignant,
        Attention::CoverOpen => words.cover_open,
        Attention::RelayFault => words.relay_fault,
        Attention::Reverse => words.reverse,
    }
}
