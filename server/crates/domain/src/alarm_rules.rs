//! Which rule applies where, and what a rule would have raised.

use model::alarm::{AlarmRule, OwnAlarmRule};
use model::event::EventKind;
use model::ids::PlaceId;
use model::time::Timestamp;

use super::alarm::{AlarmChange, AlarmState, Applied, Observation};
use super::defaults::SettingsTree;

/// The rule of a kind at a place: its own, else its groups', else that of what is above, value by value.
#[must_use]
pub fn rule_at(tree: &SettingsTree<OwnAlarmRule>, kind: EventKind, place: PlaceId) -> AlarmRule {
    let own = tree.nearest_first(place).fold(OwnAlarmRule::default(), |nearer, (_, own)| nearer.or(own));
    AlarmRule::of(kind, &own)
}

/// An alarm that would have been raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastAlarm {
    pub since: Timestamp,
    /// `None`: it goes on.
    pub until: Option<Timestamp>,
}

/// Passes what was observed in the past through the engine, with the looks in between that the server takes when a delay is over.
#[derive(Clone, Debug)]
pub struct Replay {
    applied: Applied,
    state: AlarmState,
    holds: bool,
    alarms: Vec<PastAlarm>,
}

impl Replay {
    #[must_use]
    pub const fn new(kind: EventKind, rule: AlarmRule) -> Self {
        let applied = Applied { kind, rule, is_suspended: false };
        Self { applied, state: AlarmState::Clear, holds: false, alarms: Vec::new() }
    }

    /// Observations come in their order.
    pub fn observe(&mut self, at: Timestamp, holds: bool) {
        if let Some(due) = self.applied.due(self.state).filter(|due| *due < at) {
            self.step(due, self.holds);
        }
        self.holds = holds;
        self.step(at, holds);
    }

    /// What was raised until the end.
    #[must_use]
    pub fn finish(mut self, end: Timestamp) -> Vec<PastAlarm> {
        let holds = self.holds;
        self.observe(end, holds);
        self.alarms
    }

    fn step(&mut self, at: Timestamp, holds: bool) {
        let (next, change) = self.applied.step(self.state, Observation::Holds(holds), at);
        self.state = next;
        match change {
            Some(AlarmChange::Raised(since)) => self.alarms.push(PastAlarm { since, until: None }),
            Some(AlarmChange::Cleared(until)) => {
                if let Some(last) = self.alarms.last_mut() {
                    last.until = Some(until);
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;
    use model::time::MINUTE;

    const fn at(minute: i64) -> Timestamp {
        Timestamp(minute * MINUTE)
    }

    fn replay(raise_min: i64, clear_min: i64, seen: &[(i64, bool)], end: i64) -> Vec<PastAlarm> {
        let rule = AlarmRule {
            raise_delay: raise_min * MINUTE,
            clear_delay: clear_min * MINUTE,
            ..AlarmRule::usual(EventKind::Overload)
        };
        let mut replay = Replay::new(EventKind::Overload, rule);
        seen.iter().for_each(|(minute, holds)| replay.observe(at(*minute), *holds));
        replay.finish(at(end))
    }

    #[test]
    fn delays_pass_between_observations() {
        let seen = [(0, true), (3, false), (10, true), (40, false), (42, true), (60, false)];
        let alarm = |since, until: Option<i64>| PastAlarm { since: at(since), until: until.map(at) };
        assert_eq!(replay(0, 0, &seen, 90).len(), 3);
        assert_eq!(replay(5, 5, &seen, 90), [alarm(10, Some(60))]);
        assert_eq!(replay(5, 1, &seen, 90), [alarm(10, Some(40)), alarm(42, Some(60))]);
        assert_eq!(replay(5, 5, &seen[..3], 90), [alarm(10, None)]);
        assert_eq!(replay(60, 0, &seen, 90), []);
    }

    #[test]
    fn the_nearest_value_of_each_field_applies() {
        let id = |n| PlaceId(Uuid::from_u128(n));
        let own = |raise_s, clear_s| OwnAlarmRule { raise_s, clear_s, ..OwnAlarmRule::default() };
        let places = [(id(1), (None, own(Some(60), Some(30)))), (id(2), (Some(id(1)), own(Some(5), None)))];
        let tree = SettingsTree { places: places.into_iter().collect(), groups: Vec::new() };
        let rule = rule_at(&tree, EventKind::MeterLost, id(2));
        assert_eq!((rule.raise_delay, rule.clear_delay), (5_000, 30_000));
        assert_eq!(rule_at(&tree, EventKind::MeterLost, id(9)), AlarmRule::usual(EventKind::MeterLost));
    }
}
