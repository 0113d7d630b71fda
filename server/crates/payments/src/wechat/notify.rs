//! Asynchronous notifications: signed headers and an encrypted resource.

use http::HeaderMap;
use model::money::Fen;
use serde::Deserialize;

use super::WechatPay;
use super::refund::RefundResource;
use super::trade::Trade;
use crate::channel::{Notification, NotificationError};
use domain::payment_event::EventSource;

#[derive(Deserialize)]
struct NotificationBody {
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
}

impl WechatPay {
    pub(super) fn read_notification(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError> {
        self.keys.verify(headers, body, self.clock.now())?;
        let notification: NotificationBody = serde_json::from_slice(body).map_err(|_| NotificationError::Form)?;
        let resource = &notification.resource;
        if resource.algorithm != "AEAD_AES_256_GCM" {
            return Err(NotificationError::Field("algorithm"));
        }
        let data = resource.associated_data.as_deref().unwrap_or_default();
        let open =
            self.api_key.open(&resource.nonce, data, &resource.ciphertext).ok_or(NotificationError::Field("ciphertext"))?;
        match notification.event_type.as_str() {
            "TRANSACTION.SUCCESS" => {
                let trade: Trade = serde_json::from_slice(&open).map_err(|_| NotificationError::Field("transaction"))?;
                let Some(kind) = trade.kind().ok_or(NotificationError::Field("trade_state"))? else {
                    return Ok(Notification::Ignored);
                };
                let event = self.event(trade, kind, EventSource::Notify, Fen::ZERO, body);
                event.map(Notification::Event).ok_or(NotificationError::Field("amount"))
            }
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
                let refund: RefundResource = serde_json::from_slice(&open).map_err(|_| NotificationError::Field("refund"))?;
                match self.refund_event(refund, EventSource::Notify, body) {
                    Some(Some(event)) => Ok(Notification::Event(event)),
                    Some(None) => Ok(Notification::Ignored),
                    None => Err(NotificationError::Field("refund_status")),
                }
            }
            _ => Ok(Notification::Ignored),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::PrivateKey;
    use crate::wechat::api_v3_key::ApiV3Key;
    use crate::wechat::config::tests::{built, good};
    use crate::wechat::keys::tests::{AT, NOTIFY, SIGNATURE, headers};
    use crate::wechat::sign::answer_text;
    use domain::payment_event::{EventKind, VerifiedEvent};

    fn channel() -> WechatPay {
        built(&good(), AT).unwrap()
    }

    fn event(notice: Result<Notification, NotificationError>) -> VerifiedEvent {
        match notice.unwrap() {
            Notification::Event(event) => event,
            Notification::Ignored => panic!("nothing"),
        }
    }

    /// Parses a notification of this type and resource, signed with WeChat Pay's key.
    fn signed(event_type: &str, resource: &str) -> Result<Notification, NotificationError> {
        let key = ApiV3Key::parse("0123456789abcdef0123456789abcdef").unwrap();
        let sealed = key.seal("0123456789ab", "x", resource.as_bytes()).unwrap();
        let body = serde_json::json!({ "event_type": event_type, "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed, "nonce": "0123456789ab", "associated_data": "x" } })
        .to_string();
        post(&body)
    }

    fn post(body: &str) -> Result<Notification, NotificationError> {
        let gateway = PrivateKey::parse(include_str!("../alipay/vectors/gateway.pem")).unwrap();
        let signature = gateway.sign(&answer_text("1795438810", "Enonce01", body.as_bytes())).unwrap();
        channel().read_notification(&headers(&signature), body.as_bytes())
    }

    #[test]
    fn wechat_notification_signed_by_openssl_is_accepted() {
        let paid = event(channel().read_notification(&headers(SIGNATURE), NOTIFY.as_bytes()));
        assert_eq!((paid.kind(), paid.out_trade_no()), (EventKind::Paid, "D7531N1"));
        assert_eq!(paid.amount(), Fen(5_000), "the total, not the amount paid after a coupon");
        assert_eq!((paid.app_id(), paid.seller_id()), (Some("wxd678efh567hg6787"), Some("1900000001")));
        assert_eq!((paid.trade_no(), paid.is_cny()), (Some("4200001234202611230000000001"), true));
    }

    #[test]
    fn signed_but_invalid_wechat_fields_are_rejected() {
        let plain = include_str!("vectors/plain.json");
        let refused = |body: &str| signed("TRANSACTION.SUCCESS", body).unwrap_err();
        assert_eq!(refused("{"), NotificationError::Field("transaction"));
        assert_eq!(refused("[]"), NotificationError::Field("transaction"));
        assert_eq!(refused(&plain.replace("SUCCESS", "MAYBE")), NotificationError::Field("trade_state"));
        assert_eq!(refused(&plain.replace("\"total\": 5000", "\"total\": -5000")), NotificationError::Field("amount"));
        assert_eq!(refused(&plain.replace("\"total\": 5000", "\"total\": 5e3")), NotificationError::Field("transaction"));
        assert_eq!(refused(&plain.replace("4200001234202611230000000001", "")), NotificationError::Field("amount"));
        assert!(!event(signed("TRANSACTION.SUCCESS", &plain.replace("\"currency\": \"CNY\"", "\"currency\": \"USD\""))).is_cny());
        assert!(matches!(signed("PAYSCORE.USER_PAID", "{}"), Ok(Notification::Ignored)));
        for body in ["", "null", "{}", "{\"event_type\":1}", "<xml/>"] {
            assert_eq!(post(body).unwrap_err(), NotificationError::Form, "{body}");
        }
        assert_eq!(post(&NOTIFY.replace("fdasflkja484", "fdasflkja485")).unwrap_err(), NotificationError::Field("ciphertext"));
        assert_eq!(post(&NOTIFY.replace("AEAD_AES_256_GCM", "NONE")).unwrap_err(), NotificationError::Field("algorithm"));
    }

    #[test]
    fn wechat_refund_notification_has_its_own_number() {
        let told = |status: &str| {
            format!(
                r#"{{"mchid":"1900000001","out_trade_no":"D7531N1","transaction_id":"42","out_refund_no":"D7531N1R1",
                "refund_id":"50","refund_status":"{status}","amount":{{"total":5000,"refund":2000}}}}"#
            )
        };
        let done = event(signed("REFUND.SUCCESS", &told("SUCCESS")));
        assert_eq!((done.kind(), done.refund_no(), done.amount()), (EventKind::RefundSucceeded, Some("D7531N1R1"), Fen(2_000)));
        assert_eq!(event(signed("REFUND.ABNORMAL", &told("ABNORMAL"))).kind(), EventKind::RefundFailed);
        assert_eq!(event(signed("REFUND.CLOSED", &told("CLOSED"))).kind(), EventKind::RefundFailed);
        assert!(matches!(signed("REFUND.SUCCESS", &told("PROCESSING")), Ok(Notification::Ignored)));
        assert_eq!(signed("REFUND.SUCCESS", &told("?")).unwrap_err(), NotificationError::Field("refund_status"));
        for amount in ["0", "-2000", "9223372036854775807"] {
            let told = told("SUCCESS").replace("\"refund\":2000", &format!("\"refund\":{amount}"));
            assert_eq!(signed("REFUND.SUCCESS", &told).unwrap_err(), NotificationError::Field("refund_status"), "{amount}");
        }
    }
}
