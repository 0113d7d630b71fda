//! Meters: how they are read and commanded, the frames that they speak, and the simulator that stands in for them.

mod archive;
pub mod bcd;
mod cipher;
pub mod classify;
pub mod codec;
pub mod config;
pub mod delivery;
pub mod directory;
pub mod dlt645;
pub mod driver;
pub mod frame;
pub mod framing;
#[cfg(test)]
pub(crate) mod fuzz;
pub mod gateway;
pub mod keys;
pub mod link;
pub mod money_rule;
pub mod operation;
pub mod parameters;
pub mod planner;
pub mod poller;
pub mod profile;
pub mod purse;
pub mod reader;
pub mod reconciler;
pub mod recorder;
mod records;
pub mod result_code;
pub mod rollup;
pub mod schedule;
pub mod serial;
pub mod signs;
pub mod sim;
pub mod start;
#[cfg(test)]
mod testing;
pub mod usable;
pub mod wish;
pub mod witness;

pub use start::{Handle, Meters};
