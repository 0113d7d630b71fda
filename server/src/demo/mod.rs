//! `dormwatt demo`: a whole site in one process. Database, 696 simulated meters behind four gateways, a payment sandbox and the
//! server, which talks to both exactly as it would to real ones: by configured address and keys.

mod history;
mod run;
mod seed;
mod site;
mod wallets;

pub use run::{Args, run};
