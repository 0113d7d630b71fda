//! The one source of randomness, and the ids made from it.

use std::sync::{Arc, Mutex, PoisonError};

use app::model::time::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};
use uuid::{Builder, Uuid};

/// A cryptographic generator that many share.
#[derive(Clone)]
pub struct Rng(Arc<Mutex<StdRng>>);

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
        Self(Arc::new(Mutex::new(StdRng::from_seed(seed))))
    }

    /// Fills an array.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    /// Any 64-bit number.
    #[must_use]
    pub fn next_u64(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// A number from 0 to `bound` - 1 (0 where `bound` is 0); the bias is below 2^-32 for bounds below 2^32.
    #[must_use]
    pub fn below(&self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A time-ordered id (UUIDv7).
    #[must_use]
    pub fn id(&self, at: Timestamp) -> Uuid {
        Builder::from_unix_timestamp_millis(u64::try_from(at.0).unwrap_or(0), &self.bytes()).into_uuid()
    }

    /// A time-ordered order number: positive, below 2^63, as meters keep it.
    #[must_use]
    pub fn order_number(&self, at: Timestamp) -> i64 {
        ((at.0 & 0x1ff_ffff_ffff) << 22) | i64::try_from(self.below(1 << 22)).unwrap_or(0)
    }
}
