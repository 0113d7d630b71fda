//! Certificate mode: WeChat's platform certificates, asked for when a message names one that is not known.

use http::{HeaderMap, Method};
use model::time::Timestamp;
use serde::Deserialize;

use super::WechatPay;
use super::keys::{Keys, VerifyKey};
use crate::channel::{ChannelError, NoticeError};
use crate::x509::Certificate;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    serial_no: String,
    encrypt_certificate: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

impl WechatPay {
    /// Whether a key came that was not known. In public-key mode, and soon after the last time, nothing is asked: anybody can send a
    /// message that names a number of their own.
    pub(super) async fn renew_keys(&self) -> bool {
        let now = self.clock.now();
        if !self.keys.may_ask(now) {
            return false;
        }
        match self.fetch_certificates(now).await {
            Ok(new) => {
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
        let (answered, headers) = self.exchange(Method::GET, "/v3/certificates", None).await?;
        let answer: Answer = answered.object()?;
        let told: Vec<(String, VerifyKey)> = answer.data.iter().filter_map(|told| self.opened(told, now)).collect();
        self.vouched(&headers, &answered.body, &told, now)
            .map_err(|_| ChannelError::Answer("a signature that is not the channel's"))?;
        let mut new = 0;
        for (serial, key) in told {
            if self.keys.known(&serial).is_none() {
                self.keys.learn(serial, key);
                new += 1;
            }
        }
        Ok(new)
    }

    /// A certificate that was sealed with the key which only WeChat and we have; nothing where it is not current, or not what it says.
    fn opened(&self, told: &Told, now: Timestamp) -> Option<(String, VerifyKey)> {
        let sealed = &told.encrypt_certificate;
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return None;
        }
        let pem = self.api_key.open(&sealed.nonce, &sealed.associated_data, &sealed.ciphertext)?;
        let certificate = Certificate::parse(std::str::from_utf8(&pem).ok()?).ok()?;
        let ours = self.signer.key.public().ok()?;
        let proper = certificate.serial_hex.eq_ignore_ascii_case(&told.serial_no)
            && certificate.is_current(now)
            && certificate.key != ours;
        let validity = Some((certificate.not_before, certificate.not_after));
        proper.then_some((certificate.serial_hex, VerifyKey { key: certificate.key, validity }))
    }

    /// By a key that is known; where WeChat signs with the new one already, by that: it came sealed.
    fn vouched(&self, headers: &HeaderMap, body: &[u8], told: &[(String, VerifyKey)], now: Timestamp) -> Result<(), NoticeError> {
        match self.keys.verify(headers, body, now) {
            Err(NoticeError::UnknownKey) => {
                let keys = Keys::default();
                for (serial, key) in told {
                    keys.learn(serial.clone(), key.clone());
                }
                keys.verify(headers, body, now)
            }
            known => known,
        }
    }
}
