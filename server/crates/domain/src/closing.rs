//! What becomes of what is left in a wallet that is closed: pure.

use model::money::{Fen, Money};

/// What was left, split into what its residents get and what the site keeps or loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalBalance {
    /// Goes back or is carried: whole fen, never negative.
    pub due: Fen,
    /// Written off: what is below a fen the site keeps, what was overdrawn it loses (negative).
    pub written_off: Money,
}

impl FinalBalance {
    /// Of a balance.
    #[must_use]
    pub fn of(balance: Money) -> Self {
        if balance < Money::ZERO {
            return Self { due: Fen::ZERO, written_off: balance };
        }
        let (due, written_off) = balance.split_fen();
        Self { due, written_off }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Nothing of a balance is lost, nobody gets more than there was, and nobody is asked for what was overdrawn.
        #[test]
        fn all_of_it_goes_somewhere(e4 in -10_000_000_i64..10_000_000) {
            let left = FinalBalance::of(Money(e4));
            prop_assert_eq!(left.due.money() + left.written_off, Money(e4));
            prop_assert!(left.due >= Fen::ZERO && left.due.money() <= Money(e4.max(0)));
            prop_assert!(e4 < 0 || (0..100).contains(&left.written_off.0));
        }
    }
}
