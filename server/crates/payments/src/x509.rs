//! The fields of X.509 certificates that payment channels use: serial number, validity, common name, key and signature.

use std::fmt;

use model::time::{SECOND, Timestamp};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::rsa::{Hash, KeyError, PublicKey, base64_body};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    #[error("is neither PEM nor base64")]
    Text,
    #[error("is not an X.509 certificate")]
    Form,
    #[error("is not the certificate of an RSA key of at least 2048 bits")]
    Key,
}

impl From<KeyError> for CertificateError {
    fn from(_: KeyError) -> Self {
        Self::Text
    }
}

/// A parsed certificate. Parsing does not establish trust: see [`Certificate::is_signed_by`] and [`Certificate::is_valid_at`].
#[derive(Clone)]
pub struct Certificate {
    /// Serial number in upper-case hexadecimal, the form of WeChat Pay.
    pub serial_hex: String,
    /// Serial number in decimal, the form of UnionPay.
    pub serial_decimal: String,
    pub key: PublicKey,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// The subject's first common name; empty if it has none.
    pub common_name: String,
    issuer_signature: IssuerSignature,
}

#[derive(Clone)]
struct IssuerSignature {
    /// The signed part of the certificate, DER (`TBSCertificate` of RFC 5280).
    tbs: Vec<u8>,
    /// `None` for any algorithm but RSA with SHA-1 or SHA-256.
    hash: Option<Hash>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Parses PEM or bare base64 with any line lengths.
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
        let issuer_signature = IssuerSignature {
            tbs: tbs.as_ref().to_vec(),
            // The algorithm is stated twice, inside and outside the signed part; RFC 5280 requires both to be equal.
            hash: if *algorithm == tbs.signature { hash(&algorithm.algorithm.to_id_string()) } else { None },
            signature: certificate.signature_value.data.to_vec(),
        };
        Ok(Self {
            issuer_signature,
            serial_decimal: tbs.serial.to_string(),
            serial_hex: format!("{:X}", tbs.serial),
            key: PublicKey::from_der(tbs.subject_pki.raw).ok_or(CertificateError::Key)?,
            not_before: instant(tbs.validity.not_before.timestamp()),
            not_after: instant(tbs.validity.not_after.timestamp()),
            common_name: common_name.to_owned(),
        })
    }

    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// Whether `issuer` signed this certificate with one of the `allowed` hash algorithms.
    #[must_use]
    pub fn is_signed_by(&self, issuer: &PublicKey, allowed: &[Hash]) -> bool {
        let IssuerSignature { tbs, hash, signature } = &self.issuer_signature;
        hash.filter(|hash| allowed.contains(hash)).is_some_and(|hash| issuer.verifies_raw(hash, tbs, signature))
    }

    /// The hash algorithm of the signature; `None` if it is not supported.
    #[must_use]
    pub const fn hash(&self) -> Option<Hash> {
        self.issuer_signature.hash
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
    fn certificate_fields_match_openssl_output() {
        let merchant = Certificate::parse(MERCHANT).unwrap();
        assert_eq!(merchant.serial_hex, "1002589E15");
        assert_eq!(merchant.not_before.to_string(), "2026-01-01 08:00:00", "Beijing time");
        assert_eq!(merchant.common_name, "merchant");
        let bare: String = MERCHANT.lines().filter(|line| !line.starts_with('-')).collect();
        assert_eq!(Certificate::parse(&bare).unwrap().serial_hex, merchant.serial_hex);
    }

    #[test]
    fn issuer_signature_needs_an_allowed_hash() {
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
    fn malformed_certificates_are_rejected() {
        for text in ["", "AAAA", "证书", include_str!("alipay/vectors/app-spki.pem"), &format!("{MERCHANT}AAAA")] {
            assert!(Certificate::parse(text).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn certificate_parsing_never_panics(at in 0usize..600, byte: u8) {
            use base64::Engine;
            let mut der = base64_body(MERCHANT).unwrap();
            if let Some(place) = der.get_mut(at) {
                *place = byte;
            }
            let _ = Certificate::parse(&base64::engine::general_purpose::STANDARD.encode(der));
        }
    }
}
