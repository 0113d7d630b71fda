//! When a schedule switches a room next. Pure.

use model::switch_schedule::{MinuteOfDay, SwitchTimes};
use model::time::{DAY, MINUTE, Timestamp};

/// How long after its time a switching is still carried out. Later, people have adapted to the room as it is.
const LATE: i64 = 10 * MINUTE;

/// The first switching after an instant: when, and whether it switches on.
#[must_use]
pub fn next(times: &SwitchTimes, after: Timestamp) -> Option<(Timestamp, bool)> {
    // From two days before: what went off then may come on today.
    let first = after.date().plus(-2);
    let days = (0..=9).map(|n| first.plus(n)).filter(|day| times.weekdays.contains(day.weekday()));
    let at = |start: Timestamp, minute: MinuteOfDay| start.plus(minute.minutes() * MINUTE);
    let both = days.flat_map(|day| {
        let start = day.start();
        let on = at(start, times.on).plus(if times.is_overnight() { DAY } else { 0 });
        [(at(start, times.off), false), (on, true)]
    });
    both.filter(|(at, _)| *at > after).min()
}

/// The first switching of a schedule that is new at an instant. It begins by switching off, and does not switch on a room that it
/// has not switched off.
#[must_use]
pub fn first(times: &SwitchTimes, new: Timestamp) -> Option<(Timestamp, bool)> {
    match next(times, new)? {
        (at, true) => next(times, at),
        off => Some(off),
    }
}

/// Whether a switching that was due at `at` is left out now.
#[must_use]
pub const fn is_missed(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) > LATE
}

/// Until when a command that was due at `at` may still be sent for the first time.
#[must_use]
pub const fn withdraws_before(now: Timestamp) -> Timestamp {
    now.plus(-LATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::switch_schedule::Weekdays;
    use model::time::{Civil, HOUR};

    /// November 2026 begins on a Sunday.
    fn at(day: u8, hour: u8, minute: u8) -> Timestamp {
        Civil { year: 2026, month: 11, day, hour, minute, second: 0 }.timestamp().unwrap()
    }

    fn times(days: &[u8], off: &str, on: &str) -> SwitchTimes {
        let weekdays = Weekdays::of(days.iter().copied()).unwrap();
        SwitchTimes::new(weekdays, off.parse().unwrap(), on.parse().unwrap()).unwrap()
    }

    #[test]
    fn nights_begin_on_their_weekday_and_end_on_the_next() {
        let nights = times(&[0, 1, 2, 3], "23:00", "06:30");
        let mut now = at(2, 12, 0);
        let mut found = Vec::new();
        for _ in 0..9 {
            let (then, on) = next(&nights, now).unwrap();
            found.push((then, on));
            now = then;
        }
        let expected =
            [(2, 3), (3, 4), (4, 5), (5, 6)].into_iter().flat_map(|(off, on)| [(at(off, 23, 0), false), (at(on, 6, 30), true)]);
        assert_eq!(found[..8], expected.collect::<Vec<_>>());
        assert_eq!(found[8], (at(9, 23, 0), false), "not on Friday, Saturday or Sunday");
    }

    #[test]
    fn a_new_schedule_switches_off_first() {
        let night = times(&[0], "23:00", "06:30");
        assert_eq!(next(&night, at(3, 0, 1)), Some((at(3, 6, 30), true)));
        assert_eq!(first(&night, at(3, 0, 1)), Some((at(9, 23, 0), false)));
        assert_eq!(first(&night, at(2, 12, 0)), Some((at(2, 23, 0), false)));
    }

    #[test]
    fn a_day_at_work_ends_on_the_same_day() {
        let work = times(&[0], "08:00", "18:00");
        assert_eq!(next(&work, at(2, 8, 0)), Some((at(2, 18, 0), true)), "an instant is not after itself");
        assert_eq!(next(&work, at(2, 18, 0)), Some((at(9, 8, 0), false)));
        assert_eq!(next(&work, at(9, 7, 59)), Some((at(9, 8, 0), false)));
    }

    #[test]
    fn every_day_switches_twice_a_day() {
        let daily = times(&[0, 1, 2, 3, 4, 5, 6], "00:00", "00:01");
        let (first, on) = next(&daily, at(30, 23, 59)).unwrap();
        assert_eq!((first.since(at(30, 23, 59)), on), (MINUTE, false), "over the end of a month");
        assert_eq!(next(&daily, first), Some((first.plus(MINUTE), true)));
    }

    #[test]
    fn a_switching_is_missed_after_ten_minutes() {
        let due = at(2, 23, 0);
        assert!(!is_missed(due, due) && !is_missed(due, due.plus(10 * MINUTE)) && is_missed(due, due.plus(10 * MINUTE + 1)));
        assert_eq!(withdraws_before(due.plus(HOUR)), due.plus(50 * MINUTE));
    }
}
