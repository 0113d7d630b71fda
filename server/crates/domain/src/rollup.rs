//! Energy between two readings, split over the hours and days it may have passed in: pure.
//!
//! Every hour and day is a sum of shares of stretches, so their sums equal the differences of the counter, whatever is cut how.

use model::energy::Energy;
use model::time::{DAY, Date, HOUR, Timestamp};

/// Energy of a longer time goes to the end of it.
const LONGEST: i64 = 366 * DAY;

/// Of an energy: what flowed backwards, and what fell into each rate; zero where the meter does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    pub reverse: Energy,
    /// Spike, peak, flat, valley.
    pub rates: [Energy; 4],
}

impl Parts {
    /// Each part by a rule.
    #[must_use]
    pub fn map(self, rule: impl Fn(Energy) -> Energy) -> Self {
        Self { reverse: rule(self.reverse), rates: self.rates.map(&rule) }
    }

    /// Part by part.
    #[must_use]
    pub fn zip(self, other: Self, rule: impl Fn(Energy, Energy) -> Energy) -> Self {
        let [a, b, c, d] = self.rates;
        let [e, f, g, h] = other.rates;
        Self { reverse: rule(self.reverse, other.reverse), rates: [rule(a, e), rule(b, f), rule(c, g), rule(d, h)] }
    }
}

/// What passed between two readings, as if it had passed evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumptionInterval {
    /// The earlier reading.
    pub from: Timestamp,
    /// The later one.
    pub to: Timestamp,
    pub energy: Energy,
    pub parts: Parts,
}

impl ConsumptionInterval {
    /// Its energy by the hour since the epoch. The shares sum to the whole.
    pub fn by_hour(&self) -> impl Iterator<Item = (i64, Energy)> + use<> {
        let whole = self.bounded();
        let (first, last) = (whole.from.hour(), whole.last().hour());
        (first..=last).map(move |hour| {
            let (start, end) = (Timestamp(hour * HOUR), Timestamp((hour + 1) * HOUR));
            (hour, whole.share(whole.energy, start, end))
        })
    }

    /// Its energy by the Shanghai day: what its hours sum to.
    pub fn by_day(&self) -> impl Iterator<Item = (Date, Energy, Parts)> + use<> {
        let whole = self.bounded();
        let (first, last) = (whole.from.date().0, whole.last().date().0);
        (first..=last).map(Date).map(move |day| {
            let share = |energy| whole.share(energy, day.start(), day.plus(1).start());
            (day, share(whole.energy), whole.parts.map(share))
        })
    }

    /// Without what is longer ago than a year before its end: a clock that lost its time would make a row for each of
    /// a million hours.
    fn bounded(self) -> Self {
        Self { from: self.from.max(self.to.plus(-LONGEST)), ..self }
    }

    /// In two where a counter between them was read: its parts go with the energy.
    #[must_use]
    pub fn cut(&self, at: Timestamp, before: Energy) -> (Self, Self) {
        let parts = self.parts.map(|part| proportion(part, before.0, self.energy.0));
        let rest = self.parts.zip(parts, |whole, part| whole - part);
        (Self { to: at, energy: before, parts, ..*self }, Self { from: at, energy: self.energy - before, parts: rest, ..*self })
    }

    /// The instant that belongs to the last hour.
    fn last(&self) -> Timestamp {
        self.from.max(Timestamp(self.to.0 - 1))
    }

    fn share(&self, energy: Energy, start: Timestamp, end: Timestamp) -> Energy {
        self.until(energy, end) - self.until(energy, start)
    }

    /// Cut where the whole's share up to an instant is rounded, so that nothing is lost between two shares.
    fn until(&self, energy: Energy, at: Timestamp) -> Energy {
        let span = self.to.since(self.from).max(1);
        proportion(energy, at.since(self.from).clamp(0, span), span)
    }
}

