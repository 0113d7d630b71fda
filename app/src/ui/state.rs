//! A state as colour, shape and word, always all three.

use leptos::prelude::*;

use crate::i18n::{Lang, common, lang};
use model::meter::{ControlMode, SupplyState};

/// The class that carries the colour.
#[must_use]
pub const fn class(state: SupplyState) -> &'static str {
    match state {
        SupplyState::Open => "open",
        SupplyState::Alarm1 => "alarm1",
        SupplyState::Alarm2 => "alarm2",
        SupplyState::Arrears => "arrears",
        SupplyState::NotOpen => "not-open",
        SupplyState::Lost => "lost",
        SupplyState::Unreadable => "unreadable",
    }
}

/// The shape on a 16-unit grid, and whether it is filled.
pub const fn shape(state: SupplyState) -> (&'static str, bool) {
    match state {
        SupplyState::Open => ("M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z", true),
        SupplyState::Alarm1 => ("M8 2 15 14H1z", true),
        SupplyState::Alarm2 => ("M8 1 15 8 8 15 1 8z", true),
        SupplyState::Arrears => ("M2 2h12v12H2z", true),
        SupplyState::NotOpen => ("M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z", false),
        SupplyState::Lost => ("M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11zM2 14 14 2", false),
        SupplyState::Unreadable => ("M2.5 2.5h11v11h-11zM2.5 2.5l11 11M13.5 2.5l-11 11", false),
    }
}

/// The class, the shape and whether it is filled; `None` for prepaid, the normal mode.
#[must_use]
pub const fn mode_shape(mode: ControlMode) -> Option<(&'static str, &'static str, bool)> {
    match mode {
        ControlMode::Prepaid => None,
        ControlMode::Guaranteed => Some(("guaranteed", "M8 1.5 14 4v4c0 3.5-2.5 5.6-6 6.8C4.5 13.6 2 11.5 2 8V4z", true)),
        ControlMode::ForcedOff => Some(("forced-off", POWER, false)),
    }
}

const POWER: &str = "M8 1.5v6M4.2 3.8a6 6 0 1 0 7.6 0";

/// The state's shape and word. `known` is whether the meter was ever read.
#[component]
pub fn State(state: SupplyState, #[prop(default = true)] known: bool) -> impl IntoView {
    state_mark(state, known, lang())
}

/// A forced mode's shape and word; nothing for prepaid.
#[component]
pub fn Mode(mode: ControlMode) -> impl IntoView {
    mode_mark(mode, lang())
}

/// The same as [`State`] for islands, which have no context of language.
pub fn state_mark(state: SupplyState, known: bool, lang: Lang) -> impl IntoView {
    let (path, filled) = shape(state);
    view! { <span class=format!("state {}", class(state))>{mark(path, filled)}{common::supply_of(state, known, lang)}</span> }
}

/// The same as [`Mode`] for islands.
pub fn mode_mark(mode: ControlMode, lang: Lang) -> impl IntoView {
    mode_shape(mode).map(|(class, path, filled)| {
        view! { <span class=format!("state {class}")>{mark(path, filled)}{common::mode(mode, lang)}</span> }
    })
}

/// The relay was observed open although there is credit.
#[component]
pub fn RelayOpen() -> impl IntoView {
    let word = common::texts(lang()).relay_off;
    view! { <span class="state quiet">{mark(POWER, false)}{word}</span> }
}

/// A shape beside a word.
pub fn mark(path: &'static str, filled: bool) -> impl IntoView {
    let fill = if filled { "currentColor" } else { "none" };
    view! {
        <svg viewBox="0 0 16 16" fill=fill stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true">
            <path d=path />
        </svg>
    }
}
