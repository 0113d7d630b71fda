//! Texts of invoice exports.

pub use super::catalogue::invoices::*;
