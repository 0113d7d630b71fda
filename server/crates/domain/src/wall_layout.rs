//! Where the meters are: buildings, floors, rooms, in the order in which people walk them.

use std::collections::{BTreeSet, HashMap};

use model::console::RoomName;
use model::ids::{MeterId, PlaceId};
use model::wall::{Building, Floor};

/// Which buildings a person may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    Buildings(BTreeSet<PlaceId>),
}

impl Scope {
    /// Whether this building is among them.
    #[must_use]
    pub fn holds(&self, building: PlaceId) -> bool {
        match self {
            Self::All => true,
            Self::Buildings(named) => named.contains(&building),
        }
    }
}

/// One meter's place on the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    pub meter: MeterId,
    pub building: PlaceId,
    /// The building's name.
    pub building_name: String,
    /// The floor's or unit's name; empty where the building has none.
    pub floor: String,
    /// The room's name.
    pub room: String,
}

impl Seat {
    /// Where it is, as people say it.
    #[must_use]
    pub fn name(&self) -> RoomName {
        RoomName { building: self.building_name.clone(), floor: self.floor.clone(), room: self.room.clone() }
    }
}

/// All seats, in order, and where each meter sits.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    seats: Vec<Seat>,
    index: HashMap<MeterId, usize>,
}

impl Layout {
    /// Of seats in the order of the wall: those of a building, and within it those of a floor, stand together.
    #[must_use]
    pub fn new(seats: Vec<Seat>) -> Self {
        let index = seats.iter().enumerate().map(|(seat, at)| (at.meter, seat)).collect();
        Self { seats, index }
    }

    /// All seats, in order.
    #[must_use]
    pub fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// Where a meter sits.
    #[must_use]
    pub fn seat(&self, meter: MeterId) -> Option<usize> {
        self.index.get(&meter).copied()
    }

    /// Where a meter is.
    #[must_use]
    pub fn place(&self, meter: MeterId) -> Option<&Seat> {
        self.seats.get(self.seat(meter)?)
    }

    /// The tree for the wire, of what a scope holds.
    #[must_use]
    pub fn buildings(&self, scope: &Scope) -> Vec<Building> {
        let mut buildings: Vec<Building> = Vec::new();
        let mut last: Option<(PlaceId, &str)> = None;
        for seat in self.seats.iter().filter(|seat| scope.holds(seat.building)) {
            if last.is_none_or(|(building, _)| building != seat.building) {
                buildings.push(Building { name: seat.building_name.clone(), floors: Vec::new() });
                last = None;
            }
            let Some(building) = buildings.last_mut() else { continue };
            if last.is_none_or(|(_, floor)| floor != seat.floor) {
                building.floors.push(Floor { name: seat.floor.clone(), rooms: Vec::new() });
            }
            if let Some(floor) = building.floors.last_mut() {
                floor.rooms.push((seat.room.clone(), seat.meter));
            }
            last = Some((seat.building, &seat.floor));
        }
        buildings
    }
}
