//! Web Push: the message goes, encrypted, to the push service that the browser named. That address came from a stranger, so
//! nothing inside the site is called.

use async_trait::async_trait;
use domain::notification::rule;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::time::{SECOND, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::json;
use webpush::{SenderKey, Subscription, seal};

use crate::channel::{Channel, Message, Pace};
use crate::config::{NotifyConfigError, PushConfig, pace};
use crate::http::{HttpClient, Request, checked_url, is_public_url};
use crate::push_services::PushServices;

pub struct WebPush {
    http: HttpClient,
    key: SenderKey,
    contact: String,
    allow_private: bool,
    pace: Pace,
    services: PushServices,
}

impl WebPush {
    /// `contact` is for push services that have a question, where the configuration names nobody.
    ///
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &PushConfig, contact: &str) -> Result<Self, NotifyConfigError> {
        let contact = if config.contact.is_empty() { contact } else { &*config.contact };
        if !["mailto:", "https://"].iter().any(|scheme| contact.starts_with(scheme)) {
            return Err(NotifyConfigError::new("push.contact", "must be an address such as \"mailto:power@example.edu.cn\""));
        }
        let key =
            SenderKey::open(&config.key_file).map_err(|problem| NotifyConfigError::new("push.key_file", problem.to_string()))?;
        let http = if config.allow_private { HttpClient::new() } else { HttpClient::to_internet() };
        let http = http.map_err(|_| NotifyConfigError::new("push", "cannot be used: no TLS can be set up"))?;
        let pace = pace("push", config.per_minute, 8)?;
        Ok(Self {
            http,
            key,
            contact: contact.to_owned(),
            allow_private: config.allow_private,
            pace,
            services: PushServices::default(),
        })
    }

    /// What browsers are given to subscribe with.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public()
    }

    /// A browser's subscription, from its three parts; `None` where it is none, or its push service is not on the internet.
    #[must_use]
    pub fn subscription(&self, endpoint: &str, public_key: &str, secret: &str) -> Option<Subscription> {
        self.endpoint(endpoint)?;
        Subscription::new(endpoint, public_key, secret)
    }

    fn endpoint(&self, text: &str) -> Option<Url> {
        checked_url(text).ok().filter(|url| self.allow_private || is_public_url(url))
    }

    fn request(&self, message: &Message, at: Timestamp) -> Result<Request, NotificationReason> {
        let refused = NotificationReason::Refused;
        let to: Subscription = message.address.parse().map_err(|_| refused)?;
        let url = self.endpoint(to.endpoint()).ok_or(refused)?;
        let text = json!({
            "title": message.subject, "body": message.text, "tag": message.id, "page": message.page(),
            "language": message.language.tag(),
        });
        let body = seal(&to, text.to_string().as_bytes()).map_err(|_| refused)?;
        let rule = rule(message.kind);
        let origin = url.origin().ascii_serialization();
        let proof = self.key.authorization(&origin, at.0 / SECOND, &self.contact).map_err(|_| refused)?;
        let urgency = if rule.is_urgent { "high" } else { "normal" };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aes128gcm"));
        headers.insert(AUTHORIZATION, HeaderValue::try_from(proof).map_err(|_| refused)?);
        headers.insert(HeaderName::from_static("ttl"), HeaderValue::from(rule.stale_after / SECOND));
        headers.insert(HeaderName::from_static("urgency"), HeaderValue::from_static(urgency));
        Ok(Request { method: Method::POST, url, headers, body })
    }
}

#[async_trait]
impl Channel for WebPush {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Push
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        let request = self.request(message, at)?;
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if self.services.is_paused(&host, at) {
            return Err(NotificationReason::Unreachable);
        }
        let answer = self.http.send(request).await;
        self.services.keep(&host, at, answer.as_ref().err().copied());
        let answer = answer?;
        match answer.status {
            // The person took the permission back, or the browser is no more.
            404 | 410 => Err(NotificationReason::Gone),
            _ => answer.require_success().map(|()| Money::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{NotificationId, Uuid};
    use model::language::Lang;
    use model::notification::NotificationKind;
    use webpush::Receiver;

    fn push(allow_private: bool) -> WebPush {
        WebPush {
            http: HttpClient::to_internet().unwrap(),
            key: SenderKey::parse("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw").unwrap(),
            contact: "mailto:a@b.cn".to_owned(),
            allow_private,
            pace: Pace { per_minute: 1, at_once: 1 },
            services: PushServices::default(),
        }
    }

    fn message(address: String) -> Message {
        Message {
            id: NotificationId(Uuid::nil()),
            kind: NotificationKind::Arrears,
            address,
            language: Lang::Zh,
            subject: "欠费断电".to_owned(),
            text: "已断电".to_owned(),
            values: Default::default(),
            asked_at: Timestamp(0),
        }
    }

    #[test]
    fn a_request_is_for_one_browser_and_says_how_urgent_it_is() {
        let receiver = Receiver::new("https://push.example/a").unwrap();
        let (push, at) = (push(false), Timestamp(1_795_600_000_000));
        let request = push.request(&message(receiver.subscription().to_string()), at).unwrap();
        let header = |name: &str| request.headers.get(name).unwrap().to_str().unwrap();
        assert_eq!((header("ttl"), header("urgency"), header("content-encoding")), ("1800", "high", "aes128gcm"));
        let sender = receiver.sender(header("authorization"), at.0 / SECOND, push.public_key());
        assert_eq!(sender, Ok("mailto:a@b.cn".to_owned()));
        let text: serde_json::Value = serde_json::from_slice(&receiver.open(&request.body).unwrap()).unwrap();
        assert_eq!((&text["title"], &text["body"], &text["page"]), (&json!("欠费断电"), &json!("已断电"), &json!("/topup")));
    }

    #[test]
    fn push_services_inside_the_site_are_not_called() {
        let inside = ["https://127.0.0.1/a", "https://10.0.0.1/a", "https://[::1]/a"];
        for endpoint in inside.into_iter().chain(["https://x.cn:8443/a", "http://x.cn/a"]) {
            let address = Receiver::new(endpoint).unwrap().subscription().to_string();
            let refused = push(false).request(&message(address), Timestamp(0)).err();
            assert_eq!(refused, Some(NotificationReason::Refused), "{endpoint}");
        }
        let here = Receiver::new("http://127.0.0.1:1/a").unwrap().subscription().to_string();
        assert!(push(true).request(&message(here), Timestamp(0)).is_ok());
    }

    #[tokio::test]
    async fn names_that_resolve_inside_the_site_are_not_called() {
        let address = Receiver::new("https://localhost/a").unwrap().subscription().to_string();
        let sent = push(false).send(&message(address), Timestamp(0)).await;
        assert_eq!(sent, Err(NotificationReason::Unreachable));
    }
}
