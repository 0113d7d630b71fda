//! AES-256-GCM with the APIv3 key: the 32 bytes as they are, without hash or hexadecimal.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The APIv3 key. Never printed.
pub struct ApiV3Key(LessSafeKey);

impl ApiV3Key {
    /// Takes the 32 characters that the console was given.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        UnboundKey::new(&AES_256_GCM, text.as_bytes()).ok().map(LessSafeKey::new).map(Self)
    }

    /// Opens a sealed resource; nothing where it was not sealed with this key, nonce and data.
    #[must_use]
    pub fn open(&self, nonce: &str, data: &str, sealed: &str) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
        let mut sealed = STANDARD.decode(sealed).ok()?;
        let open = self.0.open_in_place(nonce, Aad::from(data.as_bytes()), &mut sealed).ok()?;
        Some(open.to_vec())
    }

    /// Seals, for the sandbox. A nonce is used once.
    #[must_use]
    pub fn seal(&self, nonce: &str, data: &str, open: &[u8]) -> Option<String> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
        let mut bytes = open.to_vec();
        self.0.seal_in_place_append_tag(nonce, Aad::from(data.as_bytes()), &mut bytes).ok()?;
        Some(STANDARD.encode(bytes))
    }
}

impl std::fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiV3Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "fdasflkja484";
    const SEALED: &str = include_str!("vectors/sealed.txt");

    fn key() -> ApiV3Key {
        ApiV3Key::parse("0123456789abcdef0123456789abcdef").unwrap()
    }

    #[test]
    fn what_openssl_sealed_is_opened_and_sealed_the_same() {
        let open = key().open(NONCE, "transaction", SEALED).unwrap();
        assert_eq!(open, include_bytes!("vectors/plain.json"));
        assert_eq!(key().seal(NONCE, "transaction", &open).unwrap(), SEALED);
    }

    #[test]
    fn what_does_not_fit_is_not_opened_and_never_a_panic() {
        for (nonce, data, sealed) in [
            ("fdasflkja485", "transaction", SEALED),
            (NONCE, "", SEALED),
            ("short", "transaction", SEALED),
            ("", "transaction", SEALED),
            ("much longer than twelve", "transaction", SEALED),
            (NONCE, "transaction", "AAAA"),
            (NONCE, "transaction", ""),
            (NONCE, "transaction", "not base64"),
        ] {
            assert_eq!(key().open(nonce, data, sealed), None, "{nonce} {data}");
        }
        for text in ["", "0123456789abcdef", "0123456789abcdef0123456789abcde密", &"x".repeat(64)] {
            assert!(ApiV3Key::parse(text).is_none(), "{text}");
        }
    }
}
