//! A loose limit on requests per address: channels come from few addresses, and repeat what was refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use model::time::{SECOND, Timestamp};

/// Requests of one address in one second.
const MAX_PER_SECOND: u32 = 200;

/// Counts the requests of the current second.
#[derive(Default)]
pub struct Limit(Mutex<(i64, HashMap<Option<IpAddr>, u32>)>);

impl Limit {
    /// Counts a request, and whether it is allowed.
    pub fn admits(&self, from: Option<IpAddr>, now: Timestamp) -> bool {
        let second = now.0.div_euclid(SECOND);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != second {
            *seen = (second, HashMap::new());
        }
        let count = seen.1.entry(from).or_default();
        *count = count.saturating_add(1);
        *count <= MAX_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_per_address_and_second() {
        let limit = Limit::default();
        let [one, other] = [1, 2].map(|n| Some(IpAddr::from([10, 0, 0, n])));
        assert!((0..MAX_PER_SECOND).all(|_| limit.admits(one, Timestamp(999))));
        assert!(!limit.admits(one, Timestamp(999)));
        assert!(limit.admits(other, Timestamp(999)) && limit.admits(one, Timestamp(1_000)));
    }
}
