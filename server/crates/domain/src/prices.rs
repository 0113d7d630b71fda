//! Which prices hold where and when: the plan of the nearest place or group decides, and within it the newest version.

use std::collections::{HashMap, HashSet};

use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId};
use model::tariff;
use model::time::Timestamp;
use uuid::Uuid;

use super::defaults::SettingsTree;
use super::place_tree::MergeStep;
use super::tariff::Version;

/// Places above each other that are followed, so that a broken tree ends.
const LEVELS: usize = 16;

/// The plan that a place or group has from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanFrom {
    /// `None` from when the plan was taken away.
    pub plan: Option<Uuid>,
    pub from: Timestamp,
}

/// A place that would get another plan, or one at last, or none any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repriced {
    pub place: PlaceId,
    pub before: Option<Uuid>,
    pub after: Option<Uuid>,
}

/// All plans that places and groups were ever given.
pub type PlanTree = SettingsTree<Vec<PlanFrom>>;

impl PlanTree {
    /// The plan that applies at a place, with what decides it, and since when that does.
    #[must_use]
    pub fn plan_at(&self, place: PlaceId, at: Timestamp) -> Option<(Uuid, DefaultsOf, Timestamp)> {
        let (of, given): (Vec<_>, Vec<_>) = self.nearest_first(place).unzip();
        let (nearest, plan, from) = deciding(&given, at)?;
        of.get(nearest).map(|of| (plan, *of, from))
    }

    /// The groups whose plan does not apply at a place, because what is nearer, or a group whose name comes first, has one.
    #[must_use]
    pub fn yielding_groups(&self, place: PlaceId, at: Timestamp) -> Vec<PlaceGroupId> {
        let mut with_plan: Vec<DefaultsOf> = Vec::new();
        for (of, given) in self.nearest_first(place) {
            if deciding(&[given], at).is_some() && !with_plan.contains(&of) {
                with_plan.push(of);
            }
        }
        let groups = with_plan.into_iter().skip(1).filter_map(|of| match of {
            DefaultsOf::Group(group) => Some(group),
            DefaultsOf::Place(_) => None,
        });
        groups.collect()
    }

    /// The places that get another plan by the steps of a move or merge: those that go below another place, and the rooms that
    /// end, where meters are charged below them, as `rooms` are.
    #[must_use]
    pub fn repriced(&self, steps: &[MergeStep], rooms: &[PlaceId], at: Timestamp) -> Vec<Repriced> {
        let (mut then, mut moved, mut absorbed) = (self.clone(), HashSet::new(), HashMap::new());
        for step in steps {
            match *step {
                MergeStep::Place { place, parent } => {
                    moved.insert(place);
                    if let Some((above, _)) = then.places.get_mut(&place) {
                        *above = Some(parent);
                    }
                }
                MergeStep::Absorb { from, into } => {
                    absorbed.insert(from, into);
                    for group in &mut then.groups {
                        if group.places.contains(&from) {
                            group.places.insert(into);
                        }
                    }
                }
            }
        }
        let plan = |tree: &Self, place| tree.plan_at(place, at).map(|(plan, ..)| plan);
        let above = |place: &PlaceId| self.places.get(place).and_then(|(parent, _)| *parent);
        let mut found: Vec<Repriced> = Vec::new();
        for room in rooms {
            let (before, after) = (plan(self, *room), plan(&then, absorbed.get(room).copied().unwrap_or(*room)));
            let place = std::iter::successors(Some(*room), above).take(LEVELS).find(|place| moved.contains(place));
            let place = place.unwrap_or(*room);
            // What is below a place that goes along gets its plan from above it before and afterwards, or does not change.
            if before != after && found.iter().all(|one| one.place != place) {
                found.push(Repriced { place, before, after });
            }
        }
        found
    }

    /// The versions that apply at a place, ascending; `versions` are those of all plans.
    #[must_use]
    pub fn timeline(&self, place: PlaceId, versions: &[(Uuid, Version)]) -> Vec<Version> {
        timeline(&self.nearest_first(place).map(|(_, given)| given).collect::<Vec<_>>(), versions)
    }
}

