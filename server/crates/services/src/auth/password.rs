//! Password hashes: argon2id, off the async threads and few at a time, since each takes 19 MiB and tens of milliseconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use model::error::AppError;
use model::ids::UserId;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use domain::password::normalised;
use domain::rng::Rng;

/// Hashes of strangers at the same time, and as many of known people.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Requests of one address or person that wait for their turn.
const MAX_WAITING: usize = 64;

/// Who wants a hash: one hash of each at a time, so that others have their turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Somebody unknown, by address as limits count it.
    Stranger(IpAddr),
    /// Somebody logged in, or a browser in which this person logged in before: strangers do not hold them up.
    Known(UserId),
    /// A new password, which only somebody logged in sets.
    NewPassword,
}

/// Cheap to clone; clones share the limits.
#[derive(Clone)]
pub struct Passwords {
    rng: Rng,
    strangers: Arc<Semaphore>,
    known: Arc<Semaphore>,
    queues: Arc<Queues>,
    /// The hash that is verified for an unknown login.
    nobody: Arc<str>,
}

/// The turn of each queue in which somebody waits, and how many requests hold it.
#[derive(Default)]
struct Queues(Mutex<HashMap<Queue, (Arc<Semaphore>, usize)>>);

/// A place in a queue.
struct Place {
    queues: Arc<Queues>,
    queue: Queue,
    turn: Arc<Semaphore>,
}

impl Passwords {
    /// Uses the default parameters of `argon2`, which are OWASP's first choice.
    pub fn new(rng: Rng) -> Result<Self, AppError> {
        let nobody = hash(&rng.bytes::<16>(), b"nobody")?.into();
        let (strangers, known) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(AT_ONCE)));
        Ok(Self { rng, strangers, known, queues: Arc::default(), nobody })
    }

    /// The hash that is verified for an unknown login.
    #[must_use]
    pub fn nobody(&self) -> &str {
        &self.nobody
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] or [`AppError::RateLimited`] under load.
    pub async fn hash(&self, password: &str) -> Result<String, AppError> {
        let (salt, password) = (self.rng.bytes::<16>(), normalised(password));
        self.in_turn(Queue::NewPassword, move || hash(&salt, password.as_bytes())).await?
    }

    /// Whether the password is right. Takes as long without a stored hash.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] under load, [`AppError::RateLimited`] where many requests of the address or person wait.
    pub async fn verify(&self, queue: Queue, password: &str, stored: Option<String>) -> Result<bool, AppError> {
        let is_known = stored.is_some();
        let (stored, password) = (stored.unwrap_or_else(|| self.nobody.to_string()), normalised(password));
        let verify = move || Argon2::default().verify_password(password.as_bytes(), stored.as_str()).is_ok();
        Ok(self.in_turn(queue, verify).await? && is_known)
    }

    async fn in_turn<T: Send + 'static>(&self, queue: Queue, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let place = Place::take(&self.queues, queue).ok_or(AppError::RateLimited)?;
        let all = if matches!(queue, Queue::Stranger(_)) { &self.strangers } else { &self.known };
        let turns = async {
            let own = place.turn.clone().acquire_owned().await?;
            Ok::<_, tokio::sync::AcquireError>((own, all.clone().acquire_owned().await?))
        };
        let Ok(Ok(turns)) = timeout(LONGEST_WAIT, turns).await else { return Err(AppError::Unavailable) };
        let done = tokio::task::spawn_blocking(move || {
            // Also where the request is given up: the hash goes on.
            let _held = (turns, place);
            work()
        });
        done.await.map_err(|_| AppError::Internal)
    }
}

impl Queues {
    fn all(&self) -> MutexGuard<'_, HashMap<Queue, (Arc<Semaphore>, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// `None` where too many wait already.
    fn take(queues: &Arc<Queues>, queue: Queue) -> Option<Self> {
        let mut all = queues.all();
        let (turn, waiting) = all.entry(queue).or_insert_with(|| (Arc::new(Semaphore::new(1)), 0));
        if *waiting >= MAX_WAITING {
            return None;
        }
        *waiting += 1;
        Some(Self { queues: queues.clone(), queue, turn: turn.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.queues.all();
        if let Some((_, waiting)) = all.get_mut(&self.queue) {
            *waiting -= 1;
            if *waiting == 0 {
                all.remove(&self.queue);
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

    fn person(n: u128) -> Queue {
        Queue::Known(UserId(model::ids::Uuid::from_u128(n)))
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_login_is_accepted() {
        let passwords = Passwords::new(Rng::from_seed([1; 32])).unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(passwords.verify(stranger(1), "correct horse", Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(stranger(1), "wrong horse", Some(stored)).await.unwrap());
        let known = person(1);
        assert!(!passwords.verify(known, "nobody", None).await.unwrap(), "the stand-in hash opens nothing");
        assert!(!passwords.verify(known, "x", Some("not a hash".into())).await.unwrap());
        assert!(passwords.queues.all().is_empty(), "nobody waits");
    }

    #[tokio::test]
    async fn an_address_cannot_hold_up_the_others() {
        let passwords = Passwords::new(Rng::from_seed([1; 32])).unwrap();
        // Both turns of strangers would go to the one address.
        let held: Vec<_> = (0..MAX_WAITING).map(|_| Place::take(&passwords.queues, stranger(1)).unwrap()).collect();
        assert_eq!(passwords.verify(stranger(1), "x", None).await, Err(AppError::RateLimited));
        assert_eq!(passwords.verify(stranger(2), "x", None).await, Ok(false));
        drop(held);
        let turn = Place::take(&passwords.queues, stranger(1)).unwrap();
        let _first = turn.turn.acquire().await.unwrap();
        let second = timeout(Duration::from_millis(300), passwords.verify(stranger(1), "x", None)).await;
        assert!(second.is_err(), "one at a time");
        assert_eq!(passwords.verify(stranger(2), "x", None).await, Ok(false));
        let _all = passwords.strangers.clone().acquire_many_owned(2).await.unwrap();
        assert_eq!(passwords.verify(person(1), "x", None).await, Ok(false), "strangers do not hold known people up");
    }

    #[tokio::test]
    async fn a_person_cannot_hold_up_the_others() {
        let passwords = Passwords::new(Rng::from_seed([1; 32])).unwrap();
        // Whoever stole a session asks as often as they can.
        let turn = Place::take(&passwords.queues, person(1)).unwrap();
        let (own, all) = (turn.turn.clone().acquire_owned().await, passwords.known.clone().acquire_owned().await);
        let again = timeout(Duration::from_millis(300), passwords.verify(person(1), "x", None)).await;
        assert!(again.is_err(), "one at a time");
        assert_eq!(passwords.verify(person(2), "x", None).await, Ok(false));
        assert!(passwords.hash("correct horse").await.is_ok());
        drop((own, all));
    }
}
