//! Rules without input or output. Time and randomness come in through [`clock::Clock`] and [`rng::Rng`].

pub mod alarm_conditions;
pub mod bcd;
pub mod classify;
pub mod clock;
pub mod closing;
pub mod command_args;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod framing;
pub mod ledger;
pub mod ledger_position;
pub mod load;
pub mod meter_clock;
pub mod meter_records;
pub mod meter_state;
pub mod money_rule;
pub mod operation;
pub mod order;
pub mod payment;
pub mod payment_event;
pub mod prices;
pub mod reconcile;
pub mod refund;
pub mod result_code;
pub mod returns;
pub mod rng;
pub mod rollup;
pub mod secret;
pub mod serial;
pub mod server_wallet;
pub mod settings;
pub mod statement;
pub mod subsidy;
pub mod tariff;
pub mod wall_layout;
pub mod wallet;
