//! The amounts that a top-up offers, learned from what was bought and used before. Pure.

use model::energy::Energy;
use model::money::{Fen, Money};

/// Amounts that are offered.
const OFFERED: usize = 3;
/// Offered as far as nothing was learned, in this order.
const USUAL: [Fen; 6] = [Fen(5_000), Fen(10_000), Fen(20_000), Fen(2_000), Fen(1_000), Fen(50_000)];
/// Days that the use of a month is learned from, at least.
const FEWEST_DAYS: usize = 7;
/// An amount that lasts for a month is a multiple of this.
const TEN_YUAN: i64 = 1_000;

/// The amounts to offer, ascending, and the one that is most likely wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amounts {
    pub offered: Vec<Fen>,
    /// `None` where none is within the limits.
    pub likely: Option<Fen>,
}

/// What is bought again and again comes first, then what lasts for a month, then what was bought last. `bought` are the last
/// purchases, newest first, and `month` is what a month costs.
#[must_use]
pub fn amounts(bought: &[Fen], month: Option<Fen>, (min, max): (Fen, Fen)) -> Amounts {
    let times = |amount: Fen| bought.iter().filter(|one| **one == amount).count();
    let mut often: Vec<Fen> = bought.iter().copied().filter(|amount| times(*amount) > 1).collect();
    // Stable: of those that were bought equally often, the newest first.
    often.sort_by_key(|amount| std::cmp::Reverse(times(*amount)));
    let wanted = often.into_iter().chain(month).chain(bought.first().copied()).chain(USUAL);
    let mut offered: Vec<Fen> = Vec::new();
    for amount in wanted.filter(|amount| *amount >= min && *amount <= max) {
        if offered.len() < OFFERED && !offered.contains(&amount) {
            offered.push(amount);
        }
    }
    let likely = offered.first().copied();
    offered.sort_unstable();
    Amounts { offered, likely }
}

/// What thirty days cost by the energy of the last full days, rounded up to ten yuan; `None` of too few days.
#[must_use]
pub fn month_cost(days: &[Energy], price: Money) -> Option<Fen> {
    if days.len() < FEWEST_DAYS {
        return None;
    }
    let used: i128 = days.iter().map(|energy| i128::from(energy.0)).sum();
    let count = i128::try_from(days.len()).ok()?;
    // Wh times 0.0001 yuan a kWh is 1e-7 yuan, and a fen is 100,000 of them.
    let fen = i64::try_from(used * 30 * i128::from(price.0) / count / 100_000).ok()?;
    (fen > 0).then_some(Fen((fen + TEN_YUAN - 1) / TEN_YUAN * TEN_YUAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: (Fen, Fen) = (Fen(100), Fen(100_000));

    fn offered(bought: &[i64], month: Option<i64>, limits: (Fen, Fen)) -> (Vec<i64>, Option<i64>) {
        let bought: Vec<Fen> = bought.iter().copied().map(Fen).collect();
        let found = amounts(&bought, month.map(Fen), limits);
        (found.offered.into_iter().map(|fen| fen.0).collect(), found.likely.map(|fen| fen.0))
    }

    #[test]
    fn what_is_bought_often_comes_first() {
        assert_eq!(offered(&[], None, LIMITS), (vec![5_000, 10_000, 20_000], Some(5_000)));
        assert_eq!(offered(&[3_000, 8_000, 3_000, 8_000, 8_000], None, LIMITS), (vec![3_000, 5_000, 8_000], Some(8_000)));
        assert_eq!(offered(&[3_000, 8_000, 8_000, 3_000], None, LIMITS).1, Some(3_000), "the newest of two");
        assert_eq!(offered(&[7_700], Some(6_000), LIMITS), (vec![5_000, 6_000, 7_700], Some(6_000)));
        assert_eq!(offered(&[5_000, 5_000], Some(5_000), LIMITS), (vec![5_000, 10_000, 20_000], Some(5_000)), "each once");
    }

    #[test]
    fn nothing_outside_the_limits_is_offered() {
        assert_eq!(offered(&[90_000, 90_000], None, (Fen(100), Fen(4_000))), (vec![1_000, 2_000], Some(2_000)));
        assert_eq!(offered(&[5_000], None, (Fen(100), Fen(50))), (vec![], None));
    }

    #[test]
    fn a_month_is_rounded_up_to_ten_yuan() {
        // 4 kWh a day at 0.54 yuan are 64.80 yuan in thirty days.
        assert_eq!(month_cost(&[Energy(4_000); 7], Money(5_400)), Some(Fen(7_000)));
        assert_eq!(month_cost(&[Energy(4_000); 6], Money(5_400)), None);
        assert_eq!(month_cost(&[Energy(0); 9], Money(5_400)), None);
    }
}
