//! Push services that do not answer. Each browser maker has its own, and one that cannot be reached, as from some networks, must
//! delay no other: it is left alone for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::notification::NotificationReason;
use model::time::{MINUTE, Timestamp};

/// After this many messages in a row without an answer, a service is left alone for [`PAUSE`].
const MOST_UNANSWERED: u32 = 3;
const PAUSE: i64 = 2 * MINUTE;
/// Services that are remembered. Browsers use a handful; others, made up by somebody, are forgotten after the pause.
const MOST_SERVICES: usize = 100;

/// The services that did not answer lately, by host.
#[derive(Default)]
pub struct PushServices(Mutex<HashMap<String, Unanswered>>);

#[derive(Clone, Copy)]
struct Unanswered {
    in_a_row: u32,
    last_at: Timestamp,
}

impl Unanswered {
    /// Not where it is to be in the future: the clock was set back, and nobody waits until it is there again.
    fn is_recent(self, at: Timestamp) -> bool {
        (0..PAUSE).contains(&at.since(self.last_at))
    }
}

impl PushServices {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Unanswered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a service is left alone now because it did not answer.
    pub fn is_paused(&self, host: &str, at: Timestamp) -> bool {
        self.lock().get(host).is_some_and(|one| one.in_a_row >= MOST_UNANSWERED && one.is_recent(at))
    }

    /// Remembers whether a service answered. What it answered may be about one device, and does not count.
    pub fn keep(&self, host: &str, at: Timestamp, problem: Option<NotificationReason>) {
        let mut services = self.lock();
        if problem != Some(NotificationReason::Unreachable) {
            services.remove(host);
            return;
        }
        if services.len() >= MOST_SERVICES {
            services.retain(|_, one| one.is_recent(at));
        }
        if services.len() < MOST_SERVICES || services.contains_key(host) {
            let one = services.entry(host.to_owned()).or_insert(Unanswered { in_a_row: 0, last_at: at });
            *one = Unanswered { in_a_row: one.in_a_row.saturating_add(1), last_at: at };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_795_600_000_000);
    const LOST: Option<NotificationReason> = Some(NotificationReason::Unreachable);

    #[test]
    fn a_service_that_does_not_answer_is_left_alone_for_a_while() {
        let services = PushServices::default();
        services.keep("a", START, LOST);
        services.keep("a", START, LOST);
        assert!(!services.is_paused("a", START));
        services.keep("a", START, LOST);
        assert!(services.is_paused("a", START) && !services.is_paused("b", START));
        assert!(!services.is_paused("a", START.plus(PAUSE)), "it is tried again");
        services.keep("a", START.plus(PAUSE), LOST);
        assert!(services.is_paused("a", START.plus(PAUSE)), "one more is enough");
        assert!(!services.is_paused("a", START), "the clock was set back");
        services.keep("a", START.plus(PAUSE), None);
        assert!(!services.is_paused("a", START.plus(PAUSE)));
    }

    #[test]
    fn refusals_of_one_device_do_not_pause_its_service() {
        let services = PushServices::default();
        for reason in [NotificationReason::LogIn, NotificationReason::Busy, NotificationReason::Gone, NotificationReason::Refused]
        {
            (0..MOST_UNANSWERED).for_each(|_| services.keep("a", START, Some(reason)));
            assert!(!services.is_paused("a", START), "{reason:?}");
        }
    }

    #[test]
    fn the_number_of_remembered_services_is_bounded() {
        let services = PushServices::default();
        (0..2 * MOST_SERVICES).for_each(|n| services.keep(&n.to_string(), START, LOST));
        assert_eq!(services.lock().len(), MOST_SERVICES);
        services.keep("a", START.plus(PAUSE), LOST);
        assert_eq!(services.lock().len(), 1);
    }
}
