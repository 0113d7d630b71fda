//! Meters: how they are read and commanded, the frames that they speak, and the simulator that stands in for them.

pub mod bcd;
mod cipher;
pub mod classify;
pub mod codec;
pub mod config;
pub mod frame;
pub mod keys;
pub mod link;
pub mod operation;
pub mod profile;
pub mod rollup;
pub mod schedule;
pub mod serial;
pub mod sim;
