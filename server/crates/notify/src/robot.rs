//! Robots of groups: they post what they are given. Their addresses are secrets.

use async_trait::async_trait;
use domain::secret::Secret;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::time::{SECOND, Timestamp};
use reqwest::Url;
use serde_json::{Value, json};

use crate::channel::{Channel, Message, Pace};
use crate::config::{NotifyConfigError, RobotConfig, pace, required};
use crate::http::{HttpClient, checked_url};
use crate::signing::hmac_base64;

/// Whose robot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RobotKind {
    /// Without a signature: whoever knows the address may post.
    WeCom,
    /// Signed in the address.
    DingTalk,
    /// Signed in the body.
    Feishu,
}

impl RobotKind {
    const fn channel(self) -> NotificationChannel {
        match self {
            Self::WeCom => NotificationChannel::WeCom,
            Self::DingTalk => NotificationChannel::DingTalk,
            Self::Feishu => NotificationChannel::Feishu,
        }
    }

    /// The member of an answer that holds the code; 0 is success.
    const fn code(self) -> &'static str {
        match self {
            Self::WeCom | Self::DingTalk => "errcode",
            Self::Feishu => "code",
        }
    }

    /// What another code means.
    const fn trouble(self, code: i64) -> NotificationReason {
        match (self, code) {
            // Too many in a minute, or the service has no time.
            (Self::WeCom, 45009 | -1) | (Self::DingTalk, 130_101 | 410_100 | -1) | (Self::Feishu, 9499 | 11232) => {
                NotificationReason::Busy
            }
            // The address or the signature is not accepted.
            (Self::WeCom, 93000) | (Self::DingTalk, 310_000 | 300_001 | 40_035) | (Self::Feishu, 19001 | 19021 | 19022) => {
                NotificationReason::LogIn
            }
            _ => NotificationReason::Refused,
        }
    }
}

pub struct Robot {
    kind: RobotKind,
    http: HttpClient,
    url: Url,
    secret: Secret,
    pace: Pace,
}

impl Robot {
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &RobotConfig, kind: RobotKind, http: HttpClient) -> Result<Self, NotifyConfigError> {
        let section = kind.channel().as_str();
        let url =
            checked_url(config.url.expose()).map_err(|problem| NotifyConfigError::new(&format!("{section}.url"), problem))?;
        if kind != RobotKind::WeCom {
            required(&format!("{section}.secret"), config.secret.expose())?;
        }
        Ok(Self { kind, http, url, secret: config.secret.clone(), pace: pace(section, config.per_minute, 1)? })
    }

    /// The address and the body of a message.
    fn signed(&self, text: &str, at: Timestamp) -> (Url, Value) {
        let (mut url, secret) = (self.url.clone(), self.secret.expose());
        let body = json!({ "msgtype": "text", "text": { "content": text } });
        match self.kind {
            RobotKind::WeCom => (url, body),
            RobotKind::DingTalk => {
                let sign = hmac_base64(secret.as_bytes(), format!("{}\n{secret}", at.0).as_bytes());
                url.query_pairs_mut().append_pair("timestamp", &at.0.to_string()).append_pair("sign", &sign);
                (url, body)
            }
            RobotKind::Feishu => {
                let timestamp = (at.0 / SECOND).to_string();
                let sign = hmac_base64(format!("{timestamp}\n{secret}").as_bytes(), b"");
                (url, json!({ "timestamp": timestamp, "sign": sign, "msg_type": "text", "content": { "text": text } }))
            }
        }
    }
}

#[async_trait]
impl Channel for Robot {
    fn channel(&self) -> NotificationChannel {
        self.kind.channel()
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        let (url, body) = self.signed(&message.text, at);
        let answer = self.http.post_json(url, &body).await?;
        match answer.get(self.kind.code()).and_then(Value::as_i64) {
            Some(0) => Ok(Money::ZERO),
            Some(code) => Err(self.kind.trouble(code)),
            None => Err(NotificationReason::Garbage),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn robot(kind: RobotKind, secret: &str) -> Robot {
        let url = "https://robot.example.com/send?key=hunter2";
        let config = RobotConfig { url: url.into(), secret: secret.into(), ..RobotConfig::default() };
        Robot::new(&config, kind, HttpClient::new().unwrap()).unwrap()
    }

    #[test]
    fn each_robot_is_signed_in_its_own_way() {
        let (url, body) = robot(RobotKind::WeCom, "").signed("a", Timestamp(1));
        assert_eq!(url.query(), Some("key=hunter2"));
        assert_eq!(body, json!({ "msgtype": "text", "text": { "content": "a" } }));
        let (url, _) = robot(RobotKind::DingTalk, "this is secret").signed("a", Timestamp(1_577_262_236_757));
        let sign = url.query_pairs().find(|(name, _)| name == "sign").unwrap().1.into_owned();
        assert_eq!(sign, DINGTALK);
        let (url, body) = robot(RobotKind::Feishu, "demo").signed("a", Timestamp(1_599_360_473_999));
        assert_eq!((url.query(), body["timestamp"].as_str()), (Some("key=hunter2"), Some("1599360473")));
        assert_eq!(body["sign"], FEISHU);
    }

    /// Of the documentation's example, computed with Python's hmac.
    const DINGTALK: &str = "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=";
    const FEISHU: &str = "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=";

    #[test]
    fn codes_say_whether_another_try_may_help() {
        assert_eq!(RobotKind::WeCom.trouble(45009), NotificationReason::Busy);
        assert_eq!(RobotKind::DingTalk.trouble(310_000), NotificationReason::LogIn);
        assert_eq!(RobotKind::Feishu.trouble(19021), NotificationReason::LogIn);
        assert_eq!(RobotKind::Feishu.trouble(1), NotificationReason::Refused);
    }
}
