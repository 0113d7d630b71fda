//! X.509 certificates, as far as payment channels use them: serial numbers, dates, names and keys.

use std::fmt;

use app::model::time::{SECOND, Timestamp};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::rsa::{KeyError, PublicKey, base64_body};

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
    /// Its key.
    pub key: PublicKey,
    /// From when.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// The subject's common name.
    pub common_name: String,
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
        Ok(Self {
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
