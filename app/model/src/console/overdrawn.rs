//! Meters that are used on credit nobody gave: their wallet on the ledger is below zero.

use super::{Page, RoomName};
use crate::ids::MeterId;
use crate::money::Money;
use crate::time::Timestamp;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedLine {
    pub meter: MeterId,
    pub room: RoomName,
    /// The account's number.
    pub number: String,
    /// Who lives there.
    pub residents: String,
    /// How far below zero; positive.
    pub owed: Money,
    pub since: Timestamp,
    /// The relay as it should be: `true` for closed.
    pub should_be_closed: bool,
    /// The relay as it was observed, and when; `None` before the first reading.
    pub relay: Option<(bool, Timestamp)>,
    /// Since when the meter has not answered.
    pub lost_since: Option<Timestamp>,
}

/// A page of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposed {
    /// The deepest first.
    pub page: Page<ExposedLine>,
    /// What all of them owe.
    pub owed: Money,
}
