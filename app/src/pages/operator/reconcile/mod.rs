//! Reconciliation: the days of all channels, and one day.

pub mod calendar;
pub mod day;
pub mod lines;
