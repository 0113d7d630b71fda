//! The operator's console: dense, quiet, and the same with and without scripts.

pub mod accounts;
pub mod alarms;
mod approvals;
pub mod audit;
pub mod cases;
pub mod cash_desk;
pub mod channels;
pub mod closing;
pub mod commands;
mod counter;
mod frame;
mod gateways;
pub mod guide;
pub mod meters;
pub mod overdrawn;
mod parts;
pub mod prices;
mod rail;
pub mod reconcile;
pub mod register;
pub mod room;
pub mod search;
pub mod start;
mod sweep;
mod trust;
pub mod wall;
mod wall_table;
