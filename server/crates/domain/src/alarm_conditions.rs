//! What of a meter's values is the matter with it: pure. An event is raised when its sign appears and is over when the sign is
//! gone.

use model::event::EventKind;
use model::meter::{Latest, StatusWord};
use model::time::{DAY, Timestamp};

/// What still flows through an open relay is more than its measuring error: 0.2 A, 20 W.
const FLOWS_CA: u16 = 20;
const FLOWS_W: i32 = 20;
/// Reverse energy is over when none was seen for as long.
const REVERSE_OVER: i64 = DAY;

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlarmConditions(u16);

impl AlarmConditions {
    /// Whether it holds this one.
    #[must_use]
    pub const fn holds(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u16 != 0
    }

    /// Puts one in or takes it out; says whether that changed anything.
    pub const fn set(&mut self, kind: EventKind, on: bool) -> bool {
        let before = self.0;
        if on {
            self.0 |= 1 << kind as u16;
        } else {
            self.0 &= !(1 << kind as u16);
        }
        before != self.0
    }
}

/// Which kinds a status word decides about the meter, each with whether it is so. The relay's needs the current too: see
/// [`relay_fails`].
#[must_use]
pub const fn of_meter(status: StatusWord) -> [(EventKind, bool); 2] {
    [(EventKind::CoverOpen, status.cover_open()), (EventKind::ClockLost, status.clock_lost())]
}

/// Which kinds it decides about the credit and the load, wherever the wallet is: of the three levels, the worst alone.
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

/// The relay does not do what it is told: the meter says so, or current flows though it stays `open`: seen so twice, because
/// state and current are read one after the other, and a relay that opens in between is not welded.
#[must_use]
pub fn relay_fails(open: bool, now: &Latest) -> bool {
    now.status.relay_fault() || (open && flows(now.current_ca, now.power_w))
}

/// Whether a load draws current, 0.01 A, and power, W, by what a meter measures of them.
#[must_use]
pub const fn flows(current_ca: Option<u16>, power_w: Option<i32>) -> bool {
    match (current_ca, power_w) {
        (Some(current), Some(power)) => current >= FLOWS_CA && power.abs() >= FLOWS_W,
        (Some(current), None) => current >= FLOWS_CA,
        (None, Some(power)) => power.abs() >= FLOWS_W,
        (None, None) => false,
    }
}

/// Energy flows backwards: the meter says so, or its reverse counter grew lately.
#[must_use]
pub const fn flows_back(status: StatusWord, grew_at: Option<Timestamp>, now: Timestamp) -> bool {
    let lately = match grew_at {
        Some(at) => now.since(at) < REVERSE_OVER,
        None => false,
    };
    status.reverse_energy() || lately
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{MeterId, Uuid};

    fn seen(status: u16, current_ca: Option<u16>, power_w: Option<i32>) -> Latest {
        Latest { status: StatusWord(status), current_ca, power_w, ..Latest::unseen(MeterId(Uuid::nil())) }
    }

    #[test]
    fn a_welded_relay_is_told_by_its_word_or_by_the_current() {
        for (open, status, current, power, fails) in [
            (true, 0, Some(500), Some(1_100), true),
            (true, 0, Some(500), None, true),
            (true, 0, Some(5), Some(12), false),
            (true, 0, None, None, false),
            (false, 0, Some(500), Some(1_100), false),
            (false, 1 | 1 << 12, Some(500), Some(1_100), true),
        ] {
            assert_eq!(relay_fails(open, &seen(status, current, power)), fails, "{status} {current:?} {power:?}");
        }
    }

    #[test]
    fn reverse_energy_is_over_a_day_after_the_last_of_it() {
        let at = Timestamp(1_000);
        assert!(flows_back(StatusWord(1 << 9), None, at));
        assert!(flows_back(StatusWord(0), Some(at), at.plus(DAY - 1)));
        assert!(!flows_back(StatusWord(0), Some(at), at.plus(DAY)));
        assert!(!flows_back(StatusWord(0), None, at));
    }

    #[test]
    fn a_set_says_what_changed() {
        let mut signs = AlarmConditions::default();
        assert!(signs.set(EventKind::Overload, true) && !signs.set(EventKind::Overload, true));
        assert!(signs.holds(EventKind::Overload) && !signs.holds(EventKind::Malignant));
        assert!(signs.set(EventKind::Overload, false));
    }

    #[test]
    fn a_status_word_gives_conditions_and_the_worst_level() {
        let word = |status| {
            let all = of_meter(StatusWord(status)).into_iter().chain(of_wallet(StatusWord(status)));
            all.filter(|(_, so)| *so).map(|(kind, _)| kind).collect::<Vec<_>>()
        };
        assert_eq!(word(1 << 5 | 1 << 13), [EventKind::ClockLost, EventKind::Overload]);
        assert_eq!(word(1 << 10 | 1 << 11), [EventKind::CoverOpen, EventKind::Malignant]);
        assert_eq!(word(0b0110), [EventKind::Alarm1]);
        assert_eq!(word(0b1110), [EventKind::Alarm2]);
        assert_eq!(word(0b1_1110), [EventKind::Arrears]);
        assert_eq!(word(0b1100), [], "no account is open");
    }
}
