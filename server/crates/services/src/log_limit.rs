//! Log lines that strangers can cause at will: one a minute for each address and matter, so that an attack does not fill the log.
//! The first is written at once; the next one says how many were left out since.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::address::block;

/// The shortest time between two lines of one address about one matter.
const EVERY: Duration = Duration::from_secs(60);
/// The most addresses and matters that are told apart. Further ones share a line; idle ones are forgotten with their counts.
const MAX: usize = 1_000;

/// When the last line was written, and how many were left out since; of no address: of all others.
type Lines = BTreeMap<(Option<IpAddr>, String), (Instant, u64)>;

/// All of this process, since they share its log.
static REFUSALS: LogLimit = LogLimit(Mutex::new(BTreeMap::new()));

struct LogLimit(Mutex<Lines>);

/// How many lines of its kind were left out before this one; `None` where it is left out itself. `matter` is of the server's own
/// words, so that a stranger cannot make up new ones; an IPv6 address counts as its /64.
#[must_use]
pub fn admits(address: IpAddr, matter: &str) -> Option<u64> {
    REFUSALS.admits(address, matter, Instant::now())
}

impl LogLimit {
    fn admits(&self, address: IpAddr, matter: &str, now: Instant) -> Option<u64> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (Some(block(address)), matter.to_owned());
        if !lines.contains_key(&key) && lines.len() >= MAX {
            lines.retain(|_, (at, _)| now.saturating_duration_since(*at) < EVERY);
            if lines.len() >= MAX {
                key.0 = None;
            }
        }
        match lines.get_mut(&key) {
            Some((at, left_out)) if now.saturating_duration_since(*at) < EVERY => {
                *left_out = left_out.saturating_add(1);
                None
            }
            Some(line) => Some(std::mem::replace(line, (now, 0)).1),
            None => {
                lines.insert(key, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_says_how_many_were_left_out() {
        let (limit, start) = (LogLimit(Mutex::default()), Instant::now());
        let at = |address: &str, matter, ms| limit.admits(address.parse().unwrap(), matter, start + Duration::from_millis(ms));
        assert_eq!(at("192.0.2.1", "a", 0), Some(0), "the first at once");
        for ms in 1..=100 {
            assert_eq!(at("192.0.2.1", "a", ms), None);
        }
        assert_eq!((at("192.0.2.1", "b", 100), at("192.0.2.2", "a", 100)), (Some(0), Some(0)), "each on its own");
        assert_eq!((at("192.0.2.1", "a", 59_999), at("192.0.2.1", "a", 60_000)), (None, Some(101)));
        assert_eq!((at("192.0.2.1", "a", 60_001), at("192.0.2.1", "a", 120_000)), (None, Some(1)));
        assert_eq!((at("2001:db8::1", "a", 0), at("2001:db8::2", "a", 1)), (Some(0), None), "a network is one address");
    }

    #[test]
    fn many_addresses_neither_fill_the_log_nor_memory() {
        let (limit, start) = (LogLimit(Mutex::default()), Instant::now());
        let lines = |from: u32, now| {
            let all = from..from + 5_000;
            all.filter(|n| limit.admits(IpAddr::from(n.to_be_bytes()), "a", now).is_some()).count()
        };
        assert_eq!(lines(0, start), MAX + 1, "and one for all others");
        assert_eq!(lines(1 << 20, start + Duration::from_secs(1)), 0);
        assert_eq!(lines(1 << 21, start + EVERY), MAX + 1, "idle ones make room");
        assert!(limit.0.lock().unwrap().len() <= MAX + 1);
    }
}
