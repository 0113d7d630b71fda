//! Files for spreadsheets.

mod account_batch;
pub mod audit;
pub mod invoices;
mod listing;
mod meter_states;
mod overdrawn;
mod readings;
mod reconciliation;
pub mod register;
mod reports;

pub use account_batch::account_batch;
pub use listing::{XLSX, attachment};
pub use meter_states::{meter_states_csv, meter_states_xlsx};
pub use overdrawn::overdrawn;
pub use readings::{readings_csv, readings_xlsx};
pub use reconciliation::reconciliation;
pub use reports::reports;
