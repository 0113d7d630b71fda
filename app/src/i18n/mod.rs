//! The texts of the screens. `locales/<language>/<area>.toml` holds them; the build script generates a module per area, with a
//! struct of its plain texts and a type per text with arguments. A missing key or argument does not compile.

pub mod account_batches;
pub mod account_lifecycle;
pub mod account_records;
pub mod alarms;
pub mod approvals;
pub mod audit;
pub mod auth;
pub mod cases;
pub mod cash_desk;
pub mod channels;
pub mod commands;
pub mod commissioning;
pub mod common;
pub mod counter;
pub mod defaults;
pub mod errors;
pub mod events;
pub mod exports;
pub mod gateways;
pub mod guide;
pub mod history;
pub mod instruments;
pub mod invoices;
pub mod ledger;
pub mod meter_journal;
pub mod meter_states;
pub mod modem;
pub mod notifications;
pub mod operators;
pub mod places;
pub mod price_meters;
pub mod price_plans;
pub mod price_steps;
pub mod prices;
pub mod printing;
pub mod reconcile;
pub mod refunds;
pub mod register;
pub mod reports;
pub mod resident;
pub mod retired;
pub mod room;
pub mod saved_reports;
pub mod setup;
pub mod site_workbook;
pub mod tasks;
pub mod wall;

mod catalogue {
    include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));
}

// Areas without rules of their own.
pub use catalogue::{
    account_numbers, alerts, case_work, friendly, import, installed, kiosk, meter_setup, operator, overdrawn, pay, personal,
    resident_usage, roommates, settings, shifts, site, switch_schedule, wall_controls,
};

use leptos::prelude::use_context;
pub use model::language::Lang;

/// The language of this request.
#[must_use]
pub fn lang() -> Lang {
    use_context().unwrap_or_default()
}
