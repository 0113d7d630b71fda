//! Conditions derived from a meter's values. An event is raised when its condition appears and ends when the condition clears.

use model::event::EventKind;
use model::meter::{Latest, StatusWord};
use model::time::{DAY, Timestamp};

/// Thresholds above the measuring error of an open relay: 0.2 A and 20 W.
const LOAD_CA: u16 = 20;
const LOAD_W: i32 = 20;
/// A reverse-energy condition ends when the reverse counter has not grown for this long.
const REVERSE_MEMORY: i64 = DAY;

/// A set of event kinds, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlarmConditions(u32);

impl AlarmConditions {
    #[must_use]
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }

    /// Adds or removes a kind; returns whether the set changed.
    pub const fn set(&mut self, kind: EventKind, on: bool) -> bool {
        let before = self.0;
        if on {
            self.0 |= 1 << kind as u32;
        } else {
            self.0 &= !(1 << kind as u32);
        }
        before != self.0
    }
}

/// Conditions of the meter itself, each with whether it holds. The relay's condition needs the current too: see
/// [`has_relay_fault`].
#[must_use]
pub const fn of_meter(status: StatusWord) -> [(EventKind, bool); 3] {
    [
        (EventKind::CoverOpen, status.cover_open()),
        (EventKind::ClockLost, status.clock_lost()),
        (EventKind::Tripped, is_tripped_without_reason(status)),
    ]
}

/// Whether the relay is open although credit, load, control mode and the resident's own switch would leave it closed.
const fn is_tripped_without_reason(status: StatusWord) -> bool {
    let is_open = status.account_open() && !status.relay_closed() && !status.relay_unseen();
    let has_reason = status.tripped_arrears() || status.tripped_overload() || status.tripped_malignant();
    is_open && !has_reason && !status.forced_off() && !status.user_switch_off()
}

/// Conditions of credit and load, wherever the wallet is. Of arrears, alarm 2 and alarm 1 only the worst is set.
#[must_use]
pub const fn of_wallet(status: StatusWord) -> [(EventKind, bool); 5] {
    let arrears = status.tripped_arrears();
    let (first, second) = (status.account_open() && status.below_alarm1(), status.account_open() && status.below_alarm2());
    [
        (EventKind::Overload, status.tripped_overload()),
        (EventKind::Malignant, status.tripped_malignant()),
        (EventKind::Arrears, arrears),
        (EventKind::Alarm2, second && !arrears),
        (EventKind::Alarm1, first && !second && !arrears),
    ]
}

/// Whether a reading shows a faulty relay: the meter reports it, or load current flows while the relay is `open`. It is an event
/// only when two successive readings show it, because state and current are read one after the other and the relay may
/// move in between.
#[must_use]
pub fn has_relay_fault(open: bool, now: &Latest) -> bool {
    now.status.relay_fault() || (open && draws_load(now.current_ca, now.power_w))
}

/// Whether a load draws current (0.01 A) and power (W); a value that is not measured is ignored.
#[must_use]
pub const fn draws_load(current_ca: Option<u16>, power_w: Option<i32>) -> bool {
    match (current_ca, power_w) {
        (Some(current), Some(power)) => current >= LOAD_CA && power.abs() >= LOAD_W,
        (Some(current), None) => current >= LOAD_CA,
        (None, Some(power)) => power.abs() >= LOAD_W,
        (None, None) => false,
    }
}

/// Whether energy flows in reverse: the meter reports it, or its reverse counter grew within the last day.
#[must_use]
pub const fn has_reverse_energy(status: StatusWord, last_growth: Option<Timestamp>, now: Timestamp) -> bool {
    let recent = match last_growth {
        Some(at) => now.since(at) < REVERSE_MEMORY,
        None => false,
    };
    status.reverse_energy() || recent
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{MeterId, Uuid};

    fn seen(status: u16, current_ca: Option<u16>, power_w: Option<i32>) -> Latest {
        Latest { status: StatusWord(status), current_ca, power_w, ..Latest::unseen(MeterId(Uuid::nil())) }
    }

    #[test]
    fn relay_fault_shows_in_the_status_or_the_current() {
        for (open, status, current, power, fails) in [
            (true, 0, Some(500), Some(1_100), true),
            (true, 0, Some(500), None, true),
            (true, 0, Some(5), Some(12), false),
            (true, 0, None, None, false),
            (false, 0, Some(500), Some(1_100), false),
            (false, 1 | 1 << 12, Some(500), Some(1_100), true),
        ] {
            assert_eq!(has_relay_fault(open, &seen(status, current, power)), fails, "{status} {current:?} {power:?}");
        }
    }

    #[test]
    fn reverse_energy_clears_one_day_after_last_growth() {
        let at = Timestamp(1_000);
        assert!(has_reverse_energy(StatusWord(1 << 9), None, at));
        assert!(has_reverse_energy(StatusWord(0), Some(at), at.plus(DAY - 1)));
        assert!(!has_reverse_energy(StatusWord(0), Some(at), at.plus(DAY)));
        assert!(!has_reverse_energy(StatusWord(0), None, at));
    }

    #[test]
    fn set_reports_whether_anything_changed() {
        let mut conditions = AlarmConditions::default();
        assert!(conditions.set(EventKind::Overload, true) && !conditions.set(EventKind::Overload, true));
        assert!(conditions.contains(EventKind::Overload) && !conditions.contains(EventKind::Malignant));
        assert!(conditions.set(EventKind::Overload, false));
    }

    #[test]
    fn status_word_yields_conditions_and_only_the_worst_level() {
        let word = |status| {
            let all = of_meter(StatusWord(status)).into_iter().chain(of_wallet(StatusWord(status)));
            all.filter(|(_, is_set)| *is_set).map(|(kind, _)| kind).collect::<Vec<_>>()
        };
        assert_eq!(word(1 << 5 | 1 << 13), [EventKind::ClockLost, EventKind::Overload]);
        assert_eq!(word(1 << 10 | 1 << 11), [EventKind::CoverOpen, EventKind::Malignant]);
        assert_eq!(word(0b0111), [EventKind::Alarm1]);
        assert_eq!(word(0b1111), [EventKind::Alarm2]);
        assert_eq!(word(0b1_1110), [EventKind::Arrears]);
        assert_eq!(word(0b0010), [EventKind::Tripped]);
        assert_eq!(word(1 << 8 | 0b0010), [], "the resident's own switch");
        assert_eq!(word(1 << 15 | 0b0010), [], "nothing tells how the relay stands");
        assert_eq!(word(0b1100), [], "no account is open");
    }
}
