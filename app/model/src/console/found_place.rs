//! Places that a search finds.

use crate::ids::PlaceId;

/// A building, floor or group of places that a search found, with meters in service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPlace {
    pub kind: FoundPlaceKind,
    /// With the building's for a floor; the wall finds it by this name.
    pub name: String,
    pub meters: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundPlaceKind {
    Building(PlaceId),
    Floor,
    Group,
}
