//! How many connections there may be, in total and from one address.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use model::gateway::DialInConnection;

use super::note_end;
use domain::clock::SharedClock;

/// Why a connection gets no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There are as many as there may be.
    Full,
    /// The address has as many as it may have.
    AddressFull,
}

pub(crate) struct ConnectionPermits {
    most: usize,
    most_of_address: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The place of one connection; it is free again when this is dropped.
pub(crate) struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    address: IpAddr,
    line: OnceLock<(Arc<Mutex<DialInConnection>>, SharedClock)>,
}

impl ConnectionPermits {
    pub(crate) fn new(most: usize, most_of_address: usize) -> Self {
        Self { most, most_of_address, taken: Mutex::default() }
    }

    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Arc<ConnectionPermit>, Refusal> {
        let mut taken = self.lock();
        if taken.all >= self.most {
            return Err(Refusal::Full);
        }
        let of_address = taken.by_address.entry(address).or_default();
        if *of_address >= self.most_of_address {
            return Err(Refusal::AddressFull);
        }
        *of_address += 1;
        taken.all += 1;
        Ok(Arc::new(ConnectionPermit { permits: Arc::clone(self), address, line: OnceLock::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// Notes in this line of a history when the connection ends.
    pub(crate) fn note_end_in(&self, line: &Arc<Mutex<DialInConnection>>, clock: &SharedClock) {
        // A connection is handed over once.
        let _ = self.line.set((Arc::clone(line), clock.clone()));
    }
}

impl fmt::Debug for ConnectionPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionPermit({})", self.address)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if let Some((line, clock)) = self.line.get() {
            note_end(line, clock.now());
        }
        let mut taken = self.permits.lock();
        taken.all = taken.all.saturating_sub(1);
        if let Some(count) = taken.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_in_total_and_by_address() {
        let permits = Arc::new(ConnectionPermits::new(3, 2));
        let [a, b] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        let first = [permits.take(a).unwrap(), permits.take(a).unwrap()];
        assert_eq!(permits.take(a).unwrap_err(), Refusal::AddressFull);
        let last = permits.take(b).unwrap();
        assert_eq!(permits.take(b).unwrap_err(), Refusal::Full);
        drop(first);
        assert!(permits.take(a).is_ok() && permits.take(b).is_ok());
        drop(last);
        let taken = permits.lock();
        assert_eq!((taken.all, taken.by_address.len()), (0, 0), "no address is kept");
    }
}
