//! Reading and commanding meters. A poller for each gateway reads its meters through the gateway's link, decodes them by their
//! profile, and hands the readings to the recorder, which stores them and publishes them to [`live`]. The delivery engine takes
//! commands from the database, sends them through the same links, and reads their result back.

mod archive;
mod cipher;
pub mod codec;
pub mod command_args;
pub mod config;
pub mod decoding;
pub mod delivery;
pub mod dial_in;
pub mod directory;
pub mod dlt645;
pub mod driver;
pub mod frame;
#[cfg(test)]
mod fuzz;
pub mod gateway;
pub mod instruments;
pub mod keys;
pub mod link;
pub mod live;
pub mod meter_ledger_check;
mod own_certificates;
pub mod parameters;
pub mod planner;
pub mod poller;
pub mod profile;
mod read_quality;
pub mod reader;
pub mod recorder;
mod records;
pub mod relay_controller;
pub mod schedule;
pub mod server_wallets;
pub mod start;
pub mod usable;

pub use own_certificates::{CertificateInUse, OwnCertificate, OwnCertificateError};
pub use start::{GatewayHandle, Meters};
