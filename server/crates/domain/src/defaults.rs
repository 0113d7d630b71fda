//! Which default parameters apply to a place: its own, else those of the next place above that has them.

use std::collections::HashMap;

use model::defaults::{DefaultKind, DefaultValues};
use model::ids::PlaceId;

/// The values that apply at the end of a path, which goes from the site downwards, and at which step of it each is set.
#[must_use]
pub fn effective(path: &[DefaultValues]) -> [Option<(u32, usize)>; DefaultKind::ALL.len()] {
    DefaultKind::ALL.map(|kind| {
        let set = path.iter().enumerate().rev();
        set.filter_map(|(step, values)| values.get(kind).map(|value| (value, step))).next()
    })
}

/// The same without where they come from.
#[must_use]
pub fn values(path: &[DefaultValues]) -> DefaultValues {
    effective(path).into_iter().map(|value| value.map(|(value, _)| value)).collect()
}

/// Places above each other that are followed, so that a broken tree ends.
const LEVELS: usize = 16;

/// Whether alarm 2 comes after alarm 1 at a place and at each place below it. `places` are all, with their parents
/// and own values.
#[must_use]
pub fn alarms_fit_below(places: &HashMap<PlaceId, (Option<PlaceId>, DefaultValues)>, place: PlaceId) -> bool {
    // Where a place sets neither, what is above it decides.
    let sets_alarm = |own: &DefaultValues| [DefaultKind::Alarm1, DefaultKind::Alarm2].iter().any(|kind| own.get(*kind).is_some());
    let fits = |id: PlaceId| {
        let up = std::iter::successors(Some(id), |id| places.get(id).and_then(|(parent, _)| *parent)).take(LEVELS);
        let mut path: Vec<PlaceId> = up.collect();
        path.reverse();
        let own: Vec<DefaultValues> = path.iter().filter_map(|id| places.get(id).map(|(_, own)| *own)).collect();
        !path.contains(&place) || values(&own).alarms_fit()
    };
    places.iter().filter(|(id, (_, own))| **id == place || sets_alarm(own)).all(|(id, _)| fits(*id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    #[test]
    fn alarms_are_in_order_at_each_place_below() {
        let id = |n| PlaceId(Uuid::from_u128(n));
        let alarms = |first, second| own([first, second, None, None, None]);
        let site = |alarm1| {
            HashMap::from([
                (id(1), (None, alarms(Some(alarm1), Some(500)))),
                (id(2), (Some(id(1)), DefaultValues::default())),
                (id(3), (Some(id(2)), alarms(None, Some(1_500)))),
                (id(4), (Some(id(1)), alarms(Some(400), None))),
            ])
        };
        assert!(alarms_fit_below(&site(2_000), id(2)) && alarms_fit_below(&site(2_000), id(3)));
        assert!(!alarms_fit_below(&site(2_000), id(1)), "the fourth inherits an alarm 2 above its own alarm 1");
        assert!(!alarms_fit_below(&site(1_000), id(2)), "a place two levels below has alarm 2 above alarm 1");
        assert!(!alarms_fit_below(&site(100), id(1)));
    }

    fn own(values: [Option<u32>; 5]) -> DefaultValues {
        DefaultValues(values)
    }

    #[test]
    fn the_nearest_value_above_applies() {
        let site = own([Some(2_000), Some(500), Some(0), None, None]);
        let building = own([None, Some(300), None, None, Some(1_800)]);
        let floor = own([None, None, Some(10), None, None]);
        let found = effective(&[site, building, floor]);
        assert_eq!(found, [Some((2_000, 0)), Some((300, 1)), Some((10, 2)), None, Some((1_800, 1))]);
        assert_eq!(values(&[site, building]), own([Some(2_000), Some(300), Some(0), None, Some(1_800)]));
        assert_eq!(values(&[]), DefaultValues::default());
    }

    #[test]
    fn zero_is_a_value_and_not_inherited() {
        let site = own([Some(2_000); 5]);
        let building = own([Some(0); 5]);
        assert_eq!(effective(&[site, building]), [Some((0, 1)); 5]);
    }
}
