//! The channels that residents add themselves to: WeChat and Web Push.

use std::collections::BTreeMap;
use std::path::PathBuf;

use domain::secret::Secret;
use serde::Deserialize;

/// The site's service account at WeChat.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WechatConfig {
    pub app_id: String,
    pub app_secret: Secret,
    pub api: String,
    /// Where people sign in.
    pub sign_in: String,
    /// The account's template for each kind of message.
    pub templates: BTreeMap<String, WechatTemplateConfig>,
    pub per_minute: i64,
}

/// A template, and what its fields hold.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WechatTemplateConfig {
    pub id: String,
    pub fields: BTreeMap<String, String>,
}

/// `[notify.push]`: messages to browsers by Web Push.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PushConfig {
    /// File with the private key, which is made where there is none.
    pub key_file: PathBuf,
    /// Whom push services ask: `mailto:` or `https://`.
    pub contact: String,
    pub per_minute: i64,
    /// Whether push services on this machine and in its network may be called.
    pub allow_private: bool,
}

impl Default for WechatConfig {
    fn default() -> Self {
        Self {
            app_id: String::new(),
            app_secret: Secret::default(),
            api: "https://api.weixin.qq.com".to_owned(),
            sign_in: "https://open.weixin.qq.com".to_owned(),
            templates: BTreeMap::new(),
            per_minute: 300,
        }
    }
}

impl Default for PushConfig {
    fn default() -> Self {
        Self { key_file: PathBuf::from("push.key"), contact: String::new(), per_minute: 600, allow_private: false }
    }
}
