//! The service account: its access token, and the sign-in by which a person's id at the account becomes known.

use domain::secret::Secret;
use model::notification::NotificationReason;
use model::time::{MINUTE, SECOND, Timestamp};
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::config::{NotifyConfigError, WechatConfig, required};
use crate::http::{HttpClient, Request, checked_url};

/// Characters of a person's id at an account; WeChat's have 28.
const LONGEST_ID: usize = 64;

pub(super) struct Account {
    http: HttpClient,
    api: Url,
    sign_in: Url,
    app_id: String,
    app_secret: Secret,
    token: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    text: String,
    until: Timestamp,
}

impl Account {
    pub fn new(config: &WechatConfig, http: HttpClient) -> Result<Self, NotifyConfigError> {
        let url = |key: &str, text: &str| checked_url(text).map_err(|problem| NotifyConfigError::new(key, problem));
        required("wechat.app_id", &config.app_id)?;
        required("wechat.app_secret", config.app_secret.expose())?;
        Ok(Self {
            http,
            api: url("wechat.api", &config.api)?,
            sign_in: url("wechat.sign_in", &config.sign_in)?,
            app_id: config.app_id.clone(),
            app_secret: config.app_secret.clone(),
            token: Mutex::default(),
        })
    }

    pub fn sign_in_origin(&self) -> String {
        self.sign_in.origin().ascii_serialization()
    }

    /// WeChat wants the parameters in this order.
    pub fn sign_in_address(&self, back: &str, state: &str) -> String {
        let mut url = self.sign_in.clone();
        url.set_path("/connect/oauth2/authorize");
        let mut query = url.query_pairs_mut();
        query.append_pair("appid", &self.app_id).append_pair("redirect_uri", back).append_pair("response_type", "code");
        query.append_pair("scope", "snsapi_base").append_pair("state", state);
        drop(query);
        url.set_fragment(Some("wechat_redirect"));
        url.into()
    }

    fn openid_address(&self, code: &str) -> Url {
        let mut url = self.address("/sns/oauth2/access_token");
        let mut query = url.query_pairs_mut();
        query.append_pair("appid", &self.app_id).append_pair("secret", self.app_secret.expose());
        query.append_pair("code", code).append_pair("grant_type", "authorization_code");
        drop(query);
        url
    }

    pub async fn openid(&self, code: &str) -> Result<String, NotificationReason> {
        let url = self.openid_address(code);
        let request = Request { method: Method::GET, url, headers: HeaderMap::new(), body: Vec::new() };
        let answer = self.http.send(request).await?;
        answer.require_success()?;
        let json = answer.json()?;
        outcome(&json)?;
        let id = json.get("openid").and_then(Value::as_str).unwrap_or_default();
        let is_id = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if is_id { Ok(id.to_owned()) } else { Err(NotificationReason::Garbage) }
    }

    /// Posts with the access token; with a new one where WeChat says that it has ended.
    pub async fn post(&self, path: &str, body: &Value, at: Timestamp) -> Result<(), NotificationReason> {
        let token = self.token(at, None).await?;
        match self.post_with(&token, path, body).await {
            Err(NotificationReason::LogIn) => {
                let token = self.token(at, Some(&token)).await?;
                self.post_with(&token, path, body).await
            }
            other => other,
        }
    }

    async fn post_with(&self, token: &str, path: &str, body: &Value) -> Result<(), NotificationReason> {
        let mut url = self.address(path);
        url.query_pairs_mut().append_pair("access_token", token);
        outcome(&self.http.post_json(url, body).await?)
    }

    /// The token that is valid; `ended` is one that WeChat does not take any more. One caller fetches while the others wait.
    async fn token(&self, at: Timestamp, ended: Option<&str>) -> Result<String, NotificationReason> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.until > at && Some(&*token.text) != ended) {
            return Ok(token.text.clone());
        }
        *kept = None;
        let body = json!({
            "grant_type": "client_credential", "appid": self.app_id, "secret": self.app_secret.expose(), "force_refresh": false,
        });
        let answer = self.http.post_json(self.address("/cgi-bin/stable_token"), &body).await?;
        outcome(&answer)?;
        let text = answer.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty());
        let seconds = answer.get("expires_in").and_then(Value::as_i64).filter(|seconds| (1..=DAY).contains(seconds));
        let (Some(text), Some(seconds)) = (text, seconds) else { return Err(NotificationReason::Garbage) };
        let token = Token { text: text.to_owned(), until: at.plus(seconds * SECOND - MINUTE) };
        *kept = Some(token.clone());
        Ok(token.text)
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.api.clone();
        url.set_path(path);
        url
    }
}

/// The longest that a token is believed to be valid, s.
const DAY: i64 = 86_400;

/// What the code of an answer means; answers without one are good.
fn outcome(answer: &Value) -> Result<(), NotificationReason> {
    match answer.get("errcode").map_or(Some(0), Value::as_i64) {
        Some(0) => Ok(()),
        // Busy; too many in a minute; too many in a day.
        Some(-1 | 45_009 | 45_011 | 45_047) => Err(NotificationReason::Busy),
        // The token has ended; secret or application is wrong; this server is not on the account's list; no right to send.
        Some(40_001 | 40_013 | 40_014 | 40_125 | 40_164 | 41_001 | 42_001 | 48_001 | 61_004) => Err(NotificationReason::LogIn),
        // The person does not follow the account any more, or refuses its messages.
        Some(43_004 | 43_101) => Err(NotificationReason::Gone),
        Some(40_037) => Err(NotificationReason::NoTemplate),
        Some(_) => Err(NotificationReason::Refused),
        None => Err(NotificationReason::Garbage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_wechat_have_a_meaning() {
        let of = |code: i64| outcome(&json!({ "errcode": code, "errmsg": "" }));
        assert_eq!(of(0), Ok(()));
        assert_eq!(outcome(&json!({ "access_token": "a" })), Ok(()));
        assert_eq!(of(42_001), Err(NotificationReason::LogIn));
        assert_eq!(of(45_009), Err(NotificationReason::Busy));
        assert_eq!(of(43_004), Err(NotificationReason::Gone));
        assert_eq!(of(40_037), Err(NotificationReason::NoTemplate));
        assert_eq!(of(47_003), Err(NotificationReason::Refused));
        assert_eq!(outcome(&json!({ "errcode": "x" })), Err(NotificationReason::Garbage));
    }

    #[test]
    fn the_sign_in_address_has_its_parameters_in_order() {
        let config = WechatConfig { app_id: "wx1".to_owned(), app_secret: "hunter2".into(), ..WechatConfig::default() };
        let account = Account::new(&config, HttpClient::new().unwrap()).unwrap();
        assert_eq!(
            account.sign_in_address("https://dorm.example/me/alerts/wechat", "abc"),
            "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1\
             &redirect_uri=https%3A%2F%2Fdorm.example%2Fme%2Falerts%2Fwechat&response_type=code&scope=snsapi_base\
             &state=abc#wechat_redirect"
        );
        assert_eq!(account.sign_in_origin(), "https://open.weixin.qq.com");
    }
}
