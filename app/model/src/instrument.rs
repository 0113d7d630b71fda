//! Instruments: energy meters without prepayment. One has a counter for each of its circuits.

mod form;
mod ratio;
mod view;

pub use form::{CircuitForm, InstrumentField, InstrumentForm, parse_register};
pub use ratio::{CountStep, Ratio};
pub use view::{CircuitView, InstrumentChoices, InstrumentLine, InstrumentView, ProfileChoice};

use crate::ids::{CircuitId, GatewayId, PlaceId};
use crate::word_enum;

word_enum! {
    /// Why an instrument has no newer reading.
    pub enum InstrumentTrouble {
        /// It does not answer.
        Silent = "silent",
        /// It answers that it has no such registers.
        Refused = "refused",
        /// It answers what cannot be read.
        Unreadable = "unreadable",
        /// Its gateway accepts no connection.
        Gateway = "gateway",
        /// Its profile is not there, or its gateway cannot carry it.
        Unusable = "unusable",
    }
}

/// The most circuits of one instrument.
pub const MAX_CIRCUITS: u8 = 64;
/// The most circuits above each other; whatever follows them ends there, also where they feed each other in a ring.
pub const DEEPEST: usize = 16;
/// Seconds between two readings where nobody chose.
pub const USUAL_INTERVAL_S: u32 = 900;

/// What people set about an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentSettings {
    /// Its own number on the plate, or the site's; for DL/T 645 the address that it answers to.
    pub number: String,
    pub name: String,
    pub place: PlaceId,
    pub gateway: GatewayId,
    /// Unit id on its bus, 1-247.
    pub unit: u8,
    /// The profile's name.
    pub profile: String,
    /// The register of the first counter; `None`: as the profile says.
    pub start: Option<u16>,
    /// What one count is; `None`: as the profile says.
    pub step: Option<CountStep>,
    /// The ratio of its voltage transformer.
    pub pt: Ratio,
    /// Seconds between two readings, 1 to 86400.
    pub interval_s: u32,
}

/// What people set about a circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitSettings {
    /// Which counter of the instrument, from 1.
    pub position: u8,
    pub name: String,
    /// The ratio of its current transformer.
    pub ct: Ratio,
    /// The circuit that feeds it.
    pub parent: Option<CircuitId>,
    /// The place whose prepaid meters it feeds.
    pub feeds: Option<PlaceId>,
}
