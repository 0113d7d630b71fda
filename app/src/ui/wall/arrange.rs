//! The order of the wall: what its sections are, and how the tiles follow each other in them.

use super::state::{Block, Floor, Model};
use model::meter::SupplyState;
use model::wall::{SetKind, Tile};

/// What the sections of the wall are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sections {
    /// Buildings, with their floors as rows.
    #[default]
    Buildings,
    Floors,
    Gateways,
    Profiles,
    /// The free groups; a room may be in several.
    Groups,
}

impl Sections {
    pub const ALL: [Self; 5] = [Self::Buildings, Self::Floors, Self::Gateways, Self::Profiles, Self::Groups];

    /// The word in addresses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Buildings => "building",
            Self::Floors => "floor",
            Self::Gateways => "gateway",
            Self::Profiles => "profile",
            Self::Groups => "group",
        }
    }

    /// From that word; buildings for any other.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.word() == word).unwrap_or_default()
    }
}

/// How tiles follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As the rooms lie.
    #[default]
    Place,
    /// The lowest balance first.
    Amount,
    /// The highest power first.
    Power,
    /// The oldest reading first.
    Age,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Place, Self::Amount, Self::Power, Self::Age];

    /// The word in addresses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Amount => "amount",
            Self::Power => "power",
            Self::Age => "age",
        }
    }

    /// From that word; by place for any other.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|one| one.word() == word).unwrap_or_default()
    }

    /// Sorts ascending by this; a value that is not known comes last.
    #[must_use]
    pub fn key(self, tile: Tile) -> i64 {
        let (state, read) = (tile.flags.state(), tile.observed_s != 0);
        match self {
            Self::Place => 0,
            Self::Amount if read && state != SupplyState::NotOpen => tile.remaining.into(),
            Self::Power if read && !state.is_unread() => -i64::from(tile.power_w),
            Self::Age if read => tile.observed_s.into(),
            Self::Amount | Self::Power | Self::Age => i64::MAX,
        }
    }
}

/// Sections and order, as chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrangement {
    pub sections: Sections,
    pub sort: Sort,
}

impl Arrangement {
    /// The sections of the wall with their tiles; `others` names the section of what is in no group.
    #[must_use]
    pub fn blocks(self, model: &Model, others: &str) -> Vec<Block> {
        let mut blocks = match self.sections {
            Sections::Buildings => model.blocks.clone(),
            Sections::Floors => floors(model),
            Sections::Gateways => sets(SetKind::Gateway, model, others),
            Sections::Profiles => sets(SetKind::Profile, model, others),
            Sections::Groups => sets(SetKind::Group, model, others),
        };
        if self.sort != Sort::Place {
            let key = |tile: &usize| (self.sort.key(model.tiles.get(*tile).copied().unwrap_or(Tile::UNSEEN)), *tile);
            for block in &mut blocks {
                let mut tiles: Vec<usize> = block.floors.drain(..).flat_map(|floor| floor.tiles).collect();
                sort_by_key(&mut tiles, key);
                block.floors.push(Floor { name: String::new(), tiles });
            }
        }
        blocks
    }
}

/// Shellsort: the standard library's sorts are as much code as the whole layout, which each visitor loads.
fn sort_by_key(tiles: &mut [usize], key: impl Fn(&usize) -> (i64, usize)) {
    for gap in [3_905, 1_093, 301, 132, 57, 23, 10, 4, 1] {
        for end in gap..tiles.len() {
            let mut at = end;
            while let (Some(before), Some(after)) = (at.checked_sub(gap).and_then(|n| tiles.get(n)), tiles.get(at))
                && key(before) > key(after)
            {
                tiles.swap(at - gap, at);
                at -= gap;
            }
        }
    }
}

/// A section without rows of its own.
fn block(name: String, tiles: Vec<usize>) -> Block {
    Block { name, floors: vec![Floor { name: String::new(), tiles }] }
}

