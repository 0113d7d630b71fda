//! A loose bound on how often one address may knock: channels come from few addresses, and send again what was refused.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use model::time::{SECOND, Timestamp};

/// Notifications of one address in one second.
const MOST: u32 = 200;

/// What came within the present second.
#[derive(Default)]
pub struct Limit(Mutex<(i64, HashMap<Option<IpAddr>, u32>)>);

impl Limit {
    /// Whether one more is let in.
    pub fn admits(&self, from: Option<IpAddr>, now: Timestamp) -> bool {
        let second = now.0.div_euclid(SECOND);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != second {
            *seen = (second, HashMap::new());
        }
        let count = seen.1.entry(from).or_default();
        *count = count.saturating_add(1);
        *count <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_per_address_and_per_second() {
        let limit = Limit::default();
        let [one, other] = [1, 2].map(|n| Some(IpAddr::from([10, 0, 0, n])));
        assert!((0..MOST).all(|_| limit.admits(one, Timestamp(999))));
        assert!(!limit.admits(one, Timestamp(999)));
        assert!(limit.admits(other, Timestamp(999)) && limit.admits(one, Timestamp(1_000)));
    }
}
