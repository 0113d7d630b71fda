//! The data of the wall: compact arrays, filled by a snapshot and changed by deltas.

use super::filter::{self, Counts, Selector};
use super::fit::name_width;
use model::ids::MeterId;
use model::search_text::SearchText;
use model::wall::{Delta, Set, Snapshot, Tile};

/// A row of tiles; a floor of a building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    pub name: String,
    pub tiles: Vec<usize>,
}

/// A section of the wall; a building.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub name: String,
    /// The floors in the order of the wall.
    pub floors: Vec<Floor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    pub name: String,
    /// Building, floor and room.
    pub place: String,
    /// The same and what it belongs to, for the search.
    pub search_text: SearchText,
    pub meter: MeterId,
}

/// Everything the wall shows.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The buildings, with their floors as rows.
    pub blocks: Vec<Block>,
    pub sets: Vec<Set>,
    /// Whole buildings, each before its floors, as a selection names them, with their tiles.
    pub places: Vec<(String, Vec<usize>)>,
    /// Rooms, by index of their tile.
    pub rooms: Vec<Room>,
    pub tiles: Vec<Tile>,
    /// The width that the longest name takes on a tile.
    pub name_width: f64,
    /// The number of tiles per chip.
    pub counts: Counts,
    /// The revision of the tiles.
    pub revision: u64,
}

/// The effect of a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Tiles to repaint.
    pub tiles: Vec<usize>,
    /// The set of shown tiles has changed.
    pub moved: bool,
}

impl Model {
    /// From a snapshot. Missing or invalid tiles are never observed.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        let (mut blocks, mut rooms, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for building in snapshot.buildings {
            let mut floors = Vec::new();
            for floor in building.floors {
                let start = rooms.len();
                for (name, meter) in floor.rooms {
                    let parts = [&*building.name, &*floor.name, &*name].into_iter().filter(|part| !part.is_empty());
                    let place = parts.collect::<Vec<_>>().join(" ");
                    let search_text = SearchText::new(&name, &floor.name, &building.name);
                    rooms.push(Room { name, place, search_text, meter });
                }
                let tiles: Vec<usize> = (start..rooms.len()).collect();
                add(&mut places, building.place.clone(), &tiles);
                if !floor.name.is_empty() {
                    add(&mut places, format!("{}:{}", building.place, floor.name), &tiles);
                }
                floors.push(Floor { name: floor.name, tiles });
            }
            // The ground floor is at the bottom, as in the building.
            if floors.iter().all(|floor| is_storey(&floor.name)) {
                floors.reverse();
            }
            blocks.push(Block { name: building.name, floors });
        }
        let sets = snapshot.sets;
        for set in &sets {
            for tile in &set.tiles {
                if let Some(room) = rooms.get_mut(*tile as usize) {
                    room.search_text.push(&set.name);
                }
            }
        }
        let mut numbers = snapshot.tiles.chunks(Tile::WIDTH);
        let tiles: Vec<Tile> =
            rooms.iter().map(|_| numbers.next().and_then(Tile::from_numbers).unwrap_or(Tile::UNSEEN)).collect();
        let counts = filter::count(tiles.iter().copied());
        let name_width = rooms.iter().map(|room| name_width(&room.name)).fold(0.0, f64::max);
        Self { blocks, sets, places, rooms, tiles, name_width, counts, revision: snapshot.revision }
    }

    /// Applies a delta. Deltas older than the snapshot are ignored.
    pub fn apply(&mut self, delta: &Delta, filter: &Selector) -> Changed {
        let mut changed = Changed::default();
        if delta.revision <= self.revision {
            return changed;
        }
        self.revision = delta.revision;
        for one in delta.tiles.chunks(Tile::WIDTH + 1) {
            let Some((index, numbers)) = one.split_first() else { continue };
            let (Ok(index), Some(tile)) = (usize::try_from(*index), Tile::from_numbers(numbers)) else { continue };
            let (Some(old), Some(room)) = (self.tiles.get_mut(index), self.rooms.get(index)) else { continue };
            changed.moved |= filter.shows(*old, &room.search_text) != filter.shows(tile, &room.search_text);
            filter::add(&mut self.counts, *old, -1);
            filter::add(&mut self.counts, tile, 1);
            *old = tile;
            changed.tiles.push(index);
        }
        changed
    }

    /// A selection in few words: the whole buildings and floors in it, and the other rooms of it by name.
    #[must_use]
    pub fn described(&self, selected: &[bool]) -> (Vec<&str>, Vec<&str>) {
        let (mut rest, mut places) = (selected.to_vec(), Vec::new());
        let mut whole: Vec<_> = self.places.iter().collect();
        whole.sort_by_key(|(_, tiles)| std::cmp::Reverse(tiles.len()));
        for (place, tiles) in whole {
            // One room is as short by its name.
            if tiles.len() > 1 && tiles.iter().all(|tile| rest.get(*tile) == Some(&true)) {
                places.push(place.as_str());
                for tile in tiles {
                    if let Some(one) = rest.get_mut(*tile) {
                        *one = false;
                    }
                }
            }
        }
        let rooms = self.rooms.iter().zip(rest).filter(|(_, is)| *is).map(|(room, _)| room.place.as_str());
        (places, rooms.collect())
    }

    /// What the search looks at, room by room.
    pub fn search_texts(&self) -> impl Iterator<Item = &SearchText> + Clone {
        self.rooms.iter().map(|room| &room.search_text)
    }

    /// Whether a tile is shown.
    #[must_use]
    pub fn shows(&self, index: usize, filter: &Selector) -> bool {
        let (Some(tile), Some(room)) = (self.tiles.get(index), self.rooms.get(index)) else { return false };
        filter.shows(*tile, &room.search_text)
    }
}

