//! How long credit lasts, what a kWh was seen to cost, and which purchase restores the power. `domain::forecast` makes forecasts.

use serde::{Deserialize, Serialize};

use super::energy::Energy;
use super::money::{Fen, Money};

/// How long credit lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Whole days, rounded down; 0 for less than one.
    pub days: i64,
    /// Its range in whole days, which held nine of ten cases on a real load.
    pub earliest: i64,
    pub latest: i64,
    /// Number of full days that it was learned from.
    pub over: usize,
    /// It may be used up before morning.
    pub tonight: bool,
}

/// The energy that `credit` buys at `price` a kWh; `None` where the price is not known.
#[must_use]
pub fn energy_bought(credit: Fen, price: Option<Money>) -> Option<Energy> {
    let price = i128::from(price?.0).max(1);
    i64::try_from(i128::from(credit.money().0) * 1_000 / price).ok().map(Energy)
}

/// What a kWh has cost, from energy and money that a meter was seen to use; `None` where too little was used to tell, or the
/// figures do not fit together (a purchase between them that we do not know of).
#[must_use]
pub fn price_seen(used: Energy, spent: Fen) -> Option<Money> {
    // Half a kWh costs tens of fen, so that the fen a meter has not taken yet is a few per cent.
    const ENOUGH: Energy = Energy(500);
    const PLAUSIBLE: std::ops::RangeInclusive<i64> = 1_000..=50_000;
    if used < ENOUGH {
        return None;
    }
    let price = i64::try_from(i128::from(spent.money().0) * 1_000 / i128::from(used.0)).ok()?;
    PLAUSIBLE.contains(&price).then_some(Money(price))
}

/// The smallest of the offered amounts that lifts `remaining` above zero; else the next ten yuan.
#[must_use]
pub fn amount_to_restore(remaining: Fen, offered: &[Fen]) -> Fen {
    const TEN_YUAN: i64 = 1_000;
    let fits = offered.iter().copied().find(|&amount| remaining + amount > Fen::ZERO);
    fits.unwrap_or_else(|| Fen((-remaining.0 / TEN_YUAN + 1) * TEN_YUAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_bought_is_rounded_down() {
        assert_eq!(energy_bought(Fen(108), Some(Money(5_400))), Some(Energy(2_000)));
        assert_eq!(energy_bought(Fen(107), Some(Money(5_400))), Some(Energy(1_981)));
        assert_eq!(energy_bought(Fen(-500), Some(Money(5_400))), Some(Energy(-9_259)));
        assert_eq!(energy_bought(Fen(108), None), None);
    }

    #[test]
    fn a_price_needs_enough_use_and_figures_that_fit() {
        assert_eq!(price_seen(Energy(10_000), Fen(540)), Some(Money(5_400)));
        assert_eq!(price_seen(Energy(490), Fen(26)), None, "too little to tell");
        assert_eq!(price_seen(Energy(10_000), Fen(-4_460)), None, "a purchase lies between");
        assert_eq!(price_seen(Energy(1_000), Fen(5_054)), None, "a correction lies between");
        assert_eq!(price_seen(Energy(-10), Fen(1)), None);
    }

    #[test]
    fn the_smallest_amount_that_lifts_it_above_zero() {
        let offered = [Fen(2_000), Fen(5_000), Fen(10_000)];
        for (remaining, amount) in [(0, 2_000), (-1_999, 2_000), (-2_000, 5_000), (-10_000, 11_000), (-12_345, 13_000)] {
            assert_eq!(amount_to_restore(Fen(remaining), &offered), Fen(amount), "{remaining}");
        }
    }
}
