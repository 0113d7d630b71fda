//! RSA signatures (PKCS#1 v1.5, SHA-256) and the key formats of the channels' merchant consoles: PEM or bare base64, private keys
//! in PKCS#1 or PKCS#8, public keys in SPKI or PKCS#1.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pem::{EncodeConfig, LineEnding, Pem};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("is neither PEM nor base64")]
    Text,
    #[error("is encrypted; give it without a pass phrase")]
    Encrypted,
    #[error("is a certificate; give the public key")]
    Certificate,
    #[error("is a public key; the private key is needed")]
    Public,
    #[error("is a private key; the public key is needed")]
    Private,
    #[error("is not an RSA key of at least 2048 bits")]
    Rejected,
}

/// The hash algorithm of a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Accepted only in a pinned certificate chain.
    Sha1,
    Sha256,
}

/// A signing key. `Debug` does not print it.
pub struct PrivateKey(RsaKeyPair);

#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
}

impl PrivateKey {
    /// Parses PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`] names what the text is instead.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = der(text)?;
        let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
        pair.map(Self).map_err(|_| if PublicKey::from_der(&der).is_some() { KeyError::Public } else { KeyError::Rejected })
    }

    /// Generates a key of 2048 bits.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if the system provides no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(Self).map_err(|_| KeyError::Rejected)
    }

    /// The key as PEM (PKCS#8).
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if it cannot be encoded.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| KeyError::Rejected)?;
        Ok(pem("PRIVATE KEY", der.as_ref()))
    }

    /// The public key of this key pair.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if it cannot be encoded.
    pub fn public(&self) -> Result<PublicKey, KeyError> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().map_err(|_| KeyError::Rejected)?;
        Ok(PublicKey { spki: der.as_ref().to_vec() })
    }

    /// The signature of a message in base64.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if signing fails.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.0.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(|_| KeyError::Rejected)?;
        Ok(STANDARD.encode(signature))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(..)")
    }
}

impl PublicKey {
    /// Parses SPKI or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`] names what the text is instead.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = der(text)?;
        Self::from_der(&der).ok_or_else(|| {
            let private = RsaKeyPair::from_pkcs8(&der).is_ok() || RsaKeyPair::from_der(&der).is_ok();
            if private { KeyError::Private } else { KeyError::Rejected }
        })
    }

    /// Parses DER, either SPKI or PKCS#1.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let key = aws_lc_rs::rsa::PublicKey::from_der(der).ok()?;
        let spki: PublicKeyX509Der<'_> = key.as_der().ok()?;
        Some(Self { spki: spki.as_ref().to_vec() })
    }

    /// The key as PEM (SPKI).
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki)
    }

    /// Whether `signature` (base64) is this key's signature of the message. Malformed signatures do not verify.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        STANDARD.decode(signature).is_ok_and(|signature| self.verifies_raw(Hash::Sha256, message, &signature))
    }

    pub(super) fn verifies_raw(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match hash {
            Hash::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(algorithm, &self.spki).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// Ignores PEM labels, because merchant consoles put PKCS#1 keys under PKCS#8 labels and vice versa.
fn der(text: &str) -> Result<Vec<u8>, KeyError> {
    if text.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    if text.contains("BEGIN CERTIFICATE") {
        return Err(KeyError::Certificate);
    }
    base64_body(text)
}

/// Decodes the base64 of a PEM text, or of bare base64. Unlike a PEM parser it accepts any line lengths and missing labels.
pub(super) fn base64_body(text: &str) -> Result<Vec<u8>, KeyError> {
    let base64: String =
        text.lines().filter(|line| !line.trim_start().starts_with("-----")).flat_map(str::split_whitespace).collect();
    if base64.is_empty() {
        return Err(KeyError::Text);
    }
    STANDARD.decode(base64).map_err(|_| KeyError::Text)
}

fn pem(label: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(label, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Generated with openssl; see alipay/vectors/README.md.
    const PKCS8: &str = include_str!("alipay/vectors/app-pkcs8.pem");
    const PKCS1: &str = include_str!("alipay/vectors/app-pkcs1.pem");
    const SPKI: &str = include_str!("alipay/vectors/app-spki.pem");
    const PUBLIC_PKCS1: &str = include_str!("alipay/vectors/app-public-pkcs1.pem");

    fn bare(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    #[test]
    fn all_key_formats_yield_the_same_key() {
        let expected = PublicKey::parse(SPKI).unwrap();
        for text in [SPKI, PUBLIC_PKCS1, &bare(SPKI), &bare(PUBLIC_PKCS1)] {
            assert_eq!(PublicKey::parse(text).unwrap(), expected);
        }
        for text in [PKCS8, PKCS1, &bare(PKCS8), &bare(PKCS1)] {
            let key = PrivateKey::parse(text).unwrap();
            assert_eq!(key.public().unwrap(), expected);
            assert!(expected.verifies(b"message", &key.sign(b"message").unwrap()));
            assert_eq!(format!("{key:?}"), "PrivateKey(..)");
        }
        assert_eq!(PublicKey::parse(&expected.to_pem()).unwrap(), expected);
        assert_eq!(PrivateKey::parse(&PrivateKey::parse(PKCS1).unwrap().to_pem().unwrap()).unwrap().public().unwrap(), expected);
    }

    #[test]
    fn key_errors_name_what_was_given_instead() {
        assert_eq!(PrivateKey::parse(SPKI).unwrap_err(), KeyError::Public);
        assert_eq!(PublicKey::parse(PKCS8).unwrap_err(), KeyError::Private);
        assert_eq!(PublicKey::parse(PKCS1).unwrap_err(), KeyError::Private);
        assert_eq!(PrivateKey::parse("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n").unwrap_err(), KeyError::Encrypted);
        assert_eq!(PublicKey::parse("-----BEGIN CERTIFICATE-----\nAA==\n").unwrap_err(), KeyError::Certificate);
        assert_eq!(PublicKey::parse("").unwrap_err(), KeyError::Text);
        assert_eq!(PublicKey::parse("密钥").unwrap_err(), KeyError::Text);
        assert_eq!(PublicKey::parse("AAAA").unwrap_err(), KeyError::Rejected);
    }

    #[test]
    fn malformed_signatures_do_not_verify() {
        let key = PublicKey::parse(SPKI).unwrap();
        for signature in ["", "=", "AAAA", "not base64", &"A".repeat(344)] {
            assert!(!key.verifies(b"message", signature));
        }
    }
}
