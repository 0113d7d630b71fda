//! The server of Dormwatt: everything that touches a socket, a file, a clock or a database. The map is in `server/README.md`.
#![recursion_limit = "512"]

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod http;
pub mod life;
pub mod live;
mod memory;
pub mod meters;
pub mod operator;
pub mod pay;
pub mod reconcile;
pub mod report;
pub mod resident;
pub mod rng;
pub mod startup;
pub mod store;
pub mod tasks;
pub mod till;
