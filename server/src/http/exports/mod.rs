//! Lists and reports as CSV and XLSX, with the choice of their page in the address. Files that take longer are made by
//! `services::exports`.

mod account_batch;
mod batch_links;
mod finished;
pub mod invoices;
mod listing;
mod lists;
mod overdrawn;
mod reconciliation;
mod reports;
mod usage;

pub use account_batch::account_batch;
pub use batch_links::batch_links;
pub use finished::finished;
pub use listing::{XLSX, attachment};
pub use lists::lists;
pub use overdrawn::overdrawn;
pub use reconciliation::reconciliation;
pub use reports::reports;
pub use usage::usage;
