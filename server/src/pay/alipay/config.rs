//! The configuration of Alipay, checked whole at the start: a fault names its key.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::Alipay;
use crate::clock::SharedClock;
use crate::config::Secret;
use crate::pay::config::ConfigError;
use crate::pay::rsa::{KeyError, PrivateKey, PublicKey};

/// `[pay.alipay]`. Keys are given inline or by file, in any form that the console hands out.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlipayConfig {
    /// Address of the gateway.
    pub gateway: String,
    /// Our application.
    pub app_id: String,
    /// Our merchant number (2088...); money for anyone else is never credited.
    pub seller_id: String,
    /// Our application's private key.
    pub private_key: Option<Secret>,
    /// Or the file that holds it.
    pub private_key_file: Option<PathBuf>,
    /// Alipay's public key, from the console; not our application's.
    pub alipay_public_key: Option<String>,
    /// Or the file that holds it.
    pub alipay_public_key_file: Option<PathBuf>,
    /// What the payer reads on the cashier page.
    pub subject: String,
    /// For how many minutes an order may be paid.
    pub lifetime_minutes: i64,
    /// How long the gateway may take to answer, ms.
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
            subject: "宿舍电费充值".into(),
            lifetime_minutes: 15,
            timeout_ms: 10_000,
        }
    }
}

impl AlipayConfig {
    /// Checks everything and makes the channel.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and what is wrong with it.
    pub fn build(&self, public_url: &str, notify_url: &str, clock: SharedClock) -> Result<Alipay, ConfigError> {
        let gateway = reqwest::Url::parse(&self.gateway).ok().filter(|url| url.has_host() && url.query().is_none());
        let gateway = gateway.ok_or_else(|| fault("gateway", "is not an address like https://openapi.alipay.com/gateway.do"))?;
        let nearby = gateway.host_str().is_some_and(is_nearby);
        if gateway.scheme() != "https" && !(gateway.scheme() == "http" && nearby) {
            return Err(fault("gateway", "must be https (http only for a sandbox on this network)"));
        }
        let number = |text: &str| (8..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if !number(&self.app_id) {
            return Err(fault("app_id", "must be the application's number, digits only"));
        }
        if !number(&self.seller_id) || !self.seller_id.starts_with("2088") {
            return Err(fault("seller_id", "must be the merchant's number, digits that begin with 2088"));
        }
        if self.subject.is_empty() || self.subject.chars().count() > 100 || self.subject.contains(['/', '=', '&']) {
            return Err(fault("subject", "must be 1 to 100 characters without / = &"));
        }
        if !(2..=120).contains(&self.lifetime_minutes) {
            return Err(fault("lifetime_minutes", "must be 2 to 120"));
        }
        if !(100..=60_000).contains(&self.timeout_ms) {
            return Err(fault("timeout_ms", "must be 100 to 60000"));
        }
        let app_key =
            key("private_key", self.private_key.as_ref().map(Secret::expose), self.private_key_file.as_ref(), PrivateKey::parse)?;
        let alipay_key =
            key("alipay_public_key", self.alipay_public_key.as_deref(), self.alipay_public_key_file.as_ref(), PublicKey::parse)?;
        if app_key.public().is_ok_and(|ours| ours == alipay_key) {
            return Err(fault("alipay_public_key", "is our own application's public key; the console shows Alipay's beside it"));
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
            client: client(nearby, Duration::from_millis(self.timeout_ms))?,
            clock,
        })
    }
}

fn client(nearby: bool, timeout: Duration) -> Result<reqwest::Client, ConfigError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("dormwatt/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeout.min(Duration::from_secs(5)))
        .timeout(timeout)
        // A redirected signed request would go to somebody that we did not configure.
        .redirect(reqwest::redirect::Policy::none());
    if nearby {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|_| fault("gateway", "cannot be called: this machine's TLS does not start"))
}

/// On this machine or its network: a sandbox, which needs neither TLS nor the proxy that leads outside.
fn is_nearby(host: &str) -> bool {
    match ip(host) {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        None => host == "localhost",
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

fn key<K>(
    name: &'static str,
    inline: Option<&str>,
    file: Option<&PathBuf>,
    parse: impl Fn(&str) -> Result<K, KeyError>,
) -> Result<K, ConfigError> {
    let faulty = |key: String, problem: String| ConfigError { key, problem };
    match (inline, file) {
        (Some(_), Some(_)) => Err(faulty(format!("pay.alipay.{name}"), format!("is given twice, here and as {name}_file"))),
        (None, None) => Err(faulty(format!("pay.alipay.{name}"), format!("is missing; give it here or as {name}_file"))),
        (Some(text), None) => parse(text).map_err(|error| faulty(format!("pay.alipay.{name}"), error.to_string())),
        (None, Some(path)) => {
            let key = format!("pay.alipay.{name}_file");
            let text = std::fs::read_to_string(path)
                .map_err(|error| faulty(key.clone(), format!("names {}, which cannot be read: {error}", path.display())))?;
            parse(&text).map_err(|error| faulty(key, format!("names {}, which {error}", path.display())))
        }
    }
}

fn fault(key: &str, problem: &str) -> ConfigError {
    ConfigError { key: format!("pay.alipay.{key}"), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
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
    fn a_fault_names_its_key_and_never_the_secret() {
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
            let said = problem(&config);
            assert!(said.starts_with(expected), "{said}");
        }
        assert!(!format!("{:?}", good()).contains("PRIVATE KEY"));
    }

    #[test]
    fn a_sandbox_on_this_network_needs_no_tls() {
        for gateway in ["http://127.0.0.1:8123/gateway.do", "http://192.168.1.20:8123/gateway.do", "http://[::1]:1/gateway.do"] {
            assert_eq!(problem(&AlipayConfig { gateway: gateway.into(), ..good() }), "", "{gateway}");
        }
    }
}
