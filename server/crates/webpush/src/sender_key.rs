//! The key by which push services know the sender, and the proof of it in each request (RFC 8292).

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::UnusableKey;

/// How long a proof is valid, s. Push services accept at most a day.
const VALID: i64 = 12 * 3_600;

/// The sender's key.
pub struct SenderKey {
    pair: EcdsaKeyPair,
    public: String,
}

/// Why a key's file cannot be used; without its content.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    #[error("names {0}, which does not hold 32 bytes in base64url, the private key of P-256")]
    Content(PathBuf),
    #[error("names {0}, which can be neither read nor made: {1}")]
    File(PathBuf, std::io::Error),
    #[error("cannot be made: {0}")]
    Key(#[from] UnusableKey),
}

impl SenderKey {
    /// From the private key in base64url, as the usual tools print it.
    ///
    /// # Errors
    /// [`UnusableKey`] where it is none.
    pub fn parse(text: &str) -> Result<Self, UnusableKey> {
        let private = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|_| UnusableKey)?;
        let public = PrivateKey::from_private_key(&ECDH_P256, &private)?.compute_public_key()?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &private, public.as_ref())?;
        Ok(Self { pair, public: URL_SAFE_NO_PAD.encode(public.as_ref()) })
    }

    /// Reads the key's file; makes it where there is none, readable for its owner only. Whoever changes the key
    /// loses all subscriptions.
    ///
    /// # Errors
    /// [`KeyFileError`], which names the file.
    pub fn open(file: &Path) -> Result<Self, KeyFileError> {
        let wrong = |error| KeyFileError::File(file.to_owned(), error);
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(file, &generate()?).map_err(wrong)?;
                std::fs::read_to_string(file).map_err(wrong)?
            }
            Err(error) => return Err(wrong(error)),
        };
        Self::parse(&text).map_err(|_| KeyFileError::Content(file.to_owned()))
    }

    /// The public key in base64url, as browsers take it.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The `Authorization` header of a request: to the push service of that origin, at that second, by that contact
    /// (`mailto:` or `https:`).
    ///
    /// # Errors
    /// [`UnusableKey`] where it cannot be signed.
    pub fn authorization(&self, origin: &str, at: i64, contact: &str) -> Result<String, UnusableKey> {
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let head = part(json!({ "typ": "JWT", "alg": "ES256" }));
        let claims = part(json!({ "aud": origin, "exp": at.saturating_add(VALID), "sub": contact }));
        let signed = format!("{head}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("vapid t={signed}.{}, k={}", URL_SAFE_NO_PAD.encode(signature), self.public))
    }
}

/// Makes a whole file or none, and never another one than a second process made meanwhile.
fn make(file: &Path, text: &str) -> std::io::Result<()> {
    let mut number = [0; 8];
    rand::fill(&mut number).map_err(|_| ErrorKind::Other)?;
    let whole = file.with_added_extension(format!("{:x}.new", u64::from_be_bytes(number)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(&whole)?;
    let linked = made.write_all(text.as_bytes()).and_then(|()| made.sync_all()).and_then(|()| std::fs::hard_link(&whole, file));
    std::fs::remove_file(&whole)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn generate() -> Result<String, UnusableKey> {
    let key: EcPrivateKeyBin<'static> = PrivateKey::generate(&ECDH_P256)?.as_be_bytes()?;
    Ok(format!("{}\n", URL_SAFE_NO_PAD.encode(key.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_is_that_of_the_private_one() {
        let key = SenderKey::parse("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw\n").unwrap();
        assert_eq!(key.public(), "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        for text in ["", "hunter2", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(SenderKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_is_made_once_and_kept() {
        let file = std::env::temp_dir().join(format!("dormwatt-webpush-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        let made = SenderKey::open(&file).unwrap();
        assert_eq!(SenderKey::open(&file).unwrap().public(), made.public());
        std::fs::write(&file, "hunter2").unwrap();
        let error = SenderKey::open(&file).err().unwrap().to_string();
        assert!(error.contains("base64url") && !error.contains("hunter2"), "{error}");
        std::fs::remove_file(&file).unwrap();
        assert!(SenderKey::open(&file.join("missing")).is_err());
    }
}
