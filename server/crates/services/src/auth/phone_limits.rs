//! How many codes are sent to phones: by number, by address and in all. Numbers that nobody has count in the same way, so that an
//! answer tells nothing about them, and each text message costs money.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use model::error::AppError;
use model::notification::PhoneNumber;
use model::time::{HOUR, Timestamp};

/// Codes in an hour: to one number, from one address, which a whole dormitory can share, and in all.
const OF_NUMBER: usize = 5;
const OF_ADDRESS: usize = 30;
const OF_ALL: usize = 600;

/// The codes of the last hour, the oldest first.
#[derive(Default)]
pub struct PhoneLimits(Mutex<VecDeque<(Timestamp, PhoneNumber, IpAddr)>>);

impl PhoneLimits {
    /// Counts a code that is to be sent.
    ///
    /// # Errors
    /// [`AppError::RateLimited`] where it is one too many; it does not count then.
    pub fn take(&self, phone: &PhoneNumber, address: IpAddr, now: Timestamp) -> Result<(), AppError> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the clock was set back, what lies ahead of it must not count until it has caught up.
        codes.retain(|(at, ..)| (0..HOUR).contains(&now.since(*at)));
        let to_number = codes.iter().filter(|(_, number, _)| number == phone).count();
        let from_address = codes.iter().filter(|(.., from)| *from == address).count();
        if to_number >= OF_NUMBER || from_address >= OF_ADDRESS || codes.len() >= OF_ALL {
            return Err(AppError::RateLimited);
        }
        codes.push_back((now, phone.clone(), address));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(n: usize) -> PhoneNumber {
        format!("138{n:08}").parse().unwrap()
    }

    fn address(n: usize) -> IpAddr {
        IpAddr::from(u32::try_from(n).unwrap().to_be_bytes())
    }

    fn taken(limits: &PhoneLimits, codes: impl Iterator<Item = (usize, usize)>, at: i64) -> usize {
        codes.filter(|(n, from)| limits.take(&number(*n), address(*from), Timestamp(HOUR + at)).is_ok()).count()
    }

    #[test]
    fn codes_are_limited_by_number_address_and_in_all() {
        let limits = PhoneLimits::default();
        assert_eq!(taken(&limits, (0..9).map(|n| (1, n)), 0), OF_NUMBER, "from many addresses");
        assert_eq!(taken(&limits, (0..99).map(|n| (100 + n, 50)), 0), OF_ADDRESS, "to many numbers");
        assert_eq!(taken(&limits, (0..999).map(|n| (1_000 + n, 1_000 + n)), 0), OF_ALL - OF_NUMBER - OF_ADDRESS);
        assert_eq!(taken(&limits, [(1, 1)].into_iter(), HOUR - 1), 0);
        assert_eq!(taken(&limits, [(1, 1)].into_iter(), HOUR), 1, "an hour later");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let limits = PhoneLimits::default();
        assert_eq!(taken(&limits, (0..9).map(|n| (1, n)), 0), OF_NUMBER);
        assert_eq!(taken(&limits, [(1, 1)].into_iter(), -1), 1);
    }
}
