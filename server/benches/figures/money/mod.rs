//! Money: how soon a verified payment is durable and in its meter, and what a durable posting costs over its bare rows.

mod payer;
pub mod posting;
pub mod to_meter;
pub mod webhook;

/// Windows that a figure is the median of.
const WINDOWS: usize = 3;
