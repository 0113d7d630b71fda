//! `[pay]` in the configuration file.

use std::collections::BTreeMap;

use model::order::Tender;
use serde::Deserialize;

use super::alipay::AlipayConfig;
use super::channel::Channel;
use super::merchant::{ChannelFault, Merchant};
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
    /// Merchants and applications that were used before.
    pub former: FormerMerchants,
    /// Tables of merchants that cannot be read, by name, and what is wrong; each is empty above. Not a key of the file.
    #[serde(skip)]
    pub unreadable: BTreeMap<String, ConfigError>,
}

/// `[[pay.former.alipay]]` and the like: what was configured before a change of merchant or application. No new payments go
/// through them; their payments are still queried, refunded and listed in statements.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FormerMerchants {
    pub alipay: Vec<AlipayConfig>,
    pub wechat: Vec<WechatConfig>,
    pub unionpay: Vec<UnionpayConfig>,
}

/// The configured merchants that work, and those that are switched off.
#[derive(Default)]
pub struct Merchants {
    pub working: Vec<Merchant>,
    pub faults: Vec<ChannelFault>,
}

impl Config {
    /// Builds the configured merchants. One whose configuration is wrong is switched off and does not affect the others.
    ///
    /// # Errors
    /// [`ConfigError`] names the first invalid key of the settings that are not of one channel.
    pub fn merchants(&self, clock: &SharedClock, rng: &Rng) -> Result<Merchants, ConfigError> {
        self.validate()?;
        let mut built = Merchants::default();
        if self.is_empty() {
            return Ok(built);
        }
        let urls = self.addresses();
        let mut add = |channel: Tender,
                       section: String,
                       current: bool,
                       build: &dyn Fn(&str, &str) -> Result<Box<dyn Channel>, ConfigError>| {
            let result = match self.unreadable.get(&section) {
                Some(error) => Err(error.clone()),
                None => urls.clone().and_then(|(public, notify)| build(&public, &notify)),
            };
            let error = match result {
                Ok(adapter) => {
                    let merchant = Merchant::new(adapter, clock.clone(), section.clone(), current);
                    let terms = merchant.terms();
                    let twice = built.working.iter().find(|one| one.owns(channel, terms.app_id, terms.seller_id));
                    match twice.map(|one| one.section().to_owned()) {
                        None => return built.working.push(merchant),
                        Some(other) => ConfigError { key: section, problem: format!("is the same merchant as {other}") },
                    }
                }
                // The adapters name their keys as of the current merchant.
                Err(error) => match error.key.strip_prefix(&format!("pay.{}.", channel.as_str())) {
                    Some(key) => ConfigError { key: format!("{section}.{key}"), ..error },
                    None => error,
                },
            };
            built.faults.push(ChannelFault { channel, current, error });
        };
        for (section, current, config) in sections("alipay", self.alipay.as_ref(), &self.former.alipay) {
            add(Tender::Alipay, section, current, &|public, notify| Ok(Box::new(config.build(public, notify, clock.clone())?)));
        }
        for (section, current, config) in sections("wechat", self.wechat.as_ref(), &self.former.wechat) {
            add(Tender::WechatPay, section, current, &|public, notify| {
                let mut wechat = config.build(public, notify, clock.clone(), rng.clone())?;
                wechat.apps = self.wechat_apps(&config.mchid);
                Ok(Box::new(wechat))
            });
        }
        for (section, current, config) in sections("unionpay", self.unionpay.as_ref(), &self.former.unionpay) {
            add(Tender::UnionPay, section, current, &|public, notify| {
                Ok(Box::new(config.build(public, notify, clock.clone())?))
            });
        }
        Ok(built)
    }

    /// Our applications under a merchant number of WeChat Pay.
    fn wechat_apps(&self, mchid: &str) -> Vec<String> {
        let all = self.wechat.iter().chain(&self.former.wechat);
        all.filter(|config| config.mchid == mchid).map(|config| config.app_id.clone()).collect()
    }