fn floors(model: &Model) -> Vec<Block> {
    let named = |of: &Block, floor: &Floor| format!("{} {}", of.name, floor.name).trim_end().to_owned();
    model.blocks.iter().flat_map(|of| of.floors.iter().map(move |floor| block(named(of, floor), floor.tiles.clone()))).collect()
}

/// A tile in several sets stands in each of them; those in none follow at the end.
fn sets(kind: SetKind, model: &Model, others: &str) -> Vec<Block> {
    let mut left = vec![true; model.rooms.len()];
    let mut blocks: Vec<Block> = Vec::new();
    for set in model.sets.iter().filter(|set| set.kind == kind) {
        let tiles: Vec<usize> = set.tiles.iter().map(|tile| *tile as usize).filter(|tile| *tile < left.len()).collect();
        for tile in &tiles {
            if let Some(left) = left.get_mut(*tile) {
                *left = false;
            }
        }
        blocks.push(block(set.name.clone(), tiles));
    }
    let rest: Vec<usize> = left.into_iter().enumerate().filter_map(|(tile, left)| left.then_some(tile)).collect();
    if !rest.is_empty() {
        blocks.push(block(others.to_owned(), rest));
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::wall::state::tests::snapshot;
    use model::wall::Set;

    fn model() -> Model {
        let mut snapshot = snapshot(&[0, 0, 5]);
        snapshot.tiles = [[0, 300, 10, 9, 0], [0, -5, 70, 8, 0], [5, 0, 0, 0, 0]].concat();
        let set = |name: &str, tiles: &[i64]| Set { kind: SetKind::Group, name: name.into(), tiles: tiles.into() };
        snapshot.sets = vec![set("freshmen", &[2, 0]), set("corner", &[0, 99, -1])];
        Model::new(snapshot)
    }

    fn arranged(sections: Sections, sort: Sort) -> Vec<(String, Vec<usize>)> {
        let blocks = Arrangement { sections, sort }.blocks(&model(), "others");
        let tiles = |block: &Block| block.floors.iter().flat_map(|floor| floor.tiles.clone()).collect();
        blocks.iter().map(|block| (block.name.clone(), tiles(block))).collect()
    }

    #[test]
    fn sections_hold_every_room() {
        assert_eq!(arranged(Sections::Buildings, Sort::Place), [("A".into(), vec![2, 0, 1])]);
        assert_eq!(arranged(Sections::Floors, Sort::Place), [("A 2层".into(), vec![2]), ("A 1层".into(), vec![0, 1])]);
        let groups = arranged(Sections::Groups, Sort::Place);
        assert_eq!(groups, [("freshmen".into(), vec![2, 0]), ("corner".into(), vec![0]), ("others".into(), vec![1])]);
        assert_eq!(arranged(Sections::Gateways, Sort::Place), [("others".into(), vec![0, 1, 2])]);
    }

    #[test]
    fn what_is_not_known_comes_last() {
        let order = |sort| arranged(Sections::Buildings, sort).into_iter().flat_map(|(_, tiles)| tiles).collect::<Vec<_>>();
        assert_eq!(order(Sort::Amount), [1, 0, 2]);
        assert_eq!(order(Sort::Power), [1, 0, 2]);
        assert_eq!(order(Sort::Age), [1, 0, 2]);
    }

    #[test]
    fn ten_thousand_tiles_are_sorted() {
        let key = |tile: &usize| ((*tile as i64 * 7_919) % 10_007, *tile);
        let mut tiles: Vec<usize> = (0..10_000).collect();
        sort_by_key(&mut tiles, key);
        assert!(tiles.is_sorted_by_key(key));
    }

    #[test]
    fn words_are_read_back() {
        for one in Sections::ALL {
            assert_eq!(Sections::parse(one.word()), one);
        }
        for one in Sort::ALL {
            assert_eq!(Sort::parse(one.word()), one);
        }
        assert_eq!((Sections::parse("x"), Sort::parse("")), (Sections::Buildings, Sort::Place));
    }
}
