//! The configuration of channels, `[notify]`, and the channels that it gives.

mod personal;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::secret::Secret;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationKind};
use serde::Deserialize;

pub use personal::{PushConfig, WechatConfig, WechatTemplateConfig};

use crate::Mailer;
use crate::aliyun::Aliyun;
use crate::channel::{Channel, Pace};
use crate::http::HttpClient;
use crate::mail_channel::MailChannel;
use crate::modem_channel::{ModemChannel, ModemConfig, ModemLink};
use crate::push::WebPush;
use crate::receipt::is_long_enough;
use crate::robot::{Robot, RobotKind};
use crate::sms::Sms;
use crate::webhook::Webhook;
use crate::wechat::Wechat;

/// The most messages a minute that may be configured.
const FASTEST: i64 = 60_000;

/// The channels of messages to people. E-mail has a section of its own.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyConfig {
    /// The language of what operators get: `zh-CN` or `en`.
    pub language: String,
    /// Any provider of text messages with an HTTP interface.
    pub sms: Option<SmsConfig>,
    /// Text messages through Alibaba Cloud, instead of `sms`.
    pub aliyun: Option<AliyunConfig>,
    /// Text messages through a GSM modem, instead of `sms` and `aliyun`.
    pub modem: Option<ModemConfig>,
    pub wecom: Option<RobotConfig>,
    pub dingtalk: Option<RobotConfig>,
    pub feishu: Option<RobotConfig>,
    pub webhook: Option<WebhookConfig>,
    pub wechat: Option<WechatConfig>,
    pub push: Option<PushConfig>,
    /// The address of this server as people reach it; `server.public_url`, and no key of this section.
    #[serde(skip)]
    pub public_url: String,
}

/// A provider that takes a text and a number. `url`, `headers` and `body` are templates.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsConfig {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// What `{secret}` stands for.
    pub secret: Secret,
    /// The status of an answer that says that the message was taken.
    pub success_status: u16,
    /// A JSON pointer (RFC 6901) into that answer, and what is there where the message was taken. Empty: the status decides.
    pub success_pointer: String,
    pub success_value: String,
    /// The key that delivery reports come with; empty: none are taken.
    pub receipt_key: Secret,
    /// Where a report has the id of the message, and what became of it; delivered where that is `receipt_value`.
    pub receipt_id: String,
    pub receipt_pointer: String,
    pub receipt_value: String,
    /// Of each part of a message, in yuan.
    pub price: String,
    pub per_minute: i64,
}

/// Alibaba Cloud SMS.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AliyunConfig {
    pub endpoint: String,
    pub access_key_id: String,
    pub access_key_secret: Secret,
    pub sign_name: String,
    /// The approved template of each kind of message.
    pub templates: BTreeMap<String, String>,
    /// The key that delivery reports come with; empty: none are taken.
    pub receipt_key: Secret,
    pub price: String,
    pub per_minute: i64,
}

/// The robot of a group. WeCom's has no secret besides its address.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RobotConfig {
    pub url: Secret,
    pub secret: Secret,
    pub per_minute: i64,
}

/// Another system of the site.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    pub url: String,
    pub secret: Secret,
    pub per_minute: i64,
}

impl Default for SmsConfig {
    fn default() -> Self {
        Self {
            method: "POST".to_owned(),
            url: String::new(),
            headers: BTreeMap::new(),
            body: String::new(),
            secret: Secret::default(),
            success_status: 200,
            success_pointer: String::new(),
            success_value: String::new(),
            receipt_key: Secret::default(),
            receipt_id: "/id".to_owned(),
            receipt_pointer: "/status".to_owned(),
            receipt_value: "delivered".to_owned(),
            price: "0".to_owned(),
            per_minute: 60,
        }
    }
}

impl Default for AliyunConfig {
    fn default() -> Self {
        Self {
            endpoint: "https://dysmsapi.aliyuncs.com".to_owned(),
            access_key_id: String::new(),
            access_key_secret: Secret::default(),
            sign_name: String::new(),
            templates: BTreeMap::new(),
            receipt_key: Secret::default(),
            price: "0".to_owned(),
            per_minute: 300,
        }
    }
}

