//! When a meter's clock is set: not for a little, not often, and never near a moment at which the meter does something by the
//! clock.

use model::time::{DAY, HOUR, MINUTE, Timestamp};

/// A clock that is off by no more is left alone, s.
pub const THRESHOLD_S: i64 = 30;
/// A clock that is off by more though it was set twice in a month is at fault, s.
const FAULTY_S: i64 = 300;
const FAULTY_SETS: i64 = 2;
/// How long a clock that was set is left alone; one that was lost, not as long.
const REST: i64 = 20 * HOUR;
const REST_LOST: i64 = HOUR;
/// How far from an edge a clock may be set, ms.
const MARGIN: i64 = 5 * MINUTE;
/// Where a clock is off by more, the way that it jumps always crosses an hour.
const FAR: i64 = 20 * MINUTE;

/// What is known of a meter's clock.
#[derive(Clone, Copy, Debug)]
pub struct ClockObservation {
    /// The meter's time minus ours, s; `None` where it shows none.
    pub offset_s: Option<i64>,
    /// The meter says that it lost the time.
    pub lost: bool,
    /// How often it was set in the last 30 days.
    pub sets: i64,
    /// When it was last told to set it.
    pub last: Option<Timestamp>,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// It is set now.
    Set,
    Later,
    /// A person must look.
    Faulty,
}

/// Judges a clock. `edges` are the minutes of the day at which a rate begins.
#[must_use]
pub fn judge(now: Timestamp, seen: &ClockObservation, edges: &[u16]) -> Verdict {
    let rests = |rest: i64| seen.last.is_some_and(|last| now.since(last) < rest);
    let offset = match seen.offset_s {
        Some(offset) if !seen.lost => offset,
        // Without the time it bills by the wrong rate until it has it back: no moment is worse than none.
        _ if rests(REST_LOST) => return Verdict::Later,
        _ => return Verdict::Set,
    };
    if offset.abs() <= THRESHOLD_S {
        Verdict::Fine
    } else if offset.abs() > FAULTY_S && seen.sets >= FAULTY_SETS {
        Verdict::Faulty
    } else if rests(REST) || !is_quiet(now, offset * 1_000, edges) {
        Verdict::Later
    } else {
        Verdict::Set
    }
}

/// Whether neither the old time nor the new one, nor what lies between, is near an hour or a slot edge.
fn is_quiet(now: Timestamp, offset: i64, edges: &[u16]) -> bool {
    let was = if offset.abs() > FAR { now } else { now.plus(offset) };
    let (from, until) = (now.min(was).plus(-MARGIN), now.max(was).plus(MARGIN));
    let is_edge = |minute: i64| minute % 60 == 0 || edges.iter().any(|edge| i64::from(*edge) == minute);
    // Shanghai is whole hours ahead, so minutes of the hour are the same everywhere; slots are by Shanghai's day.
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
    fn a_clock_is_set_only_when_it_must_be() {
        let noon = at(12, 30);
        for (seen, verdict) in [
            (ClockObservation { offset_s: Some(30), ..OFF }, Verdict::Fine),
            (ClockObservation { offset_s: Some(-31), ..OFF }, Verdict::Set),
            (ClockObservation { last: Some(noon.plus(-19 * HOUR)), ..OFF }, Verdict::Later),
            (ClockObservation { last: Some(noon.plus(-21 * HOUR)), ..OFF }, Verdict::Set),
            (ClockObservation { offset_s: Some(301), sets: 1, ..OFF }, Verdict::Set),
            (ClockObservation { offset_s: Some(301), sets: 2, ..OFF }, Verdict::Faulty),
            (ClockObservation { offset_s: Some(300), sets: 2, ..OFF }, Verdict::Set),
            (ClockObservation { offset_s: Some(2), lost: true, ..OFF }, Verdict::Set),
            (ClockObservation { offset_s: None, ..OFF }, Verdict::Set),
            (ClockObservation { offset_s: None, last: Some(noon.plus(-HOUR / 2)), ..OFF }, Verdict::Later),
            (ClockObservation { offset_s: Some(-40_000), ..OFF }, Verdict::Set),
        ] {
            assert_eq!(judge(noon, &seen, &[]), verdict, "{seen:?}");
        }
    }

    #[test]
    fn not_near_midnight_the_hour_or_a_slot() {
        for (now, offset_s, edges, verdict) in [
            (at(0, 0), -90, &[][..], Verdict::Later),
            (at(23, 56), -90, &[], Verdict::Later),
            (at(8, 4), 90, &[], Verdict::Later),
            (at(8, 6), 90, &[], Verdict::Set),
            // The clock would jump from before the hour to behind it.
            (at(8, 6), -120, &[], Verdict::Later),
            (at(8, 50), 90, &[], Verdict::Set),
            (at(8, 50), 400, &[], Verdict::Later),
            (at(8, 30), 90, &[510], Verdict::Later),
            (at(8, 36), 90, &[510], Verdict::Set),
            (at(8, 36), -120, &[510], Verdict::Later),
            (at(8, 20), 90, &[510], Verdict::Set),
            (at(8, 30), 90, &[0, 480, 1_020], Verdict::Set),
        ] {
            let seen = ClockObservation { offset_s: Some(offset_s), ..OFF };
            assert_eq!(judge(now, &seen, edges), verdict, "{now} {offset_s} {edges:?}");
        }
    }

    #[test]
    fn a_lost_clock_is_set_at_once_even_at_midnight() {
        assert_eq!(judge(at(0, 0), &ClockObservation { lost: true, ..OFF }, &[]), Verdict::Set);
    }
}
