//! Files for people: what spreadsheets read.

pub mod csv;
mod exposed;
mod reconcile;

pub use exposed::exposed;
pub use reconcile::reconcile;
