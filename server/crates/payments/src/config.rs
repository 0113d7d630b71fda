//! `[pay]` in the configuration file.

use serde::Deserialize;

use super::alipay::AlipayConfig;
use super::channel::Channel;
use super::reconcile::ReconcileConfig;
use super::unionpay::UnionpayConfig;
use super::wechat::WechatConfig;
use domain::clock::SharedClock;
use domain::order::Limits;
use domain::refund::Rules;
use domain::rng::Rng;

/// Payment configuration. Residents can choose the channels that have a table here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Origin at which payers reach this server, e.g. `https://power.example.edu.cn`; `server.public_url` if empty.
    pub public_url: String,
    /// Origin at which the channels reach this server; `public_url` if missing.
    pub notify_url: Option<String>,
    /// Smallest and largest sale, and the hoarding limit.
    pub limits: Limits,
    /// Refund period of each channel, and which payments are refunded automatically.
    pub refunds: Rules,
    pub alipay: Option<AlipayConfig>,
    pub wechat: Option<WechatConfig>,
    pub reconcile: ReconcileConfig,
    pub unionpay: Option<UnionpayConfig>,
}

impl Config {
    /// Validates and builds the configured channels.
    ///
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn channels(&self, clock: &SharedClock, rng: &Rng) -> Result<Vec<Box<dyn Channel>>, ConfigError> {
        let (public_url, notify_url) = self.addresses()?;
        let mut channels: Vec<Box<dyn Channel>> = Vec::new();
        if let Some(alipay) = &self.alipay {
            channels.push(Box::new(alipay.build(&public_url, &notify_url, clock.clone())?));
        }
        if let Some(wechat) = &self.wechat {
            channels.push(Box::new(wechat.build(&public_url, &notify_url, clock.clone(), rng.clone())?));
        }
        if let Some(unionpay) = &self.unionpay {
            channels.push(Box::new(unionpay.build(&public_url, &notify_url, clock.clone())?));
        }
        Ok(channels)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct ConfigError {
    /// Full name of the key.
    pub key: String,
    /// The predicate of a sentence whose subject is the key.
    pub problem: String,
}

impl Config {
    /// Validates the settings shared by all channels; returns the origins for payers and for channels.
    ///
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn addresses(&self) -> Result<(String, String), ConfigError> {
        self.limits
            .validate()
            .map_err(|(key, problem)| ConfigError { key: format!("pay.limits.{key}"), problem: problem.into() })?;
        self.refunds
            .validate()
            .map_err(|(key, problem)| ConfigError { key: format!("pay.refunds.{key}"), problem: problem.into() })?;
        self.reconcile.validate()?;
        if self.alipay.is_none() && self.wechat.is_none() && self.unionpay.is_none() {
            return Ok((String::new(), String::new()));
        }
        let public = address("pay.public_url", &self.public_url)?;
        let notify = self.notify_url.as_deref().map(|url| address("pay.notify_url", url)).transpose()?;
        Ok((public.clone(), notify.unwrap_or(public)))
    }
}

fn address(key: &str, text: &str) -> Result<String, ConfigError> {
    let url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        Some(url) if url.path() == "/" && url.query().is_none() && url.fragment().is_none() => {
            Ok(url.as_str().trim_end_matches('/').to_owned())
        }
        _ => Err(ConfigError {
            key: key.into(),
            problem: "must be an address like https://power.example.edu.cn, without a path".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_configuration_is_valid() {
        assert_eq!(Config::default().addresses(), Ok((String::new(), String::new())));
    }

    #[test]
    fn public_urls_must_be_origins() {
        let config = |url: &str| Config { public_url: url.into(), alipay: Some(AlipayConfig::default()), ..Config::default() };
        assert_eq!(config("https://a.example/").addresses().unwrap().1, "https://a.example");
        let inside = Config { notify_url: Some("http://10.0.0.1:8080".into()), ..config("https://a.example") };
        assert_eq!(inside.addresses().unwrap().1, "http://10.0.0.1:8080");
        for url in ["", "a.example", "ftp://a.example", "https://a.example/dorm", "https://a.example/?x=1"] {
            assert_eq!(config(url).addresses().unwrap_err().key, "pay.public_url", "{url}");
        }
    }

    #[test]
    fn unknown_keys_are_rejected_by_name() {
        let error = toml::from_str::<Config>("[alipay]\nappid = \"1\"\n").unwrap_err().to_string();
        assert!(error.contains("appid"), "{error}");
    }
}
