//! Limits notifications per IP address. Channels send from few addresses, and repeat what was rejected.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::clock::SharedClock;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// Notifications of one address at once, and again within each second.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(199);
/// From this number of addresses on, those that used nothing of their quota recently are forgotten.
const MAX_IDLE: usize = 1_000;

type ByAddress = HashMapStateStore<Option<IpAddr>>;

/// One quota per address; requests without an address share one.
pub struct Limit(RateLimiter<Option<IpAddr>, ByAddress, InjectedClock, NoOpMiddleware<Duration>>);

/// The server's clock as governor's.
#[derive(Clone)]
struct InjectedClock(SharedClock);

impl Clock for InjectedClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.now().0).unwrap_or_default())
    }
}

impl Limit {
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self(RateLimiter::hashmap_with_clock(Quota::per_second(PER_SECOND), InjectedClock(clock)))
    }

    /// Whether one more notification is accepted now.
    pub fn admits(&self, from: Option<IpAddr>) -> bool {
        if self.0.len() >= MAX_IDLE {
            self.0.retain_recent();
        }
        self.0.check_key(&from).is_ok()
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
        let [one, other] = [1, 2].map(|n| Some(IpAddr::from([10, 0, 0, n])));
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)));
        assert!(!limit.admits(one));
        assert!(limit.admits(other));
        clock.advance(SECOND);
        assert!((0..PER_SECOND.get()).all(|_| limit.admits(one)), "the whole quota is back after a second");
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let clock = TestClock::new(Timestamp(999));
        let limit = Limit::new(clock.clone());
        for n in 0..10_000_u32 {
            assert!(limit.admits(Some(IpAddr::from(n.to_be_bytes()))));
            clock.advance(10);
        }
        assert!(limit.0.len() <= MAX_IDLE, "{}", limit.0.len());
    }
}
