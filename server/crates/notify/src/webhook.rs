//! Another system of the site gets each message as JSON. It proves who sent it by HMAC-SHA256 over time and body, and knows a
//! repetition by its id.

use async_trait::async_trait;
use domain::secret::Secret;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason};
use model::time::{SECOND, Timestamp};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::channel::{Channel, Message, Pace};
use crate::config::{NotifyConfigError, WebhookConfig, pace, required};
use crate::http::{CONTENT_TYPE, HttpClient, JSON, Request, checked_url};
use crate::signing::hmac_hex;

pub struct Webhook {
    http: HttpClient,
    url: Url,
    secret: Secret,
    pace: Pace,
}

impl Webhook {
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &WebhookConfig, http: HttpClient) -> Result<Self, NotifyConfigError> {
        let url = checked_url(&config.url).map_err(|problem| NotifyConfigError::new("webhook.url", problem))?;
        required("webhook.secret", config.secret.expose())?;
        Ok(Self { http, url, secret: config.secret.clone(), pace: pace("webhook", config.per_minute, 4)? })
    }

    fn request(&self, message: &Message, at: Timestamp) -> Result<Request, NotificationReason> {
        let values: serde_json::Map<String, Value> = message
            .values
            .named()
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let body = json!({
            "id": message.id, "kind": message.kind, "at": message.asked_at, "language": message.language.tag(),
            "subject": message.subject, "text": message.text, "values": values,
        });
        let (body, timestamp) = (body.to_string(), (at.0 / SECOND).to_string());
        let signature = signature(&self.secret, &timestamp, &body);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        for (name, value) in
            [("x-dormwatt-id", message.id.to_string()), ("x-dormwatt-timestamp", timestamp), ("x-dormwatt-signature", signature)]
        {
            headers.insert(name, HeaderValue::try_from(value).map_err(|_| NotificationReason::Refused)?);
        }
        Ok(Request { method: Method::POST, url: self.url.clone(), headers, body: body.into_bytes() })
    }
}

/// What the receiver computes again: seconds since 1970, a point, and the body as it came.
fn signature(secret: &Secret, timestamp: &str, body: &str) -> String {
    format!("sha256={}", hmac_hex(secret.expose().as_bytes(), format!("{timestamp}.{body}").as_bytes()))
}

#[async_trait]
impl Channel for Webhook {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Webhook
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        let answer = self.http.send(self.request(message, at)?).await?;
        answer.require_success().map(|()| Money::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_over_time_and_body() {
        let of = |time: &str, body: &str| signature(&"webhook secret".into(), time, body);
        assert_eq!(of("1795600000", r#"{"id":"1"}"#), "sha256=ed9b8eb2da4d700e0923175e20bef2ca1819aee3bee36f48bf0e7baa9e4a9fb8");
        assert_ne!(of("1795600001", r#"{"id":"1"}"#), of("1795600000", r#"{"id":"1"}"#));
    }
}
