//! Texts of meters out of service and closed accounts.

pub use super::catalogue::retired::*;
