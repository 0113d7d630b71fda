//! Until when nobody is tripped for arrears: nights, weekends, holidays and examination days, by the clocks of a time zone.

use std::collections::BTreeMap;

use model::friendly::{CalendarDay, DayKind, FriendlyHours, Night};
use model::time::{DAY, Date, MINUTE, Timestamp};

/// How far ahead is looked: a period that is longer is said to end then.
const LOOK_AHEAD: i64 = SOUGHT_DAYS * DAY;
/// A period is sought in so many days, where none begins before.
const SOUGHT_DAYS: i64 = 400;

/// A time zone: how far its clocks are ahead of UTC, ms.
pub trait Zone {
    fn offset(&self, at: Timestamp) -> i64;
}

/// The zone of the site, without daylight saving.
#[derive(Clone, Copy, Debug)]
pub struct Shanghai;

impl Zone for Shanghai {
    fn offset(&self, _: Timestamp) -> i64 {
        -Date(0).start().0
    }
}

/// The days off and working days that were imported.
#[derive(Clone, Debug, Default)]
pub struct PublicDays(BTreeMap<Date, DayKind>);

impl PublicDays {
    #[must_use]
    pub fn of(days: &[CalendarDay]) -> Self {
        Self(days.iter().map(|one| (one.day, one.kind)).collect())
    }
}

/// What is set for a place, with the days that were imported.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    pub hours: &'a FriendlyHours,
    pub days: &'a PublicDays,
}

impl Calendar<'_> {
    /// Whether nobody is tripped on the whole day.
    #[must_use]
    pub fn is_day_off(&self, day: Date) -> bool {
        let is_weekend = self.hours.weekends && day.weekday() >= 5;
        let by_calendar = match self.days.0.get(&day) {
            Some(DayKind::DayOff) => self.hours.holidays || is_weekend,
            Some(DayKind::WorkingDay) => false,
            None => is_weekend,
        };
        by_calendar || self.hours.examinations.iter().any(|range| range.contains(day))
    }

    /// The periods that begin on a day.
    fn periods(&self, day: Date, zone: &impl Zone) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let whole = self.is_day_off(day).then(|| (first(zone, day, 0), last(zone, day.plus(1), 0)));
        let night = self.hours.night.map(|Night { from, until }| {
            let end = if until.minute() > from.minute() { day } else { day.plus(1) };
            (first(zone, day, from.minute()), last(zone, end, until.minute()))
        });
        whole.into_iter().chain(night)
    }
}

/// The two instants at which clocks may show a time of day; they differ where clocks are set within a day of it.
fn instants(zone: &impl Zone, day: Date, minute: i64) -> (Timestamp, Timestamp) {
    let shown = day.0 * DAY + minute * MINUTE;
    let by = |near: i64| Timestamp(shown - zone.offset(Timestamp(near)));
    let (one, other) = (by(shown - DAY), by(shown + DAY));
    let shows = |at: Timestamp| at.0 + zone.offset(at) == shown;
    match (shows(one), shows(other)) {
        (true, false) => (one, one),
        (false, true) => (other, other),
        // Shown twice where clocks are set back, and never where they are set forward.
        _ => (one.min(other), one.max(other)),
    }
}

/// When clocks show it first; where they never do, before they are set forward.
fn first(zone: &impl Zone, day: Date, minute: i64) -> Timestamp {
    instants(zone, day, minute).0
}

/// When clocks show it last; where they never do, after they were set forward.
fn last(zone: &impl Zone, day: Date, minute: i64) -> Timestamp {
    instants(zone, day, minute).1
}

fn day_of(zone: &impl Zone, at: Timestamp) -> Date {
    Date((at.0 + zone.offset(at)).div_euclid(DAY))
}

/// The end of the friendly hours that hold an instant, whatever follows each other in them; `None` outside them.
#[must_use]
pub fn friendly_until(calendar: Calendar<'_>, at: Timestamp, zone: &impl Zone) -> Option<Timestamp> {
    let mut end = at;
    while end.since(at) < LOOK_AHEAD {
        let today = day_of(zone, end);
        let periods = [today.plus(-1), today, today.plus(1)].into_iter().flat_map(|day| calendar.periods(day, zone));
        match periods.filter(|(from, until)| *from <= end && end < *until).map(|(_, until)| until).max() {
            Some(until) => end = until,
            None => break,
        }
    }
    (end > at).then_some(end)
}

/// Whether friendly hours of any length begin after an instant and at most `ms` later.
#[must_use]
pub fn begins_within(calendar: Calendar<'_>, at: Timestamp, ms: i64, zone: &impl Zone) -> bool {
    let days = day_of(zone, at).0..=day_of(zone, at.plus(ms)).0;
    let mut begins = days.flat_map(|day| calendar.periods(Date(day), zone)).map(|(from, _)| from);
    begins.any(|from| from > at && from.since(at) <= ms)
}

