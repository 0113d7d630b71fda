//! How long a session lasts: each use extends it, up to a fixed end.

use model::person::Role;
use model::time::{DAY, HOUR, MINUTE, Timestamp};

/// How long a session lasts unused, and at most.
const fn spans(role: Role) -> (i64, i64) {
    match role {
        Role::Resident => (14 * DAY, 90 * DAY),
        // A console stands in an office where others can use it.
        _ => (12 * HOUR, 7 * DAY),
    }
}

/// When a session opened at `created` ends if it is not used after `now`.
#[must_use]
pub fn expires(role: Role, created: Timestamp, now: Timestamp) -> Timestamp {
    let (idle, at_most) = spans(role);
    Timestamp((now.0 + idle).min(created.0 + at_most))
}

/// Whether the use is stored: at most every ten minutes, since the end moves by hours.
#[must_use]
pub const fn worth_writing(seen: Timestamp, now: Timestamp) -> bool {
    now.0 - seen.0 >= 10 * MINUTE
}

/// When a session at a query machine ends that was opened at `created` and is used at `now`: soon, since the page logs out by
/// itself after a minute, and in any case before the next person in the queue loses patience.
#[must_use]
pub fn kiosk_expires(created: Timestamp, now: Timestamp) -> Timestamp {
    now.plus(2 * MINUTE).min(created.plus(15 * MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_is_extended_up_to_its_end() {
        let opened = Timestamp(0);
        assert_eq!(expires(Role::Resident, opened, Timestamp(DAY)), Timestamp(15 * DAY));
        assert_eq!(expires(Role::Resident, opened, Timestamp(89 * DAY)), Timestamp(90 * DAY));
        assert_eq!(expires(Role::Cashier, opened, Timestamp(HOUR)), Timestamp(13 * HOUR));
        assert_eq!(kiosk_expires(opened, Timestamp(MINUTE)), Timestamp(3 * MINUTE));
        assert_eq!(kiosk_expires(opened, Timestamp(14 * MINUTE)), Timestamp(15 * MINUTE));
        assert!(!worth_writing(opened, Timestamp(MINUTE)) && worth_writing(opened, Timestamp(10 * MINUTE)));
    }
}
