//! Limits unsigned notifications per address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::address::block;
use domain::clock::SharedClock;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// Unsigned notifications of one address at once, and again within each second.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
/// From this number of addresses on, those that used nothing of their quota recently are forgotten.
const MAX_IDLE: usize = 1_000;

type ByAddress = HashMapStateStore<IpAddr>;

/// One quota per address (IPv6: per /64).
pub struct Limit(RateLimiter<IpAddr, ByAddress, InjectedClock, NoOpMiddleware<Duration>>);

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
        Self(RateLimiter::hashmap_with_clock(Quota::per_second(PER_SECOND), InjectedClock::new(clock)))
    }

    /// Whether one more notification is accepted now.
    pub fn admits(&self, from: IpAddr) -> bool {
        if self.0.len() >= MAX_IDLE {
            self.0.retain_recent();
        }
        self.0.check_key(&block(from)).is_ok()
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
    fn idle_addresses_are_forgotten() {
        let clock = TestClock::new(Timestamp(999));
        let limit = Limit::new(clock.clone());
        for n in 0..10_000_u32 {
            assert!(limit.admits(IpAddr::from(n.to_be_bytes())));
            clock.advance(10);
        }
        assert!(limit.0.len() <= MAX_IDLE, "{}", limit.0.len());
    }
}
