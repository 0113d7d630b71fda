//! Forecast: how long the credit lasts, and which purchase restores the power.

use serde::{Deserialize, Serialize};

use super::energy::Energy;
use super::money::{Fen, Money};
use super::time::Date;

/// Number of full days that the average covers.
pub const WINDOW_DAYS: usize = 7;

/// How long the credit lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// Whole days, rounded down; 0 for less than one.
    pub days: i64,
    /// Number of full days that the average covers.
    pub over: usize,
}

/// The full days before `today` that an average may be taken over, from what was recorded in the last [`WINDOW_DAYS`].
///
/// A day between without a record used nothing, or its energy came with a later reading; either way it counts. The day on which
/// recording began is not a full one.
#[must_use]
pub fn full_days(recorded: &[(Date, Energy)], today: Date) -> Vec<Energy> {
    let window = today.plus(-i64::try_from(WINDOW_DAYS).unwrap_or(0));
    let began = recorded.iter().map(|&(day, _)| day).filter(|&day| day >= window && day < today).min();
    let Some(began) = began else { return Vec::new() };
    let from = if began == window { began } else { began.plus(1) };
    let on = |day: i64| recorded.iter().filter(|&&(date, _)| date.0 == day).map(|&(_, energy)| energy).next();
    (from.0..today.0).map(|day| on(day).unwrap_or(Energy::ZERO)).collect()
}

/// Days that `remaining` lasts at the average of the full days in `used`, at `price` a kWh.
///
/// `None` where it cannot be said: nothing left, no full day yet, nothing used, or no price seen.
#[must_use]
pub fn days_left(remaining: Fen, used: &[Energy], price: Option<Money>) -> Option<Forecast> {
    let over = used.len();
    let (price, days) = (i128::from(price?.0), i128::try_from(over).ok()?);
    let spent: i128 = used.iter().map(|energy| i128::from(energy.0.max(0))).sum::<i128>() * price;
    if remaining <= Fen::ZERO || spent <= 0 {
        return None;
    }
    // remaining [e-4 yuan] / (Wh x e-4 yuan a kWh / 1000 / days), in one division.
    let left = i128::from(remaining.money().0) * 1_000 * days / spent;
    Some(Forecast { days: i64::try_from(left).unwrap_or(i64::MAX), over })
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
    fn days_are_remaining_over_the_average_rounded_down() {
        let week = [Energy(2_000); 7];
        let price = Some(Money(5_400));
        for (remaining, used, expected) in [
            // 2 kWh x 0.54 = 1.08 yuan a day.
            (6_320, &week[..], Some((58, 7))),
            (108, &week, Some((1, 7))),
            (107, &week, Some((0, 7))),
            (0, &week, None),
            (-500, &week, None),
            (6_320, &[], None),
            (6_320, &[Energy(0); 3], None),
            // One idle day counts as a day.
            (216, &[Energy(4_000), Energy(0)], Some((2, 2))),
            // A counter that fell is no negative use.
            (216, &[Energy(4_000), Energy(-9_000)], Some((2, 2))),
        ] {
            let found = days_left(Fen(remaining), used, price).map(|forecast| (forecast.days, forecast.over));
            assert_eq!(found, expected, "{remaining} fen over {used:?}");
        }
        assert_eq!(days_left(Fen(6_320), &week, None), None);
    }

    #[test]
    fn only_full_days_count() {
        let today = Date(20_000);
        let days = |offsets: &[i64]| offsets.iter().map(|&n| (today.plus(-n), Energy(n * 100))).collect::<Vec<_>>();
        let week: Vec<Energy> = (1..=7).rev().map(|n| Energy(n * 100)).collect();
        for (offsets, expected) in [
            (&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0][..], week),
            (&[], vec![]),
            (&[0], vec![]),
            (&[1, 0], vec![]),
            (&[2, 1, 0], vec![Energy(100)]),
            (&[3, 1], vec![Energy(0), Energy(100)]),
            (&[7, 0], vec![Energy(700), Energy(0), Energy(0), Energy(0), Energy(0), Energy(0), Energy(0)]),
        ] {
            assert_eq!(full_days(&days(offsets), today), expected, "{offsets:?}");
        }
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
