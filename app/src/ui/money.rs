//! Figures with their unit, the unit small behind it.

use leptos::prelude::*;

use crate::i18n::{common, lang};
use model::energy::Energy;
use model::money::Fen;

/// `63.20 元`.
#[component]
pub fn Yuan(amount: Fen) -> impl IntoView {
    view! { <span class="num">{amount.to_string()}<span class="unit">{common::yuan(lang())}</span></span> }
}

/// `12.48 kWh`.
#[component]
pub fn Kwh(energy: Energy) -> impl IntoView {
    view! { <span class="num">{energy.to_string()}<span class="unit">"kWh"</span></span> }
}
