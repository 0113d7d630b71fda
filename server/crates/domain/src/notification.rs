//! When a message is sent, how long it is of use, and how often anybody is told the same. Pure.

use model::notification::{NotificationChannel, NotificationKind, NotificationReason, QuietHours};
use model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};

/// After so many tries a message has failed.
pub const MOST_TRIES: i64 = 12;
/// Characters of a short message, and of each part of a longer one: in Latin letters, and in any others.
const LATIN: (usize, usize) = (160, 153);
const OTHER: (usize, usize) = (70, 67);

/// How messages of a kind are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whether it comes in quiet hours too.
    pub is_urgent: bool,
    /// Nobody is told the same about the same again within this time, ms. 0: each has a subject of its own.
    pub cool_down: i64,
    /// How long after the time at which it may be sent it is of use, ms.
    pub stale_after: i64,
}

/// The rule of a kind.
#[must_use]
pub const fn rule(kind: NotificationKind) -> Rule {
    let (is_urgent, cool_down, stale_after) = match kind {
        NotificationKind::Alarm1 => (false, DAY, 6 * HOUR),
        NotificationKind::Alarm2 => (false, 12 * HOUR, 3 * HOUR),
        NotificationKind::Arrears | NotificationKind::Restored => (true, HOUR, 30 * MINUTE),
        NotificationKind::Recharge => (false, 0, 12 * HOUR),
        // Asked in the evening; quiet hours would bring it after the night that it is about.
        NotificationKind::EmptyTonight => (true, 20 * HOUR, 2 * HOUR),
        NotificationKind::AddressCode => (true, 0, 10 * MINUTE),
        NotificationKind::GatewayLost => (true, HOUR, HOUR),
        NotificationKind::DeliveryStuck | NotificationKind::PaymentMismatch => (false, 0, DAY),
        NotificationKind::CertificateExpiring => (false, 0, 3 * DAY),
        NotificationKind::Test => (true, 0, 10 * MINUTE),
    };
    Rule { is_urgent, cool_down, stale_after }
}

/// When a message may be sent, and from when on it is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub next_at: Timestamp,
    pub stale_at: Timestamp,
}

/// The schedule of a message that is asked for at that time.
#[must_use]
pub fn schedule(kind: NotificationKind, quiet: QuietHours, at: Timestamp) -> Schedule {
    let rule = rule(kind);
    let next_at = if rule.is_urgent { at } else { after_quiet_hours(quiet, at) };
    Schedule { next_at, stale_at: next_at.plus(rule.stale_after) }
}

/// The first time from `at` on that is not within quiet hours.
#[must_use]
pub fn after_quiet_hours(quiet: QuietHours, at: Timestamp) -> Timestamp {
    let (from, until) = (i64::from(quiet.from) * HOUR, i64::from(quiet.until) * HOUR);
    let midnight = at.date().start();
    let of_day = at.since(midnight);
    let is_quiet = if from <= until { (from..until).contains(&of_day) } else { of_day >= from || of_day < until };
    match is_quiet {
        false => at,
        true if of_day < until => midnight.plus(until),
        true => midnight.plus(DAY + until),
    }
}

/// What no two messages share: kind, channel, person, subject, and the period of the cool-down.
#[must_use]
pub fn key(kind: NotificationKind, channel: NotificationChannel, (person, subject): (&str, &str), at: Timestamp) -> String {
    let period = at.0.checked_div_euclid(rule(kind).cool_down).unwrap_or_default();
    format!("{} {} {person} {subject} {period}", kind.as_str(), channel.as_str())
}

/// What becomes of a message that could not be sent: tried again after a pause in ms, or `None` where it has failed.
#[must_use]
pub fn retry(reason: NotificationReason, tries: i64) -> Option<i64> {
    let pause = ((30 * SECOND) << (tries - 1).clamp(0, 6)).min(30 * MINUTE);
    (!reason.is_final() && tries < MOST_TRIES).then_some(pause)
}