/// Adds tiles to a place that a selection can name.
fn add(places: &mut Vec<(String, Vec<usize>)>, place: String, tiles: &[usize]) {
    match places.iter_mut().find(|(known, _)| *known == place) {
        Some((_, known)) => known.extend(tiles),
        None => places.push((place, tiles.to_vec())),
    }
}

/// Whether a name is that of a storey; units keep their order.
fn is_storey(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    let ends = ["层", "楼", "f", "floor"].iter().any(|end| name.ends_with(end));
    ends || name.starts_with("floor") || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ui::wall::filter::{Chip, Filter};
    use model::meter::SupplyState;
    use model::wall::{Building, Floor as WireFloor, SetKind};

    pub fn snapshot(tiles: &[u16]) -> Snapshot {
        let room = |n: u128| (format!("{n}"), MeterId(uuid::Uuid::from_u128(n)));
        let floor =
            |name: &str, rooms: &[u128]| WireFloor { name: name.into(), rooms: rooms.iter().copied().map(room).collect() };
        Snapshot {
            revision: 7,
            at: 0,
            buildings: vec![Building {
                place: "a".into(),
                name: "A".into(),
                floors: vec![floor("1层", &[101, 102]), floor("2层", &[201])],
            }],
            sets: Vec::new(),
            tiles: tiles.iter().flat_map(|flags| [i64::from(*flags), 100, 0, 1, 0]).collect(),
        }
    }

    #[test]
    fn the_top_floor_is_on_top_and_indices_stay() {
        let model = Model::new(snapshot(&[0, 3, 5]));
        let names: Vec<&str> = model.blocks[0].floors.iter().map(|floor| floor.name.as_str()).collect();
        assert_eq!(names, ["2层", "1层"]);
        assert_eq!(model.rooms[2].name, "201");
        assert_eq!(model.rooms[2].place, "A 2层 201");
        assert_eq!(model.counts[3], 1);
        assert!(!is_storey("1单元") && is_storey("12") && is_storey("Floor 3") && !is_storey(""));
    }

    #[test]
    fn the_search_finds_rooms_by_what_they_belong_to() {
        let mut snapshot = snapshot(&[0, 0, 0]);
        snapshot.sets = vec![Set { kind: SetKind::Gateway, name: "GW-2".into(), tiles: vec![1, 99] }];
        let model = Model::new(snapshot);
        let filter = Filter::parse("", "a gw-2").among(model.search_texts());
        assert_eq!((0..3).filter(|tile| model.shows(*tile, &filter)).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_delta_changes_tiles_and_counts() {
        let mut model = Model::new(snapshot(&[0, 0, 5]));
        let filter = Filter::default().toggled(Chip::State(SupplyState::Lost)).among(model.search_texts());
        let delta = Delta { revision: 8, at: 0, tiles: vec![0, 5, 100, 0, 1, 1] };
        assert_eq!(model.apply(&delta, &filter), Changed { tiles: vec![0], moved: true });
        assert_eq!((model.counts[0], model.counts[5]), (1, 2));
        assert_eq!(model.apply(&delta, &filter), Changed::default(), "what came before is left alone");
        let delta = Delta { revision: 9, at: 0, tiles: vec![1, 0, 99, 0, 1, 0] };
        assert_eq!(model.apply(&delta, &filter), Changed { tiles: vec![1], moved: false });
    }

    #[test]
    fn selection_names_whole_floors_and_buildings() {
        let model = Model::new(snapshot(&[0, 3, 5]));
        let of = |selected: [bool; 3]| model.described(&selected);
        assert_eq!(of([true, true, true]), (vec!["a"], vec![]));
        assert_eq!(of([true, true, false]), (vec!["a:1层"], vec![]));
        assert_eq!(of([true, false, true]), (vec![], vec!["A 1层 101", "A 2层 201"]));
        assert_eq!(of([false; 3]), (vec![], vec![]));
    }

    #[test]
    fn invalid_numbers_change_nothing() {
        let mut model = Model::new(snapshot(&[0]));
        assert_eq!(model.tiles[1], Tile::UNSEEN);
        let delta = Delta { revision: 9, at: 0, tiles: vec![99, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1, 2, 3] };
        assert_eq!(model.apply(&delta, &Selector::default()), Changed::default());
    }
}
