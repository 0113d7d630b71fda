//! Polling: how close sweeps come to the limit of the bus, their cost, and what dead meters cost the others.

pub mod dead_meters;
pub mod flat_out;
pub mod healthy;
pub mod late_answers;
pub mod latency;
pub mod scale;
pub mod single_slot;
pub mod site_9600;

use crate::bus::Bus;
use crate::database::Engine;
use crate::site::Plan;

/// The site of most figures: 28 buses of 25 meters, 50 ms a transaction, read without a pause.
const BUSY: Plan = Plan {
    gateways: 28,
    meters: 25,
    bus: Some(Bus::of_transactions(50)),
    sweep_s: 0,
    sells: false,
    records: false,
    engine: Engine::Sqlite,
};
/// The most processor time, as a multiple of what the bare library takes.
const CPU_RATIO: f64 = 2.5;
/// Windows that a figure is the median of.
const WINDOWS: usize = 3;
