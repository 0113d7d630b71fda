//! How often something is tried in an hour: by person, where one is known, and by address. Attempts that succeed count too.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};

use domain::address::block;
use model::error::AppError;
use model::ids::UserId;
use model::time::{HOUR, Timestamp};

/// The most attempts that are remembered, so that memory is bounded.
const OF_ALL: usize = 5_000;

/// The address of a visitor, as limits count it.
pub(crate) fn address_of(ip: &str) -> IpAddr {
    block(ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
}

pub(crate) struct AttemptLimits {
    of_person: usize,
    /// A whole dormitory can share an address.
    of_address: usize,
    /// Those of the last hour, the oldest first.
    attempts: Mutex<VecDeque<(Timestamp, Option<UserId>, IpAddr)>>,
}

impl AttemptLimits {
    pub fn new(of_person: usize, of_address: usize) -> Self {
        Self { of_person, of_address, attempts: Mutex::default() }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] where it is one too many; it does not count then.
    pub fn take(&self, user: Option<UserId>, ip: &str, now: Timestamp) -> Result<(), AppError> {
        let address = address_of(ip);
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the clock was set back, what lies ahead of it must not count until it has caught up.
        attempts.retain(|(at, ..)| (0..HOUR).contains(&now.since(*at)));
        let by_person = user.map_or(0, |user| attempts.iter().filter(|(_, person, _)| *person == Some(user)).count());
        let from_address = attempts.iter().filter(|(.., from)| *from == address).count();
        if by_person >= self.of_person || from_address >= self.of_address || attempts.len() >= OF_ALL {
            return Err(AppError::RateLimited);
        }
        attempts.push_back((now, user, address));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use model::ids::Uuid;

    use super::*;

    #[test]
    fn attempts_are_limited_by_person_and_address() {
        let limits = AttemptLimits::new(3, 5);
        let taken = |person: u128, from: &str, at: i64| {
            (0..9).filter(|_| limits.take(Some(UserId(Uuid::from_u128(person))), from, Timestamp(HOUR + at)).is_ok()).count()
        };
        assert_eq!(taken(1, "192.0.2.1", 0), 3);
        assert_eq!(taken(1, "192.0.2.2", 0), 0, "from another address neither");
        assert_eq!(taken(2, "192.0.2.1", 0), 2);
        assert_eq!(taken(3, "2001:db8::1", 0) + taken(4, "2001:db8::2", 0), 5, "a network counts as one");
        let strangers = (0..9).filter(|_| limits.take(None, "192.0.2.9", Timestamp(HOUR)).is_ok()).count();
        assert_eq!(strangers, 5, "by address alone where nobody is known");
        assert_eq!(taken(1, "192.0.2.1", HOUR), 3, "an hour later");
    }
}
