//! The source of the current time, injected so that tests control it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use model::time::{SECOND, Timestamp};

/// A clock that differs by this many ms from the steady one was set. Less than this is corrected without notice.
pub const STEP_MS: i64 = 10 * SECOND;

/// Shared as [`SharedClock`].
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Milliseconds that only pass: nobody sets them, and they mean nothing outside this process.
    fn steady(&self) -> i64;
}

pub type SharedClock = Arc<dyn Clock>;

/// The operating system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn steady(&self) -> i64 {
        static START: OnceLock<Instant> = OnceLock::new();
        i64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// A clock that moves only when it is advanced.
pub struct TestClock(Mutex<TestTime>);

struct TestTime {
    at: Timestamp,
    steady: i64,
}

impl TestClock {
    #[must_use]
    pub fn new(at: Timestamp) -> Arc<Self> {
        Arc::new(Self(Mutex::new(TestTime { at, steady: 0 })))
    }

    /// Moves the clock forward by `ms` milliseconds.
    pub fn advance(&self, ms: i64) {
        let mut time = self.lock();
        (time.at, time.steady) = (time.at.plus(ms), time.steady.saturating_add(ms));
    }

    /// Sets the clock forward or back by `ms` milliseconds, while no time passes.
    pub fn set(&self, ms: i64) {
        let mut time = self.lock();
        time.at = time.at.plus(ms);
    }

    fn lock(&self) -> MutexGuard<'_, TestTime> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.lock().at
    }

    fn steady(&self) -> i64 {
        self.lock().steady
    }
}

/// Notices that a clock was set.
pub struct StepWatch {
    clock: SharedClock,
    /// How far the clock is ahead of the steady one, ms.
    ahead: i64,
}

impl StepWatch {
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        let ahead = ahead(&*clock);
        Self { clock, ahead }
    }

    /// By how many ms the clock was set since the last call: back if negative. Once for each step.
    pub fn step(&mut self) -> Option<i64> {
        let ahead = ahead(&*self.clock);
        let step = ahead.saturating_sub(std::mem::replace(&mut self.ahead, ahead));
        (step.saturating_abs() >= STEP_MS).then_some(step)
    }

    /// How far the clock was ahead of the steady one at the last look, ms.
    #[must_use]
    pub const fn ahead(&self) -> i64 {
        self.ahead
    }
}

/// The clock for those who store what they read by themselves: it tells no time while a step of it is not followed, for what is
/// stored then would lie before or behind everything else.
pub struct FollowedClock {
    clock: SharedClock,
    /// How far the clock may be ahead of the steady one, ms.
    ahead: AtomicI64,
}

impl FollowedClock {
    #[must_use]
    pub fn new(clock: SharedClock) -> Arc<Self> {
        let ahead = AtomicI64::new(ahead(&*clock));
        Arc::new(Self { clock, ahead })
    }

    /// `None` while the clock was set and that is not followed yet.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        let step = ahead(&*self.clock).saturating_sub(self.ahead.load(Ordering::Acquire));
        (step.saturating_abs() < STEP_MS).then(|| self.clock.now())
    }

    /// Accepts all steps of the clock up to the last look of `watch`, so that [`Self::now`] gives the time again.
    pub fn follow(&self, watch: &StepWatch) {
        self.ahead.store(watch.ahead(), Ordering::Release);
    }
}

/// Both are read at the same instant: no time passed between two looks at the steady one.
fn ahead(clock: &dyn Clock) -> i64 {
    let mut ahead = 0;
    for _ in 0..1_000 {
        let steady = clock.steady();
        ahead = clock.now().0.saturating_sub(steady);
        if clock.steady() == steady {
            break;
        }
    }
    ahead
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_is_set_steps() {
        let clock = TestClock::new(Timestamp(1_000_000));
        let mut watch = StepWatch::new(clock.clone());
        clock.advance(500_000_000);
        assert_eq!(watch.step(), None);
        clock.set(-86_400_000);
        clock.advance(16_000);
        assert_eq!((watch.step(), watch.step()), (Some(-86_400_000), None));
        for _ in 0..100 {
            clock.set(STEP_MS - 1);
            assert_eq!(watch.step(), None, "a clock that is corrected in small steps");
        }
    }

    #[test]
    fn a_followed_clock_waits_until_a_step_is_followed() {
        let clock = TestClock::new(Timestamp(1_000_000_000));
        let mut watch = StepWatch::new(clock.clone());
        let followed = FollowedClock::new(clock.clone());
        clock.advance(60_000);
        clock.set(STEP_MS - 1);
        assert_eq!(followed.now(), Some(clock.now()));
        for step in [-60_000, 60_000] {
            clock.set(step);
            assert_eq!(followed.now(), None);
            watch.step();
            assert_eq!(followed.now(), None, "it was noticed, and nothing is moved yet");
            followed.follow(&watch);
            assert_eq!(followed.now(), Some(clock.now()));
        }
    }

    #[test]
    fn the_system_clock_is_steady() {
        let clock = SystemClock;
        let (mut watch, before) = (StepWatch::new(Arc::new(SystemClock)), clock.steady());
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(clock.steady() >= before + 5);
        assert_eq!(watch.step(), None);
    }
}
