//! Reading and commanding meters: profiles, codecs, frames, links, poller and delivery engine.

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
