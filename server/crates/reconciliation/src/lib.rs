//! Reconciliation: imported statements, compared with the ledger and the meters by channel and day.
//!
//! Every step can be repeated: a statement is imported once by its digest, fees are posted as the difference to the fees posted
//! before, and a comparison replaces the open differences and their cases by those that it finds.

mod compare;
mod days;
mod differences;
mod foreign;
mod ledger_entries;
mod meters;
mod receipts;
mod statements;
mod unbooked_refunds;
mod views;

use model::order::Tender;
use model::person::Who;
use model::time::Date;

pub use compare::{Compared, compare};
pub use days::close;
pub use foreign::{ForeignLine, foreign_lines};
pub use receipts::note_receipt;
pub use statements::{DayProblem, Imported, active_sellers, confirm_empty, import, note_problem};
pub use unbooked_refunds::{BookedRefund, book_refund};
pub use views::{DayProgress, DayRow, DifferenceRow, day, days, differences, due};

/// Actor and IP address of an audit line: a person, or the system.
fn audit_actor(by: Option<&Who>) -> (String, &str) {
    by.map_or_else(|| ("system".to_owned(), ""), |who| (format!("user:{}", who.user), who.ip.as_str()))
}

/// The audit subject of a settlement day.
fn subject(channel: Tender, day: Date) -> String {
    format!("settlement:{}:{day}", channel.as_str())
}
