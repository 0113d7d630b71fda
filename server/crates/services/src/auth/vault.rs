//! Keeps secrets of second factors: encrypted with a key that is derived from the audit key. A copy of the database without
//! that file makes no codes. Without an audit key they are stored as they are.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use model::ids::UserId;

use domain::rng::Rng;

/// How a stored secret begins.
const PLAIN: u8 = 0;
const ENCRYPTED: u8 = 1;

pub struct Vault(Option<LessSafeKey>);

impl Vault {
    /// With 32 bytes, or without a key.
    #[must_use]
    pub fn new(key: Option<[u8; 32]>) -> Self {
        Self(key.and_then(|key| UnboundKey::new(&AES_256_GCM, &key).ok()).map(LessSafeKey::new))
    }

    /// As it is stored, for this person only; `None` where it cannot be encrypted.
    #[must_use]
    pub fn seal(&self, user: UserId, secret: &[u8], rng: &Rng) -> Option<Vec<u8>> {
        let Some(key) = &self.0 else { return Some([&[PLAIN], secret].concat()) };
        let nonce = rng.bytes::<NONCE_LEN>();
        let mut text = secret.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(user.0.as_bytes()), &mut text).ok()?;
        Some([&[ENCRYPTED], &nonce[..], &text].concat())
    }

    /// The secret; `None` where it was stored with another key, for somebody else, or changed.
    #[must_use]
    pub fn open(&self, user: UserId, stored: &[u8]) -> Option<Vec<u8>> {
        match (stored.split_first()?, &self.0) {
            ((&PLAIN, secret), _) => Some(secret.to_vec()),
            ((&ENCRYPTED, rest), Some(key)) => {
                let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
                let (nonce, mut text) = (Nonce::assume_unique_for_key(*nonce), text.to_vec());
                let secret = key.open_in_place(nonce, Aad::from(user.0.as_bytes()), &mut text).ok()?;
                Some(secret.to_vec())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use model::ids::Uuid;

    use super::*;

    #[test]
    fn a_secret_opens_with_its_key_and_for_its_person_only() {
        let (rng, vault) = (Rng::from_seed([1; 32]), Vault::new(Some([7; 32])));
        let [wang, li] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let mut stored = vault.seal(wang, b"secret", &rng).unwrap();
        assert!(!stored.windows(6).any(|part| part == b"secret"));
        assert_eq!(vault.open(wang, &stored).as_deref(), Some(&b"secret"[..]));
        assert_eq!(vault.open(li, &stored), None);
        assert_eq!(Vault::new(Some([8; 32])).open(wang, &stored), None);
        assert_eq!(Vault::new(None).open(wang, &stored), None);
        if let Some(last) = stored.last_mut() {
            *last ^= 1;
        }
        assert_eq!(vault.open(wang, &stored), None, "changed");
        assert_eq!(vault.open(wang, &[]), None);
    }

    #[test]
    fn a_secret_is_stored_as_it_is_without_a_key() {
        let (rng, user) = (Rng::from_seed([1; 32]), UserId(Uuid::nil()));
        let stored = Vault::new(None).seal(user, b"secret", &rng).unwrap();
        assert_eq!(Vault::new(None).open(user, &stored).as_deref(), Some(&b"secret"[..]));
        assert_eq!(Vault::new(Some([7; 32])).open(user, &stored).as_deref(), Some(&b"secret"[..]), "a key that came later");
    }
}