/// In how many parts a text message is sent, and charged.
#[must_use]
pub fn text_message_parts(text: &str) -> i64 {
    // Phones count characters beyond the basic plane twice.
    let characters = text.encode_utf16().count();
    let (short, part) = if text.is_ascii() { LATIN } else { OTHER };
    if characters <= short { 1 } else { i64::try_from(characters.div_ceil(part)).unwrap_or(i64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Civil;

    fn at(day: u8, hour: u8, minute: u8) -> Timestamp {
        Civil { year: 2026, month: 11, day, hour, minute, second: 0 }.timestamp().unwrap()
    }

    #[test]
    fn quiet_hours_put_off_to_their_end() {
        let night = QuietHours::default();
        for (asked, sent) in [
            (at(25, 21, 59), at(25, 21, 59)),
            (at(25, 22, 0), at(26, 7, 0)),
            (at(25, 23, 30), at(26, 7, 0)),
            (at(26, 0, 0), at(26, 7, 0)),
            (at(26, 6, 59), at(26, 7, 0)),
            (at(26, 7, 0), at(26, 7, 0)),
        ] {
            assert_eq!(after_quiet_hours(night, asked), sent, "{asked}");
        }
        let noon = QuietHours { from: 12, until: 14 };
        assert_eq!(after_quiet_hours(noon, at(25, 13, 0)), at(25, 14, 0));
        assert_eq!(after_quiet_hours(noon, at(25, 14, 0)), at(25, 14, 0));
        let never = QuietHours { from: 3, until: 3 };
        assert_eq!(after_quiet_hours(never, at(25, 3, 0)), at(25, 3, 0));
    }

    #[test]
    fn power_cuts_are_told_at_night_and_alarms_are_not() {
        let (quiet, night) = (QuietHours::default(), at(25, 23, 0));
        for kind in NotificationKind::ALL {
            let Schedule { next_at, stale_at } = schedule(kind, quiet, night);
            assert_eq!(next_at, if rule(kind).is_urgent { night } else { at(26, 7, 0) }, "{kind:?}");
            assert!(stale_at > next_at, "{kind:?} is of use for a while after it may be sent");
        }
        for kind in [NotificationKind::Arrears, NotificationKind::Restored] {
            assert!(rule(kind).is_urgent, "{kind:?}");
        }
    }

    #[test]
    fn nobody_is_told_the_same_twice_in_a_period() {
        let of = |kind, subject, at| key(kind, NotificationChannel::Sms, ("p", subject), at);
        let (morning, later) = (at(25, 9, 0), at(25, 9, 30));
        assert_eq!(of(NotificationKind::Arrears, "a", morning), of(NotificationKind::Arrears, "a", later));
        assert_ne!(of(NotificationKind::Arrears, "a", morning), of(NotificationKind::Arrears, "b", later));
        assert_ne!(of(NotificationKind::Arrears, "a", morning), of(NotificationKind::Restored, "a", later));
        assert_ne!(of(NotificationKind::Arrears, "a", morning), of(NotificationKind::Arrears, "a", at(25, 11, 0)));
        assert_eq!(of(NotificationKind::Recharge, "a", morning), of(NotificationKind::Recharge, "a", at(29, 1, 0)));
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<i64> = (1..=MOST_TRIES).filter_map(|tries| retry(NotificationReason::Busy, tries)).collect();
        assert_eq!(pauses.iter().take(8).map(|ms| ms / SECOND).collect::<Vec<_>>(), [30, 60, 120, 240, 480, 960, 1_800, 1_800]);
        assert_eq!(i64::try_from(pauses.len()), Ok(MOST_TRIES - 1));
        assert_eq!(retry(NotificationReason::Refused, 1), None);
    }

    #[test]
    fn long_texts_are_counted_in_parts() {
        for (characters, parts) in [(0, 1), (70, 1), (71, 2), (134, 2), (135, 3)] {
            assert_eq!(text_message_parts(&"电".repeat(characters)), parts, "{characters}");
        }
        assert_eq!(text_message_parts(&"😀".repeat(36)), 2);
        assert_eq!([160, 161].map(|characters| text_message_parts(&"a".repeat(characters))), [1, 2]);
    }
}
