//! Meters: the frames that they speak, and the simulator that stands in for them.

pub mod bcd;
mod cipher;
pub mod frame;
pub mod keys;
pub mod operation;
pub mod serial;
