//! Pure rules: no I/O, no clock, no database.

pub mod clock;
pub mod closing;
pub mod ledger;
pub mod load;
pub mod order;
pub mod payment;
pub mod prices;
pub mod reconcile;
pub mod refund;
pub mod returns;
pub mod settings;
pub mod subsidy;
pub mod tariff;
pub mod wallet;
