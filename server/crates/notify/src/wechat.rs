//! Template messages of a WeChat service account, to people who follow it. WeChat sends its own text, by a template that the
//! account was given, with the values of the message.

mod account;
mod template;

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationKind, NotificationReason};
use model::time::Timestamp;
use serde_json::{Value, json};

use crate::channel::{Channel, Message, Pace};
use crate::config::{NotifyConfigError, WechatConfig, kind, pace};
use crate::http::HttpClient;
use account::Account;
use template::MessageTemplate;

pub struct Wechat {
    account: Account,
    templates: BTreeMap<NotificationKind, MessageTemplate>,
    /// The address of this server as people reach it.
    public_url: String,
    pace: Pace,
}

impl Wechat {
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &WechatConfig, public_url: &str, http: HttpClient) -> Result<Self, NotifyConfigError> {
        let mut templates = BTreeMap::new();
        for (word, template) in &config.templates {
            templates.insert(kind("wechat.templates", word)?, MessageTemplate::new(word, template)?);
        }
        if templates.is_empty() {
            return Err(NotifyConfigError::new("wechat.templates", "names no template"));
        }
        Ok(Self {
            account: Account::new(config, http)?,
            templates,
            public_url: public_url.to_owned(),
            pace: pace("wechat", config.per_minute, 8)?,
        })
    }

    /// The origin of WeChat's sign-in page.
    #[must_use]
    pub fn sign_in_origin(&self) -> String {
        self.account.sign_in_origin()
    }

    /// The sign-in page, which leads back to a page of this site with `state` and a code.
    #[must_use]
    pub fn sign_in_address(&self, back: &str, state: &str) -> String {
        self.account.sign_in_address(&format!("{}{back}", self.public_url), state)
    }

    /// The id of the person whose sign-in gave that code, which is valid once.
    ///
    /// # Errors
    /// What kept WeChat from saying it.
    pub async fn openid(&self, code: &str) -> Result<String, NotificationReason> {
        self.account.openid(code).await
    }

    fn body(&self, message: &Message) -> Result<Value, NotificationReason> {
        let template = self.templates.get(&message.kind).ok_or(NotificationReason::NoTemplate)?;
        // Inside WeChat nobody can pay by a link, but with the session that residents have there.
        let page = if message.kind == NotificationKind::TopUp { "/topup" } else { message.page() };
        Ok(json!({
            "touser": message.address,
            "template_id": template.id(),
            "url": format!("{}{page}", self.public_url),
            "client_msg_id": message.id,
            "data": template.data(message),
        }))
    }
}

#[async_trait]
impl Channel for Wechat {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Wechat
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        self.account.post("/cgi-bin/message/template/send", &self.body(message)?, at).await.map(|()| Money::ZERO)
    }
}