/// When the next friendly hours begin after an instant that is in none.
#[must_use]
pub fn next_friendly(calendar: Calendar<'_>, at: Timestamp, zone: &impl Zone) -> Option<Timestamp> {
    let today = day_of(zone, at);
    let days = (0..SOUGHT_DAYS).map(|n| today.plus(n));
    days.flat_map(|day| calendar.periods(day, zone)).map(|(from, _)| from).find(|from| *from > at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::friendly::{DayRange, MinuteOfDay};
    use model::time::HOUR;
    use proptest::prelude::*;

    /// Two hours ahead from the last Sunday of March 2027, 01:00 UTC, to that of October; else one.
    struct Berlin;

    impl Zone for Berlin {
        fn offset(&self, at: Timestamp) -> i64 {
            let change = |month, day| Date::from_ymd(2027, month, day).unwrap().0 * DAY + HOUR;
            if (change(3, 28)..change(10, 31)).contains(&at.0) { 2 * HOUR } else { HOUR }
        }
    }

    fn at(zone: &impl Zone, text: &str) -> Timestamp {
        let (day, time) = text.split_once(' ').unwrap();
        first(zone, day.parse().unwrap(), time.parse::<MinuteOfDay>().unwrap().minute())
    }

    fn night(from: &str, until: &str) -> FriendlyHours {
        let night = Night { from: from.parse().unwrap(), until: until.parse().unwrap() };
        FriendlyHours { night: Some(night), ..FriendlyHours::default() }
    }

    fn until(hours: &FriendlyHours, days: &[(&str, DayKind)], now: &str) -> Option<String> {
        let day = |(day, kind): &(&str, DayKind)| CalendarDay { day: day.parse().unwrap(), kind: *kind, name: String::new() };
        let days = PublicDays::of(&days.iter().map(day).collect::<Vec<_>>());
        let end = friendly_until(Calendar { hours, days: &days }, at(&Shanghai, now), &Shanghai)?;
        Some(end.to_string()[..16].to_owned())
    }

    #[test]
    fn a_night_ends_in_the_morning() {
        let hours = night("22:30", "07:00");
        for (now, end) in [
            ("2026-11-25 22:29", None),
            ("2026-11-25 22:30", Some("2026-11-26 07:00")),
            ("2026-11-26 00:00", Some("2026-11-26 07:00")),
            ("2026-11-26 06:59", Some("2026-11-26 07:00")),
            ("2026-11-26 07:00", None),
        ] {
            assert_eq!(until(&hours, &[], now).as_deref(), end, "{now}");
        }
        assert_eq!(until(&night("12:00", "14:00"), &[], "2026-11-26 13:00").as_deref(), Some("2026-11-26 14:00"));
    }

    #[test]
    fn days_off_and_nights_follow_each_other() {
        let hours = FriendlyHours { weekends: true, holidays: true, ..night("22:00", "07:00") };
        let end = |days: &[(&str, DayKind)], now| until(&hours, days, now);
        assert_eq!(end(&[], "2026-11-27 23:00").as_deref(), Some("2026-11-30 07:00"), "Friday night to Monday morning");
        let works = [("2026-11-28", DayKind::WorkingDay)];
        assert_eq!(end(&works, "2026-11-27 23:00").as_deref(), Some("2026-11-28 07:00"), "a Saturday on which people work");
        let off = [("2026-11-25", DayKind::DayOff)];
        assert_eq!(end(&off, "2026-11-25 12:00").as_deref(), Some("2026-11-26 07:00"));
        let only_nights = night("22:00", "07:00");
        assert_eq!(until(&only_nights, &off, "2026-11-25 12:00"), None, "holidays do not count there");
    }

    #[test]
    fn examination_days_are_friendly_as_a_whole() {
        let range = DayRange { first: "2027-01-11".parse().unwrap(), last: "2027-01-15".parse().unwrap() };
        let hours = FriendlyHours { examinations: vec![range], ..FriendlyHours::default() };
        assert_eq!(
            until(&hours, &[("2027-01-12", DayKind::WorkingDay)], "2027-01-11 09:00").as_deref(),
            Some("2027-01-16 00:00")
        );
        assert_eq!(until(&hours, &[], "2027-01-16 00:00"), None);
    }

    #[test]
    fn friendly_hours_without_end_are_cut_after_some_months() {
        let hours = FriendlyHours { weekends: true, ..night("07:00", "06:59") };
        let hours = FriendlyHours { night: hours.night, ..hours };
        assert!(until(&hours, &[], "2026-11-25 08:00").is_some(), "one minute a day is left");
        let always: Vec<DayRange> = (0..8)
            .map(|n| {
                let first = "2026-11-01".parse::<Date>().unwrap().plus(n * 90);
                DayRange { first, last: first.plus(89) }
            })
            .collect();
        let always = FriendlyHours { examinations: always, ..FriendlyHours::default() };
        assert!(until(&always, &[], "2026-11-25 08:00").is_some());
    }

    #[test]
    fn a_night_in_which_clocks_are_set_forward_is_an_hour_shorter() {
        let (hours, days) = (night("22:00", "07:00"), PublicDays::default());
        let calendar = Calendar { hours: &hours, days: &days };
        let start = at(&Berlin, "2027-03-27 22:00");
        let end = friendly_until(calendar, start, &Berlin).unwrap();
        assert_eq!((end.since(start), end), (8 * HOUR, at(&Berlin, "2027-03-28 07:00")));
        // 02:30 is never shown: until after the change, not before it.
        let hours = night("22:00", "02:30");
        let end = friendly_until(Calendar { hours: &hours, days: &days }, start, &Berlin).unwrap();
        assert_eq!(end, at(&Berlin, "2027-03-28 03:30"));
    }

    #[test]
    fn a_night_in_which_clocks_are_set_back_is_an_hour_longer() {
        let (hours, days) = (night("22:00", "07:00"), PublicDays::default());
        let start = at(&Berlin, "2027-10-30 22:00");
        let end = friendly_until(Calendar { hours: &hours, days: &days }, start, &Berlin).unwrap();
        assert_eq!(end.since(start), 10 * HOUR);
        // 02:30 is shown twice: until the second time, without a gap between them.
        let hours = night("22:00", "02:30");
        let calendar = Calendar { hours: &hours, days: &days };
        let end = friendly_until(calendar, start, &Berlin).unwrap();
        assert_eq!(end.since(start), 5 * HOUR + HOUR / 2);
        for minutes in (0..330).step_by(10) {
            assert_eq!(friendly_until(calendar, start.plus(minutes * MINUTE), &Berlin), Some(end), "{minutes}");
        }
        assert_eq!(friendly_until(calendar, end, &Berlin), None);
    }

    #[test]
    fn a_day_off_lasts_from_midnight_to_midnight_by_the_clocks() {
        let hours = FriendlyHours { weekends: true, ..FriendlyHours::default() };
        let days = PublicDays::default();
        let calendar = Calendar { hours: &hours, days: &days };
        let saturday = at(&Berlin, "2027-03-27 00:00");
        assert_eq!(friendly_until(calendar, saturday, &Berlin).unwrap().since(saturday), 47 * HOUR);
        let saturday = at(&Berlin, "2027-10-30 00:00");
        assert_eq!(friendly_until(calendar, saturday, &Berlin).unwrap().since(saturday), 49 * HOUR);
    }

    #[test]
    fn short_friendly_hours_are_seen_ahead_until_they_begin() {
        let (hours, days) = (night("12:00", "12:30"), PublicDays::default());
        let calendar = Calendar { hours: &hours, days: &days };
        let comes = |now| begins_within(calendar, at(&Shanghai, now), 45 * MINUTE, &Shanghai);
        assert!(!comes("2026-11-25 11:14") && comes("2026-11-25 11:15") && comes("2026-11-25 11:59"));
        assert!(!comes("2026-11-25 12:00"), "they are there");
        let hours = night("00:15", "06:00");
        assert!(begins_within(
            Calendar { hours: &hours, days: &days },
            at(&Shanghai, "2026-11-25 23:31"),
            45 * MINUTE,
            &Shanghai
        ));
    }

    #[test]
    fn the_next_friendly_hours_are_found() {
        let (hours, days) = (night("22:00", "07:00"), PublicDays::default());
        let calendar = Calendar { hours: &hours, days: &days };
        let next = |now| next_friendly(calendar, at(&Shanghai, now), &Shanghai).map(|at| at.to_string());
        assert_eq!(next("2026-11-25 12:00").as_deref(), Some("2026-11-25 22:00:00"));
        assert_eq!(next("2026-11-25 07:00").as_deref(), Some("2026-11-25 22:00:00"));
        let never = FriendlyHours::default();
        assert_eq!(next_friendly(Calendar { hours: &never, days: &days }, Timestamp(0), &Shanghai), None);
    }

    proptest! {
        /// Within friendly hours every instant has the same end, and the end is outside them.
        #[test]
        fn every_instant_of_friendly_hours_has_the_same_end(
            from in 0..1_440_i64, until in 0..1_440_i64, weekends in any::<bool>(), hour in 0..8_760_i64, part in 0.0..1.0_f64,
        ) {
            prop_assume!(from != until);
            let minute = |minute| MinuteOfDay::new(minute).unwrap();
            let night = Night { from: minute(from), until: minute(until) };
            let hours = FriendlyHours { night: Some(night), weekends, ..FriendlyHours::default() };
            let days = PublicDays::default();
            let calendar = Calendar { hours: &hours, days: &days };
            let now = Timestamp(Date::from_ymd(2027, 1, 1).unwrap().0 * DAY + hour * HOUR);
            if let Some(end) = friendly_until(calendar, now, &Berlin) {
                let between = now.plus((end.since(now) as f64 * part) as i64);
                prop_assert_eq!(friendly_until(calendar, between, &Berlin), Some(end));
                prop_assert_eq!(friendly_until(calendar, end, &Berlin), None);
            }
        }
    }
}
