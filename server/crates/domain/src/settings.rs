//! What a meter is told so that it is set as another one was: pure.

use model::issue::{Issue, Kind};
use model::meter::ControlMode;
use model::parameters::Parameters;
use model::time::Timestamp;

/// What the new meter is told: what was last read in the old one, the mode that it was in, and what was decided since and not
/// done (`pending`, oldest first), which comes before both.
#[must_use]
pub fn carried(known: Option<&Parameters>, mode: ControlMode, pending: &[Issue], now: Timestamp) -> Vec<Issue> {
    let mut wanted = known.map(|known| of(known, now)).unwrap_or_default();
    if known.is_some() || mode != ControlMode::Prepaid {
        wanted.push(Issue::Mode(mode));
    }
    for issue in pending {
        let issue = match issue {
            // The moment has passed.
            Issue::Standby { prices, at } if *at <= now => Issue::Prices(*prices),
            other => other.clone(),
        };
        if is_setting(&issue) {
            wanted.retain(|one| !gives_way(one, &issue));
            wanted.push(issue);
        }
    }
    wanted
}

fn of(known: &Parameters, now: Timestamp) -> Vec<Issue> {
    let [first, second] = known.day_tables.clone();
    vec![
        Issue::Limits(known.limits),
        Issue::Prices(known.prices_at(now)),
        Issue::Tiers(known.tiers),
        Issue::DayTable { table: 1, slots: first },
        Issue::DayTable { table: 2, slots: second },
        Issue::DatePlan(known.date_plan.clone()),
        match known.switch_over.filter(|at| *at > now) {
            Some(at) => Issue::Standby { prices: known.standby, at },
            // A meter from stock may have a plan of its own.
            None => Issue::Cancel,
        },
    ]
}

/// What lasts: not a clock, a reading, or the resident's own switch.
const fn is_setting(issue: &Issue) -> bool {
    !matches!(issue.kind(), Kind::Clock | Kind::Read | Kind::Switch)
}

/// Whether a later one takes an earlier one's place.
fn gives_way(earlier: &Issue, later: &Issue) -> bool {
    match (earlier, later) {
        (Issue::DayTable { table: one, .. }, Issue::DayTable { table: other, .. }) => one == other,
        (Issue::Standby { .. } | Issue::Cancel, Issue::Standby { .. } | Issue::Cancel) => true,
        _ => earlier.kind() == later.kind(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::parameters::{Limits, Slot};

    const NOW: Timestamp = Timestamp(1_000);

    fn last_read() -> Parameters {
        Parameters {
            limits: Limits { alarm1: 2_000, ..Limits::default() },
            prices: [9, 7, 5, 3],
            standby: [8; 4],
            switch_over: Some(NOW.plus(1)),
            day_tables: [vec![Slot { rate: 4, hour: 0, minute: 0 }], Vec::new()],
            ..Parameters::default()
        }
    }

    #[test]
    fn all_that_was_read_is_told_and_a_plan_stays_one() {
        let told = carried(Some(&last_read()), ControlMode::Guaranteed, &[], NOW);
        assert_eq!(told.len(), 8);
        assert!(told.contains(&Issue::Prices([9, 7, 5, 3])) && told.contains(&Issue::Mode(ControlMode::Guaranteed)));
        assert!(told.contains(&Issue::Standby { prices: [8; 4], at: NOW.plus(1) }));
        let later = carried(Some(&last_read()), ControlMode::Prepaid, &[], NOW.plus(1));
        assert!(later.contains(&Issue::Prices([8; 4])) && later.contains(&Issue::Cancel), "what was planned is in force");
    }

    #[test]
    fn what_was_decided_since_takes_the_place_of_what_was_read() {
        let limits = Limits { alarm1: 3_000, ..Limits::default() };
        let pending = [
            Issue::Clock,
            Issue::Limits(Limits::default()),
            Issue::Limits(limits),
            Issue::DayTable { table: 2, slots: Vec::new() },
            Issue::Mode(ControlMode::Prepaid),
            Issue::Standby { prices: [4; 4], at: NOW },
        ];
        let told = carried(Some(&last_read()), ControlMode::ForcedOff, &pending, NOW);
        let of = |kind: Kind| told.iter().filter(|issue| issue.kind() == kind).cloned().collect::<Vec<_>>();
        assert_eq!(of(Kind::Limits), [Issue::Limits(limits)]);
        assert_eq!(of(Kind::Mode), [Issue::Mode(ControlMode::Prepaid)]);
        assert_eq!(of(Kind::Prices), [Issue::Prices([4; 4])]);
        assert_eq!((of(Kind::DayTable).len(), of(Kind::Clock).len()), (2, 0));
    }

    #[test]
    fn of_a_meter_that_was_never_read_only_decisions_are_known() {
        assert_eq!(carried(None, ControlMode::Prepaid, &[], NOW), []);
        assert_eq!(carried(None, ControlMode::Prepaid, &[Issue::Cancel, Issue::Read], NOW), [Issue::Cancel]);
    }
}
