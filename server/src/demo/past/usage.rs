//! What a room used, hour by hour, worked back from what its meter shows now.

use model::time::{HOUR, Timestamp};

use simulator::Load;
use simulator::load::Shape;

/// The energy of each hour of a time.
pub struct Usage {
    /// The start of an hour.
    from: Timestamp,
    /// Wh up to the start of each hour, and of all hours last.
    sums: Vec<i64>,
}

impl Usage {
    /// What the load draws in the time, until `off` where the relay is open since then.
    pub fn of(load: &Load, shape: &Shape, (from, until): (Timestamp, Timestamp), off: Option<Timestamp>) -> Self {
        let end = off.map_or(until, |off| off.min(until));
        let (mut hour, mut sum, mut sums) = (from, 0, vec![0]);
        while hour < until {
            // Two instants half an hour apart: the swing around the mean of the hour cancels out.
            let watts: i64 = [0, HOUR / 2].map(|ms| i64::from(load.at(shape, hour.plus(ms)).watts)).into_iter().sum();
            let flows = hour.plus(HOUR).min(end).since(hour).max(0);
            sum += watts * flows / (2 * HOUR);
            sums.push(sum);
            hour = hour.plus(HOUR);
        }
        Self { from, sums }
    }

    /// Wh from an instant on.
    #[must_use]
    pub fn after(&self, at: Timestamp) -> i64 {
        let whole = self.sums.last().copied().unwrap_or(0);
        let passed = at.since(self.from).max(0);
        let index = usize::try_from(passed / HOUR).unwrap_or(usize::MAX);
        let Some(before) = self.sums.get(index) else { return 0 };
        let next = self.sums.get(index.saturating_add(1)).unwrap_or(before);
        whole - before - (next - before) * (passed % HOUR) / HOUR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { seed: 1, offset_days: 0, scale_permille: 1_000 };

    #[test]
    fn energy_is_counted_back_from_the_end() {
        let (from, until) = (Timestamp(0), Timestamp(10 * HOUR));
        let usage = Usage::of(&Load::Constant { watts: 100 }, &SHAPE, (from, until), None);
        let after = |minutes: i64| usage.after(Timestamp(minutes * HOUR / 60));
        assert_eq!([0, 30, 60, 570, 600, 700].map(after), [1_000, 950, 900, 50, 0, 0]);
    }

    #[test]
    fn nothing_flows_through_an_open_relay() {
        let times = (Timestamp(0), Timestamp(10 * HOUR));
        let usage = Usage::of(&Load::Constant { watts: 100 }, &SHAPE, times, Some(Timestamp(4 * HOUR)));
        assert_eq!([0, 3, 4, 9].map(|hours| usage.after(Timestamp(hours * HOUR))), [400, 100, 0, 0]);
    }
}