    const fn is_empty(&self) -> bool {
        let Self { alipay, wechat, unionpay, former, .. } = self;
        let none_before = former.alipay.is_empty() && former.wechat.is_empty() && former.unionpay.is_empty();
        alipay.is_none() && wechat.is_none() && unionpay.is_none() && none_before
    }
}

/// The tables of a channel: their names, whether they are of the current merchant, and their contents.
fn sections<'a, C>(channel: &'static str, current: Option<&'a C>, former: &'a [C]) -> Vec<(String, bool, &'a C)> {
    let current = current.map(|config| (format!("pay.{channel}"), true, config));
    let former = former.iter().enumerate().map(|(n, config)| (format!("pay.former.{channel}[{n}]"), false, config));
    current.into_iter().chain(former).collect()
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
    /// Validates the settings that are of no single channel.
    ///
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.limits
            .validate()
            .map_err(|(key, problem)| ConfigError { key: format!("pay.limits.{key}"), problem: problem.into() })?;
        self.refunds
            .validate()
            .map_err(|(key, problem)| ConfigError { key: format!("pay.refunds.{key}"), problem: problem.into() })?;
        self.reconcile.validate()
    }

    /// The origins for payers and for channels.
    ///
    /// # Errors
    /// [`ConfigError`] names the invalid key.
    pub fn addresses(&self) -> Result<(String, String), ConfigError> {
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
        let built = merchants(&Config::default());
        assert!(built.working.is_empty() && built.faults.is_empty());
    }

    fn merchants(config: &Config) -> Merchants {
        let clock: SharedClock = domain::clock::TestClock::new(model::time::Timestamp(1_795_438_800_000));
        config.merchants(&clock, &Rng::from_seed([1; 32])).unwrap()
    }

    #[test]
    fn a_wrong_channel_is_switched_off_alone() {
        let wechat = crate::wechat::tests_good();
        let config = Config {
            public_url: "https://a.example".into(),
            alipay: Some(AlipayConfig::default()),
            wechat: Some(wechat.clone()),
            former: FormerMerchants {
                wechat: vec![
                    WechatConfig { app_id: "wx0000000000000001".into(), ..wechat.clone() },
                    wechat.clone(),
                    WechatConfig { mchid: "1".into(), ..wechat },
                ],
                ..FormerMerchants::default()
            },
            ..Config::default()
        };
        let built = merchants(&config);
        let sections: Vec<_> = built.working.iter().map(|one| (one.section(), one.is_current())).collect();
        assert_eq!(sections, [("pay.wechat", true), ("pay.former.wechat[0]", false)]);
        let faults: Vec<_> = built.faults.iter().map(|fault| (fault.channel, fault.current, fault.error.to_string())).collect();
        let [alipay, twice, wrong] = &faults[..] else { panic!("{faults:?}") };
        assert!(alipay.0 == Tender::Alipay && alipay.1 && alipay.2.starts_with("pay.alipay.app_id must"), "{alipay:?}");
        assert_eq!(twice.2, "pay.former.wechat[1] is the same merchant as pay.wechat");
        assert!(!wrong.1 && wrong.2.starts_with("pay.former.wechat[2].mchid must"), "{wrong:?}");
        // A table that cannot be read says that, and not what its empty table lacks.
        let error = ConfigError { key: "pay.alipay.appid".into(), problem: "does not exist".into() };
        let unreadable = BTreeMap::from([("pay.alipay".to_owned(), error.clone())]);
        let faults = merchants(&Config { unreadable, ..config.clone() }).faults;
        assert!(faults.len() == 3 && faults[0].current && faults[0].error == error, "{faults:?}");
        // Without an address no channel can work.
        let faults = merchants(&Config { public_url: String::new(), ..config }).faults;
        assert!(faults.len() == 5 && faults.iter().all(|fault| fault.error.key == "pay.public_url"), "{faults:?}");
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
