//! When to set a meter's clock: only for a noticeable offset, rarely, and never close to a moment at which the meter acts by its
//! clock.

use model::time::{DAY, HOUR, MINUTE, Timestamp};

/// A clock that is off by at most this many seconds is left alone.
pub const THRESHOLD_S: i64 = 30;
/// A clock that is off by more than this many seconds, although it was set twice within a month, is faulty.
const FAULTY_S: i64 = 300;
const FAULTY_SETS: i64 = 2;
/// How long to wait after setting a clock; shorter for a meter that lost the time.
const MIN_INTERVAL: i64 = 20 * HOUR;
const MIN_INTERVAL_LOST: i64 = HOUR;
/// Minimum distance from an hour or a slot edge at which a clock may be set, ms.
const MARGIN: i64 = 5 * MINUTE;
/// Beyond this offset the jump always crosses an hour, so only the current time is checked.
const ALWAYS_CROSSES_HOUR: i64 = 20 * MINUTE;

/// What is known about a meter's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockObservation {
    /// The meter's time minus the server's, s; `None` if the meter shows no valid time.
    pub offset_s: Option<i64>,
    /// The meter reports that it lost the time.
    pub lost: bool,
    /// How often it was set in the last 30 days.
    pub sets: i64,
    /// When it was last sent a command to set the clock.
    pub last: Option<Timestamp>,
}

/// What to do about a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockAction {
    Fine,
    Set,
    Later,
    /// An operator must look at the meter.
    Faulty,
}

/// `edges` are the minutes of the day at which a rate begins.
#[must_use]
pub fn clock_action(now: Timestamp, seen: &ClockObservation, edges: &[u16]) -> ClockAction {
    let was_set_within = |rest: i64| seen.last.is_some_and(|last| now.since(last) < rest);
    let offset = match seen.offset_s {
        Some(offset) if !seen.lost => offset,
        // A meter without the time bills at the wrong rate until its clock is set, so the moment does not matter.
        _ if was_set_within(MIN_INTERVAL_LOST) => return ClockAction::Later,
        _ => return ClockAction::Set,
    };
    if offset.abs() <= THRESHOLD_S {
        ClockAction::Fine
    } else if offset.abs() > FAULTY_S && seen.sets >= FAULTY_SETS {
        ClockAction::Faulty
    } else if was_set_within(MIN_INTERVAL) || !is_quiet(now, offset * 1_000, edges) {
        ClockAction::Later
    } else {
        ClockAction::Set
    }
}

/// Whether the old time, the new time and everything between them stay clear of hours and slot edges.
fn is_quiet(now: Timestamp, offset: i64, edges: &[u16]) -> bool {
    let was = if offset.abs() > ALWAYS_CROSSES_HOUR { now } else { now.plus(offset) };
    let (from, until) = (now.min(was).plus(-MARGIN), now.max(was).plus(MARGIN));
    let is_edge = |minute: i64| minute % 60 == 0 || edges.iter().any(|edge| i64::from(*edge) == minute);
    // Shanghai is a whole number of hours ahead of UTC, so minutes of the hour agree; slots follow Shanghai's day.
    let minute_of_day = |at: Timestamp| at.since(at.date().start()).rem_euclid(DAY) / MINUTE;
    let mut at = Timestamp(from.0.div_euclid(MINUTE) * MINUTE);
    while at <= until {
        if at >= from && is_edge(minute_of_day(at)) {
            return false;
        }
        at = at.plus(MINUTE);
    }
    true
}

#[cfg(test)]
mod tests {
    use model::time::Civil;

    use super::*;

    fn at(hour: u8, minute: u8) -> Timestamp {
        Civil { year: 2026, month: 11, day: 24, hour, minute, second: 0 }.timestamp().unwrap()
    }

    const OFF: ClockObservation = ClockObservation { offset_s: Some(-90), lost: false, sets: 0, last: None };

    #[test]
    fn clock_is_set_only_when_needed() {
        let noon = at(12, 30);
        for (seen, action) in [
            (ClockObservation { offset_s: Some(30), ..OFF }, ClockAction::Fine),
            (ClockObservation { offset_s: Some(-31), ..OFF }, ClockAction::Set),
            (ClockObservation { last: Some(noon.plus(-19 * HOUR)), ..OFF }, ClockAction::Later),
            (ClockObservation { last: Some(noon.plus(-21 * HOUR)), ..OFF }, ClockAction::Set),
            (ClockObservation { offset_s: Some(301), sets: 1, ..OFF }, ClockAction::Set),
            (ClockObservation { offset_s: Some(301), sets: 2, ..OFF }, ClockAction::Faulty),
            (ClockObservation { offset_s: Some(300), sets: 2, ..OFF }, ClockAction::Set),
            (ClockObservation { offset_s: Some(2), lost: true, ..OFF }, ClockAction::Set),
            (ClockObservation { offset_s: None, ..OFF }, ClockAction::Set),
            (ClockObservation { offset_s: None, last: Some(noon.plus(-HOUR / 2)), ..OFF }, ClockAction::Later),
            (ClockObservation { offset_s: Some(-40_000), ..OFF }, ClockAction::Set),
        ] {
            assert_eq!(clock_action(noon, &seen, &[]), action, "{seen:?}");
        }
    }

    #[test]
    fn clock_is_not_set_near_midnight_hour_or_slot() {
        for (now, offset_s, edges, action) in [
            (at(0, 0), -90, &[][..], ClockAction::Later),
            (at(23, 56), -90, &[], ClockAction::Later),
            (at(8, 4), 90, &[], ClockAction::Later),
            (at(8, 6), 90, &[], ClockAction::Set),
            // The clock would jump from before the hour to after it.
            (at(8, 6), -120, &[], ClockAction::Later),
            (at(8, 50), 90, &[], ClockAction::Set),
            (at(8, 50), 400, &[], ClockAction::Later),
            (at(8, 30), 90, &[510], ClockAction::Later),
            (at(8, 36), 90, &[510], ClockAction::Set),
            (at(8, 36), -120, &[510], ClockAction::Later),
            (at(8, 20), 90, &[510], ClockAction::Set),
            (at(8, 30), 90, &[0, 480, 1_020], ClockAction::Set),
        ] {
            let seen = ClockObservation { offset_s: Some(offset_s), ..OFF };
            assert_eq!(clock_action(now, &seen, edges), action, "{now} {offset_s} {edges:?}");
        }
    }

    #[test]
    fn lost_clock_is_set_at_once_even_at_midnight() {
        assert_eq!(clock_action(at(0, 0), &ClockObservation { lost: true, ..OFF }, &[]), ClockAction::Set);
    }
}
