//! How many of the last requests each meter answered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::console::ReadQuality;
use model::ids::MeterId;

/// So many of the last requests to a meter count.
const KEPT: u32 = 100;

/// The last outcomes of each meter since the server started, one bit a request, the newest in the lowest.
#[derive(Default)]
pub struct ReadQualities(Mutex<HashMap<MeterId, (u128, u32)>>);

impl ReadQualities {
    pub fn note(&self, meter: MeterId, answered: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (outcomes, requests) = all.entry(meter).or_default();
        *outcomes = (*outcomes << 1 | u128::from(answered)) & ((1 << KEPT) - 1);
        *requests = (*requests + 1).min(KEPT);
    }

    /// `None` where nothing was requested yet.
    #[must_use]
    pub fn of(&self, meter: MeterId) -> Option<ReadQuality> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&meter).map(|(outcomes, requests)| ReadQuality { requests: *requests, answered: outcomes.count_ones() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    #[test]
    fn the_last_hundred_requests_count() {
        let (all, meter) = (ReadQualities::default(), MeterId(Uuid::nil()));
        assert_eq!(all.of(meter), None);
        for n in 0..150 {
            all.note(meter, n >= 60);
        }
        assert_eq!(all.of(meter), Some(ReadQuality { requests: 100, answered: 90 }));
    }
}
