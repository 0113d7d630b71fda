//! `dormwatt demo`: a whole site in one process. Database, 711 simulated meters behind five gateways, a payment sandbox and the
//! server, which talks to both as to real ones, by configured addresses and keys.

mod annex;
mod instruments;
pub mod past;
mod run;
pub mod seed;
pub mod site;

pub use run::{Args, run};
