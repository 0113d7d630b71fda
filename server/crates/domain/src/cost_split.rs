//! The cost of a month among the residents of a room. A proposal for people; nothing is booked.

use std::cmp::Reverse;
use std::collections::HashSet;

use model::money::Fen;
use model::time::{Date, Timestamp};

/// What one person takes part with: shares times days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub shares: u32,
    pub days: u32,
}

/// The portions in the order of the parts; they add up to `total`. What is left below a fen goes to the largest remainders, and
/// among equal ones to the first. `None` where nobody takes part, or for an amount below zero.
#[must_use]
pub fn split(total: Fen, parts: &[Part]) -> Option<Vec<Fen>> {
    let weights: Vec<i128> = parts.iter().map(|part| i128::from(part.shares) * i128::from(part.days)).collect();
    let sum: i128 = weights.iter().sum();
    if sum == 0 || total < Fen::ZERO {
        return None;
    }
    let mut portions = Vec::with_capacity(weights.len());
    for weight in weights {
        let exact = i128::from(total.0) * weight;
        portions.push((i64::try_from(exact / sum).ok()?, exact % sum));
    }
    let whole: i64 = portions.iter().map(|(fen, _)| fen).sum();
    let left = usize::try_from(total.0 - whole).ok()?;
    let mut by_remainder: Vec<(usize, i128)> = portions.iter().map(|(_, rest)| *rest).enumerate().collect();
    by_remainder.sort_by_key(|(_, rest)| Reverse(*rest));
    let more: HashSet<usize> = by_remainder.into_iter().take(left).map(|(index, _)| index).collect();
    let portion = |(index, (fen, _)): (usize, (i64, i128))| Fen(fen + i64::from(more.contains(&index)));
    Some(portions.into_iter().enumerate().map(portion).collect())
}

/// The days from `first` to `last` on which somebody lived in the room, the days of moving in and out included.
#[must_use]
pub fn days_present(first: Date, last: Date, from: Timestamp, to: Option<Timestamp>) -> u32 {
    let begin = from.date().max(first);
    let end = to.map_or(last, |to| to.date().min(last));
    u32::try_from(end.0 - begin.0 + 1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portions(total: i64, parts: &[(u32, u32)]) -> Option<Vec<i64>> {
        let parts: Vec<Part> = parts.iter().map(|&(shares, days)| Part { shares, days }).collect();
        split(Fen(total), &parts).map(|portions| portions.into_iter().map(|fen| fen.0).collect())
    }

    #[test]
    fn portions_add_up_to_the_fen() {
        assert_eq!(portions(100, &[(1, 30), (1, 30), (1, 30)]), Some(vec![34, 33, 33]));
        assert_eq!(portions(101, &[(1, 30), (1, 30), (1, 30)]), Some(vec![34, 34, 33]));
        assert_eq!(portions(1, &[(1, 1), (1, 2)]), Some(vec![0, 1]), "the larger remainder");
        for total in 0..500 {
            let split = portions(total, &[(1, 30), (2, 17), (0, 30), (1, 0), (3, 5)]).unwrap();
            assert_eq!(split.iter().sum::<i64>(), total);
            assert_eq!((split[2], split[3]), (0, 0), "whoever takes no part pays nothing");
        }
    }

    #[test]
    fn shares_and_days_multiply() {
        assert_eq!(portions(9_000, &[(1, 30), (2, 30)]), Some(vec![3_000, 6_000]));
        assert_eq!(portions(9_000, &[(2, 15), (1, 30)]), Some(vec![4_500, 4_500]));
        assert_eq!(portions(0, &[(1, 1)]), Some(vec![0]));
        assert_eq!(portions(Fen::MAX.0, &[(u32::MAX, 31), (u32::MAX, 31)]), Some(vec![Fen::MAX.0 / 2; 2]));
    }

    #[test]
    fn nothing_is_split_among_nobody() {
        assert_eq!(portions(100, &[]), None);
        assert_eq!(portions(100, &[(0, 30), (1, 0)]), None);
        assert_eq!(portions(-1, &[(1, 1)]), None);
    }

    #[test]
    fn days_are_counted_within_the_month() {
        let (first, last) = (Date(100), Date(129));
        let noon = |day: i64| Date(day).start().plus(43_200_000);
        assert_eq!(days_present(first, last, noon(3), None), 30);
        assert_eq!(days_present(first, last, noon(110), None), 20);
        assert_eq!(days_present(first, last, noon(110), Some(noon(112))), 3);
        assert_eq!(days_present(first, last, noon(3), Some(noon(99))), 0);
        assert_eq!(days_present(first, last, noon(130), None), 0);
    }
}
