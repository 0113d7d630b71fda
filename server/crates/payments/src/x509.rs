//! X.509 certificates, as far as payment channels use them: serial numbers, dates, names and keys.

use std::fmt;

use model::time::{SECOND, Timestamp};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::rsa::{Hash, KeyError, PublicKey, base64_body};

/// Why a text is no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Neither PEM nor base64.
    #[error("is neither PEM nor base64")]
    Text,
    /// No X.509 certificate.
    #[error("is not an X.509 certificate")]
    Form,
    /// Of a key that is not RSA of at least 2048 bits.
    #[error("is not the certificate of an RSA key of at least 2048 bits")]
    Key,
}

impl From<KeyError> for CertificateError {
    fn from(_: KeyError) -> Self {
        Self::Text
    }
}

/// A certificate. That it was read says nothing about whether it is to be trusted.
#[derive(Clone)]
pub struct Certificate {
    /// Serial number in hexadecimal, as WeChat Pay writes it.
    pub serial_hex: String,
    /// And in decimal, as UnionPay does.
    pub serial_decimal: String,
    pub key: PublicKey,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// The subject's common name.
    pub common_name: String,
    /// What its issuer signed, and how.
    signed: Signed,
}

/// A signature over a certificate.
#[derive(Clone)]
struct Signed {
    tbs: Vec<u8>,
    /// Nothing where it is of an algorithm that is never accepted.
    hash: Option<Hash>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Reads PEM, or bare base64, in any layout of lines.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn parse(text: &str) -> Result<Self, CertificateError> {
        let der = base64_body(text)?;
        let (rest, certificate) = X509Certificate::from_der(&der).map_err(|_| CertificateError::Form)?;
        if !rest.is_empty() {
            return Err(CertificateError::Form);
        }
        let tbs = &certificate.tbs_certificate;
        let common_name = tbs.subject.iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
        let instant = |seconds: i64| Timestamp(seconds.saturating_mul(SECOND));
        let algorithm = &certificate.signature_algorithm;
        let signed = Signed {
            tbs: tbs.as_ref().to_vec(),
            // Said twice, once inside what is signed.
            hash: if *algorithm == tbs.signature { hash(&algorithm.algorithm.to_id_string()) } else { None },
            signature: certificate.signature_value.data.to_vec(),
        };
        Ok(Self {
            signed,
            serial_decimal: tbs.serial.to_string(),
            serial_hex: format!("{:X}", tbs.serial),
            key: PublicKey::from_der(tbs.subject_pki.raw).ok_or(CertificateError::Key)?,
            not_before: instant(tbs.validity.not_before.timestamp()),
            not_after: instant(tbs.validity.not_after.timestamp()),
            common_name: common_name.to_owned(),
        })
    }

    /// Whether it may be used at that time.
    #[must_use]
    pub fn is_current(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether the key signed it, by one of these algorithms.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &PublicKey, allowed: &[Hash]) -> bool {
        let Signed { tbs, hash, signature } = &self.signed;
        hash.filter(|hash| allowed.contains(hash)).is_some_and(|hash| issuer.verifies_raw(hash, tbs, signature))
    }

    /// How it is signed; nothing where that is never accepted.
    #[must_use]
    pub const fn hash(&self) -> Option<Hash> {
        self.signed.hash
    }
}

fn hash(oid: &str) -> Option<Hash> {
    match oid {
        "1.2.840.113549.1.1.5" => Some(Hash::Sha1),
        "1.2.840.113549.1.1.11" => Some(Hash::Sha256),
        _ => None,
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} {})", self.common_name, self.serial_hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MERCHANT: &str = include_str!("wechat/vectors/merchant.pem");

    #[test]
    fn what_openssl_says_of_it_is_read() {
        let merchant = Certificate::parse(MERCHANT).unwrap();
        assert_eq!(merchant.serial_hex, "1002589E15");
        assert_eq!(merchant.not_before.to_string(), "2026-01-01 08:00:00", "Beijing time");
        assert_eq!(merchant.common_name, "merchant");
        let bare: String = MERCHANT.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(Certificate::parse(&bare).unwrap().serial_hex, merchant.serial_hex);
    }

    #[test]
    fn a_signature_is_the_issuers_by_an_algorithm_that_is_allowed() {
        let [root, middle, leaf, sha1] = [
            include_str!("unionpay/vectors/root.pem"),
            include_str!("unionpay/vectors/middle.pem"),
            include_str!("unionpay/vectors/leaf.pem"),
            include_str!("unionpay/vectors/leaf-sha1.pem"),
        ]
        .map(|text| Certificate::parse(text).unwrap());
        let both = [Hash::Sha1, Hash::Sha256];
        assert!(root.is_signed_by(&root.key, &both) && middle.is_signed_by(&root.key, &both));
        assert!(leaf.is_signed_by(&middle.key, &[Hash::Sha256]) && !leaf.is_signed_by(&root.key, &both));
        assert!(!leaf.is_signed_by(&middle.key, &[Hash::Sha1]) && !leaf.is_signed_by(&middle.key, &[]));
        assert!(sha1.is_signed_by(&middle.key, &both) && !sha1.is_signed_by(&middle.key, &[Hash::Sha256]));
        assert_eq!((leaf.serial_hex.as_str(), leaf.serial_decimal.as_str()), ("1295464421", "79813821473"));
    }

    #[test]
    fn rubbish_is_no_certificate() {
        for text in ["", "AAAA", "证书", include_str!("alipay/vectors/app-spki.pem"), &format!("{MERCHANT}AAAA")] {
            assert!(Certificate::parse(text).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(at in 0usize..600, byte: u8) {
            use base64::Engine;
            let mut der = base64_body(MERCHANT).unwrap();
            if let Some(place) = der.get_mut(at) {
                *place = byte;
            }
            let _ = Certificate::parse(&base64::engine::general_purpose::STANDARD.encode(der));
        }
    }
}
