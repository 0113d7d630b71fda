//! The alarm engine: from a rule, the state of one alarm and what was observed now follow the next state and what is stored.
//! Pure, and without any memory but the state.

use model::alarm::AlarmRule;
use model::event::EventKind;
use model::time::Timestamp;

/// A raised value must come back by this part of its threshold before the condition is gone, and at least by 1.
const HYSTERESIS_PART: i64 = 5;
/// A wait that ends only when the rule or the gateway changes.
const NEVER: i64 = i64::MAX;

/// The state of one kind at one meter, gateway, instrument or part of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlarmState {
    #[default]
    Clear,
    /// The condition holds since then and is no alarm yet.
    Raising(Timestamp),
    Raised,
    /// An alarm whose condition is gone since then.
    Clearing(Timestamp),
}

/// What was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The condition holds, or does not.
    Holds(bool),
    /// The condition holds and does not pass by itself, so no delay is waited for.
    Lasts,
    /// A value, which the threshold is compared with.
    Value(i64),
    /// A value of at least this: it can show that a threshold was exceeded, but not that it was kept.
    AtLeast(i64),
}

/// What happened to the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmChange {
    /// It was raised; its condition holds since then.
    Raised(Timestamp),
    /// It is over; its condition is gone since then.
    Cleared(Timestamp),
}

/// A rule as it applies to one alarm now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    pub kind: EventKind,
    pub rule: AlarmRule,
    /// The gateway of the meter or instrument is lost: nothing of its own is raised, and what is open stays so.
    pub is_suspended: bool,
}

impl AlarmState {
    /// From what is stored: whether the alarm is open, and since when a change of it waits.
    #[must_use]
    pub const fn from_stored(is_open: bool, waits_since: Option<Timestamp>) -> Self {
        match (is_open, waits_since) {
            (false, None) => Self::Clear,
            (false, Some(since)) => Self::Raising(since),
            (true, None) => Self::Raised,
            (true, Some(since)) => Self::Clearing(since),
        }
    }

    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Raised | Self::Clearing(_))
    }

    #[must_use]
    pub const fn waits_since(self) -> Option<Timestamp> {
        match self {
            Self::Raising(since) | Self::Clearing(since) => Some(since),
            Self::Clear | Self::Raised => None,
        }
    }
}

impl Applied {
    /// The next state, and what happened. To be called again with the same observation when [`Self::due`] says so.
    #[must_use]
    pub fn step(&self, state: AlarmState, seen: Observation, now: Timestamp) -> (AlarmState, Option<AlarmChange>) {
        let holds = match seen {
            Observation::Holds(holds) => holds,
            Observation::Lasts => true,
            Observation::Value(value) => self.is_beyond(value, state.is_open()),
            Observation::AtLeast(value) if self.is_beyond(value, state.is_open()) => true,
            Observation::AtLeast(_) => return (state, None),
        };
        let since = match (state, holds) {
            (AlarmState::Raising(since), true) | (AlarmState::Clearing(since), false) => since,
            _ => now,
        };
        let passed = now.since(since);
        let raise_delay = match (seen, self.raise_delay()) {
            (_, NEVER) => NEVER,
            (Observation::Lasts, _) => 0,
            (_, delay) => delay,
        };
        match (state.is_open(), holds) {
            // Switched off while it was open: the condition is remembered for when it is switched on again.
            (true, true) if !self.rule.is_on => (AlarmState::Raising(since), Some(AlarmChange::Cleared(now))),
            (true, true) => (AlarmState::Raised, None),
            (false, false) => (AlarmState::Clear, None),
            (false, true) if passed >= raise_delay => (AlarmState::Raised, Some(AlarmChange::Raised(since))),
            (false, true) => (AlarmState::Raising(since), None),
            (true, false) if !self.rule.is_on || passed >= self.rule.clear_delay => {
                (AlarmState::Clear, Some(AlarmChange::Cleared(since)))
            }
            (true, false) => (AlarmState::Clearing(since), None),
        }
    }

    /// When a state that waits changes by itself; `None` where it waits for nothing, or for the rule or the gateway.
    #[must_use]
    pub fn due(&self, state: AlarmState) -> Option<Timestamp> {
        let (since, delay) = match state {
            AlarmState::Raising(since) => (since, self.raise_delay()),
            AlarmState::Clearing(since) => (since, self.rule.clear_delay),
            AlarmState::Clear | AlarmState::Raised => return None,
        };
        (delay != NEVER).then(|| since.plus(delay))
    }

