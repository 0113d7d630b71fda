//! Password hashes: argon2id, off the async threads and few at a time, since each takes 19 MiB and tens of milliseconds.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use model::error::AppError;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use domain::rng::Rng;

/// Hashes at the same time, and how long a request waits for its turn.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(5);

/// Cheap to clone; clones share the limit.
#[derive(Clone)]
pub struct Passwords {
    rng: Rng,
    turns: Arc<Semaphore>,
    /// The hash that is verified for an unknown login.
    nobody: Arc<str>,
}

impl Passwords {
    /// Uses the default parameters of `argon2`, which are OWASP's first choice.
    pub fn new(rng: Rng) -> Result<Self, AppError> {
        let nobody = hash(&rng.bytes::<16>(), b"nobody")?;
        Ok(Self { rng, turns: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() })
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] under load.
    pub async fn hash(&self, password: &str) -> Result<String, AppError> {
        let (salt, password) = (self.rng.bytes::<16>(), password.to_owned());
        self.in_turn(move || hash(&salt, password.as_bytes())).await?
    }

    /// Whether the password is right. Takes as long without a stored hash.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] under load.
    pub async fn verify(&self, password: &str, stored: Option<String>) -> Result<bool, AppError> {
        let is_known = stored.is_some();
        let (stored, password) = (stored.unwrap_or_else(|| self.nobody.to_string()), password.to_owned());
        let right = self.in_turn(move || Argon2::default().verify_password(password.as_bytes(), stored.as_str()).is_ok()).await?;
        Ok(right && is_known)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let turn = timeout(PATIENCE, self.turns.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(AppError::Unavailable) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| AppError::Internal)
    }
}

fn hash(salt: &[u8], password: &[u8]) -> Result<String, AppError> {
    let hash = Argon2::default().hash_password_with_salt(password, salt);
    hash.map(|hash| hash.to_string()).map_err(|_| AppError::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_login_is_accepted() {
        let passwords = Passwords::new(Rng::from_seed([1; 32])).unwrap();
        let stored = passwords.hash("correct horse").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(passwords.verify("correct horse", Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse", Some(stored)).await.unwrap());
        assert!(!passwords.verify("nobody", None).await.unwrap(), "the password of the stand-in hash opens nothing");
        assert!(!passwords.verify("x", Some("not a hash".into())).await.unwrap());
    }
}
