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
    /// Millisecond of the newest order number, and its lower bits.
    newest_order: (i64, u64),
}

/// Bits of an order number below its millisecond, and the first number of a millisecond and the steps to the next, which are
/// random, so that two processes hardly ever give the same.
const ORDER_BITS: u32 = 22;
const FIRST_ORDER: u64 = 1 << 21;
const ORDER_STEP: u64 = 1 << 6;

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
        Self(Arc::new(Mutex::new(RngState { random: StdRng::from_seed(seed), newest: (0, 0), newest_order: (0, 0) })))
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

    /// A time-ordered order number: positive, below 2^63, as meters keep it; above every one that this generator gave before it
    /// unless the clock went back. An import takes thousands in one millisecond.
    #[must_use]
    pub fn order_number(&self, at: Timestamp) -> i64 {
        let mut state = self.lock();
        let (ms, last) = state.newest_order;
        let random = state.random.next_u64();
        let next = last + 1 + random % ORDER_STEP;
        let (ms, low) = if at.0 > ms || at.0 < ms - 1_000 {
            (at.0, random % FIRST_ORDER)
        } else if next >> ORDER_BITS > 0 {
            (ms + 1, random % FIRST_ORDER)
        } else {
            (ms, next)
        };
        state.newest_order = (ms, low);
        ((ms & 0x1ff_ffff_ffff) << ORDER_BITS) | i64::try_from(low).unwrap_or(0)
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
    fn order_numbers_of_one_moment_never_repeat() {
        let rng = Rng::from_seed([1; 32]);
        let at = Timestamp(1_795_600_000_000);
        let numbers: Vec<i64> = (0..300_000).map(|_| rng.order_number(at)).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]) && numbers[0] > 0);
        assert!(rng.order_number(at.plus(60_000)) > numbers[299_999]);
        assert!(rng.order_number(at.plus(-60_000)) < numbers[0], "a clock set back is followed");
    }

    #[test]
    fn a_clock_set_back_is_followed() {
        let rng = Rng::from_seed([1; 32]);
        let later = rng.id(Timestamp(1_795_600_000_000));
        assert!(rng.id(Timestamp(1_795_500_000_000)) < later);
    }
}