impl Default for RobotConfig {
    fn default() -> Self {
        // What the robots of all three take.
        Self { url: Secret::default(), secret: Secret::default(), per_minute: 20 }
    }
}

impl Default for WebhookConfig {
    fn default() -> Self {
        Self { url: String::new(), secret: Secret::default(), per_minute: 300 }
    }
}

/// What is wrong with the configuration of a channel, which is off until it is corrected. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("notify.{key} {problem}")]
pub struct NotifyConfigError {
    pub key: String,
    pub problem: String,
}

impl NotifyConfigError {
    pub(crate) fn new(key: &str, problem: impl Into<String>) -> Self {
        Self { key: key.to_owned(), problem: problem.into() }
    }
}

/// The channels that work. Cheap to clone.
#[derive(Clone, Default)]
pub struct Channels {
    all: Arc<[Arc<dyn Channel>]>,
    /// The channels to which people add themselves.
    push: Option<Arc<WebPush>>,
    wechat: Option<Arc<Wechat>>,
}

impl Channels {
    /// The channels of a configuration, and what is wrong with the others.
    #[must_use]
    pub fn new(config: &NotifyConfig, mailer: Option<&Mailer>) -> (Self, Vec<NotifyConfigError>) {
        let http = match HttpClient::new() {
            Ok(http) => http,
            Err(_) => return (Self::default(), vec![NotifyConfigError::new("*", "cannot be used: no TLS can be set up")]),
        };
        let NotifyConfig { sms, aliyun, modem, wecom, dingtalk, feishu, webhook, public_url, .. } = config;
        let (mut channels, mut wrong) = (Vec::new(), Vec::new());
        let robot = |config: &Option<RobotConfig>, kind: RobotKind| {
            config.as_ref().map(|config| Robot::new(config, kind, http.clone()).map(shared))
        };
        let tried = [
            mailer.map(|mailer| Ok(shared(MailChannel::new(mailer.clone())))),
            sms.as_ref().map(|config| Sms::new(config, http.clone()).map(shared)),
            aliyun.as_ref().filter(|_| sms.is_none()).map(|config| Aliyun::new(config, http.clone()).map(shared)),
            modem.as_ref().filter(|_| sms.is_none() && aliyun.is_none()).map(|config| ModemChannel::new(config).map(shared)),
            robot(wecom, RobotKind::WeCom),
            robot(dingtalk, RobotKind::DingTalk),
            robot(feishu, RobotKind::Feishu),
            webhook.as_ref().map(|config| Webhook::new(config, http.clone()).map(shared)),
        ];
        for one in tried.into_iter().flatten() {
            match one {
                Ok(channel) => channels.push(channel),
                Err(error) => wrong.push(error),
            }
        }
        let mut kept = |error| wrong.push(error);
        let push = config.push.as_ref().map(|config| WebPush::new(config, public_url).map(Arc::new));
        let push = push.and_then(|made| made.map_err(&mut kept).ok());
        let wechat = config.wechat.as_ref().map(|config| Wechat::new(config, public_url, http.clone()).map(Arc::new));
        let wechat = wechat.and_then(|made| made.map_err(&mut kept).ok());
        channels.extend(wechat.clone().map(|one| one as Arc<dyn Channel>));
        channels.extend(push.clone().map(|one| one as Arc<dyn Channel>));
        if sms.is_some() && aliyun.is_some() {
            wrong.push(NotifyConfigError::new("aliyun", "is given beside notify.sms: text messages go through one of them"));
        }
        if modem.is_some() && (sms.is_some() || aliyun.is_some()) {
            wrong.push(NotifyConfigError::new("modem", "is given beside a provider: text messages go through one of them"));
        }
        if !["", "zh-CN", "en"].contains(&&*config.language) {
            wrong.push(NotifyConfigError::new("language", "is neither zh-CN nor en"));
        }
        (Self { all: channels.into(), push, wechat }, wrong)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Channel>> {
        self.all.iter()
    }

    #[must_use]
    pub fn push(&self) -> Option<&WebPush> {
        self.push.as_deref()
    }

    #[must_use]
    pub fn wechat(&self) -> Option<&Wechat> {
        self.wechat.as_deref()
    }

    /// The modem, where text messages go through one.
    #[must_use]
    pub fn modem(&self) -> Option<&ModemLink> {
        self.iter().find_map(|one| one.modem())
    }

    #[must_use]
    pub fn has(&self, channel: NotificationChannel) -> bool {
        self.iter().any(|one| one.channel() == channel)
    }
}

fn shared(channel: impl Channel + 'static) -> Arc<dyn Channel> {
    Arc::new(channel)
}

/// How fast a channel may be used, where that makes sense.
pub(crate) fn pace(section: &str, per_minute: i64, at_once: i64) -> Result<Pace, NotifyConfigError> {
    if (1..=FASTEST).contains(&per_minute) {
        return Ok(Pace { per_minute, at_once });
    }
    Err(NotifyConfigError::new(&format!("{section}.per_minute"), format!("must be 1 to {FASTEST}")))
}

/// A price in yuan with at most four decimals.
pub(crate) fn price(section: &str, text: &str) -> Result<Money, NotifyConfigError> {
    let wrong = || NotifyConfigError::new(&format!("{section}.price"), "must be yuan, such as \"0.045\"");
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || part.len() > 4 || !is_number(whole) || !is_number(part) {
        return Err(wrong());
    }
    format!("{whole}{part:0<4}").parse().map(Money).map_err(|_| wrong())
}

/// Refuses a key of delivery reports that is short enough to be guessed from the internet.
pub(crate) fn receipt_key(section: &str, key: &Secret) -> Result<(), NotifyConfigError> {
    let wrong = || NotifyConfigError::new(&format!("{section}.receipt_key"), "must have 16 characters or more");
    if is_long_enough(key) { Ok(()) } else { Err(wrong()) }
}

/// Refuses a value that is empty or blank.
pub(crate) fn required(key: &str, text: &str) -> Result<(), NotifyConfigError> {
    if text.trim().is_empty() { Err(NotifyConfigError::new(key, "is missing")) } else { Ok(()) }
}

/// A kind of message, as a configuration names it.
pub(crate) fn kind(key: &str, word: &str) -> Result<NotificationKind, NotifyConfigError> {
    let wrong = || NotifyConfigError::new(&format!("{key}.{word}"), "is no kind of message");
    NotificationKind::parse(word).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_yuan_with_four_decimals() {
        assert_eq!(price("sms", "0.045"), Ok(Money(450)));
        assert_eq!(price("sms", "1"), Ok(Money(10_000)));
        for bad in ["", "0.00001", "-1", "a", "1,5", ".5", "1234567"] {
            assert!(price("sms", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_channel_is_off_and_named_without_its_secrets() {
        let robot =
            |url: &str, secret: &str| Some(RobotConfig { url: url.into(), secret: secret.into(), ..RobotConfig::default() });
        let config = NotifyConfig {
            wecom: robot("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=hunter2", ""),
            dingtalk: robot("https://oapi.dingtalk.com/robot/send?access_token=hunter2", ""),
            feishu: robot("http://open.feishu.cn/hunter2", "hunter2"),
            webhook: Some(WebhookConfig { url: "https://x.cn".into(), secret: "hunter2".into(), per_minute: 0 }),
            ..NotifyConfig::default()
        };
        let (channels, wrong) = Channels::new(&config, None);
        assert!(channels.has(NotificationChannel::WeCom) && channels.iter().count() == 1);
        let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        for (one, key) in wrong.iter().zip(["notify.dingtalk.secret", "notify.feishu.url", "notify.webhook.per_minute"]) {
            assert!(one.starts_with(key), "{one}");
        }
        assert!(wrong.len() == 3 && !wrong.concat().contains("hunter2"), "{wrong:?}");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
