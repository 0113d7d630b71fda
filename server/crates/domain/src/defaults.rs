//! Which default parameters apply to a place: its own, else those of the next place above that has them.

use model::defaults::{DefaultKind, DefaultValues};

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

#[cfg(test)]
mod tests {
    use super::*;

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
