//! Text messages through any provider with an HTTP interface.

use async_trait::async_trait;
use domain::notification::text_message_parts;
use domain::secret::Secret;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationReason, NotificationValues};
use model::template::Template;
use model::time::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::channel::{Channel, Message, Pace};
use crate::config::{NotifyConfigError, SmsConfig, pace, price, receipt_key};
use crate::http::{Answer, CONTENT_TYPE, HttpClient, JSON, Request, checked_url};
use crate::receipt::{self, Receipt, ReceiptError};
use crate::template::{Encoding, render};

/// Longer texts are a mistake of whoever wrote them.
const MOST_PARTS: i64 = 10;
/// Places besides the values of a message.
const NAMES: [&str; 7] = ["phone", "text", "id", "kind", "language", "time", "secret"];

pub struct Sms {
    http: HttpClient,
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Template,
    /// How values are written into the body.
    encoding: Encoding,
    secret: Secret,
    success: Success,
    reports: Reports,
    price: Money,
    pace: Pace,
}

/// How a delivery report is read.
struct Reports {
    key: Secret,
    id: String,
    pointer: String,
    value: String,
}

/// How an answer says that a message was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Success {
    status: u16,
    pointer: String,
    value: String,
}

impl Sms {
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &SmsConfig, http: HttpClient) -> Result<Self, NotifyConfigError> {
        let names: Vec<&'static str> = NAMES.into_iter().chain(NotificationValues::NAMES).collect();
        let template = |key: &str, text: &str| {
            Template::parse(text, &names)
                .map_err(|error| NotifyConfigError::new(&format!("sms.{key}"), format!("is wrong: {error}")))
        };
        let url = template("url", &config.url)?;
        // Values stand behind the host, so that no value decides where it goes.
        let (host, example) =
            (config.url.split('{').next().unwrap_or_default(), render(&url, Encoding::Percent, |_| "1".to_owned()));
        checked_url(&example).map_err(|problem| NotifyConfigError::new("sms.url", problem))?;
        if host.splitn(4, '/').count() < 4 {
            return Err(NotifyConfigError::new("sms.url", "needs a path, and a value only behind it"));
        }
        let method = match &*config.method {
            "POST" => Method::POST,
            "GET" => Method::GET,
            _ => return Err(NotifyConfigError::new("sms.method", "must be POST or GET")),
        };
        let mut headers = Vec::new();
        for (name, value) in &config.headers {
            let key = format!("headers.{name}");
            let wrong = |_| NotifyConfigError::new(&format!("sms.{key}"), "is no name of a header");
            headers.push((HeaderName::try_from(name.as_str()).map_err(wrong)?, template(&key, value)?));
        }
        let kind = headers.iter().find(|(name, _)| *name == CONTENT_TYPE).map(|(_, value)| value.render(|_| String::new()));
        let encoding = match kind.as_deref().unwrap_or(JSON) {
            kind if kind.contains("json") => Encoding::Json,
            kind if kind.contains("x-www-form-urlencoded") => Encoding::Percent,
            _ => Encoding::Plain,
        };
        if kind.is_none() && method == Method::POST {
            headers.push((CONTENT_TYPE, template("headers", JSON)?));
        }
        let body = template("body", &config.body)?;
        if !["phone", "text"].iter().all(|name| url.has(name) || body.has(name)) {
            return Err(NotifyConfigError::new("sms.body", "has no place for {phone} or {text}, and the url has none either"));
        }
        if !config.success_pointer.is_empty() && !config.success_pointer.starts_with('/') {
            return Err(NotifyConfigError::new("sms.success_pointer", "must begin with /, such as \"/code\""));
        }
        let success = Success {
            status: config.success_status,
            pointer: config.success_pointer.clone(),
            value: config.success_value.clone(),
        };
        receipt_key("sms", &config.receipt_key)?;
        for (key, pointer) in [("receipt_id", &config.receipt_id), ("receipt_pointer", &config.receipt_pointer)] {
            if !pointer.starts_with('/') {
                return Err(NotifyConfigError::new(&format!("sms.{key}"), "must begin with /, such as \"/id\""));
            }
        }
        let reports = Reports {
            key: config.receipt_key.clone(),
            id: config.receipt_id.clone(),
            pointer: config.receipt_pointer.clone(),
            value: config.receipt_value.clone(),
        };
        let (price, pace) = (price("sms", &config.price)?, pace("sms", config.per_minute, 8)?);
        Ok(Self { http, method, url, headers, body, encoding, secret: config.secret.clone(), success, reports, price, pace })
    }

    fn request(&self, message: &Message, at: Timestamp) -> Result<Request, NotificationReason> {
        let values = message.values.named();
        let value = |name: &str| match name {
            "phone" => message.address.clone(),
            "text" => message.text.clone(),
            "id" => message.id.to_string(),
            "kind" => message.kind.as_str().to_owned(),
            "language" => message.language.tag().to_owned(),
            "time" => at.0.to_string(),
            "secret" => self.secret.expose().to_owned(),
            name => values.iter().find(|(of, _)| *of == name).map(|(_, value)| value.clone()).unwrap_or_default(),
        };
        let url: Url = render(&self.url, Encoding::Percent, value).parse().map_err(|_| NotificationReason::Refused)?;
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let text = render(template, Encoding::Header, value);
            headers.insert(name.clone(), HeaderValue::try_from(text).map_err(|_| NotificationReason::Refused)?);
        }
        let body = render(&self.body, self.encoding, value).into_bytes();
        Ok(Request { method: self.method.clone(), url, headers, body })
    }
}

