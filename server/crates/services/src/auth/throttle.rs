//! Slows down guessing of passwords. Not governor: only failures count and delays grow with them, which a quota cannot express.
//!
//! An attempt counts before its password is looked at, so that many at once gain nothing, and waits until its turn. Nobody is
//! locked out: a browser that logged in before waits only for itself, and others wait at most as long as a person would. All
//! logins are treated alike, whether they exist or not.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::error::AppError;
use model::ids::UserId;
use model::time::{HOUR, MINUTE, SECOND, Timestamp};

use super::device::Device;

/// The longest an attempt waits for its turn, ms; one that would wait longer is refused and does not count.
const LONGEST_WAIT: i64 = 10 * SECOND;
/// The most counters that are kept.
const MAX_COUNTERS: usize = 20_000;

/// Whose attempts are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    /// One login from one address.
    Pair(String, IpAddr),
    /// One login from anywhere.
    Login(String),
    /// Any login from one address.
    Address(IpAddr),
    /// A browser that logged in before.
    Device(Device),
    /// Somebody who is logged in and proves the password again.
    Session(UserId),
    /// The second step of a person's log-in, from browsers that are not known.
    Code(UserId),
    /// The same from a browser that logged in before. Not [`Key::Device`], which the right password forgets.
    DeviceCode(Device),
}

/// How many attempts count within a window, which begins with the first of them, and what follows: a pause before the next one,
/// which doubles with each attempt. Times in ms.
struct Rule {
    free: u32,
    first_pause: i64,
    longest_pause: i64,
    window: i64,
}

impl Key {
    const fn rule(&self) -> Rule {
        match self {
            // The first pause is longer than an attempt may wait, so that a burst gets no more than what is free.
            Self::Pair(..) => Rule { free: 5, first_pause: LONGEST_WAIT + SECOND, longest_pause: MINUTE, window: HOUR },
            Self::Session(_) | Self::Code(_) => Rule { free: 5, first_pause: SECOND, longest_pause: MINUTE, window: HOUR },
            Self::Device(_) | Self::DeviceCode(_) => Rule { free: 10, first_pause: SECOND, longest_pause: MINUTE, window: HOUR },
            // Guessing from many addresses.
            Self::Login(_) => Rule { free: 20, first_pause: SECOND, longest_pause: MINUTE, window: HOUR },
            // A whole dormitory can share an address, so this only slows programs that try many logins.
            Self::Address(_) => Rule { free: 60, first_pause: SECOND, longest_pause: 5 * SECOND, window: 10 * MINUTE },
        }
    }
}

impl Rule {
    fn pause(&self, attempts: u32) -> i64 {
        match attempts.checked_sub(self.free) {
            None => 0,
            Some(doublings) => self.first_pause.saturating_mul(1 << doublings.min(20)).min(self.longest_pause),
        }
    }
}

/// The attempts of one key.
#[derive(Clone, Copy)]
struct Attempts {
    count: u32,
    /// When the first of them was made: all are forgotten a window later, however many followed. Somebody fails all the time
    /// where hundreds share an address.
    first_at: i64,
    /// When the next one may have its turn.
    next: i64,
}

/// The source of an attempt to log in.
pub enum Caller<'a> {
    /// A browser that is not known, by its address as limits count it.
    Stranger {
        login: &'a str,
        address: IpAddr,
    },
    Known(Device),
    Session(UserId),
    /// Somebody whose password was right and who types a code, in a browser that is known or not.
    Code(UserId, Option<Device>),
}

/// An attempt that counts as failed until it succeeds.
#[derive(Debug)]
pub struct Attempt {
    keys: Vec<Key>,
    /// How long to wait before the password is looked at.
    pub wait: Duration,
    /// For the first attempt that is followed by a pause: how many there are with it.
    pub first_delayed: Option<u32>,
}

impl Attempt {
    /// The login that a stranger typed, or its start.
    pub fn login(&self) -> Option<&str> {
        self.keys.iter().find_map(|key| match key {
            Key::Login(login) => Some(login.as_str()),
            _ => None,
        })
    }
}

#[derive(Default)]
pub struct Throttle(Mutex<HashMap<Key, Attempts>>);

