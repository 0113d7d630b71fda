//! Which default parameters and friendly hours apply to a place: its own, else those of its groups, else those of the next place
//! above that has some.

use std::collections::{HashMap, HashSet};

use model::defaults::{DefaultKind, DefaultValues, DefaultsOf};
use model::friendly::FriendlyHours;
use model::ids::{PlaceGroupId, PlaceId};

/// Places above each other that are followed, so that a broken tree ends.
const LEVELS: usize = 16;

/// What is set for the places and groups of a site.
#[derive(Clone, Debug, Default)]
pub struct SettingsTree<V> {
    /// All places, with what is above each and what is set for it.
    pub places: HashMap<PlaceId, (Option<PlaceId>, V)>,
    /// The groups with values of their own. Where several name a place, the first that has a value decides.
    pub groups: Vec<GroupSettings<V>>,
}

/// What is set for a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings<V> {
    pub id: PlaceGroupId,
    pub own: V,
    pub places: HashSet<PlaceId>,
}

/// Default parameters, each inherited by itself.
pub type DefaultsTree = SettingsTree<DefaultValues>;

/// Friendly hours, inherited as a whole.
pub type FriendlyTree = SettingsTree<Option<FriendlyHours>>;

impl<V: Clone + Default> SettingsTree<V> {
    /// What is set for exactly this.
    #[must_use]
    pub fn own(&self, of: DefaultsOf) -> V {
        let own = match of {
            DefaultsOf::Place(place) => self.places.get(&place).map(|(_, own)| own),
            DefaultsOf::Group(id) => self.groups.iter().find(|group| group.id == id).map(|group| &group.own),
        };
        own.cloned().unwrap_or_default()
    }

    /// What is set for a place, its groups, and the places above with theirs; what goes first comes first.
    pub fn nearest_first(&self, place: PlaceId) -> impl Iterator<Item = (DefaultsOf, &V)> {
        let above = |id: &PlaceId| self.places.get(id).and_then(|(parent, _)| *parent);
        let up = std::iter::successors(Some(place), above).take(LEVELS);
        up.flat_map(|id| {
            let own = self.places.get(&id).map(|(_, own)| (DefaultsOf::Place(id), own));
            let groups = self.groups.iter().filter(move |group| group.places.contains(&id));
            own.into_iter().chain(groups.map(|group| (DefaultsOf::Group(group.id), &group.own)))
        })
    }
}

impl FriendlyTree {
    /// The friendly hours that apply to a place, and for what they are set.
    #[must_use]
    pub fn nearest(&self, place: PlaceId) -> Option<(&FriendlyHours, DefaultsOf)> {
        self.nearest_first(place).find_map(|(of, own)| own.as_ref().map(|hours| (hours, of)))
    }
}

impl DefaultsTree {
    /// The values that apply to a place, and for what each is set.
    #[must_use]
    pub fn effective(&self, place: PlaceId) -> [Option<(u32, DefaultsOf)>; DefaultKind::ALL.len()] {
        let mut found = [None; DefaultKind::ALL.len()];
        for (of, own) in self.nearest_first(place) {
            for (kind, found) in DefaultKind::ALL.into_iter().zip(&mut found) {
                *found = found.or_else(|| own.get(kind).map(|value| (value, of)));
            }
        }
        found
    }

    /// The values of [`Self::effective`] without the place or group that each comes from.
    #[must_use]
    pub fn values(&self, place: PlaceId) -> DefaultValues {
        self.effective(place).into_iter().map(|value| value.map(|(value, _)| value)).collect()
    }

