//! The one source of randomness, and the ids made from it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::time::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};
use uuid::{Builder, Uuid};

/// A cryptographic generator that many share.
#[derive(Clone)]
pub struct Rng(Arc<Mutex<RngState>>);

struct RngState {
    random: StdRng,
    /// Millisecond of the newest id, and how many were made in it: ids of one process are strictly ascending, so that what was
    /// decided in one transaction keeps its order.
    newest: (i64, u16),
}

impl Rng {
    /// Seeded by the operating system.
    #[must_use]
    pub fn from_system() -> Self {
        let mut seed = [0; 32];
        // The operating system's generator fails only on machines that cannot run TLS either; a fixed seed must never be used.
        if aws_lc_rs::rand::fill(&mut seed).is_err() {
            tracing::error!("the operating system gives no randomness");
            std::process::abort();
        }
        Self::from_seed(seed)
    }

    /// The same numbers every time; for tests and simulations.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Arc::new(Mutex::new(RngState { random: StdRng::from_seed(seed), newest: (0, 0) })))
    }

    /// Fills an array.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.lock().random.fill_bytes(&mut bytes);
        bytes
    }

    /// Any 64-bit number.
    #[must_use]
    pub fn next_u64(&self) -> u64 {
        self.lock().random.next_u64()
    }

    /// A number from 0 to `bound` - 1 (0 where `bound` is 0); the bias is below 2^-32 for bounds below 2^32.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A time-ordered id (UUIDv7), above every id that this generator gave before it unless the clock went back.
    #[must_use]
    pub fn id(&self, at: Timestamp) -> Uuid {
        let mut state = self.lock();
        let (mut ms, mut sequence) = if at.0 > state.newest.0 { (at.0, 0) } else { (state.newest.0, state.newest.1 + 1) };
        if at.0 < ms - 1_000 {
            // The clock was set back: follow it rather than stamp ids from the future.
            (ms, sequence) = (at.0, 0);
        }
        if sequence >= 1 << 12 {
            (ms, sequence) = (ms + 1, 0);
        }
        state.newest = (ms, sequence);
        let mut bytes = [0; 10];
        state.random.fill_bytes(&mut bytes);
        let [first, second, ..] = &mut bytes;
        [*first, *second] = sequence.to_be_bytes();
        Builder::from_unix_timestamp_millis(u64::try_from(ms).unwrap_or(0), &bytes).into_uuid()
    }

    /// A time-ordered order number: positive, below 2^63, as meters keep it.
    #[must_use]
    pub fn order_number(&self, at: Timestamp) -> i64 {
        ((at.0 & 0x1ff_ffff_ffff) << 22) | i64::try_from(self.below(1 << 22)).unwrap_or(0)
    }

    fn lock(&self) -> MutexGuard<'_, RngState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_within_a_millisecond_and_after_it() {
        let rng = Rng::from_seed([1; 32]);
        let ids: Vec<Uuid> = (0..10_000).map(|n| rng.id(Timestamp(1_795_600_000_000 + n / 5_000))).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn a_clock_set_back_is_followed() {
        let rng = Rng::from_seed([1; 32]);
        let later = rng.id(Timestamp(1_795_600_000_000));
        assert!(rng.id(Timestamp(1_795_500_000_000)) < later);
    }
}
