//! Text messages through Alibaba Cloud (Dysmsapi 2017-05-25, SendSms). The provider sends its own text, by an approved template
//! and the values of the message, and knows no repetition: what is handed over twice comes twice.

mod signature;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::notification::text_message_parts;
use domain::secret::Secret;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationKind, NotificationReason};
use model::time::Timestamp;
use reqwest::{Method, Url};
use serde_json::Value;

use crate::channel::{Channel, Message, Pace};
use crate::config::{AliyunConfig, NotifyConfigError, kind, pace, price, receipt_key, required};
use crate::http::{HttpClient, Request, checked_url};
use crate::receipt::{self, Receipt, ReceiptError};
use signature::{Call, canonical_query};

pub struct Aliyun {
    http: HttpClient,
    endpoint: Url,
    host: String,
    key_id: String,
    key_secret: Secret,
    sign_name: String,
    templates: BTreeMap<NotificationKind, String>,
    receipt_key: Secret,
    price: Money,
    pace: Pace,
}

impl Aliyun {
    /// # Errors
    /// [`NotifyConfigError`], which names the key.
    pub fn new(config: &AliyunConfig, http: HttpClient) -> Result<Self, NotifyConfigError> {
        let endpoint = checked_url(&config.endpoint).map_err(|problem| NotifyConfigError::new("aliyun.endpoint", problem))?;
        let name = endpoint.host_str().unwrap_or_default();
        let host = endpoint.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        required("aliyun.access_key_id", &config.access_key_id)?;
        required("aliyun.access_key_secret", config.access_key_secret.expose())?;
        required("aliyun.sign_name", &config.sign_name)?;
        let mut templates = BTreeMap::new();
        for (word, template) in &config.templates {
            templates.insert(kind("aliyun.templates", word)?, template.clone());
        }
        if templates.is_empty() {
            return Err(NotifyConfigError::new("aliyun.templates", "names no template"));
        }
        receipt_key("aliyun", &config.receipt_key)?;
        Ok(Self {
            http,
            endpoint,
            host,
            key_id: config.access_key_id.clone(),
            key_secret: config.access_key_secret.clone(),
            sign_name: config.sign_name.clone(),
            templates,
            receipt_key: config.receipt_key.clone(),
            price: price("aliyun", &config.price)?,
            pace: pace("aliyun", config.per_minute, 8)?,
        })
    }

    fn request(&self, message: &Message, at: Timestamp) -> Result<Request, NotificationReason> {
        let template = self.templates.get(&message.kind).ok_or(NotificationReason::NoTemplate)?;
        let values: serde_json::Map<String, Value> = message
            .values
            .named()
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        let parameters = [
            ("OutId", message.id.to_string()),
            // Numbers of other countries begin with their code.
            ("PhoneNumbers", message.address.trim_start_matches('+').to_owned()),
            ("SignName", self.sign_name.clone()),
            ("TemplateCode", template.clone()),
            ("TemplateParam", Value::Object(values).to_string()),
        ];
        let query = canonical_query(&parameters);
        let call = Call {
            host: &self.host,
            action: "SendSms",
            version: "2017-05-25",
            at,
            nonce: &format!("{}-{}", message.id, at.0),
            query: &query,
        };
        let headers = call.signed(&self.key_id, &self.key_secret).ok_or(NotificationReason::Refused)?;
        let mut url = self.endpoint.clone();
        url.set_query(Some(&query));
        Ok(Request { method: Method::POST, url, headers, body: Vec::new() })
    }
}

/// What the code of an answer means.
fn outcome(code: &str) -> Result<(), NotificationReason> {
    match code {
        "OK" => Ok(()),
        "isv.BUSINESS_LIMIT_CONTROL" | "isp.SYSTEM_ERROR" | "isp.GATEWAY_ERROR" | "isv.AMOUNT_NOT_ENOUGH" => {
            Err(NotificationReason::Busy)
        }
        "isv.MOBILE_NUMBER_ILLEGAL" | "isv.MOBILE_COUNT_OVER_LIMIT" => Err(NotificationReason::BadNumber),
        "" => Err(NotificationReason::Garbage),
        code if code.starts_with("Throttling") || code == "ServiceUnavailable" || code == "InternalError" => {
            Err(NotificationReason::Busy)
        }
        code if code.starts_with("InvalidAccessKeyId")
            || code.starts_with("Signature")
            || code.contains("RAM_PERMISSION_DENY") =>
        {
            Err(NotificationReason::LogIn)
        }
        _ => Err(NotificationReason::Refused),
    }
}

