//! The operator's console: one file a page area, each of which implements the port of that area.

mod abnormal_use;
mod account_batches;
mod account_numbers;
mod accounts;
mod alarm_rules;
mod alarms;
mod approvals;
mod audit;
mod batches;
mod cases;
mod commissioning;
mod friendly_hours;
mod gateways;
mod history;
mod meter_wall;
mod meters;
mod operators;
mod places;
pub(super) mod prices;
mod room_names;
mod rooms;
mod settings;

pub(super) use room_names::room_named;
pub(super) use settings::meters_with_other_limits;

use super::Context;
use super::auth::Passwords;
use domain::order::Limits;
use domain::returns::Rules;
pub use operators::link_until;

pub struct ConsoleService {
    context: Context,
    passwords: Passwords,
    limits: Limits,
    rules: Rules,
    /// Held while somebody verifies the audit chain.
    verifying: tokio::sync::Mutex<()>,
}

impl ConsoleService {
    #[must_use]
    pub const fn new(context: Context, passwords: Passwords, limits: Limits, rules: Rules) -> Self {
        Self { context, passwords, limits, rules, verifying: tokio::sync::Mutex::const_new(()) }
    }
}
