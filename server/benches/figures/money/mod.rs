//! Money: how soon a verified payment is durable and in its meter, and the cost of a posting over its plain rows.

mod payer;
pub mod posting;
pub mod to_meter;
pub mod webhook;

/// Windows that a figure is the median of.
const WINDOWS: usize = 3;
