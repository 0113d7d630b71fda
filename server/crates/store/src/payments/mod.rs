//! Payments through channels: attempts, stored before the channel hears of them, and what verified events make of them.

mod attempts;
mod exits;
mod merchants;
mod outcome;
mod record;
mod returned;
mod settle;
mod stored_event;
mod subject;

pub use attempts::{Attempt, AttemptState, Terms, attempts_of, begin_close, claim_due, find, nudge, open_attempt, way_of};
pub(crate) use attempts::{begin_locked, give_up, lock_attempts, lock_order};
pub use exits::close_abandoned;
pub(crate) use exits::{close_unpayable, end_held, lies, lying};
pub use merchants::{MerchantInUse, merchants_in_use};
pub use outcome::{Outcome, RecordedOutcome};
pub use settle::settle;