fn proportion(energy: Energy, part: i64, whole: i64) -> Energy {
    let share = i128::from(energy.0) * i128::from(part) / i128::from(whole.max(1));
    Energy(i64::try_from(share).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::MINUTE;
    use proptest::prelude::*;

    fn interval(from: i64, to: i64, wh: i64) -> ConsumptionInterval {
        ConsumptionInterval { from: Timestamp(from), to: Timestamp(to), energy: Energy(wh), parts: Parts::default() }
    }

    fn hours(from: i64, to: i64, wh: i64) -> Vec<(i64, i64)> {
        interval(from, to, wh).by_hour().map(|(hour, energy)| (hour, energy.0)).collect()
    }

    #[test]
    fn the_energy_of_many_years_goes_to_the_last_one() {
        let century = interval(0, 100 * LONGEST, 366_000);
        let (hours, days) = (century.by_hour().collect::<Vec<_>>(), century.by_day().collect::<Vec<_>>());
        assert!(hours.len() <= 366 * 24 + 1 && days.len() <= 367, "{} {}", hours.len(), days.len());
        assert_eq!(hours.iter().map(|(_, energy)| energy.0).sum::<i64>(), 366_000);
        assert_eq!(days.iter().map(|(_, energy, _)| energy.0).sum::<i64>(), 366_000);
    }

    #[test]
    fn energy_goes_to_the_hours_it_passed_in() {
        assert_eq!(hours(10 * MINUTE, 40 * MINUTE, 500), [(0, 500)]);
        assert_eq!(hours(30 * MINUTE, 90 * MINUTE, 500), [(0, 250), (1, 250)]);
        assert_eq!(hours(45 * MINUTE, 3 * HOUR, 900), [(0, 100), (1, 400), (2, 400)]);
        assert_eq!(hours(HOUR, 2 * HOUR, 7), [(1, 7)]);
        assert_eq!(hours(HOUR, HOUR, 0), [(1, 0)]);
    }

    #[test]
    fn days_change_at_midnight_in_shanghai() {
        let days: Vec<_> = interval(15 * HOUR, 17 * HOUR, 100).by_day().map(|(day, energy, _)| (day.0, energy.0)).collect();
        assert_eq!(days, [(0, 50), (1, 50)]);
    }

    #[test]
    fn a_counter_read_in_between_moves_energy_to_its_side() {
        let parts = Parts { reverse: Energy(10), rates: [0, 40, 60, 0].map(Energy) };
        let whole = ConsumptionInterval { parts, ..interval(0, 10 * HOUR, 100) };
        let (one, two) = whole.cut(Timestamp(5 * HOUR), Energy(90));
        assert_eq!((one.energy, two.energy), (Energy(90), Energy(10)));
        assert_eq!((one.parts.rates, two.parts.rates), ([0, 36, 54, 0].map(Energy), [0, 4, 6, 0].map(Energy)));
    }

    proptest! {
        #[test]
        fn hours_and_days_sum_to_the_counter_difference(
            from in 0..10_000_000_000_i64,
            span in 2..2_000_000_000_i64,
            wh in 0..15_000_000_i64,
            rate in 0..15_000_000_i64,
            cuts in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 0..6),
        ) {
            let parts = Parts { reverse: Energy(wh / 3), rates: [rate.min(wh), 0, 0, 0].map(Energy) };
            let whole = ConsumptionInterval { parts, ..interval(from, from + span, wh) };
            let mut pieces = vec![whole];
            for (time, energy) in cuts {
                let last = pieces.pop().unwrap();
                let part = |whole: i64, share: f64| (whole as f64 * share) as i64;
                let at = last.from.plus(part(last.to.since(last.from), time));
                let (one, two) = last.cut(at, Energy(part(last.energy.0, energy)));
                pieces.extend([one, two]);
            }
            let hours: Vec<_> = pieces.iter().flat_map(ConsumptionInterval::by_hour).collect();
            let days: Vec<_> = pieces.iter().flat_map(ConsumptionInterval::by_day).collect();
            prop_assert_eq!(hours.iter().map(|h| h.1.0).sum::<i64>(), wh);
            prop_assert_eq!(days.iter().map(|d| d.1.0).sum::<i64>(), wh);
            prop_assert_eq!(days.iter().map(|d| d.2.rates[0].0).sum::<i64>(), rate.min(wh));
            prop_assert_eq!(days.iter().map(|d| d.2.reverse.0).sum::<i64>(), wh / 3);
            prop_assert!(hours.iter().all(|h| h.1.0 >= 0));
            // A day is what its hours are.
            for &(day, ..) in &days {
                let of_days: i64 = days.iter().filter(|d| d.0 == day).map(|d| d.1.0).sum();
                let within = |hour: i64| Timestamp(hour * HOUR).date() == day;
                let of_hours: i64 = hours.iter().filter(|h| within(h.0)).map(|h| h.1.0).sum();
                prop_assert_eq!(of_days, of_hours);
            }
            prop_assert!(span / DAY <= days.len() as i64);
        }
    }
}
