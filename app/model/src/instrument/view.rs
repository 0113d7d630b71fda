//! What pages show of instruments.

use super::{CircuitForm, InstrumentForm, InstrumentTrouble};
use crate::energy::Energy;
use crate::ids::{CircuitId, GatewayId, InstrumentId, PlaceId};
use crate::reading::ReadingQuality;
use crate::time::Timestamp;

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentLine {
    pub id: InstrumentId,
    pub number: String,
    pub name: String,
    /// Building, floor and room.
    pub place: String,
    pub gateway: String,
    pub unit: u8,
    pub circuits: i64,
    /// When it was last read.
    pub read_at: Option<Timestamp>,
    /// Since when it cannot be read, and why.
    pub lost: Option<(Timestamp, InstrumentTrouble)>,
    /// Circuits whose counter did not go on as it can have.
    pub held: i64,
}

/// One instrument with its circuits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstrumentView {
    pub line: InstrumentLine,
    pub form: InstrumentForm,
    pub circuits: Vec<CircuitView>,
}

/// A circuit with its newest reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitView {
    pub id: CircuitId,
    pub form: CircuitForm,
    pub reading: Option<(Timestamp, Energy, ReadingQuality)>,
}

/// A profile that an instrument can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileChoice {
    pub name: String,
    pub title: String,
    pub circuits: u8,
}

/// What the fields of the forms may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstrumentChoices {
    pub places: Vec<(PlaceId, String)>,
    pub gateways: Vec<(GatewayId, String)>,
    pub profiles: Vec<ProfileChoice>,
    /// The circuits of all instruments that may feed others.
    pub circuits: Vec<(CircuitId, String)>,
}
