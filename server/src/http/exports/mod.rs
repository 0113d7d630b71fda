//! Files for people: what spreadsheets read.

pub mod csv;
mod overdrawn;
mod reconcile;
pub mod register;

pub use overdrawn::exposed;
pub use reconcile::reconcile;
