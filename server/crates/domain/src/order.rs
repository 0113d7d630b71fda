//! What an order may do next, and how large it may be.

use model::error::AppError;
use model::money::Fen;
use model::order::OrderState::{self, Case, Closed, Credited, Paid, Pending, Refunded, Refunding};
use serde::Deserialize;

/// Every step an order may take. Anything else is refused by the `WHERE` of the update that would make it.
///
/// `Closed` to `Paid` is the late payment: the channel says, verified, that money came after
/// we had given up. It is never dropped.
pub const STEPS: &[(OrderState, OrderState)] = &[
    (Pending, Paid),
    (Pending, Closed),
    (Closed, Paid),
    (Paid, Credited),
    (Paid, Case),
    (Paid, Refunding),
    (Case, Paid),
    (Case, Credited),
    (Case, Refunding),
    (Refunding, Refunded),
    (Refunding, Case),
];

/// Whether an order may go from one state to another.
#[must_use]
pub fn may_step(from: OrderState, to: OrderState) -> bool {
    STEPS.contains(&(from, to))
}

/// What one sale may be, and what one meter may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The smallest sale, fen.
    pub min_fen: i64,
    /// The largest sale, fen.
    pub max_fen: i64,
    /// The most a meter may hold, fen; 0 for no limit, as in the meter's own register. The meter checks too, but some do not.
    pub hoarding_fen: i64,
    /// The most orders of one account that wait for payment; its residents are held to those that its residents made. 0 for no
    /// limit.
    pub max_pending: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { min_fen: 100, max_fen: 200_000, hoarding_fen: 500_000, max_pending: 10 }
    }
}

impl Limits {
    /// Checks one sale. `held` is what the meter holds and `coming` what is paid and not yet in it.
    ///
    /// # Errors
    /// [`AppError::AmountOutOfRange`] or [`AppError::HoardingLimit`].
    pub fn check(&self, amount: Fen, held: Fen, coming: Fen) -> Result<(), AppError> {
        if amount.0 < self.min_fen || amount.0 > self.max_fen {
            return Err(AppError::AmountOutOfRange);
        }
        if self.hoarding_fen > 0 && held + coming + amount > Fen(self.hoarding_fen) {
            return Err(AppError::HoardingLimit);
        }
        Ok(())
    }

    /// Checks one more order that waits for payment, beside `pending` others of its account.
    ///
    /// # Errors
    /// [`AppError::TooManyPending`].
    pub const fn check_pending(&self, pending: i64) -> Result<(), AppError> {
        if self.max_pending > 0 && pending >= self.max_pending { Err(AppError::TooManyPending) } else { Ok(()) }
    }

    /// The first setting that makes no sense, with what is wrong with it.
    ///
    /// # Errors
    /// The key's name and the rule it breaks.
    pub const fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if self.min_fen < 1 {
            return Err(("min_fen", "must be at least 1"));
        }
        if self.max_fen < self.min_fen || self.max_fen > Fen::MAX.0 {
            return Err(("max_fen", "must be at least min_fen and at most 10000000000"));
        }
        if self.hoarding_fen != 0 && self.hoarding_fen < self.min_fen {
            return Err(("hoarding_fen", "must be 0 (no limit) or at least min_fen"));
        }
        if self.max_pending < 0 {
            return Err(("max_pending", "must be 0 (no limit) or more"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [OrderState; 7] = [Pending, Paid, Credited, Closed, Refunding, Refunded, Case];

    #[test]
    fn money_that_came_never_becomes_unpaid() {
        for state in ALL.into_iter().filter(|state| !matches!(state, Pending | Closed)) {
            assert!(!may_step(state, Pending) && !may_step(state, Closed), "{state:?}");
        }
    }

    #[test]
    fn nothing_is_credited_unpaid_or_after_the_final_state() {
        assert!(!may_step(Pending, Credited) && !may_step(Closed, Credited));
        for state in ALL {
            assert!(!may_step(Credited, state) && !may_step(Refunded, state), "{state:?}");
            assert!(!may_step(state, state));
        }
        assert!(may_step(Closed, Paid), "a late payment is credited, not dropped");
    }

    #[test]
    fn every_state_is_reached_and_leads_to_an_end() {
        for state in ALL.into_iter().filter(|&state| state != Pending) {
            assert!(STEPS.iter().any(|&(_, to)| to == state), "{state:?} is never reached");
        }
        for state in ALL.into_iter().filter(|state| !state.is_final()) {
            assert!(STEPS.iter().any(|&(from, _)| from == state), "{state:?} leads nowhere");
        }
    }

    #[test]
    fn a_sale_is_bounded_below_above_and_by_what_the_meter_may_hold() {
        let limits = Limits::default();
        let check = |fen, held, coming| limits.check(Fen(fen), Fen(held), Fen(coming));
        assert_eq!(check(99, 0, 0), Err(AppError::AmountOutOfRange));
        assert_eq!(check(100, 0, 0), Ok(()));
        assert_eq!(check(200_000, 0, 0), Ok(()));
        assert_eq!(check(200_001, 0, 0), Err(AppError::AmountOutOfRange));
        assert_eq!(check(200_000, 200_000, 100_000), Ok(()));
        assert_eq!(check(200_000, 200_000, 100_001), Err(AppError::HoardingLimit));
        assert_eq!(check(200_000, -50_000, 350_000), Ok(()), "an overdraft leaves room");
        let unlimited = Limits { hoarding_fen: 0, ..limits };
        assert_eq!(unlimited.check(Fen(100), Fen(9_000_000), Fen::ZERO), Ok(()));
    }

    #[test]
    fn settings_without_sense_are_named() {
        assert_eq!(Limits::default().validate(), Ok(()));
        let broken = Limits { max_fen: 50, ..Limits::default() };
        assert_eq!(broken.validate().unwrap_err().0, "max_fen");
    }

    proptest! {
        /// Whatever is tried in whatever order: nothing is credited that was not paid, nothing credited is refunded, and money
        /// that came never becomes unpaid.
        #[test]
        fn money_goes_one_way(wishes in prop::collection::vec(0..ALL.len(), 0..60)) {
            let (mut state, mut paid) = (Pending, false);
            for to in wishes.into_iter().map(|n| ALL[n]) {
                if !may_step(state, to) {
                    continue;
                }
                prop_assert!(!state.is_final() || (state, to) == (Closed, Paid), "{state:?} was the end");
                paid |= to == Paid;
                prop_assert!(paid || matches!(to, Closed), "{to:?} without money");
                prop_assert!(!paid || !matches!(to, Pending | Closed), "{to:?} with money");
                state = to;
            }
        }
    }
}