impl Throttle {
    /// Counts an attempt and gives it its turn.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] if it would wait for too long.
    pub fn begin(&self, caller: Caller<'_>, now: Timestamp) -> Result<Attempt, AppError> {
        let keys = match caller {
            Caller::Stranger { login, address } => {
                // Only the start of a login, so that long ones do not fill the memory.
                let login: String = login.chars().take(64).collect();
                vec![Key::Pair(login.clone(), address), Key::Login(login), Key::Address(address)]
            }
            Caller::Known(device) => vec![Key::Device(device)],
            Caller::Session(user) => vec![Key::Session(user)],
            Caller::Code(_, Some(device)) => vec![Key::DeviceCode(device)],
            Caller::Code(user, None) => vec![Key::Code(user)],
        };
        let mut counted = self.counted();
        let current: Vec<Attempts> = keys.iter().map(|key| current(&counted, key, now)).collect();
        let turn = current.iter().map(|attempts| attempts.next).fold(now.0, i64::max);
        if turn - now.0 > LONGEST_WAIT {
            return Err(AppError::RateLimited);
        }
        make_room(&mut counted, now);
        let mut first_delayed = None;
        for (key, attempts) in keys.iter().zip(&current) {
            let (rule, count) = (key.rule(), attempts.count.saturating_add(1));
            // What has no pause of its own does not wait for what has.
            let next = if rule.pause(count) > 0 { turn + rule.pause(count) } else { attempts.next };
            counted.insert(key.clone(), Attempts { count, first_at: attempts.first_at, next });
            if first_delayed.is_none() && count == rule.free && !matches!(key, Key::Address(_)) {
                first_delayed = Some(count);
            }
        }
        let wait = Duration::from_millis(u64::try_from(turn - now.0).unwrap_or_default());
        Ok(Attempt { keys, wait, first_delayed })
    }

