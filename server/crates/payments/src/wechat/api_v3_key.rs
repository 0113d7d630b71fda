//! AES-256-GCM with the APIv3 key, whose 32 ASCII characters are the key bytes.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The APIv3 key. `Debug` does not print it.
pub struct ApiV3Key(LessSafeKey);

impl ApiV3Key {
    /// Accepts 32 ASCII letters and digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        UnboundKey::new(&AES_256_GCM, text.as_bytes()).ok().map(LessSafeKey::new).map(Self)
    }

    /// Decrypts base64 with associated data; `None` if authentication fails.
    #[must_use]
    pub fn open(&self, nonce: &str, data: &str, sealed: &str) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
        let mut sealed = STANDARD.decode(sealed).ok()?;
        let open = self.0.open_in_place(nonce, Aad::from(data.as_bytes()), &mut sealed).ok()?;
        Some(open.to_vec())
    }

    /// Encrypts to base64 with associated data, for the sandbox. A nonce must be used only once.
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
    fn wechat_encryption_matches_openssl() {
        let open = key().open(NONCE, "transaction", SEALED).unwrap();
        assert_eq!(open, include_bytes!("vectors/plain.json"));
        assert_eq!(key().seal(NONCE, "transaction", &open).unwrap(), SEALED);
    }

    #[test]
    fn wrong_nonce_data_or_ciphertext_do_not_decrypt() {
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
