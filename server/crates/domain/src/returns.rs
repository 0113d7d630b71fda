//! What a return or correction may do next, and when it needs a second person.

use model::money::Fen;
use model::order::ReturnState::{self, Cancelled, Case, Done, Expired, Refused, Rejected, Taken, Taking, Waiting};
use model::time::{HOUR, Timestamp};
use serde::Deserialize;

use crate::two_person::PaidToday;

/// Every step a return may take. Anything else is refused by the `WHERE` of the update that would make it.
///
/// `Waiting` to `Taken` and to `Done` are the ones without a meter to wait for: a server wallet, what a closing has taken
/// already, and a wrong return taken back. `Case` to `Refused`: the meter is gone, and what
/// was left in it was counted by a person.
pub const STEPS: &[(ReturnState, ReturnState)] = &[
    (Waiting, Taking),
    (Waiting, Taken),
    (Waiting, Done),
    (Waiting, Rejected),
    (Waiting, Cancelled),
    (Waiting, Expired),
    (Taking, Taken),
    (Taking, Refused),
    (Taking, Cancelled),
    (Taking, Case),
    (Case, Taking),
    (Case, Taken),
    (Case, Refused),
    (Taken, Done),
];

/// Whether a return may go from one state to another.
#[must_use]
pub fn may_step(from: ReturnState, to: ReturnState) -> bool {
    STEPS.contains(&(from, to))
}

/// The two-person rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// What one person may let go alone in a day, and out of one meter, fen; 0: nothing.
    pub approve_above_fen: i64,
    /// How long they wait for one, hours.
    pub approval_hours: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { approve_above_fen: 20_000, approval_hours: 24 }
    }
}

impl Rules {
    /// Until when a second person may approve it; `None` where none is needed.
    #[must_use]
    pub fn second_until(&self, amount: Fen, today: &PaidToday, at: Timestamp) -> Option<Timestamp> {
        today.needs_second(amount, self.approve_above_fen).then(|| self.expiry(at))
    }

    /// Until when what is asked now may be approved.
    #[must_use]
    pub fn expiry(&self, at: Timestamp) -> Timestamp {
        at.plus(self.approval_hours * HOUR)
    }

    /// # Errors
    /// The first setting that makes no sense, with the rule that it breaks.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if self.approve_above_fen < 0 {
            return Err(("approve_above_fen", "must be at least 0"));
        }
        if !(1..=24 * 30).contains(&self.approval_hours) {
            return Err(("approval_hours", "must be 1 to 720"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FINAL: [ReturnState; 5] = [Done, Refused, Rejected, Cancelled, Expired];

    #[test]
    fn every_state_is_reached_and_leads_to_an_end() {
        for state in ReturnState::ALL {
            assert!(state == Waiting || STEPS.iter().any(|&(_, to)| to == state), "{state:?} is never reached");
            assert_eq!(FINAL.contains(&state), !STEPS.iter().any(|&(from, _)| from == state), "{state:?}");
        }
    }

    #[test]
    fn settings_without_sense_are_named() {
        assert_eq!(Rules::default().validate(), Ok(()));
        assert_eq!(Rules { approval_hours: 0, ..Rules::default() }.validate().unwrap_err().0, "approval_hours");
    }

    proptest! {
        /// Whatever happens in whatever order: money is paid out only after it was taken, and what was taken is never forgotten.
        #[test]
        fn nothing_is_paid_before_the_meter_gave_it(wishes in prop::collection::vec(0..ReturnState::ALL.len(), 0..40)) {
            let (mut state, mut taken) = (Waiting, false);
            for to in wishes.into_iter().map(|n| ReturnState::ALL[n]) {
                if !may_step(state, to) {
                    continue;
                }
                if to == Done && state != Waiting {
                    prop_assert!(taken, "paid out of {state:?}");
                }
                taken |= to == Taken;
                prop_assert!(!taken || matches!(to, Taken | Done), "taken, and then {to:?}");
                state = to;
            }
        }

        #[test]
        fn one_more_than_the_limit_needs_a_second_person(limit in 0..1_000_000_i64) {
            let rules = Rules { approve_above_fen: limit, approval_hours: 2 };
            let first = PaidToday::default();
            prop_assert_eq!(rules.second_until(Fen(limit), &first, Timestamp(0)), None);
            prop_assert_eq!(rules.second_until(Fen(limit + 1), &first, Timestamp(0)), Some(Timestamp(2 * HOUR)));
        }
    }
}
