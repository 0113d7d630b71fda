//! When one person alone may let money go: up to a sum a day, and as cash only what came in as cash.

use model::money::Fen;

/// What went out today without a second person, and what cash is behind a pay-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaidToday {
    /// Asked for by the same operator.
    pub by_operator: Fen,
    /// Out of the same meter.
    pub of_meter: Fen,
    /// What is left of the cash that was paid in, where the money leaves as cash.
    pub cash: Option<Fen>,
}

impl PaidToday {
    /// Whether an amount needs a second person. The limit is for all amounts of an operator in a day, and for all of a meter:
    /// many small ones are one large one. What did not come in cash does not leave as cash unseen.
    #[must_use]
    pub fn needs_second(&self, amount: Fen, limit: i64) -> bool {
        let most = self.by_operator.0.max(self.of_meter.0);
        let above = amount.0.saturating_add(most) > limit;
        above || self.cash.is_some_and(|cash| amount > cash)
    }
}

/// Money that went into a wallet or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Paid in cash.
    Cash(Fen),
    /// A subsidy, through a channel, by card, by transfer, or carried over from another meter.
    Other(Fen),
    /// Returned to the resident.
    Out(Fen),
}

/// How much of what a wallet holds was paid in cash. `moves` are the newest first. What was used is the oldest, and what was
/// given back is the newest cash before it: so no cash is given back twice.
#[must_use]
pub fn cash_left(held: Fen, moves: impl IntoIterator<Item = Move>) -> Fen {
    let (mut held, mut out, mut cash) = (held.max(Fen::ZERO), Fen::ZERO, Fen::ZERO);
    for step in moves {
        match step {
            Move::Out(amount) => out = out + amount,
            Move::Other(amount) => held = held - amount.min(held),
            Move::Cash(amount) => {
                let gone = amount.min(out);
                out = out - gone;
                let of_it = (amount - gone).min(held);
                held = held - of_it;
                cash = cash + of_it;
            }
        }
        if held == Fen::ZERO {
            break;
        }
    }
    cash
}

#[cfg(test)]
mod tests {
    use super::*;
    use Move::{Cash, Other, Out};
    use proptest::prelude::*;

    #[test]
    fn small_amounts_of_a_day_are_added_up() {
        let needs = |amount, today: PaidToday| today.needs_second(Fen(amount), 1_000);
        assert!(!needs(400, PaidToday { by_operator: Fen(600), ..PaidToday::default() }));
        assert!(needs(401, PaidToday { by_operator: Fen(600), ..PaidToday::default() }));
        assert!(needs(401, PaidToday { of_meter: Fen(600), ..PaidToday::default() }));
        assert!(!needs(400, PaidToday { cash: Some(Fen(400)), ..PaidToday::default() }));
        assert!(needs(400, PaidToday { cash: Some(Fen(399)), ..PaidToday::default() }), "not paid in cash");
        assert!(needs(1, PaidToday { cash: Some(Fen::ZERO), ..PaidToday::default() }), "whatever the amount");
    }

    #[test]
    fn what_is_left_is_the_newest() {
        let left = |held, moves: &[Move]| cash_left(Fen(held), moves.iter().copied()).0;
        assert_eq!(left(300, &[Cash(Fen(300))]), 300);
        assert_eq!(left(200, &[Other(Fen(200)), Cash(Fen(5_000))]), 0, "the cash of long ago is used up");
        assert_eq!(left(300, &[Other(Fen(200)), Cash(Fen(5_000))]), 100);
        assert_eq!(left(300, &[Cash(Fen(100)), Other(Fen(200))]), 100);
        assert_eq!(left(200, &[Out(Fen(100)), Cash(Fen(100)), Other(Fen(200))]), 0, "given back before");
        assert_eq!(left(500, &[]), 0, "nobody knows where it is from");
        assert_eq!(left(-5, &[Cash(Fen(100))]), 0);
    }

    fn moves() -> impl Strategy<Value = Vec<(u8, i64)>> {
        prop::collection::vec((0..4_u8, 1..500_i64), 0..60)
    }

    proptest! {
        /// However amounts are split over operators and meters: what an operator lets go alone in a day, and what leaves a meter
        /// without a second person, stays within the limit.
        #[test]
        fn nobody_alone_gives_more_than_the_limit_in_a_day(
            limit in 0..1_000_i64,
            wishes in prop::collection::vec((0..3_usize, 0..3_usize, 1..400_i64), 0..60),
        ) {
            let (mut operators, mut meters) = ([0_i64; 3], [0_i64; 3]);
            for (who, meter, amount) in wishes {
                let today = PaidToday { by_operator: Fen(operators[who]), of_meter: Fen(meters[meter]), cash: None };
                if !today.needs_second(Fen(amount), limit) {
                    operators[who] += amount;
                    meters[meter] += amount;
                }
                prop_assert!(operators.iter().chain(&meters).all(|sum| *sum <= limit));
            }
        }

        /// Whatever is sold, granted, used and given back in whatever order: as cash never more leaves than came as cash, and
        /// right after a subsidy that is all that a wallet holds nothing does.
        #[test]
        fn no_more_leaves_as_cash_than_came_as_cash(steps in moves()) {
            let (mut held, mut came, mut left, mut past) = (0_i64, 0_i64, 0_i64, Vec::new());
            for (kind, amount) in steps {
                match kind {
                    0 => { past.insert(0, Cash(Fen(amount))); held += amount; came += amount; }
                    1 => { past.insert(0, Other(Fen(amount))); held += amount; }
                    2 => held -= amount.min(held),
                    _ => {
                        let back = cash_left(Fen(held), past.iter().copied()).0.min(amount);
                        if back > 0 {
                            past.insert(0, Out(Fen(back)));
                            held -= back;
                            left += back;
                        }
                    }
                }
                prop_assert!(left <= came && held >= 0);
                if let Some(Other(newest)) = past.first() && newest.0 >= held {
                    prop_assert_eq!(cash_left(Fen(held), past.iter().copied()), Fen::ZERO);
                }
            }
        }
    }
}
