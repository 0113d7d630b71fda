//! When a message is sent, how long it is of use, and how often anybody is told the same. Pure.

use model::alarm::AlarmLevel;
use model::notification::{NotificationChannel, NotificationKind, NotificationReason, NotificationState, QuietHours, TextLength};
use model::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};

/// After so many tries a message has failed.
pub const MOST_TRIES: i64 = 12;
/// After this many failures in a row, a channel is left alone for a while.
const MOST_FAILURES: usize = 3;
/// How many hours late a digest is still asked for, where the server did not run in its hour.
const DIGEST_LATE: i64 = 6;

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
        // Once in a night, and of use while the power is on.
        NotificationKind::StaysOn => (true, 6 * HOUR, 2 * HOUR),
        NotificationKind::Recharge => (false, 0, 12 * HOUR),
        // Asked in the evening; quiet hours would bring it after the night that it is about.
        NotificationKind::EmptyTonight => (true, 20 * HOUR, 2 * HOUR),
        // A balance that goes up and down around the chosen one is told once.
        NotificationKind::TopUp => (false, 12 * HOUR, 12 * HOUR),
        NotificationKind::AddressCode
        | NotificationKind::ReplyBalance
        | NotificationKind::ReplyStop
        | NotificationKind::ReplyTopUp => (true, 0, 10 * MINUTE),
        NotificationKind::LogInCode => (true, 0, 5 * MINUTE),
        NotificationKind::GatewayLost => (true, HOUR, HOUR),
        NotificationKind::DeliveryStuck | NotificationKind::PaymentMismatch => (false, 0, DAY),
        NotificationKind::CertificateExpiring => (false, 0, 3 * DAY),
        // Its hour was chosen; each day has a subject of its own.
        NotificationKind::Digest => (true, 0, 6 * HOUR),
        NotificationKind::Alarm => (false, 0, 6 * HOUR),
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

