//! Overdrawn meters: server wallets below zero.

use super::{Page, RoomName};
use crate::ids::MeterId;
use crate::money::Money;
use crate::time::Timestamp;

/// An overdrawn meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverdrawnLine {
    pub meter: MeterId,
    pub room: RoomName,
    pub number: String,
    pub residents: String,
    /// Overdrawn amount, positive.
    pub owed: Money,
    pub since: Timestamp,
    /// Desired relay position: `true` for closed.
    pub should_be_closed: bool,
    /// Observed relay position and time; `None` before the first reading.
    pub relay: Option<(bool, Timestamp)>,
    /// Since when nothing readable came from it.
    pub lost_since: Option<Timestamp>,
    /// Whether it answers, but cannot be read.
    pub unreadable: bool,
}

/// A page of overdrawn meters.
#[derive(Clone, Debug, PartialEq)]
pub struct Overdrawn {
    /// Largest overdraft first.
    pub page: Page<OverdrawnLine>,
    pub owed: Money,
}
