//! Reconciliation: bills as they were imported, compared with the ledger and the meters, day by day and channel by channel.
//!
//! Everything can be run again: a bill is imported once by its digest, fees are posted as the difference to what was posted
//! before, and a comparison makes the open differences (and their cases) those that it finds.

mod bills;
mod compare;
mod days;
mod differences;
mod foreign;
mod ledger_entries;
mod meters;
mod receipts;
mod rules;
mod unbooked_refunds;
mod views;

use model::order::Tender;
use model::person::Who;
use model::time::Date;

pub use bills::{Imported, Unavailable, active_sellers, import, says_nothing, unavailable};
pub use compare::{Compared, compare};
pub use days::close;
pub use foreign::{ForeignLine, foreign_lines};
pub use receipts::note_receipt;
pub(super) use rules::RULES;
pub use unbooked_refunds::{BookedRefund, book_refund};
pub use views::{DayRow, DifferenceRow, SinceRow, day, days, differences, due};

/// Who asked, as audit lines have it: a person and from where, or the system.
fn audit_actor(by: Option<&Who>) -> (String, &str) {
    by.map_or_else(|| ("system".to_owned(), ""), |who| (format!("user:{}", who.user), who.ip.as_str()))
}

/// As audit lines and cases name a day of a channel.
fn subject(channel: Tender, day: Date) -> String {
    format!("settlement:{}:{day}", channel.as_str())
}
