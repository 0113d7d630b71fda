//! The records that a meter keeps: its midnights, and its journal of money and relay.

use model::energy::Energy;
use model::money::Fen;
use model::time::{Date, Timestamp};
use serde::Deserialize;

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

/// What a record of a meter's journal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalKind {
    Credit,
    Debit,
    Open,
    Close,
    RelayOpened,
    RelayClosed,
    Parameter,
    /// Cover opened, or a bypass.
    Tamper,
}

impl JournalKind {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Open => "open",
            Self::Close => "close",
            Self::RelayOpened => "relay_opened",
            Self::RelayClosed => "relay_closed",
            Self::Parameter => "parameter",
            Self::Tamper => "tamper",
        }
    }
}