    /// The password was right. What was counted for the login from here is forgotten; the address keeps its other failures.
    pub fn succeeded(&self, attempt: &Attempt, now: Timestamp) {
        let mut counted = self.counted();
        for key in &attempt.keys {
            match key {
                Key::Address(_) => {
                    if let Some(attempts) = counted.get_mut(key) {
                        attempts.count = attempts.count.saturating_sub(1);
                        if key.rule().pause(attempts.count) == 0 {
                            attempts.next = attempts.next.min(now.0);
                        }
                    }
                }
                _ => drop(counted.remove(key)),
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<Key, Attempts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What counts now of a key.
fn current(counted: &HashMap<Key, Attempts>, key: &Key, now: Timestamp) -> Attempts {
    let (rule, none) = (key.rule(), Attempts { count: 0, first_at: now.0, next: 0 });
    let Some(&attempts) = counted.get(key) else { return none };
    // Where the clock was set back, a pause must not last until it has caught up.
    let is_ahead = attempts.first_at > now.0 || attempts.next > now.0 + LONGEST_WAIT + rule.longest_pause;
    if now.0 - attempts.first_at >= rule.window {
        none
    } else if is_ahead {
        Attempts { first_at: now.0, next: now.0, ..attempts }
    } else {
        attempts
    }
}

/// Forgets what no longer counts; where that is too little, whoever tried least.
fn make_room(counted: &mut HashMap<Key, Attempts>, now: Timestamp) {
    if counted.len() < MAX_COUNTERS {
        return;
    }
    counted.retain(|key, attempts| now.0 - attempts.first_at < key.rule().window);
    if counted.len() >= MAX_COUNTERS {
        let mut counts: Vec<u32> = counted.values().map(|attempts| attempts.count).collect();
        counts.sort_unstable();
        let middle = counts.get(counts.len() / 2).copied().unwrap_or_default();
        counted.retain(|_, attempts| attempts.count > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds * SECOND)
    }

    fn address(n: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, n])
    }

    fn stranger(login: &str, n: u8) -> Caller<'_> {
        Caller::Stranger { login, address: address(n) }
    }

    /// Seconds to wait; `None` if refused.
    fn wait(throttle: &Throttle, caller: Caller<'_>, now: Timestamp) -> Option<u64> {
        throttle.begin(caller, now).ok().map(|attempt| attempt.wait.as_secs())
    }

    #[test]
    fn attempts_count_before_they_have_failed() {
        let throttle = Throttle::default();
        let waits: Vec<_> = (0..120).map(|_| wait(&throttle, stranger("r101", 1), NOW)).collect();
        assert_eq!(waits[..5], [Some(0); 5]);
        assert!(waits[5..].iter().all(Option::is_none), "a burst gets no more than what is free");
        assert_eq!(wait(&throttle, stranger("r101", 1), at(8)), Some(3), "what is refused does not count");
    }

    #[test]
    fn pauses_grow_up_to_a_minute_and_end() {
        let throttle = Throttle::default();
        let mut now = NOW;
        for _ in 0..100 {
            let attempt = throttle.begin(stranger("r101", 1), now).unwrap();
            assert_eq!(attempt.wait, Duration::ZERO);
            now = Timestamp(now.0 + MINUTE);
        }
        let next = throttle.begin(stranger("r101", 1), Timestamp(now.0 - 5 * SECOND)).unwrap();
        assert_eq!(next.wait.as_secs(), 5, "never longer than a minute");
        assert_eq!(wait(&throttle, stranger("r101", 1), Timestamp(now.0 + HOUR)), Some(0));
        assert_eq!(wait(&throttle, stranger("r101", 1), Timestamp(now.0 + HOUR)), Some(0), "forgotten after an hour");
    }

    #[test]
    fn a_stranger_delays_neither_other_addresses_nor_known_browsers() {
        let throttle = Throttle::default();
        for second in 0..20 {
            let _ = throttle.begin(stranger("r101", 1), at(second));
        }
        assert_eq!(wait(&throttle, stranger("r101", 1), at(20)), None);
        assert_eq!(wait(&throttle, stranger("r101", 2), at(20)), Some(0));
        assert_eq!(wait(&throttle, stranger("r102", 1), at(19)), Some(0), "another login from there neither");
        // Guessing from many addresses slows all strangers down.
        for n in 3..30 {
            let _ = throttle.begin(stranger("r101", n), at(20));
        }
        assert_eq!(wait(&throttle, stranger("r101", 99), at(20)), None);
        let rng = domain::rng::Rng::from_seed([1; 32]);
        let device = Device::recognise(&Device::remember("", "h", "h", &rng), "h").unwrap();
        assert_eq!(wait(&throttle, Caller::Known(device.clone()), at(20)), Some(0));
        // But whoever holds the browser may not guess without end.
        let waits: Vec<_> = (0..20).map(|_| wait(&throttle, Caller::Known(device.clone()), at(20))).collect();
        assert_eq!(waits.iter().filter(|wait| **wait == Some(0)).count(), 9);
        assert_eq!(waits[19], None);
    }

    #[test]
    fn codes_are_counted_by_themselves_and_by_known_browser() {
        let (throttle, user) = (Throttle::default(), UserId(model::ids::Uuid::from_u128(1)));
        let rng = domain::rng::Rng::from_seed([1; 32]);
        let device = Device::recognise(&Device::remember("", "h", "h", &rng), "h").unwrap();
        for _ in 0..20 {
            let _ = throttle.begin(Caller::Code(user, None), NOW);
            // The right password opens another second step, and forgets no code.
            let again = throttle.begin(Caller::Known(device.clone()), NOW).unwrap();
            let _ = throttle.begin(Caller::Code(user, Some(device.clone())), at(60));
            throttle.succeeded(&again, NOW);
        }
        assert_eq!(wait(&throttle, Caller::Code(user, None), NOW), None);
        assert_eq!(wait(&throttle, Caller::Code(user, Some(device.clone())), at(60)), None);
        assert_eq!(wait(&throttle, Caller::Session(user), NOW), Some(0));
        assert_eq!(wait(&throttle, Caller::Known(device), NOW), Some(0));
    }

    #[test]
    fn success_forgets_the_login_and_not_the_address() {
        let throttle = Throttle::default();
        for n in 0..70 {
            let _ = throttle.begin(stranger(&n.to_string(), 1), NOW);
        }
        let later = at(60);
        for _ in 0..5 {
            let _ = throttle.begin(stranger("r101", 2), later);
        }
        let attempt = throttle.begin(stranger("r101", 2), at(61)).unwrap();
        throttle.succeeded(&attempt, at(61));
        assert_eq!(wait(&throttle, stranger("r101", 2), at(61)), Some(0));
        let attempt = throttle.begin(stranger("r101", 1), later).unwrap();
        throttle.succeeded(&attempt, later);
        assert!(wait(&throttle, stranger("r101", 1), later).is_some_and(|wait| wait > 0), "it guessed at others");
        assert_eq!(wait(&throttle, stranger("r101", 1), Timestamp(later.0 + 11 * MINUTE)), Some(0));
    }

    #[test]
    fn a_shared_address_is_forgotten_while_people_go_on_failing() {
        let throttle = Throttle::default();
        // Four of a dormitory mistype in each minute, all night.
        for minute in 0..600 {
            for person in 0..4 {
                let login = format!("{minute} {person}");
                assert_eq!(wait(&throttle, stranger(&login, 1), at(60 * minute)), Some(0), "minute {minute}");
            }
        }
        // A program that tries more than that is slowed down all the time.
        let waits = (0..600).map(|n| wait(&throttle, stranger(&n.to_string(), 2), at(n)));
        assert!(waits.filter(|wait| *wait != Some(0)).count() > 300);
    }

    #[test]
    fn a_clock_set_back_does_not_lock_out() {
        let throttle = Throttle::default();
        for _ in 0..8 {
            let _ = throttle.begin(stranger("r101", 1), NOW);
        }
        assert_eq!(wait(&throttle, stranger("r101", 1), Timestamp(NOW.0 - HOUR)), Some(0));
    }

    #[test]
    fn memory_is_bounded_and_keeps_whoever_tried_most() {
        let throttle = Throttle::default();
        for _ in 0..8 {
            let _ = throttle.begin(stranger("r101", 1), NOW);
        }
        for n in 0..30_000_u32 {
            let address = IpAddr::from((0x0b00_0000 + n).to_be_bytes());
            let _ = throttle.begin(Caller::Stranger { login: &n.to_string(), address }, NOW);
        }
        assert!(throttle.counted().len() < MAX_COUNTERS + 3);
        assert_ne!(wait(&throttle, stranger("r101", 1), NOW), Some(0));
    }

    #[test]
    fn the_first_delayed_attempt_is_told_once() {
        let throttle = Throttle::default();
        let told: Vec<_> = (0..8).filter_map(|_| throttle.begin(stranger("r101", 1), NOW).ok()?.first_delayed).collect();
        assert_eq!(told, [5]);
    }
}
