//! The configuration of WeChat Pay, validated at startup.

use std::path::PathBuf;

use serde::Deserialize;

use super::WechatPay;
use super::api_v3_key::ApiV3Key;
use super::jsapi::Jsapi;
use super::keys::{VerificationKey, VerificationKeys};
use super::sign::Signer;
use crate::config::ConfigError;
use crate::expiry::Expiry;
use crate::rsa::{PrivateKey, PublicKey};
use crate::settings::ConfigSection;
use crate::x509::Certificate;
use domain::clock::SharedClock;
use domain::rng::Rng;
use domain::secret::Secret;

const SECTION: ConfigSection = ConfigSection("pay.wechat");
const GATEWAY: &str = "https://api.mch.weixin.qq.com";

/// `[pay.wechat]`. VerificationKeys and certificates are given inline or by file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WechatConfig {
    /// URL of the gateway, without a path.
    pub gateway: String,
    /// Application id (`wx...`) bound to the merchant.
    pub app_id: String,
    /// Secret of the application, for payments inside WeChat (JSAPI). Without it, payers inside
    /// WeChat are asked to open a browser.
    pub app_secret: Option<Secret>,
    /// Merchant number; payments to any other merchant are not credited.
    pub mchid: String,
    /// APIv3 key, 32 characters, which encrypts notifications.
    pub api_v3_key: Secret,
    /// The merchant's certificate (`apiclient_cert.pem`).
    pub certificate: Option<String>,
    /// Or the file that holds it.
    pub certificate_file: Option<PathBuf>,
    /// The certificate's private key (`apiclient_key.pem`).
    pub private_key: Option<Secret>,
    /// Or the file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// WeChat Pay's public key or platform certificates; both during a migration.
    pub verify: Vec<VerifyConfig>,
    /// Description on the cashier page.
    pub subject: String,
    /// Minutes until an attempt expires.
    pub lifetime_minutes: i64,
    /// Response timeout of the gateway, ms.
    pub timeout_ms: u64,
}

/// `[[pay.wechat.verify]]`: a public key with its id, or a certificate.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VerifyConfig {
    /// `PUB_KEY_ID_...`; for a certificate optional, its serial number.
    pub id: String,
    pub public_key: Option<String>,
    /// Or the file that holds it.
    pub public_key_file: Option<PathBuf>,
    pub certificate: Option<String>,
    /// Or the file that holds it.
    pub certificate_file: Option<PathBuf>,
}

impl Default for WechatConfig {
    fn default() -> Self {
        Self {
            gateway: GATEWAY.into(),
            app_id: String::new(),
            app_secret: None,
            mchid: String::new(),
            api_v3_key: Secret::default(),
            certificate: None,
            certificate_file: None,
            private_key: None,
            private_key_file: None,
            verify: Vec::new(),
            subject: "宿舍电费充值".into(),
            lifetime_minutes: 15,
            timeout_ms: 10_000,
        }
    }
}

