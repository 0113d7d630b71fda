//! Background tasks: periodic and by signal, without input, idempotent, without retries of their own - the next activation is the
//! retry. One driver runs them and remembers how each last ended.

pub mod clock;
pub mod closings;
pub mod driver;
pub mod expire_approvals;
pub mod expiries;
pub mod meter_uses;
pub mod purge_sessions;
pub mod query_payments;
pub mod reconcile;
pub mod refunds;
pub mod subsidies;

pub use driver::{Driver, Failure, Status, Task};
