//! What is usual on a floor and in a building on a day.

use std::collections::{HashMap, HashSet};

use domain::abnormal_use::Pattern;
use model::energy::Energy;
use model::ids::PlaceId;
use model::time::Date;

use super::rooms::{ComparedRooms, Room};

/// The patterns of floors and buildings.
pub struct FloorPatterns(HashMap<PlaceId, Pattern>);

impl FloorPatterns {
    /// The patterns of a day, from the rooms that had an account all day, because empty rooms are not usual.
    pub fn of(rooms: &ComparedRooms, day: Date) -> Self {
        let mut values: HashMap<PlaceId, Vec<Energy>> = HashMap::new();
        for (id, room) in rooms.all().filter(|(id, _)| rooms.is_occupied(*id, day)) {
            let Some(used) = rooms.used(id, room, day) else { continue };
            let places: HashSet<PlaceId> = room.floor.into_iter().chain(room.building).collect();
            places.into_iter().for_each(|place| values.entry(place).or_default().push(used.whole));
        }
        let pattern = |(place, values)| Some((place, Pattern::of_rooms(values)?));
        Self(values.into_iter().filter_map(pattern).collect())
    }

    /// The pattern of the room's floor, else that of its building.
    pub fn find(&self, room: &Room) -> Option<Pattern> {
        let of = |place: Option<PlaceId>| place.and_then(|place| self.0.get(&place)).copied();
        of(room.floor).or_else(|| of(room.building))
    }
}
