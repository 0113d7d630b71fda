//! Which readings of a meter are missing, by its interval and the gaps between the readings that there are: pure.

use std::collections::BTreeMap;

use model::time::{Date, MINUTE, Timestamp};

/// A meter that is read as often as the bus allows has no interval of its own; it is due this often.
pub const CONTINUOUS: i64 = 10 * MINUTE;

/// The time in which a meter should be read, and how often, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    from: Timestamp,
    /// The first instant after it.
    to: Timestamp,
    interval: i64,
}

/// Two readings next to each other; `None` where there is none before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub after: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What is missing of a meter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// Days of which nothing is missing are left out.
    pub by_day: BTreeMap<Date, i64>,
    /// Days in which it should have been read, and was not at all.
    pub empty_days: i64,
    /// The gap that is longest within the time, if it is too long: since its last reading, which may be earlier, and ms.
    pub longest: Option<(Timestamp, i64)>,
}

impl Missing {
    #[must_use]
    pub fn total(&self) -> i64 {
        self.by_day.values().sum()
    }
}

impl Due {
    /// `None` where there is no such time. An interval of 0 is [`CONTINUOUS`].
    #[must_use]
    pub const fn new(from: Timestamp, to: Timestamp, interval: i64) -> Option<Self> {
        let interval = if interval <= 0 { CONTINUOUS } else { interval };
        if to.0 > from.0 { Some(Self { from, to, interval }) } else { None }
    }

    /// Nothing is missing between two readings that are closer together: each may be late by less than half an interval.
    #[must_use]
    pub const fn tolerated(&self) -> i64 {
        self.interval + self.interval / 2
    }

    /// The readings that are due on a day. Those of all days add up to [`Self::total`], whatever the interval is.
    #[must_use]
    pub fn of_day(&self, day: Date) -> i64 {
        self.within(day).map_or(0, |(from, to)| self.up_to(to) - self.up_to(from))
    }

    /// The readings that are due.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.up_to(self.to)
    }

    fn up_to(&self, at: Timestamp) -> i64 {
        (at.since(self.from) + self.interval / 2) / self.interval
    }

    /// The part of a day in which it should be read.
    fn within(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let (from, to) = (day.start().max(self.from), day.plus(1).start().min(self.to));
        (from < to).then_some((from, to))
    }

    /// What is missing in some gaps, which do not overlap. Those below [`Self::tolerated`] may be left out.
    #[must_use]
    pub fn missing(&self, gaps: &[Gap]) -> Missing {
        let mut missing = Missing::default();
        let mut longest = self.tolerated() - 1;
        for gap in gaps {
            let (begin, end) = (gap.after.unwrap_or(self.from).max(self.from), gap.until.unwrap_or(self.to).min(self.to));
            if end.since(begin) > longest {
                longest = end.since(begin);
                let since = gap.after.unwrap_or(begin);
                missing.longest = Some((since, end.since(since)));
            }
            let instants = self.instants(gap);
            for day in (begin.date().0..=end.date().0).map(Date) {
                let Some((from, to)) = self.within(day) else { continue };
                let due = self.of_day(day);
                let is_empty = gap.after.is_none_or(|after| after < from) && gap.until.is_none_or(|until| until >= to);
                let count = if is_empty { due } else { (instants.before(to) - instants.before(from)).min(due) };
                missing.empty_days += i64::from(is_empty && due > 0);
                if count > 0 {
                    *missing.by_day.entry(day).or_default() += count;
                }
            }
        }
        missing
    }

    /// When the meter should have been read in a gap.
    fn instants(&self, gap: &Gap) -> Instants {
        let late = self.interval / 2;
        match (gap.after, gap.until) {
            (Some(after), Some(until)) => {
                let span = until.since(after).max(1);
                let parts = ((span + late) / self.interval).max(1);
                Instants { start: after, span, parts, first: 1, end: parts }
            }
            (Some(after), None) => self.every(after, 1, self.to.plus(-late)),
            (None, until) => self.every(self.from, 0, until.unwrap_or(self.to).plus(-late)),
        }
    }

    /// Each interval from `start` on, up to `last`, without the first `first`.
    fn every(&self, start: Timestamp, first: i64, last: Timestamp) -> Instants {
        let end = (last.since(start).div_euclid(self.interval) + 1).max(first);
        Instants { start, span: self.interval, parts: 1, first, end }
    }
}

