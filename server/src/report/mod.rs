//! Files for people: what spreadsheets read.

pub mod csv;
mod exposed;

pub use exposed::exposed;
