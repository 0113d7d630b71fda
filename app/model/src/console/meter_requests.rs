//! What one operator asks about a meter and another approves.

use super::RoomName;
use crate::ids::{MeterId, Uuid};
use crate::money::Fen;
use crate::time::Timestamp;
use crate::word_enum;

word_enum! {
    pub enum MeterRequestKind {
        /// Close the account in the meter that the books do not know.
        CloseForeign = "close_foreign",
        /// Make the books say what the meter holds.
        Adjustment = "adjustment",
    }
}

/// A request that waits for the second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterRequestLine {
    pub id: Uuid,
    pub kind: MeterRequestKind,
    pub meter: MeterId,
    pub room: RoomName,
    /// The account that the meter showed.
    pub number: Option<String>,
    /// Purchase count and cumulative amount in the books; `None` without an account.
    pub books: Option<(i64, Fen)>,
    /// Likewise in the meter.
    pub shown: (i64, Fen),
    pub reason: String,
    pub asked_by: String,
    /// Whether that is who looks at it.
    pub mine: bool,
    pub asked_at: Timestamp,
    pub expires_at: Timestamp,
}