/// `start + n * span / parts`, for each `n` of `first..end`.
struct Instants {
    start: Timestamp,
    span: i64,
    parts: i64,
    first: i64,
    end: i64,
}

impl Instants {
    /// How many of them are before an instant.
    fn before(&self, at: Timestamp) -> i64 {
        let (scaled, span) = (i128::from(at.since(self.start)) * i128::from(self.parts), i128::from(self.span));
        let passed = scaled.div_euclid(span) + i128::from(scaled.rem_euclid(span) > 0);
        i64::try_from(passed).unwrap_or(i64::MAX).clamp(self.first, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::{DAY, HOUR};

    const DAY_ONE: Date = Date(20_000);

    /// Two days, each half an hour.
    fn due() -> Due {
        Due::new(DAY_ONE.start(), DAY_ONE.plus(2).start(), 30 * MINUTE).unwrap()
    }

    fn at(hours: i64, minutes: i64) -> Timestamp {
        DAY_ONE.start().plus(hours * HOUR + minutes * MINUTE)
    }

    fn gap(after: Option<Timestamp>, until: Option<Timestamp>) -> Gap {
        Gap { after, until }
    }

    fn counted(gaps: &[Gap]) -> (Vec<i64>, i64, i64) {
        let missing = due().missing(gaps);
        let days = [DAY_ONE, DAY_ONE.plus(1)].map(|day| missing.by_day.get(&day).copied().unwrap_or(0));
        (days.to_vec(), missing.empty_days, missing.longest.map_or(0, |(_, length)| length / MINUTE))
    }

    #[test]
    fn what_comes_half_an_interval_late_is_not_missing() {
        assert_eq!(counted(&[gap(Some(at(1, 0)), Some(at(1, 44)))]), (vec![0, 0], 0, 0));
        assert_eq!(counted(&[gap(Some(at(1, 0)), Some(at(1, 45)))]).0, [1, 0], "two intervals, rounded");
        assert_eq!(counted(&[gap(Some(at(1, 0)), Some(at(3, 0)))]), (vec![3, 0], 0, 120));
    }

    #[test]
    fn a_gap_counts_for_the_days_that_it_is_in() {
        assert_eq!(counted(&[gap(Some(at(22, 30)), Some(at(25, 0)))]), (vec![2, 2], 0, 150));
        let two = [gap(Some(at(2, 10)), Some(at(3, 10))), gap(Some(at(30, 0)), Some(at(31, 30)))];
        assert_eq!(counted(&two), (vec![1, 2], 0, 90));
    }

    #[test]
    fn a_meter_that_was_never_read_lacks_everything() {
        assert_eq!(counted(&[gap(None, None)]), (vec![48, 48], 2, 48 * 60));
        assert_eq!(counted(&[gap(None, Some(at(24, 0)))]), (vec![48, 0], 1, 24 * 60));
        let since = Some(at(-90 * 24, 3));
        assert_eq!(counted(&[gap(since, None)]), (vec![48, 48], 2, 92 * 24 * 60 - 3));
        assert_eq!(due().missing(&[gap(since, None)]).longest.map(|(at, _)| Some(at)), Some(since), "since its true start");
        assert_eq!(counted(&[gap(Some(at(36, 0)), None)]), (vec![0, 23], 0, 12 * 60));
        assert_eq!(counted(&[gap(Some(at(-1, 0)), Some(at(0, 30)))]), (vec![1, 0], 0, 0), "due at midnight");
    }

    #[test]
    fn only_the_time_in_service_counts() {
        let due = Due::new(at(12, 0), at(36, 0), 0).unwrap();
        assert_eq!((due.of_day(DAY_ONE), due.of_day(DAY_ONE.plus(1)), due.of_day(DAY_ONE.plus(2))), (72, 72, 0));
        assert_eq!(due.missing(&[gap(None, None)]).total(), 144);
        assert_eq!(Due::new(at(1, 0), at(1, 0), 60_000), None);
        let uneven = Due::new(at(0, 0), at(72, 0), 16 * HOUR).unwrap();
        assert_eq!([0, 1, 2].map(|day| uneven.of_day(DAY_ONE.plus(day))), [2, 1, 2]);
        assert_eq!((uneven.total(), uneven.missing(&[gap(None, None)]).total()), (5, 5));
        let daily = Due::new(at(0, 0), at(0, 0).plus(3 * DAY), DAY).unwrap();
        assert_eq!(daily.missing(&[gap(Some(at(1, 0)), Some(at(50, 0)))]).total(), 1);
    }
}
