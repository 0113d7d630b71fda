//! Typed catalogues: one struct an area, one value a language. A missing key does not compile.

pub mod audit;
pub mod auth;
pub mod cases;
pub mod commands;
pub mod common;
pub mod counter;
pub mod errors;
pub mod events;
pub mod exposed;
pub mod gateways;
pub mod guide;
pub mod ledger;
pub mod life;
pub mod memory;
pub mod operator;
pub mod prices;
pub mod reconcile;
pub mod refunds;
pub mod register;
pub mod resident;
pub mod room;
pub mod shifts;
pub mod site;
pub mod till;
pub mod wall;

use leptos::prelude::use_context;
pub use model::language::Lang;

/// The language of this request.
#[must_use]
pub fn lang() -> Lang {
    use_context().unwrap_or_default()
}
