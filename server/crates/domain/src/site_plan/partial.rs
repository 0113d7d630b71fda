//! What rows with a fault may turn out to be.

use std::collections::HashSet;

use model::console::RoomName;
use model::site_workbook::Sheet;

use super::PartialRows;

/// What may be there once the faults are mended.
#[derive(Default)]
pub struct Uncertain<'a> {
    /// Building and room.
    rooms: HashSet<(&'a str, &'a str)>,
    /// Buildings of which a room has no name, and rooms whose building has none.
    unnamed_in: HashSet<&'a str>,
    somewhere: HashSet<&'a str>,
    any_room: bool,
    buildings: HashSet<&'a str>,
    gateways: HashSet<&'a str>,
    any_gateway: bool,
    groups: HashSet<&'a str>,
    any_group: bool,
    /// Rooms that may have a meter which sells.
    selling: HashSet<&'a RoomName>,
    any_meter: bool,
    any_price: bool,
}

impl<'a> Uncertain<'a> {
    pub fn of(partial: &'a PartialRows) -> Self {
        let unread = |sheet| partial.unread.contains(&sheet);
        let mut found = Self {
            any_room: unread(Sheet::Rooms),
            any_gateway: unread(Sheet::Gateways) || partial.gateways.contains(&None),
            gateways: partial.gateways.iter().flatten().map(String::as_str).collect(),
            any_group: unread(Sheet::Groups) || partial.groups.contains(&None),
            groups: partial.groups.iter().flatten().map(String::as_str).collect(),
            any_meter: unread(Sheet::Meters) || partial.meters.iter().any(|row| row.value.room.is_none()),
            selling: partial.meters.iter().filter_map(|row| row.value.room.as_ref()).collect(),
            any_price: unread(Sheet::Prices) || !partial.prices.is_empty(),
            ..Self::default()
        };
        for room in &partial.rooms {
            match (room.building.as_deref(), room.room.as_deref()) {
                (Some(building), Some(room)) => drop(found.rooms.insert((building, room))),
                (Some(building), None) => drop(found.unnamed_in.insert(building)),
                (None, Some(room)) => drop(found.somewhere.insert(room)),
                (None, None) => found.any_room = true,
            }
            found.buildings.extend(room.building.as_deref());
        }
        found
    }

    pub fn may_have_room(&self, room: &RoomName) -> bool {
        let (building, name) = (room.building.as_str(), room.room.as_str());
        self.any_room
            || self.rooms.contains(&(building, name))
            || self.unnamed_in.contains(building)
            || self.somewhere.contains(name)
    }

    pub fn may_have_building(&self, building: &str) -> bool {
        self.any_room || !self.somewhere.is_empty() || self.buildings.contains(building)
    }

    pub fn may_have_gateway(&self, name: &str) -> bool {
        self.any_gateway || self.gateways.contains(name)
    }

    pub fn may_have_group(&self, name: &str) -> bool {
        self.any_group || self.groups.contains(name)
    }

    pub fn may_sell(&self, room: &RoomName) -> bool {
        self.any_meter || self.selling.contains(room)
    }

    pub const fn may_have_prices(&self) -> bool {
        self.any_price
    }
}
