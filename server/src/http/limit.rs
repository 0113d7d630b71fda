//! Limits notifications of addresses from which no signed one came recently.
//!
//! Asked before a signature is verified, because verifying is what costs. A channel's own notifications must never wait, however
//! many of them come through one proxy, so an address that sent a signed one is exempt for a while. A stranger behind the same
//! proxy is exempt with it: name the proxy in `server.trusted_proxies`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::address::block;
use domain::clock::SharedClock;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// Notifications of one address at once, and again within each second.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
/// From this number of addresses on, those that used nothing of their quota recently are forgotten.
const MAX_IDLE: usize = 1_000;
/// How long an address is exempt after a signed notification.
const EXEMPT_FOR: Duration = Duration::from_secs(60 * 60);
/// The most exempt addresses; channels have a few dozen.
const MAX_EXEMPT: usize = 1_000;

type ByAddress = HashMapStateStore<IpAddr>;

/// One quota per address (IPv6: per /64).
pub struct Limit {
    quotas: RateLimiter<IpAddr, ByAddress, InjectedClock, NoOpMiddleware<Duration>>,
    clock: InjectedClock,
    /// Until when an address is exempt.
    exempt: Mutex<HashMap<IpAddr, Duration>>,
}

/// The server's clock as governor's: the time that has passed. Where the clock is set back, time goes on from there, so that no
/// address waits until the clock has caught up.
#[derive(Clone)]
struct InjectedClock {
    clock: SharedClock,
    /// The last reading of the clock, and what had passed by then, ms.
    passed: Arc<Mutex<(i64, u64)>>,
}

impl InjectedClock {
    fn new(clock: SharedClock) -> Self {
        let passed = Arc::new(Mutex::new((clock.now().0, 0)));
        Self { clock, passed }
    }
}

impl Clock for InjectedClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        let now = self.clock.now().0;
        let mut state = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, passed) = *state;
        let passed = passed.saturating_add(u64::try_from(now.saturating_sub(last)).unwrap_or_default());
        *state = (now, passed);
        Duration::from_millis(passed)
    }
}

impl Limit {
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        let clock = InjectedClock::new(clock);
        let quotas = RateLimiter::hashmap_with_clock(Quota::per_second(PER_SECOND), clock.clone());
        Self { quotas, clock, exempt: Mutex::default() }
    }

    /// Whether one more notification is looked at now.
    pub fn admits(&self, from: IpAddr) -> bool {
        let address = block(from);
        if self.exempt().get(&address).is_some_and(|until| self.clock.now() < *until) {
            return true;
        }
        if self.quotas.len() >= MAX_IDLE {
            self.quotas.retain_recent();
        }
        self.quotas.check_key(&address).is_ok()
    }

    /// A notification from there had a valid signature.
    pub fn signed(&self, from: IpAddr) {
        let now = self.clock.now();
        let mut exempt = self.exempt();
        if exempt.len() >= MAX_EXEMPT {
            exempt.retain(|_, until| now < *until);
        }
        if exempt.len() < MAX_EXEMPT {
            exempt.insert(block(from), now + EXEMPT_FOR);
        }
    }

    fn exempt(&self) -> MutexGuard<'_, HashMap<IpAddr, Duration>> {
        self.exempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::clock::TestClock;
    use model::time::{SECOND, Timestamp};

    use super::*;

    #[test]
    fn notification_limit_is_per_address_and_recovers() {
        let clock = TestClock::new(Timestamp(999));
        let limit = Limit::new(clock.clone());
        let [one, other] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)));
        assert!(!limit.admits(one));
        assert!(limit.admits(other));
        clock.advance(SECOND);
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)), "the whole quota is back after a second");
    }

    #[test]
    fn a_clock_set_back_does_not_lock_an_address_out() {
        let clock = TestClock::new(Timestamp(3_600_000));
        let limit = Limit::new(clock.clone());
        let one = IpAddr::from([10, 0, 0, 1]);
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)));
        clock.advance(-3_600_000);
        assert!(!limit.admits(one), "nothing has passed");
        clock.advance(SECOND);
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)), "a second has");
    }

    #[test]
    fn a_signed_notification_exempts_its_address_for_an_hour() {
        let clock = TestClock::new(Timestamp(999));
        let limit = Limit::new(clock.clone());
        let [one, other] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        limit.signed(one);
        assert!((0..10 * PER_SECOND.get()).all(|_| limit.admits(one)));
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(other)) && !limit.admits(other), "nobody else");
        clock.advance(3_600 * SECOND);
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)) && !limit.admits(one));
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let clock = TestClock::new(Timestamp(999));
        let limit = Limit::new(clock.clone());
        for n in 0..10_000_u32 {
            assert!(limit.admits(IpAddr::from(n.to_be_bytes())));
            clock.advance(10);
        }
        assert!(limit.quotas.len() <= MAX_IDLE, "{}", limit.quotas.len());
    }
}