impl WechatConfig {
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn build(&self, public_url: &str, notify_url: &str, clock: SharedClock, rng: Rng) -> Result<WechatPay, ConfigError> {
        let (gateway, local) = SECTION.origin("gateway", &self.gateway, GATEWAY)?;
        if !(8..=32).contains(&self.app_id.len()) || !self.app_id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(SECTION.fault("app_id", "must be the application's id, letters and digits (wx...)"));
        }
        if !(8..=32).contains(&self.mchid.len()) || !self.mchid.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SECTION.fault("mchid", "must be the merchant's number, digits only"));
        }
        let secret = self.app_secret.as_ref().map(Secret::expose).unwrap_or_default();
        if self.app_secret.is_some() && (secret.len() != 32 || !secret.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Err(SECTION.fault("app_secret", "must be the application's secret, 32 letters and digits"));
        }
        let jsapi = self.app_secret.clone().map(|secret| Jsapi { secret, back: format!("{public_url}/pay/wechat/back") });
        let api_key = ApiV3Key::parse(self.api_v3_key.expose())
            .ok_or_else(|| SECTION.fault("api_v3_key", "must be the 32 letters and digits that were set at the console"))?;
        if self.subject.is_empty() || self.subject.len() > 127 {
            return Err(SECTION.fault("subject", "must be 1 to 127 bytes"));
        }
        let timeout = SECTION.times(self.lifetime_minutes, self.timeout_ms)?;
        let certificate =
            SECTION.key("certificate", self.certificate.as_deref(), self.certificate_file.as_ref(), Certificate::parse)?;
        let private = self.private_key.as_ref().map(Secret::expose);
        let key = SECTION.key("private_key", private, self.private_key_file.as_ref(), PrivateKey::parse)?;
        if key.public().ok().as_ref() != Some(&certificate.key) {
            return Err(SECTION.fault("private_key", "does not belong to the certificate"));
        }
        let now = clock.now();
        if now < certificate.not_before {
            return Err(SECTION.fault("certificate", format!("is valid only from {}", certificate.not_before)));
        }
        if now > certificate.not_after {
            return Err(SECTION.fault("certificate", format!("is valid only until {}", certificate.not_after)));
        }
        let (keys, mut expiries) = self.keys(&certificate)?;
        expiries.push(Expiry { key: format!("{}.certificate", SECTION.0), at: certificate.not_after });
        // Requests name the key with which WeChat Pay should sign the response.
        let preferred = self.verify.iter().map(|one| one.id.clone()).find(|id| !id.is_empty());
        Ok(WechatPay {
            gateway,
            local,
            app_id: self.app_id.clone(),
            apps: vec![self.app_id.clone()],
            signer: Signer { mchid: self.mchid.clone(), serial: certificate.serial_hex, key },
            api_key,
            keys,
            preferred,
            jsapi,
            subject: self.subject.clone(),
            notify_url: format!("{notify_url}/pay/wechat/notify"),
            return_url: format!("{public_url}/pay/return"),
            lifetime_minutes: self.lifetime_minutes,
            client: SECTION.client(local, timeout, clock.clone())?,
            expiries,
            clock,
            rng,
        })
    }

    fn keys(&self, merchant: &Certificate) -> Result<(VerificationKeys, Vec<Expiry>), ConfigError> {
        let (keys, mut expiries) = (VerificationKeys::default(), Vec::new());
        if self.verify.is_empty() {
            return Err(SECTION.fault("verify", "is missing; give WeChat Pay's public key or its platform certificate"));
        }
        for (n, one) in self.verify.iter().enumerate() {
            let name = |key: &str| format!("verify[{n}].{key}");
            let by_key = one.public_key.is_some() || one.public_key_file.is_some();
            let (id, key) = if by_key {
                if !one.id.starts_with("PUB_KEY_ID_") {
                    return Err(SECTION.fault(&name("id"), "must be the public key's id, PUB_KEY_ID_..."));
                }
                let key = SECTION.key(
                    &name("public_key"),
                    one.public_key.as_deref(),
                    one.public_key_file.as_ref(),
                    PublicKey::parse,
                )?;
                (one.id.clone(), VerificationKey { key, validity: None })
            } else {
                let text = one.certificate.as_deref();
                let file = one.certificate_file.as_ref();
                let certificate = SECTION.key(&name("certificate"), text, file, Certificate::parse)?;
                if !one.id.is_empty() && one.id != certificate.serial_hex {
                    return Err(SECTION.fault(&name("id"), "is not the certificate's serial number; leave it out"));
                }
                expiries.push(Expiry { key: format!("{}.{}", SECTION.0, name("certificate")), at: certificate.not_after });
                let validity = Some((certificate.not_before, certificate.not_after));
                (certificate.serial_hex, VerificationKey { key: certificate.key, validity })
            };
            if key.key == merchant.key {
                return Err(SECTION.fault(&name("public_key"), "is the merchant's own; WeChat Pay's is needed"));
            }
            if keys.insert(id, key).is_some() {
                return Err(SECTION.fault(&name("id"), "is given twice"));
            }
        }
        Ok((keys, expiries))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use model::time::Timestamp;

    use super::*;
    use domain::clock::TestClock;

    pub fn good() -> WechatConfig {
        WechatConfig {
            app_id: "wxd678efh567hg6787".into(),
            mchid: "1900000001".into(),
            api_v3_key: "0123456789abcdef0123456789abcdef".into(),
            certificate: Some(include_str!("vectors/merchant.pem").into()),
            private_key: Some(include_str!("vectors/merchant-key.pem").into()),
            verify: vec![VerifyConfig {
                id: "PUB_KEY_ID_1".into(),
                public_key: Some(include_str!("../alipay/vectors/gateway-public.pem").into()),
                ..VerifyConfig::default()
            }],
            ..WechatConfig::default()
        }
    }

    pub fn built(config: &WechatConfig, at: Timestamp) -> Result<WechatPay, ConfigError> {
        let clock: Arc<TestClock> = TestClock::new(at);
        config.build("https://dorm.example", "https://dorm.example", clock, Rng::from_seed([1; 32]))
    }

    #[test]
    fn wechat_config_errors_name_the_key_without_secrets() {
        let problem = |config: &WechatConfig, at| built(config, Timestamp(at)).err().map(|e| e.to_string()).unwrap_or_default();
        const NOW: i64 = 1_795_438_800_000;
        assert_eq!(problem(&good(), NOW), "");
        let verify = |one: VerifyConfig| WechatConfig { verify: vec![one], ..good() };
        let own = include_str!("vectors/merchant.pem").to_owned();
        for (config, expected) in [
            (WechatConfig { gateway: "http://api.mch.weixin.qq.com".into(), ..good() }, "pay.wechat.gateway must be https"),
            (WechatConfig { api_v3_key: "0123456789abcdef".into(), ..good() }, "pay.wechat.api_v3_key must be the 32"),
            (WechatConfig { mchid: "19x".into(), ..good() }, "pay.wechat.mchid "),
            (WechatConfig { app_secret: Some("short".into()), ..good() }, "pay.wechat.app_secret must be"),
            (WechatConfig { certificate: None, ..good() }, "pay.wechat.certificate is missing"),
            (
                WechatConfig { private_key: Some(include_str!("../alipay/vectors/app-pkcs8.pem").into()), ..good() },
                "pay.wechat.private_key does not belong",
            ),
            (WechatConfig { verify: vec![], ..good() }, "pay.wechat.verify is missing"),
            (verify(VerifyConfig { id: "1".into(), ..good().verify[0].clone() }), "pay.wechat.verify[0].id must be"),
            (
                verify(VerifyConfig { certificate: Some(own), ..VerifyConfig::default() }),
                "pay.wechat.verify[0].public_key is the merchant",
            ),
            (
                WechatConfig { verify: vec![good().verify[0].clone(), good().verify[0].clone()], ..good() },
                "pay.wechat.verify[1].id is given twice",
            ),
        ] {
            let error = problem(&config, NOW);
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(problem(&good(), 2_000_000_000_000).starts_with("pay.wechat.certificate is valid only until 2031"));
        assert!(problem(&good(), 0).starts_with("pay.wechat.certificate is valid only from 20"));
        let shown = format!("{:?}", good());
        assert!(!shown.contains("PRIVATE KEY") && !shown.contains("0123456789abcdef"));
    }

    #[test]
    fn wechat_expiries_list_certificates_only() {
        let platform = VerifyConfig { certificate: Some(include_str!("vectors/platform.pem").into()), ..VerifyConfig::default() };
        let mut config = good();
        config.verify.push(platform);
        let channel = built(&config, Timestamp(1_795_438_800_000)).unwrap();
        let keys: Vec<_> = channel.expiries.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["pay.wechat.verify[1].certificate", "pay.wechat.certificate"]);
        assert!(["1FED", "PUB_KEY_ID_1"].iter().all(|serial| channel.keys.get(serial).is_some()));
    }
}
