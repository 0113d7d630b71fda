//! RSA with SHA-256 (PKCS#1 v1.5), with keys in every form that the channels' consoles hand out: PEM or bare base64,
//! private as PKCS#1 or PKCS#8, public as SPKI or PKCS#1.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor base64.
    #[error("is neither PEM nor base64")]
    Text,
    /// Protected by a pass phrase.
    #[error("is encrypted; give it without a pass phrase")]
    Encrypted,
    #[error("is a certificate; give the public key")]
    Certificate,
    /// A public key where the private one belongs.
    #[error("is a public key; the private key is needed")]
    Public,
    /// A private key where a public one belongs.
    #[error("is a private key; the public key is needed")]
    Private,
    /// Not an RSA key of at least 2048 bits.
    #[error("is not an RSA key of at least 2048 bits")]
    Rejected,
}

/// What a certificate's signature is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1: only certificates of a chain that is pinned.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// A key that signs. Never printed.
pub struct PrivateKey(RsaKeyPair);

/// A key that verifies.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    spki: Vec<u8>,
}

impl PrivateKey {
    /// Reads PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`] says what the text is instead.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = der(text)?;
        let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
        pair.map(Self).map_err(|_| if PublicKey::from_der(&der).is_some() { KeyError::Public } else { KeyError::Rejected })
    }

    /// A new key of 2048 bits.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] where the machine gives no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        RsaKeyPair::generate(KeySize::Rsa2048).map(Self).map_err(|_| KeyError::Rejected)
    }

    /// The key as PEM (PKCS#8), for a sandbox that hands it to the product's configuration.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] where it cannot be written.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| KeyError::Rejected)?;
        Ok(pem("PRIVATE KEY", der.as_ref()))
    }

    /// Its other half.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] where it cannot be written.
    pub fn public(&self) -> Result<PublicKey, KeyError> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().map_err(|_| KeyError::Rejected)?;
        Ok(PublicKey { spki: der.as_ref().to_vec() })
    }

    /// The signature of a message, base64.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] where the library refuses.
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
    /// Reads SPKI or PKCS#1.
    ///
    /// # Errors
    /// [`KeyError`] says what the text is instead.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let der = der(text)?;
        Self::from_der(&der).ok_or_else(|| {
            let private = RsaKeyPair::from_pkcs8(&der).is_ok() || RsaKeyPair::from_der(&der).is_ok();
            if private { KeyError::Private } else { KeyError::Rejected }
        })
    }

    /// From the binary form, as certificates hold it.
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

    /// Whether a base64 signature is this key's over the message. Anything that is no signature is simply not.
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

/// The labels are not trusted: consoles hand out PKCS#1 under PKCS#8 labels and the other way round.
fn der(text: &str) -> Result<Vec<u8>, KeyError> {
    if text.contains("ENCRYPTED") {
        return Err(KeyError::Encrypted);
    }
    if text.contains("BEGIN CERTIFICATE") {
        return Err(KeyError::Certificate);
    }
    base64_body(text)
}

/// The lines between those of dashes, whatever their layout.
pub(super) fn base64_body(text: &str) -> Result<Vec<u8>, KeyError> {
    let base64: String =
        text.lines().filter(|line| !line.trim_start().starts_with("-----")).flat_map(str::split_whitespace).collect();
    if base64.is_empty() {
        return Err(KeyError::Text);
    }
    STANDARD.decode(base64).map_err(|_| KeyError::Text)
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for (n, sign) in base64.chars().enumerate() {
        if n > 0 && n % 64 == 0 {
            text.push('\n');
        }
        text.push(sign);
    }
    text + &format!("\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by us with openssl; see vectors/README.md.
    const PKCS8: &str = include_str!("alipay/vectors/app-pkcs8.pem");
    const PKCS1: &str = include_str!("alipay/vectors/app-pkcs1.pem");
    const SPKI: &str = include_str!("alipay/vectors/app-spki.pem");
    const PUBLIC_PKCS1: &str = include_str!("alipay/vectors/app-public-pkcs1.pem");

    fn bare(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    #[test]
    fn every_form_of_a_key_is_the_same_key() {
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
    fn a_wrong_key_is_named_for_what_it_is() {
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
    fn rubbish_is_no_signature() {
        let key = PublicKey::parse(SPKI).unwrap();
        for signature in ["", "=", "AAAA", "not base64", &"A".repeat(344)] {
            assert!(!key.verifies(b"message", signature));
        }
    }
}
