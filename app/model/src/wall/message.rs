//! Snapshots and deltas on the wire: lists of numbers and of texts, because ten thousand small objects take a browser longer to
//! parse than to paint, and each kind of object takes code in the browser.

use serde::{Deserialize, Serialize};

use super::{Building, Delta, Floor, Set, SetKind, Snapshot};
use crate::ids::MeterId;

/// Either of the two.
#[derive(Serialize, Deserialize)]
pub(super) struct Message {
    revision: u64,
    at: i64,
    tiles: Vec<i64>,
    /// The number of buildings; for each its number of floors; for each of them its number of rooms; the number of sets; for each
    /// its kind, its number of tiles, and these. Nothing in a delta.
    shape: Vec<i64>,
    /// In the same order: ids and names of buildings; names of floors, and of rooms with their meters; names of sets.
    names: Vec<String>,
}

impl From<Delta> for Message {
    fn from(Delta { revision, at, tiles }: Delta) -> Self {
        Self { revision, at, tiles, shape: Vec::new(), names: Vec::new() }
    }
}

impl From<Message> for Delta {
    fn from(Message { revision, at, tiles, .. }: Message) -> Self {
        Self { revision, at, tiles }
    }
}

impl From<Snapshot> for Message {
    fn from(snapshot: Snapshot) -> Self {
        let count = |length: usize| i64::try_from(length).unwrap_or(0);
        let (mut shape, mut names) = (vec![count(snapshot.buildings.len())], Vec::new());
        for building in snapshot.buildings {
            names.extend([building.place, building.name]);
            shape.push(count(building.floors.len()));
            for floor in building.floors {
                names.push(floor.name);
                shape.push(count(floor.rooms.len()));
                names.extend(floor.rooms.into_iter().flat_map(|(room, meter)| [room, meter.to_string()]));
            }
        }
        shape.push(count(snapshot.sets.len()));
        for set in snapshot.sets {
            names.push(set.name);
            shape.extend([set.kind as i64, count(set.tiles.len())]);
            shape.extend(set.tiles);
        }
        Self { revision: snapshot.revision, at: snapshot.at, tiles: snapshot.tiles, shape, names }
    }
}

fn next(shape: &mut impl Iterator<Item = i64>) -> i64 {
    shape.next().unwrap_or(0)
}

impl From<Message> for Snapshot {
    /// What is missing or wrong is left out.
    fn from(message: Message) -> Self {
        let (mut shape, mut names) = (message.shape.into_iter(), message.names.into_iter());
        let (mut buildings, mut sets) = (Vec::new(), Vec::new());
        for _ in 0..next(&mut shape) {
            let (Some(place), Some(name)) = (names.next(), names.next()) else { break };
            let mut building = Building { place, name, floors: Vec::new() };
            for _ in 0..next(&mut shape) {
                let Some(name) = names.next() else { break };
                let mut floor = Floor { name, rooms: Vec::new() };
                for _ in 0..next(&mut shape) {
                    let (Some(room), Some(Ok(meter))) = (names.next(), names.next().map(|meter| meter.parse::<MeterId>())) else {
                        break;
                    };
                    floor.rooms.push((room, meter));
                }
                building.floors.push(floor);
            }
            buildings.push(building);
        }
        for _ in 0..next(&mut shape) {
            let Some(name) = names.next() else { break };
            let kind = match next(&mut shape) {
                0 => SetKind::Gateway,
                1 => SetKind::Profile,
                _ => SetKind::Group,
            };
            let count = usize::try_from(next(&mut shape)).unwrap_or(0);
            let tiles = shape.by_ref().take(count).collect();
            sets.push(Set { kind, name, tiles });
        }
        Self { revision: message.revision, at: message.at, buildings, sets, tiles: message.tiles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let meter = |n: u128| MeterId(uuid::Uuid::from_u128(n));
        let floor = |name: &str, rooms: &[u128]| Floor {
            name: name.into(),
            rooms: rooms.iter().map(|n| (n.to_string(), meter(*n))).collect(),
        };
        let set = |kind, tiles: &[i64]| Set { kind, name: format!("{kind:?}"), tiles: tiles.into() };
        Snapshot {
            revision: 7,
            at: 1_795_600_000_123,
            buildings: vec![
                Building { place: "1".into(), name: "1号楼".into(), floors: vec![floor("1层", &[101, 102]), floor("", &[])] },
                Building { place: "2".into(), name: "B".into(), floors: vec![floor("", &[1])] },
            ],
            sets: vec![set(SetKind::Gateway, &[0, 2]), set(SetKind::Profile, &[]), set(SetKind::Group, &[1])],
            tiles: vec![0, 1, -2, 3, 4],
        }
    }

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let text = serde_json::to_string(&snapshot()).unwrap();
        assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot());
        let delta = Delta { revision: 8, at: 9, tiles: vec![1, 2, 3] };
        assert_eq!(serde_json::from_str::<Delta>(&serde_json::to_string(&delta).unwrap()).unwrap(), delta);
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let of = |shape: &[i64], names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            Snapshot::from(Message { revision: 0, at: 0, tiles: Vec::new(), shape: shape.into(), names })
        };
        assert!(of(&[], &[]).buildings.is_empty());
        assert!(of(&[i64::MAX, 1], &[]).buildings.is_empty());
        assert_eq!(of(&[1, 1, 5], &["a", "A", "1", "101", "no meter"]).buildings[0].floors[0].rooms, []);
        assert!(of(&[0, 1, 2, i64::MAX, 4], &["G"]).sets[0].tiles == [4]);
    }
}
