//! Money: how soon a verified payment is durable and in its meter, pay-outs at once, and what a posting costs beyond its rows.

mod payer;
pub mod payouts;
pub mod posting;
pub mod to_meter;
pub mod webhook;

/// Windows that a figure is the median of.
const WINDOWS: usize = 3;
