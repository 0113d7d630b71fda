//! Notifications: signed headers over raw bytes, then a sealed resource. What they mean for us is decided where they are settled.

use http::HeaderMap;
use model::money::Fen;
use serde::Deserialize;

use super::WechatPay;
use super::refund::RefundTold;
use super::trade::Trade;
use crate::channel::{Notice, NoticeError};
use domain::payment_event::Source;

#[derive(Deserialize)]
struct Notification {
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
    pub(super) fn read_notify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        self.keys.verify(headers, body, self.clock.now())?;
        // From here on it is WeChat that speaks.
        let notification: Notification = serde_json::from_slice(body).map_err(|_| NoticeError::Form)?;
        let resource = &notification.resource;
        if resource.algorithm != "AEAD_AES_256_GCM" {
            return Err(NoticeError::Field("algorithm"));
        }
        let data = resource.associated_data.as_deref().unwrap_or_default();
        let open = self.api_key.open(&resource.nonce, data, &resource.ciphertext).ok_or(NoticeError::Field("ciphertext"))?;
        match notification.event_type.as_str() {
            "TRANSACTION.SUCCESS" => {
                let trade: Trade = serde_json::from_slice(&open).map_err(|_| NoticeError::Field("transaction"))?;
                let Some(kind) = trade.kind().ok_or(NoticeError::Field("trade_state"))? else { return Ok(Notice::Nothing) };
                let event = self.event(trade, kind, Source::Notify, Fen::ZERO, body);
                event.map(Notice::Event).ok_or(NoticeError::Field("amount"))
            }
            "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
                let told: RefundTold = serde_json::from_slice(&open).map_err(|_| NoticeError::Field("refund"))?;
                match self.refund_event(told, Source::Notify, body) {
                    Some(Some(event)) => Ok(Notice::Event(event)),
                    Some(None) => Ok(Notice::Nothing),
                    None => Err(NoticeError::Field("refund_status")),
                }
            }
            _ => Ok(Notice::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::PrivateKey;
    use crate::wechat::config::tests::{built, good};
    use crate::wechat::keys::tests::{AT, NOTIFY, SIGNATURE, headers};
    use crate::wechat::seal::ApiKey;
    use crate::wechat::sign::answer_text;
    use domain::payment_event::{Kind, Verified};

    fn channel() -> WechatPay {
        built(&good(), AT).unwrap()
    }

    fn event(notice: Result<Notice, NoticeError>) -> Verified {
        match notice.unwrap() {
            Notice::Event(event) => event,
            Notice::Nothing => panic!("nothing"),
        }
    }

    /// A notification of this type and resource, signed by WeChat's key.
    fn signed(event_type: &str, resource: &str) -> Result<Notice, NoticeError> {
        let key = ApiKey::parse("0123456789abcdef0123456789abcdef").unwrap();
        let sealed = key.seal("0123456789ab", "x", resource.as_bytes()).unwrap();
        let body = serde_json::json!({ "event_type": event_type, "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed, "nonce": "0123456789ab", "associated_data": "x" } })
        .to_string();
        post(&body)
    }

    fn post(body: &str) -> Result<Notice, NoticeError> {
        let gateway = PrivateKey::parse(include_str!("../alipay/vectors/gateway.pem")).unwrap();
        let signature = gateway.sign(&answer_text("1795438810", "Enonce01", body.as_bytes())).unwrap();
        channel().read_notify(&headers(&signature), body.as_bytes())
    }

    #[test]
    fn what_openssl_signed_and_sealed_is_read() {
        let paid = event(channel().read_notify(&headers(SIGNATURE), NOTIFY.as_bytes()));
        assert_eq!((paid.kind(), paid.out_trade_no()), (Kind::Paid, "D7531N1"));
        assert_eq!(paid.amount(), Fen(5_000), "the total, not what the payer paid after his coupon");
        assert_eq!((paid.app_id(), paid.seller_id()), (Some("wxd678efh567hg6787"), Some("1900000001")));
        assert_eq!((paid.trade_no(), paid.is_cny()), (Some("4200001234202611230000000001"), true));
    }

    #[test]
    fn signed_rubbish_is_still_rubbish() {
        let plain = include_str!("vectors/plain.json");
        let refused = |body: &str| signed("TRANSACTION.SUCCESS", body).unwrap_err();
        assert_eq!(refused("{"), NoticeError::Field("transaction"));
        assert_eq!(refused("[]"), NoticeError::Field("transaction"));
        assert_eq!(refused(&plain.replace("SUCCESS", "MAYBE")), NoticeError::Field("trade_state"));
        assert_eq!(refused(&plain.replace("\"total\": 5000", "\"total\": -5000")), NoticeError::Field("amount"));
        assert_eq!(refused(&plain.replace("\"total\": 5000", "\"total\": 5e3")), NoticeError::Field("transaction"));
        assert_eq!(refused(&plain.replace("4200001234202611230000000001", "")), NoticeError::Field("amount"));
        assert!(!event(signed("TRANSACTION.SUCCESS", &plain.replace("\"currency\": \"CNY\"", "\"currency\": \"USD\""))).is_cny());
        assert!(matches!(signed("PAYSCORE.USER_PAID", "{}"), Ok(Notice::Nothing)));
        for body in ["", "null", "{}", "{\"event_type\":1}", "<xml/>"] {
            assert_eq!(post(body).unwrap_err(), NoticeError::Form, "{body}");
        }
        assert_eq!(post(&NOTIFY.replace("fdasflkja484", "fdasflkja485")).unwrap_err(), NoticeError::Field("ciphertext"));
        assert_eq!(post(&NOTIFY.replace("AEAD_AES_256_GCM", "NONE")).unwrap_err(), NoticeError::Field("algorithm"));
    }

    #[test]
    fn a_refund_is_told_by_its_own_number() {
        let told = |status: &str| {
            format!(
                r#"{{"mchid":"1900000001","out_trade_no":"D7531N1","transaction_id":"42","out_refund_no":"D7531N1R1",
                "refund_id":"50","refund_status":"{status}","amount":{{"total":5000,"refund":2000}}}}"#
            )
        };
        let done = event(signed("REFUND.SUCCESS", &told("SUCCESS")));
        assert_eq!((done.kind(), done.refund_no(), done.amount()), (Kind::Returned, Some("D7531N1R1"), Fen(2_000)));
        assert_eq!(event(signed("REFUND.ABNORMAL", &told("ABNORMAL"))).kind(), Kind::NotReturned);
        assert_eq!(event(signed("REFUND.CLOSED", &told("CLOSED"))).kind(), Kind::NotReturned);
        assert!(matches!(signed("REFUND.SUCCESS", &told("PROCESSING")), Ok(Notice::Nothing)));
        assert_eq!(signed("REFUND.SUCCESS", &told("?")).unwrap_err(), NoticeError::Field("refund_status"));
        for amount in ["0", "-2000", "9223372036854775807"] {
            let told = told("SUCCESS").replace("\"refund\":2000", &format!("\"refund\":{amount}"));
            assert_eq!(signed("REFUND.SUCCESS", &told).unwrap_err(), NoticeError::Field("refund_status"), "{amount}");
        }
    }
}