/// The schedule of a message that is asked for at that time. The level of an alarm goes before what is usual for its kind.
#[must_use]
pub fn schedule(kind: NotificationKind, level: Option<AlarmLevel>, quiet: QuietHours, at: Timestamp) -> Schedule {
    let rule = rule(kind);
    let is_urgent = level.map_or(rule.is_urgent, |level| level == AlarmLevel::Urgent);
    let next_at = if is_urgent { at } else { after_quiet_hours(quiet, at) };
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

/// Failures in a row, when after `before` failures `sent` more messages were taken and `failed` were not. `None` where the
/// channel is to be left alone for a while.
#[must_use]
pub const fn failures(before: usize, sent: usize, failed: usize) -> Option<usize> {
    match (sent, before.saturating_add(failed)) {
        (0, failures) if failures >= MOST_FAILURES => None,
        (0, failures) => Some(failures),
        _ => Some(0),
    }
}

/// When a message was tried last, and what became of it.
pub type TriedMessage = (Timestamp, NotificationState, Option<NotificationReason>);

/// Whether nothing goes through a channel, by the messages that it tried last. The newest one with a clear outcome decides; among
/// several of the same time, one that was taken.
#[must_use]
pub fn is_down(tried: &[TriedMessage]) -> bool {
    let telling = tried.iter().filter_map(|(at, state, reason)| Some((*at, was_taken(*state, *reason)?)));
    telling.max().is_some_and(|(_, taken)| !taken)
}

/// `None` for a message that is on its way, or that failed for a final reason, such as a bad number. One that was dropped after a
/// try was not taken.
const fn was_taken(state: NotificationState, reason: Option<NotificationReason>) -> Option<bool> {
    match (state, reason) {
        (NotificationState::Sent, _) => Some(true),
        (NotificationState::Dropped, _) => Some(false),
        (NotificationState::Waiting | NotificationState::Failed, Some(reason)) if !reason.is_final() => Some(false),
        _ => None,
    }
}

/// Whether a digest is asked for at an hour of the day. `unseen` are the hours since this was checked last; `None` before the
/// first check. Operators to whom nothing was open in their hour get none later.
#[must_use]
pub fn is_digest_hour(digest_hour: u8, hour: u8, unseen: Option<i64>) -> bool {
    let late = unseen.map_or(DIGEST_LATE, |hours| hours.clamp(1, DIGEST_LATE));
    (0..late).contains(&(i64::from(hour) - i64::from(digest_hour)))
}

/// In how many parts a text message is sent, and charged.
#[must_use]
pub fn text_message_parts(text: &str) -> i64 {
    i64::try_from(TextLength::of(text).parts).unwrap_or(i64::MAX)
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
        for hour in 0..24 {
            assert_eq!(after_quiet_hours(QuietHours::NONE, at(25, hour, 0)), at(25, hour, 0));
        }
    }

    #[test]
    fn power_cuts_are_told_at_night_and_alarms_are_not() {
        let (quiet, night) = (QuietHours::default(), at(25, 23, 0));
        for kind in NotificationKind::ALL {
            let Schedule { next_at, stale_at } = schedule(kind, None, quiet, night);
            assert_eq!(next_at, if rule(kind).is_urgent { night } else { at(26, 7, 0) }, "{kind:?}");
            assert!(stale_at > next_at, "{kind:?} is of use for a while after it may be sent");
        }
        for kind in [NotificationKind::Arrears, NotificationKind::Restored] {
            assert!(rule(kind).is_urgent, "{kind:?}");
        }
        let of_level = |kind, level| schedule(kind, Some(level), quiet, night).next_at;
        assert_eq!(of_level(NotificationKind::Alarm1, AlarmLevel::Urgent), night);
        assert_eq!(of_level(NotificationKind::Arrears, AlarmLevel::Warning), at(26, 7, 0));
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
    fn a_channel_that_takes_some_messages_is_not_down() {
        assert_eq!(failures(0, 4, 4), Some(0), "half of them");
        assert_eq!(failures(2, 1, 7), Some(0));
        assert_eq!([failures(0, 0, 1), failures(1, 0, 1), failures(2, 0, 1)], [Some(1), Some(2), None]);
        assert_eq!(failures(0, 0, 8), None, "all at once");
    }

    #[test]
    fn a_channel_is_down_until_a_message_goes_through() {
        use NotificationReason::{Busy, LogIn, Refused, Stale, Unreachable};
        use NotificationState::{Dropped, Failed, Sent, Waiting};
        let down = |tried: &[(u8, NotificationState, Option<NotificationReason>)]| {
            is_down(&tried.iter().map(|(minute, state, reason)| (at(25, 9, *minute), *state, *reason)).collect::<Vec<_>>())
        };
        assert!(!down(&[]), "it was never tried");
        for reason in [Unreachable, Busy, LogIn] {
            assert!(down(&[(2, Waiting, Some(reason)), (1, Sent, None)]), "{reason:?}");
        }
        assert!(down(&[(3, Waiting, None), (2, Failed, Some(Unreachable))]), "the next one is on its way");
        assert!(down(&[(2, Dropped, Some(Stale)), (1, Sent, None)]), "too late after its tries");
        assert!(down(&[(3, Failed, Some(Refused)), (2, Waiting, Some(Busy))]), "a wrong number tells nothing");
        assert!(!down(&[(3, Failed, Some(Refused)), (2, Sent, None)]));
        assert!(!down(&[(3, Sent, None), (2, Waiting, Some(Unreachable))]), "it works again");
        assert!(!down(&[(2, Waiting, Some(Busy)), (2, Sent, None)]), "some of several go through");
    }

    #[test]
    fn a_digest_comes_late_but_not_in_the_evening() {
        let hours =
            |digest_hour, unseen| (0..24).filter(move |hour| is_digest_hour(digest_hour, *hour, unseen)).collect::<Vec<u8>>();
        assert_eq!(hours(8, None), [8, 9, 10, 11, 12, 13]);
        assert_eq!(hours(22, None), [22, 23]);
        assert_eq!(hours(8, Some(1)), [8], "whoever had nothing open then gets none later");
        assert_eq!((hours(8, Some(2)), hours(8, Some(99)).len()), (vec![8, 9], 6), "an hour that was missed");
    }

    /// What becomes of a message whose provider is down from `at` on for an hour: the tries, and when it is taken or too late.
    fn through_an_outage(kind: NotificationKind, asked: Timestamp) -> (i64, Result<Timestamp, Timestamp>) {
        let never = QuietHours { from: 3, until: 3 };
        let (Schedule { mut next_at, stale_at }, back) = (schedule(kind, None, never, asked), asked.plus(HOUR));
        let mut tries = 0;
        while next_at < stale_at {
            tries += 1;
            if next_at >= back {
                return (tries, Ok(next_at));
            }
            let Some(pause) = retry(NotificationReason::Unreachable, tries) else { break };
            next_at = next_at.plus(pause);
        }
        (tries, Err(stale_at))
    }

    #[test]
    fn after_an_outage_only_what_is_of_use_is_sent() {
        let asked = at(25, 9, 0);
        for kind in [NotificationKind::Arrears, NotificationKind::Restored, NotificationKind::LogInCode] {
            let (tries, end) = through_an_outage(kind, asked);
            assert!(end.is_err() && tries <= 7, "{kind:?}: {tries} tries, {end:?}");
        }
        for kind in [NotificationKind::Alarm1, NotificationKind::Recharge, NotificationKind::DeliveryStuck] {
            let (tries, end) = through_an_outage(kind, asked);
            // Not for all at the same moment, and not much later.
            assert!(tries <= 9 && end.is_ok_and(|taken| taken <= asked.plus(HOUR + 30 * MINUTE)), "{kind:?}: {tries}, {end:?}");
        }
    }
}