    const fn raise_delay(&self) -> i64 {
        if self.rule.is_on && !self.is_suspended { self.rule.raise_delay } else { NEVER }
    }

    /// Whether a value is beyond its threshold, for an open alarm within the hysteresis too.
    fn is_beyond(&self, value: i64, is_open: bool) -> bool {
        let (Some(unit), Some(threshold)) = (self.kind.threshold_unit(), self.rule.threshold) else { return false };
        let band = if is_open { (threshold / HYSTERESIS_PART).max(1) } else { 0 };
        if unit.is_lower_worse() { value < threshold.saturating_add(band) } else { value > threshold.saturating_sub(band) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::alarm::AlarmLevel;
    use model::time::{MINUTE, SECOND};
    use proptest::prelude::*;

    fn applied(kind: EventKind, raise_delay: i64, clear_delay: i64) -> Applied {
        let rule = AlarmRule { is_on: true, level: AlarmLevel::Warning, raise_delay, clear_delay, ..AlarmRule::usual(kind) };
        Applied { kind, rule, is_suspended: false }
    }

    const fn at(minute: i64) -> Timestamp {
        Timestamp(minute * MINUTE)
    }

    /// The states and changes of observations one minute apart.
    fn run(applied: &Applied, seen: &[Observation]) -> (AlarmState, Vec<AlarmChange>) {
        let mut changes = Vec::new();
        let state = (0..).zip(seen).fold(AlarmState::Clear, |state, (minute, seen)| {
            let (next, change) = applied.step(state, *seen, at(minute));
            changes.extend(change);
            next
        });
        (state, changes)
    }

    fn holds(all: &[bool]) -> Vec<Observation> {
        all.iter().map(|one| Observation::Holds(*one)).collect()
    }

    #[test]
    fn without_delays_it_follows_its_condition() {
        let overload = applied(EventKind::Overload, 0, 0);
        let (state, changes) = run(&overload, &holds(&[false, true, true, false, true]));
        assert_eq!(state, AlarmState::Raised);
        assert_eq!(changes, [AlarmChange::Raised(at(1)), AlarmChange::Cleared(at(3)), AlarmChange::Raised(at(4))]);
    }

    #[test]
    fn delays_swallow_what_is_short() {
        let overload = applied(EventKind::Overload, 2 * MINUTE, 2 * MINUTE);
        let (_, changes) = run(&overload, &holds(&[true, true, false, true, true, true, false, true, false, false, false]));
        assert_eq!(changes, [AlarmChange::Raised(at(3)), AlarmChange::Cleared(at(8))]);
    }

    #[test]
    fn what_does_not_pass_by_itself_waits_for_no_delay() {
        let down = applied(EventKind::ChannelDown, 5 * MINUTE, MINUTE);
        assert_eq!(run(&down, &[Observation::Lasts]).1, [AlarmChange::Raised(at(0))]);
        assert_eq!(run(&down, &[Observation::Holds(true), Observation::Lasts]).1, [AlarmChange::Raised(at(0))]);
        let off = Applied { rule: AlarmRule { is_on: false, ..down.rule }, ..down };
        assert_eq!(run(&off, &[Observation::Lasts, Observation::Lasts]).1, []);
    }

    #[test]
    fn a_lost_gateway_suspends_the_alarms_of_its_meters() {
        let lost = Applied { is_suspended: true, ..applied(EventKind::DeliveryStuck, 0, 0) };
        let (state, changes) = run(&lost, &holds(&[true, true, true]));
        assert_eq!((state, changes), (AlarmState::Raising(at(0)), Vec::new()));
        assert_eq!(lost.due(state), None);
        let back = Applied { is_suspended: false, ..lost };
        assert_eq!(back.step(state, Observation::Holds(true), at(9)), (AlarmState::Raised, Some(AlarmChange::Raised(at(0)))));
        assert_eq!(lost.step(AlarmState::Raised, Observation::Holds(true), at(9)), (AlarmState::Raised, None));
    }

    #[test]
    fn switching_off_ends_it_and_on_raises_it_again() {
        let on = applied(EventKind::Overload, 0, MINUTE);
        let off = Applied { rule: AlarmRule { is_on: false, ..on.rule }, ..on };
        let (state, change) = off.step(AlarmState::Raised, Observation::Holds(true), at(5));
        assert_eq!((state, change), (AlarmState::Raising(at(5)), Some(AlarmChange::Cleared(at(5)))));
        assert_eq!(off.step(state, Observation::Holds(true), at(7)), (state, None));
        assert_eq!(on.step(state, Observation::Holds(true), at(8)).1, Some(AlarmChange::Raised(at(5))));
        assert_eq!(off.step(state, Observation::Holds(false), at(9)), (AlarmState::Clear, None));
    }

    #[test]
    fn fewer_days_and_less_space_are_worse() {
        let disk = applied(EventKind::DiskLow, 0, 0);
        let seen = [11, 10, 9, 10, 11, 12].map(Observation::Value);
        assert_eq!(run(&disk, &seen).1, [AlarmChange::Raised(at(2)), AlarmChange::Cleared(at(5))]);
        let backup = applied(EventKind::BackupOverdue, 0, 0);
        assert_eq!(run(&backup, &[26, 27, 22].map(Observation::Value)).1.len(), 1);
        assert_eq!(run(&backup, &[27, 21].map(Observation::Value)).1.len(), 2);
    }

    #[test]
    fn a_lower_bound_raises_an_alarm_and_ends_none() {
        let noise = applied(EventKind::LineNoise, 0, 0);
        let seen = [Observation::Value(21), Observation::AtLeast(1), Observation::AtLeast(25), Observation::Value(1)];
        let (state, changes) = run(&noise, &seen);
        assert_eq!((state, changes), (AlarmState::Clear, vec![AlarmChange::Raised(at(0)), AlarmChange::Cleared(at(3))]));
        assert_eq!(run(&noise, &[Observation::AtLeast(20), Observation::AtLeast(21)]).1, [AlarmChange::Raised(at(1))]);
    }

    proptest! {
        #[test]
        fn within_the_hysteresis_nothing_flaps(values in prop::collection::vec(9_i64..12, 1..200)) {
            let seen: Vec<Observation> = values.into_iter().map(Observation::Value).collect();
            prop_assert!(run(&applied(EventKind::DiskLow, 0, 0), &seen).1.len() <= 1);
        }

        #[test]
        fn a_restart_in_the_middle_changes_nothing(seen in prop::collection::vec(any::<bool>(), 1..100), raise in 0_i64..5) {
            let applied = applied(EventKind::MeterLost, raise * MINUTE, MINUTE);
            let mut stored = (false, None);
            let mut changes = Vec::new();
            for (minute, seen) in (0..).zip(holds(&seen)) {
                let (next, change) = applied.step(AlarmState::from_stored(stored.0, stored.1), seen, at(minute));
                stored = (next.is_open(), next.waits_since());
                changes.extend(change);
            }
            prop_assert_eq!(changes, run(&applied, &holds(&seen)).1);
        }

        #[test]
        fn looking_more_often_changes_nothing(seen in prop::collection::vec(any::<bool>(), 1..60), delay in 0_i64..4) {
            let applied = applied(EventKind::Reverse, delay * MINUTE, delay * MINUTE);
            let (mut state, mut changes) = (AlarmState::Clear, Vec::new());
            for (minute, seen) in (0..).zip(holds(&seen)) {
                for second in [0, 20, 40] {
                    let (next, change) = applied.step(state, seen, at(minute).plus(second * SECOND));
                    state = next;
                    changes.extend(change);
                }
            }
            prop_assert_eq!(changes, run(&applied, &holds(&seen)).1);
        }

        #[test]
        fn raised_and_over_alternate(seen in prop::collection::vec(any::<bool>(), 1..100), raise in 0_i64..3, clear in 0_i64..3) {
            let (_, changes) = run(&applied(EventKind::Overload, raise * MINUTE, clear * MINUTE), &holds(&seen));
            for (n, change) in changes.iter().enumerate() {
                prop_assert_eq!(matches!(change, AlarmChange::Raised(_)), n % 2 == 0);
            }
        }
    }
}
