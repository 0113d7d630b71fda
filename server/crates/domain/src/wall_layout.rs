//! The places of the meters: buildings, floors and rooms, in the order of the meter wall.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::console::RoomName;
use model::ids::{MeterId, PlaceId};
use model::search_text::SearchText;
use model::wall::{Building, Floor, Set, SetKind};

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

/// The longest name of a profile that a wall looks for.
const PROFILE_MAX: usize = 64;

/// Which meters a wall shows: those of the buildings, or of one profile among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallScope {
    buildings: Scope,
    profile: Option<String>,
}

impl WallScope {
    /// `profile` is as in addresses: empty for all. One that there is not shows nothing.
    #[must_use]
    pub fn new(buildings: Scope, profile: &str) -> Self {
        let profile: String = profile.trim().chars().take(PROFILE_MAX).collect();
        Self { buildings, profile: Some(profile).filter(|profile| !profile.is_empty()) }
    }

    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// Whether this meter is shown.
    #[must_use]
    pub fn holds(&self, place: &MeterPlace) -> bool {
        self.buildings.holds(place.building) && self.profile().is_none_or(|profile| profile == place.belongs.profile)
    }
}

/// The place of a meter on the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterPlace {
    pub meter: MeterId,
    pub building: PlaceId,
    pub building_name: String,
    /// The floor's or unit's name; empty if the building has none.
    pub floor: String,
    pub room: String,
    pub belongs: Belongs,
}

/// What a meter belongs to beside its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    pub gateway: String,
    pub profile: String,
    /// Groups of places that its room, or a place above it, is in.
    pub groups: Vec<String>,
}

impl MeterPlace {
    #[must_use]
    pub fn name(&self) -> RoomName {
        RoomName { building: self.building_name.clone(), floor: self.floor.clone(), room: self.room.clone() }
    }
}

/// What a search on the wall looks at, for these meters: their places and what they belong to. A gateway or profile that all of
/// them have tells nothing, as in [`Layout::sets`].
#[must_use]
pub fn search_texts<'a>(places: impl Iterator<Item = &'a MeterPlace> + Clone) -> Vec<SearchText> {
    let differ = |name: fn(&Belongs) -> &String| {
        let mut names = places.clone().map(|place| name(&place.belongs));
        names.next().is_some_and(|first| names.any(|other| other != first))
    };
    let (gateways, profiles) = (differ(|belongs| &belongs.gateway), differ(|belongs| &belongs.profile));
    let text = |place: &MeterPlace| {
        let mut text = SearchText::new(&place.room, &place.floor, &place.building_name);
        let Belongs { gateway, profile, groups } = &place.belongs;
        let sets = gateways.then_some(gateway).into_iter().chain(profiles.then_some(profile)).chain(groups);
        sets.for_each(|name| text.push(name));
        text
    };
    places.clone().map(text).collect()
}

/// The places of all meters, in the order of the wall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    meter_places: Vec<MeterPlace>,
    index: HashMap<MeterId, usize>,
}

impl Layout {
    /// From places in the order of the wall: those of a building, and within it those of a floor, are adjacent.
    #[must_use]
    pub fn new(meter_places: Vec<MeterPlace>) -> Self {
        let index = meter_places.iter().enumerate().map(|(position, place)| (place.meter, position)).collect();
        Self { meter_places, index }
    }

    #[must_use]
    pub fn meter_places(&self) -> &[MeterPlace] {
        &self.meter_places
    }

    /// The position of a meter on the wall.
    #[must_use]
    pub fn position(&self, meter: MeterId) -> Option<usize> {
        self.index.get(&meter).copied()
    }

    #[must_use]
    pub fn place(&self, meter: MeterId) -> Option<&MeterPlace> {
        self.meter_places.get(self.position(meter)?)
    }

    /// The tree of buildings, floors and rooms within a scope.
    #[must_use]
    pub fn buildings(&self, scope: &WallScope) -> Vec<Building> {
        let mut buildings: Vec<Building> = Vec::new();
        let mut last: Option<(PlaceId, &str)> = None;
        for place in self.meter_places.iter().filter(|place| scope.holds(place)) {
            if last.is_none_or(|(building, _)| building != place.building) {
                buildings.push(Building {
                    place: place.building.to_string(),
                    name: place.building_name.clone(),
                    floors: Vec::new(),
                });
                last = None;
            }
            let Some(building) = buildings.last_mut() else { continue };
            if last.is_none_or(|(_, floor)| floor != place.floor) {
                building.floors.push(Floor { name: place.floor.clone(), rooms: Vec::new() });
            }
            if let Some(floor) = building.floors.last_mut() {
                floor.rooms.push((place.room.clone(), place.meter));
            }
            last = Some((place.building, &place.floor));
        }
        buildings
    }

    /// The gateways, profiles and groups within a scope, by name; those of which there is only one tell nothing and are left out.
    #[must_use]
    pub fn sets(&self, scope: &WallScope) -> Vec<Set> {
        let mut sets: [BTreeMap<&str, Vec<i64>>; 3] = Default::default();
        let [gateways, profiles, groups] = &mut sets;
        for (tile, place) in (0..).zip(self.meter_places.iter().filter(|place| scope.holds(place))) {
            gateways.entry(&place.belongs.gateway).or_default().push(tile);
            profiles.entry(&place.belongs.profile).or_default().push(tile);
            for group in &place.belongs.groups {
                groups.entry(group).or_default().push(tile);
            }
        }
        let kinds = [(SetKind::Gateway, 2), (SetKind::Profile, 2), (SetKind::Group, 1)].into_iter().zip(sets);
        let told = kinds.filter(|((_, least), sets)| sets.len() >= *least);
        told.flat_map(|((kind, _), sets)| sets.into_iter().map(move |(name, tiles)| Set { kind, name: name.to_owned(), tiles }))
            .collect()
    }
}