#[async_trait]
impl Channel for Aliyun {
    fn channel(&self) -> NotificationChannel {
        NotificationChannel::Sms
    }

    fn pace(&self) -> Pace {
        self.pace
    }

    /// `SmsReport`, as the provider pushes it over HTTP: `out_id` is the id that the message was sent with.
    fn receipts(&self, key: &str, body: &[u8]) -> Result<Vec<Receipt>, ReceiptError> {
        receipt::require_key(&self.receipt_key, key)?;
        let read = |report: Value| {
            let success = report.get("success")?.as_bool()?;
            let id = report.get("out_id").and_then(Value::as_str).unwrap_or_default().parse().ok();
            Some(id.map(|id| Receipt { id, receipt: receipt::of(success) }))
        };
        receipt::all(body, read)
    }

    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason> {
        let answer = self.http.send(self.request(message, at)?).await?;
        // Refusals have another status, and the reason in the same place.
        let json = answer.json().map_err(|garbage| answer.require_success().err().unwrap_or(garbage))?;
        outcome(json.get("Code").and_then(Value::as_str).unwrap_or_default())?;
        // Its text is the template's, about as long as ours.
        Ok(Money(self.price.0 * text_message_parts(&message.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_provider_have_a_meaning() {
        assert_eq!(outcome("OK"), Ok(()));
        assert_eq!(outcome("isv.BUSINESS_LIMIT_CONTROL"), Err(NotificationReason::Busy));
        assert_eq!(outcome("Throttling.User"), Err(NotificationReason::Busy));
        assert_eq!(outcome("SignatureDoesNotMatch"), Err(NotificationReason::LogIn));
        assert_eq!(outcome("isv.MOBILE_NUMBER_ILLEGAL"), Err(NotificationReason::BadNumber));
        assert_eq!(outcome(""), Err(NotificationReason::Garbage));
    }

    fn config() -> AliyunConfig {
        AliyunConfig {
            access_key_id: "id".to_owned(),
            access_key_secret: "secret".into(),
            sign_name: "宿舍".to_owned(),
            templates: [("arrears".to_owned(), "SMS_1".to_owned())].into(),
            receipt_key: "0123456789abcdef".into(),
            ..AliyunConfig::default()
        }
    }

    #[test]
    fn reports_name_the_message_by_the_id_it_was_sent_with() {
        let aliyun = Aliyun::new(&config(), HttpClient::new().unwrap()).unwrap();
        let read = |body: &str| aliyun.receipts("0123456789abcdef", body.as_bytes());
        let id = model::ids::NotificationId(model::ids::Uuid::nil());
        let body = format!(
            r#"[{{"success":true,"err_code":"DELIVERED","sms_size":"1","biz_id":"1^0","out_id":"{id}"}},
                {{"success":false,"err_code":"MC:2242","biz_id":"2^0","out_id":"{id}"}},{{"success":true,"biz_id":"3^0"}}]"#
        );
        let of = |receipt| Receipt { id, receipt };
        assert_eq!(read(&body), Ok(vec![of(receipt::of(true)), of(receipt::of(false))]));
        assert_eq!(read("[{}]"), Err(ReceiptError::Body));
        assert_eq!(aliyun.receipts("", body.as_bytes()), Err(ReceiptError::Key));
    }

    #[test]
    fn a_kind_without_a_template_is_not_sent() {
        let config = config();
        let aliyun = Aliyun::new(&config, HttpClient::new().unwrap()).unwrap();
        let message = |kind| Message {
            id: model::ids::NotificationId(model::ids::Uuid::nil()),
            kind,
            address: "13800138000".to_owned(),
            language: model::language::Lang::Zh,
            subject: String::new(),
            text: String::new(),
            values: Default::default(),
            asked_at: Timestamp(0),
        };
        let request = aliyun.request(&message(NotificationKind::Arrears), Timestamp(0)).unwrap();
        assert!(request.url.as_str().contains("PhoneNumbers=13800138000&SignName=%E5%AE%BF%E8%88%8D&TemplateCode=SMS_1&"));
        assert_eq!(aliyun.request(&message(NotificationKind::Alarm1), Timestamp(0)).err(), Some(NotificationReason::NoTemplate));
        let misnamed = AliyunConfig { templates: [("arears".to_owned(), "SMS_1".to_owned())].into(), ..config };
        assert_eq!(Aliyun::new(&misnamed, HttpClient::new().unwrap()).err().unwrap().key, "aliyun.templates.arears");
    }
}
