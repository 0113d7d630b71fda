//! Energy between two readings, split over the hours and days it may have passed in: pure.

use app::model::energy::Energy;
use app::model::time::{Date, HOUR, Timestamp};

/// Splits the energy that passed between two readings at the hours, as if it had passed evenly. The parts sum to the whole.
pub fn by_hour(from: Timestamp, to: Timestamp, energy: Energy) -> impl Iterator<Item = (i64, Energy)> {
    let span = to.since(from).max(1);
    // Cut where the whole's share up to an instant is rounded, so that nothing is lost between two parts.
    let until = move |at: i64| i64::try_from(i128::from(energy.0) * i128::from(at - from.0) / i128::from(span)).unwrap_or(0);
    let last = Timestamp(to.0 - 1).hour().max(from.hour());
    (from.hour()..=last).map(move |hour| {
        let start = (hour * HOUR).max(from.0);
        let end = if hour == last { from.0 + span } else { (hour + 1) * HOUR };
        (hour, Energy(until(end) - until(start)))
    })
}

/// The Shanghai day of an hour.
#[must_use]
pub const fn day_of(hour: i64) -> Date {
    Timestamp(hour * HOUR).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::time::MINUTE;
    use proptest::prelude::*;

    fn split(from: i64, to: i64, wh: i64) -> Vec<(i64, i64)> {
        by_hour(Timestamp(from), Timestamp(to), Energy(wh)).map(|(hour, energy)| (hour, energy.0)).collect()
    }

    #[test]
    fn energy_goes_to_the_hours_it_passed_in() {
        assert_eq!(split(10 * MINUTE, 40 * MINUTE, 500), [(0, 500)]);
        assert_eq!(split(30 * MINUTE, 90 * MINUTE, 500), [(0, 250), (1, 250)]);
        assert_eq!(split(45 * MINUTE, 3 * HOUR, 900), [(0, 100), (1, 400), (2, 400)]);
        assert_eq!(split(HOUR, 2 * HOUR, 7), [(1, 7)]);
        assert_eq!(split(HOUR, HOUR, 7), [(1, 7)]);
    }

    #[test]
    fn days_change_at_midnight_in_shanghai() {
        assert_eq!(day_of(15), Date(0));
        assert_eq!(day_of(16), Date(1));
    }

    proptest! {
        #[test]
        fn no_energy_is_lost_or_made(from in 0..10_000_000_000_i64, span in 1..200_000_000_i64, wh in 0..15_000_000_i64) {
            let parts = split(from, from + span, wh);
            prop_assert_eq!(parts.iter().map(|p| p.1).sum::<i64>(), wh);
            prop_assert!(parts.iter().all(|p| p.1 >= 0));
            prop_assert!(parts.windows(2).all(|w| w[0].0 + 1 == w[1].0));
        }
    }
}