/// The versions that hold where these plans were given, the nearest place or group first: ascending, each from the instant at
/// which it takes over. Empty where no plan was given.
#[must_use]
pub fn timeline<G: AsRef<[PlanFrom]>>(nearest_first: &[G], versions: &[(Uuid, Version)]) -> Vec<Version> {
    let mut instants: Vec<Timestamp> = nearest_first.iter().flat_map(|given| given.as_ref()).map(|given| given.from).collect();
    instants.extend(versions.iter().map(|(_, version)| version.from));
    instants.sort_unstable();
    instants.dedup();
    let mut line: Vec<Version> = Vec::new();
    for at in instants {
        let Some(version) = in_force(nearest_first, versions, at) else { continue };
        if line.last().is_none_or(|last| last.id != version.id) {
            line.push(Version { from: at, ..version.clone() });
        }
    }
    line
}

/// The plan that decides at an instant, of the nearest place or group that has one then: the position of that, the plan, and
/// since when it decides: since it was given, or since the last plan of a nearer group was taken away.
fn deciding<G: AsRef<[PlanFrom]>>(nearest_first: &[G], at: Timestamp) -> Option<(usize, Uuid, Timestamp)> {
    let mut taken: Option<Timestamp> = None;
    for (nearest, given) in nearest_first.iter().enumerate() {
        let newest = given.as_ref().iter().filter(|given| given.from <= at).max_by_key(|given| given.from);
        let Some(PlanFrom { plan, from }) = newest else { continue };
        let since = taken.map_or(*from, |taken| taken.max(*from));
        if let Some(plan) = plan {
            return Some((nearest, *plan, since));
        }
        taken = Some(since);
    }
    None
}

fn in_force<'a, G: AsRef<[PlanFrom]>>(
    nearest_first: &[G],
    versions: &'a [(Uuid, Version)],
    at: Timestamp,
) -> Option<&'a Version> {
    let (_, plan, _) = deciding(nearest_first, at)?;
    let of_plan: Vec<&Version> = versions.iter().filter(|(of, _)| *of == plan).map(|(_, version)| version).collect();
    tariff::in_force(&of_plan, at, |version| version.from).map(|(version, _)| *version)
}

#[cfg(test)]
mod tests {
    use super::super::defaults::GroupSettings;
    use super::*;
    use model::tariff::Prices;

    fn version(plan: u128, id: u128, from: i64) -> (Uuid, Version) {
        let version = Version { id: Uuid::from_u128(id), from: Timestamp(from), prices: Prices::flat(1) };
        (Uuid::from_u128(plan), version)
    }

    fn given(plan: u128, from: i64) -> PlanFrom {
        PlanFrom { plan: Some(Uuid::from_u128(plan)), from: Timestamp(from) }
    }

    #[test]
    fn the_nearest_place_wins_and_versions_apply_in_order() {
        let versions = [version(1, 11, 0), version(1, 12, 500), version(2, 21, 100), version(2, 22, 900)];
        let line = |nearest_first: &[&[PlanFrom]]| -> Vec<(i64, u128)> {
            timeline(nearest_first, &versions).iter().map(|v| (v.from.0, v.id.as_u128())).collect()
        };
        assert_eq!(line(&[]), []);
        assert_eq!(line(&[&[], &[given(1, 0)]]), [(0, 11), (500, 12)]);
        assert_eq!(line(&[&[given(2, 300)], &[given(1, 0)]]), [(0, 11), (300, 21), (900, 22)]);
        assert_eq!(line(&[&[given(2, 50)]]), [(50, 21), (900, 22)], "its first version holds before its instant");
        assert_eq!(line(&[&[given(2, 0), given(1, 600)]]), [(0, 21), (600, 12)], "another plan at the same place");
        let ended = PlanFrom { plan: None, from: Timestamp(400) };
        assert_eq!(line(&[&[given(2, 300), ended], &[given(1, 0)]]), [(0, 11), (300, 21), (400, 11), (500, 12)]);
    }

