//! Query machines: shared touch screens at which residents look at their room.

use crate::ids::Uuid;
use crate::time::Timestamp;

/// After so many seconds without a touch, a machine logs its resident out.
pub const IDLE_SECONDS: u32 = 60;

/// The prefix of the code in a machine's one-time link.
pub const KIOSK_PREFIX: &str = "ks_";

/// A machine in the operators' list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KioskLine {
    pub id: Uuid,
    pub name: String,
    pub created_at: Timestamp,
    /// When its browser was registered by the one-time link.
    pub registered_at: Option<Timestamp>,
}

/// What a machine shows while nobody is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KioskScreen {
    /// The ways to log in.
    Start(String),
    /// A QR code for the phone: modules on a side, and the dark ones as a path of unit squares.
    Scan(i32, String),
    /// The phone confirmed the log-in.
    Confirmed,
}
