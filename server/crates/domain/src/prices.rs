//! Which prices hold where and when: the plan of the nearest place decides, and within it the newest version.

use model::tariff;
use model::time::Timestamp;
use uuid::Uuid;

use super::tariff::Version;

/// A plan that holds at a place from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Steps from the meter's own place upwards: 0 is the nearest.
    pub distance: i64,
    pub plan: Uuid,
    pub from: Timestamp,
}

/// The versions that hold at a meter, ascending, each from the instant at which it takes over. Empty where no plan is assigned.
#[must_use]
pub fn timeline(assigned: &[Assigned], versions: &[(Uuid, Version)]) -> Vec<Version> {
    let mut instants: Vec<Timestamp> = assigned.iter().map(|a| a.from).collect();
    instants.extend(versions.iter().map(|(_, version)| version.from));
    instants.sort_unstable();
    instants.dedup();
    let mut line: Vec<Version> = Vec::new();
    for at in instants {
        let Some(version) = in_force(assigned, versions, at) else { continue };
        if line.last().is_none_or(|last| last.id != version.id) {
            line.push(Version { from: at, ..version.clone() });
        }
    }
    line
}

/// The assignment that decides at an instant: of the nearest place, the newest.
#[must_use]
pub fn deciding(assigned: &[Assigned], at: Timestamp) -> Option<&Assigned> {
    assigned.iter().filter(|a| a.from <= at).min_by_key(|a| (a.distance, -a.from.0))
}

fn in_force<'a>(assigned: &[Assigned], versions: &'a [(Uuid, Version)], at: Timestamp) -> Option<&'a Version> {
    let plan = deciding(assigned, at)?.plan;
    let of_plan: Vec<&Version> = versions.iter().filter(|(of, _)| *of == plan).map(|(_, version)| version).collect();
    tariff::in_force(&of_plan, at, |version| version.from).map(|(version, _)| *version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::tariff::Prices;

    fn version(plan: u128, id: u128, from: i64) -> (Uuid, Version) {
        let version = Version { id: Uuid::from_u128(id), from: Timestamp(from), prices: Prices::flat(1) };
        (Uuid::from_u128(plan), version)
    }

    fn assigned(distance: i64, plan: u128, from: i64) -> Assigned {
        Assigned { distance, plan: Uuid::from_u128(plan), from: Timestamp(from) }
    }

    #[test]
    fn the_nearest_place_wins_and_versions_apply_in_order() {
        let versions = [version(1, 11, 0), version(1, 12, 500), version(2, 21, 100), version(2, 22, 900)];
        let line = |assigned: &[Assigned]| -> Vec<(i64, u128)> {
            timeline(assigned, &versions).iter().map(|v| (v.from.0, v.id.as_u128())).collect()
        };
        assert_eq!(line(&[]), []);
        assert_eq!(line(&[assigned(2, 1, 0)]), [(0, 11), (500, 12)]);
        assert_eq!(line(&[assigned(2, 1, 0), assigned(0, 2, 300)]), [(0, 11), (300, 21), (900, 22)]);
        assert_eq!(line(&[assigned(0, 2, 50)]), [(50, 21), (900, 22)], "its first version holds before its instant");
        assert_eq!(line(&[assigned(1, 2, 0), assigned(1, 1, 600)]), [(0, 21), (600, 12)], "another plan at the same place");
    }
}