/// Numbers and other values as they are written; texts without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl Success {
    /// What an answer says.
    fn of(&self, answer: &Answer) -> Result<(), NotificationReason> {
        if answer.status != self.status {
            // Another status that is a success is none here: nobody knows what it means.
            return answer.require_success().and(Err(NotificationReason::Garbage));
        }
        if self.pointer.is_empty() {
            return Ok(());
        }
        let json = answer.json()?;
        let found = json.pointer(&self.pointer).ok_or(NotificationReason::Garbage)?;
        if plain(found) == self.value { Ok(()) } else { Err(NotificationReason::Refused) }
    }
}

#[async_trait]
impl Channel for Sms {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Sms
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    fn receipts(&self, key: &str, body: &[u8]) -> Result<Vec<Receipt>, ReceiptError> {
        receipt::require_key(&self.reports.key, key)?;
        let read = |report: Value| {
            let id = plain(report.pointer(&self.reports.id)?).parse().ok();
            let status = plain(report.pointer(&self.reports.pointer)?);
            Some(id.map(|id| Receipt { id, receipt: receipt::of(status == self.reports.value) }))
        };
        receipt::all(body, read)
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        if text_message_parts(&message.text) > MOST_PARTS {
            return Err(NotificationReason::TooLong);
        }
        let answer = self.http.send(self.request(message, at)?).await?;
        self.success.of(&answer)?;
        Ok(Money(self.price.0 * text_message_parts(&message.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{NotificationId, Uuid};
    use model::language::Lang;
    use model::money::Fen;
    use model::notification::{NotificationKind, NotificationReceipt};

    fn config() -> SmsConfig {
        SmsConfig {
            url: "https://sms.example.com/v1/{kind}?to={phone}".to_owned(),
            headers: [("Authorization".to_owned(), "Bearer {secret}".to_owned())].into(),
            body: r#"{"mobile":"{phone}","content":"{text}","amount":"{amount}"}"#.to_owned(),
            secret: "hunter2".into(),
            success_pointer: "/result/code".to_owned(),
            success_value: "0".to_owned(),
            ..SmsConfig::default()
        }
    }

    fn sms(config: &SmsConfig) -> Result<Sms, NotifyConfigError> {
        Sms::new(config, HttpClient::new().unwrap())
    }

    #[test]
    fn a_request_is_made_of_its_templates() {
        let message = Message {
            id: NotificationId(Uuid::nil()),
            kind: NotificationKind::Recharge,
            address: "+447700900123".to_owned(),
            language: Lang::Zh,
            subject: String::new(),
            text: "\"到账\"".to_owned(),
            values: NotificationValues { amount: Some(Fen(5_000)), ..NotificationValues::default() },
            asked_at: Timestamp(1),
        };
        let request = sms(&config()).unwrap().request(&message, Timestamp(2)).unwrap();
        assert_eq!(request.url.as_str(), "https://sms.example.com/v1/recharge?to=%2B447700900123");
        assert_eq!(request.headers.get("authorization").unwrap(), "Bearer hunter2");
        assert_eq!(request.headers.get(CONTENT_TYPE).unwrap(), JSON);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body, serde_json::json!({ "mobile": "+447700900123", "content": "\"到账\"", "amount": "50.00" }));
    }

    #[test]
    fn the_answer_says_whether_it_was_taken() {
        let success = sms(&config()).unwrap().success;
        let of = |status, body: &str| success.of(&Answer { status, body: body.as_bytes().to_vec() });
        assert_eq!(of(200, r#"{"result":{"code":0}}"#), Ok(()));
        assert_eq!(of(200, r#"{"result":{"code":"0"}}"#), Ok(()));
        assert_eq!(of(200, r#"{"result":{"code":7}}"#), Err(NotificationReason::Refused));
        assert_eq!(of(200, r#"{"code":0}"#), Err(NotificationReason::Garbage));
        assert_eq!(of(200, "<html>"), Err(NotificationReason::Garbage));
        assert_eq!(of(204, ""), Err(NotificationReason::Garbage));
        assert_eq!(of(503, ""), Err(NotificationReason::Busy));
    }

    #[test]
    fn reports_are_read_with_their_key() {
        let key = "0123456789abcdef";
        let sms = sms(&SmsConfig { receipt_key: key.into(), receipt_value: "0".to_owned(), ..config() }).unwrap();
        let id = NotificationId(Uuid::nil());
        let one = |status| format!(r#"{{"id":"{id}","status":{status}}}"#);
        let read = |key, body: &str| sms.receipts(key, body.as_bytes());
        assert_eq!(read(key, &one(0)), Ok(vec![Receipt { id, receipt: NotificationReceipt::Delivered }]));
        assert_eq!(read(key, &format!("[{}]", one(7))), Ok(vec![Receipt { id, receipt: NotificationReceipt::Undelivered }]));
        assert_eq!(read("", &one(0)), Err(ReceiptError::Key));
        let others = format!(r#"[{{"id":"x","status":0}},{{"id":17,"status":0}},{{"id":null,"status":0}},{}]"#, one(0));
        assert_eq!(read(key, &others).map(|read| read.len()), Ok(1), "what another system sent is left out");
        assert_eq!(read(key, r#"{"status":0}"#), Err(ReceiptError::Body));
        assert_eq!(self::sms(&config()).unwrap().receipts("", b"{}"), Err(ReceiptError::NotSetUp));
    }

    #[test]
    fn wrong_settings_are_named() {
        let wrong = |change: fn(&mut SmsConfig)| {
            let mut config = config();
            change(&mut config);
            sms(&config).err().map(|error| error.key).unwrap_or_default()
        };
        assert_eq!(wrong(|config| config.url = "https://{phone}.example.com/".to_owned()), "sms.url");
        assert_eq!(wrong(|config| config.url = "http://sms.example.com/".to_owned()), "sms.url");
        assert_eq!(wrong(|config| config.body = "{txt}".to_owned()), "sms.body");
        assert_eq!(wrong(|config| config.body = "{}".to_owned()), "sms.body");
        assert_eq!(wrong(|config| config.method = "PUT".to_owned()), "sms.method");
        assert_eq!(wrong(|config| config.success_pointer = "code".to_owned()), "sms.success_pointer");
        assert_eq!(wrong(|config| drop(config.headers.insert("a b".to_owned(), String::new()))), "sms.headers.a b");
        assert_eq!(wrong(|config| config.price = "free".to_owned()), "sms.price");
        assert_eq!(wrong(|config| config.receipt_key = "short".into()), "sms.receipt_key");
        assert_eq!(wrong(|config| config.receipt_id = "id".to_owned()), "sms.receipt_id");
    }
}
