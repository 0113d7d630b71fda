//! Slows down guessing. Not governor: only failures count and pauses grow with them, which a quota cannot express. Failures of
//! known logins are counted in the database, which all processes share; failures of addresses and of unknown logins are counted
//! here, so that a pause does not reveal which logins exist.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::error::AppError;
use model::time::{MINUTE, SECOND, Timestamp};

/// Failures of one login before it pauses.
const FREE_TRIES: i64 = 5;
/// Failures of one address before it pauses. A whole dormitory can share an address, so this only stops programs.
const ADDRESS_TRIES: i64 = 60;
/// How long failures of an address count.
const ADDRESS_WINDOW: i64 = 10 * MINUTE;
/// The most addresses and logins that are remembered.
const ENTRIES: usize = 20_000;

/// The pause after so many wrong passwords in a row: half a minute, doubling up to a quarter of an hour.
#[must_use]
pub fn pause(failed: i64) -> i64 {
    if failed < FREE_TRIES {
        return 0;
    }
    let doublings = u32::try_from((failed - FREE_TRIES).min(5)).unwrap_or(5);
    (30 * SECOND * 2_i64.pow(doublings)).min(15 * MINUTE)
}

#[derive(Default)]
struct Tries {
    count: i64,
    last: i64,
}

#[derive(Default)]
pub struct Throttle(Mutex<HashMap<String, Tries>>);

impl Throttle {
    /// Whether another attempt is allowed.
    ///
    /// # Errors
    /// [`AppError::RateLimited`].
    pub fn admit(&self, ip: &str, login: &str, now: Timestamp) -> Result<(), AppError> {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = tries.get(&address_key(ip));
        let name = tries.get(&name_key(login));
        let too_many = address.is_some_and(|t| t.count >= ADDRESS_TRIES && now.0 - t.last < ADDRESS_WINDOW);
        let too_soon = name.is_some_and(|t| now.0 - t.last < pause(t.count));
        if too_many || too_soon { Err(AppError::RateLimited) } else { Ok(()) }
    }

    /// Counts a failure; `login` only where the database does not count it.
    pub fn failed(&self, ip: &str, login: Option<&str>, now: Timestamp) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= ENTRIES {
            tries.retain(|_, t| now.0 - t.last < ADDRESS_WINDOW);
        }
        // A distributed attack: forgetting all is better than growing without limit.
        if tries.len() >= ENTRIES {
            tries.clear();
        }
        for key in std::iter::once(address_key(ip)).chain(login.map(name_key)) {
            let entry = tries.entry(key).or_default();
            if now.0 - entry.last >= ADDRESS_WINDOW.max(pause(entry.count)) {
                entry.count = 0;
            }
            entry.count += 1;
            entry.last = now.0;
        }
    }
}

fn address_key(ip: &str) -> String {
    format!("ip {ip}")
}

/// Only the start of a login, so that long ones do not fill the memory.
fn name_key(login: &str) -> String {
    format!("login {}", login.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_doubles_up_to_fifteen_minutes() {
        assert_eq!(pause(4), 0);
        assert_eq!(pause(5), 30 * SECOND);
        assert_eq!(pause(7), 2 * MINUTE);
        assert_eq!(pause(1_000), 15 * MINUTE);
    }

    #[test]
    fn unknown_login_is_throttled_like_a_known_one() {
        let (throttle, now) = (Throttle::default(), Timestamp(1_000_000));
        for _ in 0..4 {
            throttle.failed("a", Some("ghost"), now);
        }
        assert!(throttle.admit("a", "ghost", now).is_ok());
        throttle.failed("a", Some("ghost"), now);
        assert_eq!(throttle.admit("a", "ghost", now), Err(AppError::RateLimited));
        assert!(throttle.admit("a", "ghost", Timestamp(now.0 + 30 * SECOND)).is_ok());
        assert!(throttle.admit("a", "another", now).is_ok());
    }

    #[test]
    fn address_is_throttled_after_many_failures() {
        let (throttle, now) = (Throttle::default(), Timestamp(1_000_000));
        for _ in 0..ADDRESS_TRIES {
            throttle.failed("a", None, now);
        }
        assert_eq!(throttle.admit("a", "anybody", now), Err(AppError::RateLimited));
        assert!(throttle.admit("b", "anybody", now).is_ok());
        assert!(throttle.admit("a", "anybody", Timestamp(now.0 + ADDRESS_WINDOW)).is_ok());
    }
}