    /// Whether alarm 2 is at most alarm 1 at every place that sets one of them or is in a group that does; values
    /// that it inherits count too.
    #[must_use]
    pub fn alarms_fit(&self) -> bool {
        let sets_alarm =
            |own: &DefaultValues| [DefaultKind::Alarm1, DefaultKind::Alarm2].iter().any(|kind| own.get(*kind).is_some());
        let own = self.places.iter().filter(|(_, (_, own))| sets_alarm(own)).map(|(place, _)| *place);
        let grouped = self.groups.iter().filter(|group| sets_alarm(&group.own)).flat_map(|group| group.places.iter().copied());
        own.chain(grouped).all(|place| self.values(place).alarms_fit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    const fn id(n: u128) -> PlaceId {
        PlaceId(Uuid::from_u128(n))
    }

    fn own(values: [Option<u32>; 6]) -> DefaultValues {
        DefaultValues(values)
    }

    fn tree(places: &[(u128, Option<u128>, [Option<u32>; 6])], groups: &[(u128, [Option<u32>; 6], &[u128])]) -> DefaultsTree {
        let places = places.iter().map(|(place, parent, values)| (id(*place), (parent.map(id), own(*values))));
        let groups = groups.iter().map(|(group, values, places)| GroupSettings {
            id: PlaceGroupId(Uuid::from_u128(*group)),
            own: own(*values),
            places: places.iter().map(|place| id(*place)).collect(),
        });
        DefaultsTree { places: places.collect(), groups: groups.collect() }
    }

    const NONE: [Option<u32>; 6] = [None; 6];

    #[test]
    fn alarms_are_in_order_at_each_place_below() {
        let alarms = |first, second| [first, second, None, None, None, None];
        let site = |alarm1| {
            tree(
                &[
                    (1, None, alarms(Some(alarm1), Some(500))),
                    (2, Some(1), NONE),
                    (3, Some(2), alarms(None, Some(1_500))),
                    (4, Some(1), alarms(Some(400), None)),
                ],
                &[],
            )
        };
        let mut good = site(2_000);
        assert!(!good.alarms_fit(), "the fourth inherits an alarm 2 above its own alarm 1");
        good.places.remove(&id(4));
        assert!(good.alarms_fit());
        let mut bad = site(1_000);
        bad.places.remove(&id(4));
        assert!(!bad.alarms_fit(), "a place two levels below has alarm 2 above alarm 1");
        let mut grouped =
            tree(&[(1, None, alarms(Some(2_000), Some(500))), (2, Some(1), NONE)], &[(9, alarms(Some(100), None), &[2])]);
        assert!(!grouped.alarms_fit(), "a group's alarm 1 below the site's alarm 2");
        grouped.groups.clear();
        assert!(grouped.alarms_fit());
    }

    #[test]
    fn the_nearest_value_above_applies() {
        let tree = tree(
            &[
                (1, None, [Some(2_000), Some(500), Some(0), None, None, Some(900)]),
                (2, Some(1), [None, Some(300), None, None, Some(1_800), None]),
                (3, Some(2), [None, None, Some(10), None, None, None]),
            ],
            &[],
        );
        let of = |n| DefaultsOf::Place(id(n));
        let expected =
            [Some((2_000, of(1))), Some((300, of(2))), Some((10, of(3))), None, Some((1_800, of(2))), Some((900, of(1)))];
        assert_eq!(tree.effective(id(3)), expected);
        assert_eq!(tree.values(id(2)), own([Some(2_000), Some(300), Some(0), None, Some(1_800), Some(900)]));
        assert_eq!(tree.values(id(7)), DefaultValues::default());
    }

    #[test]
    fn a_group_goes_before_what_is_above_its_places() {
        let power = |w| [None, None, None, None, w, None];
        let tree = tree(
            &[(1, None, power(Some(1_000))), (2, Some(1), NONE), (3, Some(2), NONE), (4, Some(2), power(Some(500)))],
            &[(8, NONE, &[3]), (9, power(Some(3_500)), &[3, 4]), (10, power(Some(9_000)), &[2, 3])],
        );
        let of = |place| tree.effective(id(place))[DefaultKind::Overload as usize];
        assert_eq!(of(1), Some((1_000, DefaultsOf::Place(id(1)))));
        assert_eq!(of(2), Some((9_000, DefaultsOf::Group(PlaceGroupId(Uuid::from_u128(10))))));
        assert_eq!(of(3), Some((3_500, DefaultsOf::Group(PlaceGroupId(Uuid::from_u128(9))))), "the first group with a value");
        assert_eq!(of(4), Some((500, DefaultsOf::Place(id(4)))), "its own goes before its groups");
    }

    #[test]
    fn friendly_hours_are_inherited_as_a_whole() {
        let weekends = FriendlyHours { weekends: true, ..FriendlyHours::default() };
        let tree = FriendlyTree {
            places: [(id(1), (None, Some(weekends.clone()))), (id(2), (Some(id(1)), None)), (id(3), (Some(id(2)), None))].into(),
            groups: vec![GroupSettings {
                id: PlaceGroupId(Uuid::from_u128(9)),
                own: Some(FriendlyHours::default()),
                places: [id(3)].into(),
            }],
        };
        assert_eq!(tree.nearest(id(2)), Some((&weekends, DefaultsOf::Place(id(1)))));
        let of_group = DefaultsOf::Group(PlaceGroupId(Uuid::from_u128(9)));
        assert_eq!(tree.nearest(id(3)), Some((&FriendlyHours::default(), of_group)), "weekends are not friendly there");
        assert_eq!(tree.nearest(id(7)), None);
    }

    #[test]
    fn zero_is_a_value_and_not_inherited() {
        let tree = tree(&[(1, None, [Some(2_000); 6]), (2, Some(1), [Some(0); 6])], &[]);
        assert_eq!(tree.values(id(2)), own([Some(0); 6]));
    }
}
