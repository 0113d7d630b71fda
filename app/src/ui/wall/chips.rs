//! The chips: counts and filters by state or mark.

use leptos::prelude::*;

use super::filter::Chip;
use crate::i18n::{Lang, common, wall};
use crate::ui::state::{class, mode_shape, shape};
use model::meter::ControlMode;

/// A chip that is a plain link.
pub fn chip_face(
    chip: Chip,
    words: &wall::WallTexts,
    lang: Lang,
    count: u32,
    href: String,
    current: Option<&'static str>,
) -> impl IntoView + use<> {
    view! {
        <a class=chip_class(chip) href=href aria-current=current>
            {mark(chip)}
            <span>{chip_word(chip, words, lang)}</span>
            <span class="num">{count}</span>
        </a>
    }
}

/// The classes that carry a chip's colour.
pub(super) fn chip_class(chip: Chip) -> String {
    let colour = match chip {
        Chip::State(state) => class(state),
        Chip::Guaranteed => "guaranteed",
        Chip::ForcedOff => "forced-off",
        Chip::RelayOpen => "quiet",
        Chip::Attention | Chip::Reason(_) => "alarm2",
    };
    format!("wall-chip state {colour}")
}

/// The word of a chip.
#[must_use]
pub fn chip_word(chip: Chip, words: &wall::WallTexts, lang: Lang) -> &'static str {
    match chip {
        Chip::State(state) => common::supply(state, lang),
        Chip::Guaranteed => common::mode(ControlMode::Guaranteed, lang),
        Chip::ForcedOff => common::mode(ControlMode::ForcedOff, lang),
        Chip::RelayOpen => words.relay_open,
        Chip::Attention => words.attention,
        Chip::Reason(reason) => super::reason(reason, words),
    }
}

/// The shape of a chip.
pub(super) fn mark(chip: Chip) -> impl IntoView {
    let (path, filled) = match chip {
        Chip::State(state) => shape(state),
        Chip::Guaranteed => forced(ControlMode::Guaranteed),
        Chip::ForcedOff => forced(ControlMode::ForcedOff),
        Chip::RelayOpen => ("M1 10h4l6-6M11 10h4", false),
        Chip::Attention | Chip::Reason(_) => ("M8 2v7M8 13v1", false),
    };
    let fill = if filled { "currentColor" } else { "none" };
    view! {
        <svg viewBox="0 0 16 16" fill=fill stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true">
            <path d=path />
        </svg>
    }
}

fn forced(mode: ControlMode) -> (&'static str, bool) {
    mode_shape(mode).map_or(("", false), |(_, path, filled)| (path, filled))
}
