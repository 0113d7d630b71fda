//! Password hashes: argon2id, off the async threads and few at a time, since each takes 19 MiB and tens of milliseconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use model::error::AppError;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use domain::rng::Rng;

/// Hashes of strangers at the same time, and how long a request waits for its turn.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests of one address that wait for their turn.
const WAITING: usize = 64;

/// Who wants a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Somebody unknown, by address as limits count it: one hash of an address at a time, so that others have their turn.
    Stranger(IpAddr),
    /// Somebody logged in, or a browser that logged in before: strangers do not hold them up.
    Known,
}

/// Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct Passwords {
    rng: Rng,
    strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    /// The hash that is verified for an unknown login.
    nobody: Arc<str>,
}

/// The turn of each address that wants a hash, and how many requests hold it.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, (Arc<Semaphore>, usize)>>);

/// A place in the queue of an address.
struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
    turn: Arc<Semaphore>,
}

impl Passwords {
    /// Uses the default parameters of `argon2`, which are OWASP's first choice.
    pub fn new(rng: Rng) -> Result<Self, AppError> {
        let nobody = hash(&rng.bytes::<16>(), b"nobody")?.into();
        let (strangers, known) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(1)));
        Ok(Self { rng, strangers, known, addresses: Arc::default(), nobody })
    }

    /// The hash that is verified for an unknown login.
    #[must_use]
    pub fn nobody(&self) -> &str {
        &self.nobody
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] under load.
    pub async fn hash(&self, password: &str) -> Result<String, AppError> {
        let (salt, password) = (self.rng.bytes::<16>(), password.to_owned());
        self.in_turn(Queue::Known, move || hash(&salt, password.as_bytes())).await?
    }

    /// Whether the password is right. Takes as long without a stored hash.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] under load, [`AppError::RateLimited`] where many requests of the address wait.
    pub async fn verify(&self, queue: Queue, password: &str, stored: Option<String>) -> Result<bool, AppError> {
        let is_known = stored.is_some();
        let (stored, password) = (stored.unwrap_or_else(|| self.nobody.to_string()), password.to_owned());
        let verify = move || Argon2::default().verify_password(password.as_bytes(), stored.as_str()).is_ok();
        Ok(self.in_turn(queue, verify).await? && is_known)
    }

    async fn in_turn<T: Send + 'static>(&self, queue: Queue, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let place = match queue {
            Queue::Stranger(address) => Some(Place::take(&self.addresses, address).ok_or(AppError::RateLimited)?),
            Queue::Known => None,
        };
        let all = if place.is_some() { &self.strangers } else { &self.known };
        let turns = async {
            let own = match &place {
                Some(place) => Some(place.turn.clone().acquire_owned().await?),
                None => None,
            };
            Ok::<_, tokio::sync::AcquireError>((own, all.clone().acquire_owned().await?))
        };
        let Ok(Ok(turns)) = timeout(PATIENCE, turns).await else { return Err(AppError::Unavailable) };
        let done = tokio::task::spawn_blocking(move || {
            // Also where the request is given up: the hash goes on.
            let _held = (turns, place);
            work()
        });
        done.await.map_err(|_| AppError::Internal)
    }
}

impl Addresses {
    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, (Arc<Semaphore>, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// `None` where too many wait already.
    fn take(addresses: &Arc<Addresses>, address: IpAddr) -> Option<Self> {
        let mut all = addresses.all();
        let (turn, waiting) = all.entry(address).or_insert_with(|| (Arc::new(Semaphore::new(1)), 0));
        if *waiting >= WAITING {
            return None;
        }
        *waiting += 1;
        Some(Self { addresses: addresses.clone(), address, turn: turn.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.addresses.all();
        if let Some((_, waiting)) = all.get_mut(&self.address) {
            *waiting -= 1;
            if *waiting == 0 {
                all.remove(&self.address);
            }
        }
    }
}

fn hash(salt: &[u8], password: &[u8]) -> Result<String, AppError> {
    let hash = Argon2::default().hash_password_with_salt(password, salt);
    hash.map(|hash| hash.to_string()).map_err(|_| AppError::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(n: u8) -> Queue {
        Queue::Stranger(IpAddr::from([10, 0, 0, n]))
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_login_is_accepted() {
        let passwords = Passwords::new(Rng::from_seed([1; 32])).unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(passwords.verify(stranger(1), "correct horse", Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(stranger(1), "wrong horse", Some(stored)).await.unwrap());
        assert!(!passwords.verify(Queue::Known, "nobody", None).await.unwrap(), "the stand-in hash opens nothing");
        assert!(!passwords.verify(Queue::Known, "x", Some("not a hash".into())).await.unwrap());
        assert!(passwords.addresses.all().is_empty(), "nobody waits");
    }

    #[tokio::test]
    async fn an_address_cannot_hold_up_the_others() {
        let passwords = Passwords::new(Rng::from_seed([1; 32])).unwrap();
        // Both turns of strangers would go to the one address.
        let held: Vec<_> =
            (0..WAITING).map(|_| Place::take(&passwords.addresses, IpAddr::from([10, 0, 0, 1])).unwrap()).collect();
        assert_eq!(passwords.verify(stranger(1), "x", None).await, Err(AppError::RateLimited));
        assert_eq!(passwords.verify(stranger(2), "x", None).await, Ok(false));
        drop(held);
        let turn = Place::take(&passwords.addresses, IpAddr::from([10, 0, 0, 1])).unwrap();
        let _first = turn.turn.acquire().await.unwrap();
        let second = timeout(Duration::from_millis(300), passwords.verify(stranger(1), "x", None)).await;
        assert!(second.is_err(), "one at a time");
        assert_eq!(passwords.verify(stranger(2), "x", None).await, Ok(false));
        let _all = passwords.strangers.clone().acquire_many_owned(2).await.unwrap();
        assert_eq!(passwords.verify(Queue::Known, "x", None).await, Ok(false), "strangers do not hold known people up");
    }
}
