//! Certificate mode: fetches WeChat Pay's platform certificates when a message names an unknown one.

use http::{HeaderMap, Method};
use model::time::Timestamp;
use serde::Deserialize;

use super::WechatPay;
use super::keys::{VerificationKey, VerificationKeys};
use crate::channel::{ChannelError, NotificationError};
use crate::x509::Certificate;

#[derive(Deserialize)]
struct CertificatesResponse {
    data: Vec<CertificateEntry>,
}

#[derive(Deserialize)]
struct CertificateEntry {
    serial_no: String,
    encrypt_certificate: EncryptedCertificate,
}

#[derive(Deserialize)]
struct EncryptedCertificate {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

impl WechatPay {
    /// Returns whether new certificates were received. Does nothing in public-key mode or within
    /// [`VerificationKeys`]' refresh intervals.
    pub(super) async fn fetch_new_keys(&self) -> bool {
        if !self.keys.start_refresh(self.clock.steady()) {
            return false;
        }
        match self.fetch_certificates(self.clock.now()).await {
            Ok(new) => {
                self.keys.refreshed(self.clock.steady());
                tracing::info!(channel = "wechat", new, "payment.certificates.fetched");
                new > 0
            }
            Err(error) => {
                tracing::warn!(channel = "wechat", error = &error as &dyn std::error::Error, "payment.certificates.failed");
                false
            }
        }
    }

    async fn fetch_certificates(&self, now: Timestamp) -> Result<usize, ChannelError> {
        let (response, headers) = self.exchange(Method::GET, "/v3/certificates", None).await?;
        let answer: CertificatesResponse = response.parse()?;
        let received: Vec<(String, VerificationKey)> = answer.data.iter().filter_map(|entry| self.decrypt(entry, now)).collect();
        self.verify_with_new_keys(&headers, &response.body, &received, now).map_err(|error| response.unverified(error))?;
        let mut new = 0;
        for (serial, key) in received {
            if self.keys.get(&serial).is_none() {
                self.keys.insert(serial, key);
                new += 1;
            }
        }
        Ok(new)
    }

    /// Decrypts a certificate with the APIv3 key; `None` if it is not valid now, has
    /// another serial number, or is the merchant's own.
    fn decrypt(&self, entry: &CertificateEntry, now: Timestamp) -> Option<(String, VerificationKey)> {
        let sealed = &entry.encrypt_certificate;
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return None;
        }
        let pem = self.api_key.open(&sealed.nonce, &sealed.associated_data, &sealed.ciphertext)?;
        let certificate = Certificate::parse(std::str::from_utf8(&pem).ok()?).ok()?;
        let merchant_key = self.signer.key.public().ok()?;
        let is_acceptable = certificate.serial_hex.eq_ignore_ascii_case(&entry.serial_no)
            && certificate.is_valid_at(now)
            && certificate.key != merchant_key;
        let validity = Some((certificate.not_before, certificate.not_after));
        is_acceptable.then_some((certificate.serial_hex, VerificationKey { key: certificate.key, validity }))
    }

    /// Verifies with a known key, or with a received one: those are authenticated by the APIv3
    /// key, and WeChat may sign with a new one.
    fn verify_with_new_keys(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        received: &[(String, VerificationKey)],
        now: Timestamp,
    ) -> Result<(), NotificationError> {
        match self.keys.verify(headers, body, now) {
            Err(NotificationError::UnknownKey) => {
                let keys = VerificationKeys::default();
                for (serial, key) in received {
                    keys.insert(serial.clone(), key.clone());
                }
                keys.verify(headers, body, now)
            }
            result => result,
        }
    }
}
