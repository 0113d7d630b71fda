//! The configuration of Alipay, validated at startup.

use std::path::PathBuf;

use serde::Deserialize;

use super::Alipay;
use crate::config::ConfigError;
use crate::rsa::{PrivateKey, PublicKey};
use crate::settings::ConfigSection;
use domain::clock::SharedClock;
use domain::secret::Secret;

const SECTION: ConfigSection = ConfigSection("pay.alipay");

/// `[pay.alipay]`. Keys are given inline or by file, in any format of Alipay's console.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlipayConfig {
    /// URL of the gateway.
    pub gateway: String,
    pub app_id: String,
    /// Merchant number (`2088...`); payments to any other merchant are not credited.
    pub seller_id: String,
    /// Private key of the application.
    pub private_key: Option<Secret>,
    /// Or the file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// Alipay's public key from the console, not the application's.
    pub alipay_public_key: Option<String>,
    /// Or the file that holds it.
    pub alipay_public_key_file: Option<PathBuf>,
    /// Hosts from which statements may be downloaded, besides the gateway's.
    pub statement_hosts: Vec<String>,
    /// Description on the cashier page.
    pub subject: String,
    /// Minutes until an attempt expires.
    pub lifetime_minutes: i64,
    /// Response timeout of the gateway, ms.
    pub timeout_ms: u64,
}

impl Default for AlipayConfig {
    fn default() -> Self {
        Self {
            gateway: "https://openapi.alipay.com/gateway.do".into(),
            app_id: String::new(),
            seller_id: String::new(),
            private_key: None,
            private_key_file: None,
            alipay_public_key: None,
            alipay_public_key_file: None,
            statement_hosts: vec!["dwbillcenter.alipay.com".into()],
            subject: "宿舍电费充值".into(),
            lifetime_minutes: 15,
            timeout_ms: 10_000,
        }
    }
}

impl AlipayConfig {
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn build(&self, public_url: &str, notify_url: &str, clock: SharedClock) -> Result<Alipay, ConfigError> {
        let (_, local) = SECTION.gateway(&self.gateway, "https://openapi.alipay.com/gateway.do")?;
        let number = |text: &str| (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !number(&self.app_id) {
            return Err(SECTION.fault("app_id", "must be the application's number, digits only"));
        }
        if !number(&self.seller_id) || !self.seller_id.starts_with("2088") {
            return Err(SECTION.fault("seller_id", "must be the merchant's number, digits that begin with 2088"));
        }
        if self.subject.is_empty() || self.subject.chars().count() > 100 || self.subject.contains(['/', '=', '&']) {
            return Err(SECTION.fault("subject", "must be 1 to 100 characters without / = &"));
        }
        let timeout = SECTION.times(self.lifetime_minutes, self.timeout_ms)?;
        let private = self.private_key.as_ref().map(Secret::expose);
        let app_key = SECTION.key("private_key", private, self.private_key_file.as_ref(), PrivateKey::parse)?;
        let public = self.alipay_public_key.as_deref();
        let alipay_key = SECTION.key("alipay_public_key", public, self.alipay_public_key_file.as_ref(), PublicKey::parse)?;
        if app_key.public().is_ok_and(|app_public_key| app_public_key == alipay_key) {
            return Err(
                SECTION.fault("alipay_public_key", "is our own application's public key; the console shows Alipay's beside it")
            );
        }
        Ok(Alipay {
            gateway: self.gateway.clone(),
            app_id: self.app_id.clone(),
            seller_id: self.seller_id.clone(),
            app_key,
            alipay_key,
            subject: self.subject.clone(),
            notify_url: format!("{notify_url}/pay/alipay/notify"),
            return_url: format!("{public_url}/pay/return"),
            lifetime_minutes: self.lifetime_minutes,
            statement_hosts: self.statement_hosts.clone(),
            client: SECTION.client(local, timeout, clock.clone())?,
            clock,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::SystemClock;
    use std::sync::Arc;

    fn good() -> AlipayConfig {
        AlipayConfig {
            app_id: "2021000000000001".into(),
            seller_id: "2088000000000001".into(),
            private_key: Some(Secret::from(include_str!("vectors/app-pkcs1.pem"))),
            alipay_public_key: Some(include_str!("vectors/gateway-public.pem").into()),
            ..AlipayConfig::default()
        }
    }

    fn problem(config: &AlipayConfig) -> String {
        config.build("https://a", "https://a", Arc::new(SystemClock)).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn alipay_config_errors_name_the_key_without_secrets() {
        assert_eq!(problem(&good()), "");
        let own = include_str!("vectors/app-spki.pem").to_owned();
        for (config, expected) in [
            (AlipayConfig { gateway: "openapi.alipay.com".into(), ..good() }, "pay.alipay.gateway "),
            (
                AlipayConfig { gateway: "http://openapi.alipay.com/gateway.do".into(), ..good() },
                "pay.alipay.gateway must be https",
            ),
            (AlipayConfig { app_id: String::new(), ..good() }, "pay.alipay.app_id "),
            (AlipayConfig { seller_id: "2021000000000001".into(), ..good() }, "pay.alipay.seller_id "),
            (AlipayConfig { private_key: None, ..good() }, "pay.alipay.private_key is missing"),
            (AlipayConfig { private_key: Some(Secret::from(&*own)), ..good() }, "pay.alipay.private_key is a public key"),
            (AlipayConfig { alipay_public_key: Some(own), ..good() }, "pay.alipay.alipay_public_key is our own"),
            (
                AlipayConfig { private_key: None, private_key_file: Some("missing.pem".into()), ..good() },
                "pay.alipay.private_key_file names missing.pem",
            ),
            (AlipayConfig { lifetime_minutes: 0, ..good() }, "pay.alipay.lifetime_minutes "),
        ] {
            let error = problem(&config);
            assert!(error.starts_with(expected), "{error}");
        }
        assert!(!format!("{:?}", good()).contains("PRIVATE KEY"));
    }

    #[test]
    fn local_gateways_may_use_plain_http() {
        for gateway in ["http://127.0.0.1:8123/gateway.do", "http://192.168.1.20:8123/gateway.do", "http://[::1]:1/gateway.do"] {
            assert_eq!(problem(&AlipayConfig { gateway: gateway.into(), ..good() }), "", "{gateway}");
        }
    }
}
