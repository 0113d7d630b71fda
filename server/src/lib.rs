//! The server of Dormwatt: HTTP, services, background tasks and the command line. The map is in `server/README.md`.
#![recursion_limit = "512"]

mod allocator;
mod anchors;
pub mod cli;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod http;
pub mod startup;
pub mod tasks;
