//! The records that a meter keeps: its midnights, and its journal of money and relay.

use model::energy::Energy;
use model::money::Fen;
pub use model::reading::JournalKind;
use model::time::{Date, Timestamp};

/// The counter at a midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The day that began at that midnight.
    pub day: Date,
    pub total: Energy,
    /// Remaining amount, where the meter keeps it.
    pub remaining: Option<Fen>,
}

/// A line of a meter's journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// Its number, where the meter numbers them.
    pub sequence: Option<u16>,
    /// When; `None` where the meter's clock showed no real time.
    pub at: Option<Timestamp>,
    pub what: JournalKind,
    /// Why: of the relay the number of the status bit behind it, 255 by command; 0 where the meter does not say.
    pub cause: u8,
    /// Amount of a money record.
    pub amount: Fen,
    /// Purchase count after it.
    pub count: Option<u16>,
    /// Remaining amount after it.
    pub remaining: Option<Fen>,
}
