//! Simulated time of the site, which may run faster than the wall clock and can be moved forward.

use std::sync::{Mutex, PoisonError};

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use domain::clock::{Clock, STEP_MS, SharedClock};

/// A point in time on both clocks; site time continues from here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anchor {
    pub wall: Timestamp,
    pub site: Timestamp,
    /// Speed relative to the wall clock.
    pub speed: f64,
}

impl Anchor {
    /// The site time at a wall-clock time.
    #[must_use]
    pub fn site_at(&self, wall: Timestamp) -> Timestamp {
        self.site.plus((wall.since(self.wall) as f64 * self.speed) as i64)
    }
}

/// Can be shared with a server, which then runs in the same time as the meters.
pub struct SiteClock {
    wall: SharedClock,
    /// How far the wall clock was ahead of its steady one at the start, ms.
    ahead: i64,
    anchor: Mutex<Anchor>,
}

impl SiteClock {
    /// Starts at `anchor`.
    #[must_use]
    pub fn new(wall: SharedClock, anchor: Anchor) -> Self {
        let ahead = wall.now().0 - wall.steady();
        Self { wall, ahead, anchor: Mutex::new(anchor) }
    }

    /// Moves site time forward; returns the new anchor.
    pub fn advance(&self, ms: i64) -> Anchor {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let wall = self.wall.now();
        *anchor = Anchor { wall, site: anchor.site_at(wall).plus(ms.max(0)), speed: anchor.speed };
        *anchor
    }

    /// The current anchor.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        *self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SiteClock {
    fn now(&self) -> Timestamp {
        self.anchor().site_at(self.wall.now())
    }

    /// Site time as if nobody had set the wall clock.
    fn steady(&self) -> i64 {
        let wall = self.wall.now();
        let step = wall.0 - self.wall.steady() - self.ahead;
        // Reading two clocks takes time, which counts for more at a site that runs fast.
        let unset = if step.abs() < STEP_MS { wall } else { Timestamp(self.wall.steady() + self.ahead) };
        self.anchor().site_at(unset).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::TestClock;

    #[test]
    fn site_time_runs_faster_and_moves_forward() {
        let wall = TestClock::new(Timestamp(1_000));
        let site = SiteClock::new(wall.clone(), Anchor { wall: Timestamp(1_000), site: Timestamp(5_000), speed: 60.0 });
        assert_eq!(site.now(), Timestamp(5_000));
        wall.advance(10);
        assert_eq!(site.now(), Timestamp(5_600));
        let anchor = site.advance(1_000);
        assert_eq!(anchor, Anchor { wall: Timestamp(1_010), site: Timestamp(6_600), speed: 60.0 });
        assert_eq!(site.now(), Timestamp(6_600));
        site.advance(-1_000);
        assert_eq!(site.now(), Timestamp(6_600));
        let steady = site.steady();
        wall.set(-500_000);
        wall.advance(10);
        assert_eq!((site.now(), site.steady()), (Timestamp(6_600 - 30_000_000 + 600), steady + 600));
    }
}
