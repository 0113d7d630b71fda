//! Files for spreadsheets.

pub mod csv;
mod overdrawn;
mod reconciliation;
pub mod register;

pub use overdrawn::overdrawn;
pub use reconciliation::reconciliation;
