//! Background tasks: periodic and by signal, without input, idempotent, and without retries of their own, since the next
//! activation is the retry. One driver runs them and puts each
//! task's last result on the board that the page of background tasks shows.

pub mod abandoned_orders;
pub mod account_batches;
pub mod anchor;
pub mod ask_digests;
pub mod clock;
pub mod closings;
pub mod collect_notifications;
pub mod consumption;
pub mod driver;
pub mod expire_approvals;
pub mod expiries;
pub mod exports;
pub mod friendly_hours;
pub mod place_energy;
pub mod print_receipts;
pub mod purge_sessions;
pub mod query_payments;
pub mod reconcile;
pub mod refunds;
pub mod remind_top_ups;
pub mod send_mail;
pub mod send_notifications;
pub mod send_reports;
pub mod subsidies;
pub mod switch_schedules;
pub mod warn_tonight;
pub mod watch_alarms;
pub mod watch_use;

pub use driver::{Done, Driver, Failure, Task};