    #[test]
    fn a_groups_plan_ranks_between_a_place_and_its_parents() {
        let place = |n| PlaceId(Uuid::from_u128(n));
        let group = |n| PlaceGroupId(Uuid::from_u128(n));
        let of_group = |n, plans: Vec<PlanFrom>, places: &[u128]| GroupSettings {
            id: group(n),
            own: plans,
            places: places.iter().map(|n| place(*n)).collect(),
        };
        let tree = PlanTree {
            places: [
                (place(1), (None, vec![given(1, 0)])),
                (place(2), (Some(place(1)), Vec::new())),
                (place(3), (Some(place(2)), Vec::new())),
                (place(4), (Some(place(2)), vec![given(4, 0)])),
            ]
            .into(),
            groups: vec![
                of_group(8, vec![given(8, 100), PlanFrom { plan: None, from: Timestamp(200) }], &[2, 4]),
                of_group(9, vec![given(9, 50)], &[3, 2]),
            ],
        };
        let at = |n, at| tree.plan_at(place(n), Timestamp(at)).map(|(plan, of, from)| (plan.as_u128(), of, from.0));
        assert_eq!(at(1, 300), Some((1, DefaultsOf::Place(place(1)), 0)));
        assert_eq!(at(2, 40), Some((1, DefaultsOf::Place(place(1)), 0)), "before the groups have plans");
        assert_eq!(at(2, 150), Some((8, DefaultsOf::Group(group(8)), 100)), "the first of two groups");
        assert_eq!(at(2, 300), Some((9, DefaultsOf::Group(group(9)), 200)), "the first has none any more, and since then");
        assert_eq!(at(3, 150), Some((9, DefaultsOf::Group(group(9)), 50)), "its own group goes before that of its floor");
        assert_eq!(at(4, 150), Some((4, DefaultsOf::Place(place(4)), 0)), "its own plan goes before its group's");
        let yields = |n, at| tree.yielding_groups(place(n), Timestamp(at));
        assert_eq!([yields(2, 150), yields(3, 150), yields(4, 150)], [vec![group(9)], vec![group(8)], vec![group(8), group(9)]]);
        assert!(yields(2, 300).is_empty() && yields(2, 40).is_empty(), "only those that have one then");
    }

    #[test]
    fn a_move_or_merge_reprices_what_gets_its_plan_from_above() {
        let (place, id) = (|n| PlaceId(Uuid::from_u128(n)), Uuid::from_u128);
        // Buildings 1 and 2 with the floors 11, 12 and 21; rooms 111, 112 and 211, of which 112 has a plan of its own.
        let above = [(1, None), (2, None), (11, Some(1)), (12, Some(1)), (21, Some(2)), (111, Some(11)), (112, Some(11))];
        let mut tree = PlanTree::default();
        for (one, parent) in above.into_iter().chain([(211, Some(21))]) {
            let own = [1, 2, 112].contains(&one).then(|| given(one, 0));
            tree.places.insert(place(one), (parent.map(place), own.into_iter().collect()));
        }
        let rooms = [place(111), place(112)];
        let repriced = |tree: &PlanTree, steps: &[MergeStep]| {
            let found = tree.repriced(steps, &rooms, Timestamp(9));
            found.into_iter().map(|one| (one.place, one.before, one.after)).collect::<Vec<_>>()
        };
        let moved = |one, parent| MergeStep::Place { place: place(one), parent: place(parent) };
        let ends = |from, into| MergeStep::Absorb { from: place(from), into: place(into) };
        assert_eq!(repriced(&tree, &[moved(11, 2)]), [(place(11), Some(id(1)), Some(id(2)))], "once for the floor");
        assert_eq!(repriced(&tree, &[moved(111, 12)]), [], "the plan of the building is the same");
        assert_eq!(repriced(&tree, &[moved(112, 21)]), [], "it has its own");
        let merged = [moved(111, 21), moved(112, 21), ends(11, 21)];
        assert_eq!(repriced(&tree, &merged), [(place(111), Some(id(1)), Some(id(2)))]);
        assert_eq!(repriced(&tree, &[ends(112, 111)]), [(place(112), Some(id(112)), Some(id(1)))], "its own ends");
        // The plan of a group goes along, one of its own keeps a floor as it was, and a building may have none.
        let of_group = GroupSettings { id: PlaceGroupId(id(8)), own: vec![given(8, 0)], places: [place(11)].into() };
        let grouped = PlanTree { groups: vec![of_group], ..tree.clone() };
        assert_eq!(repriced(&grouped, &[moved(11, 2)]), []);
        assert_eq!(repriced(&grouped, &merged[..2]), [(place(111), Some(id(8)), Some(id(2)))]);
        assert_eq!(repriced(&grouped, &merged), [], "the other floor joins the group");
        let mut own = tree.clone();
        own.places.insert(place(11), (Some(place(1)), vec![given(1, 5)]));
        assert_eq!(repriced(&own, &[moved(11, 2)]), []);
        tree.places.insert(place(2), (None, Vec::new()));
        assert_eq!(repriced(&tree, &[moved(11, 2)]), [(place(11), Some(id(1)), None)]);
    }
}
