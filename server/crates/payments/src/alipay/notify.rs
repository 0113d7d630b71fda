//! Asynchronous notifications: signed forms.

use model::money::Fen;
use model::order::Tender;

use super::Alipay;
use super::query::FINISHED;
use super::sign::{SIGN_TYPE, notify_text};
use crate::channel::{Notification, NotificationError};
use crate::form::{self, Fields};
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource};

impl Alipay {
    pub(super) fn read_notification(&self, body: &[u8]) -> Result<Notification, NotificationError> {
        let fields = form::parse(body)?;
        let sign = fields.get("sign").ok_or(NotificationError::Signature)?;
        let type_fits = fields.get("sign_type").is_some_and(|sign_type| sign_type == SIGN_TYPE);
        if !type_fits || !self.alipay_key.verifies(notify_text(&fields).as_bytes(), sign) {
            return Err(NotificationError::Signature);
        }
        if fields.get("notify_type").is_some_and(|kind| kind != "trade_status_sync") {
            return Ok(Notification::Ignored);
        }
        let amount = yuan(&fields, "total_amount")?;
        let refunded = if fields.contains_key("refund_fee") { yuan(&fields, "refund_fee")? } else { Fen::ZERO };
        let kind = match field(&fields, "trade_status")? {
            // After a partial refund the status stays TRADE_SUCCESS, after a full one it is TRADE_CLOSED.
            "TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED" if refunded > Fen::ZERO => EventKind::Refunded(refunded),
            "TRADE_SUCCESS" | "TRADE_FINISHED" => EventKind::Paid,
            "TRADE_CLOSED" => EventKind::Closed,
            "WAIT_BUYER_PAY" => return Ok(Notification::Ignored),
            _ => return Err(NotificationError::Field("trade_status")),
        };
        Ok(Notification::Event(verified::event(EventFacts {
            channel: Tender::Alipay,
            kind,
            source: EventSource::Notify,
            out_trade_no: field(&fields, "out_trade_no")?.to_owned(),
            trade_no: Some(field(&fields, "trade_no")?.to_owned()),
            app_id: Some(field(&fields, "app_id")?.to_owned()),
            seller_id: Some(field(&fields, "seller_id")?.to_owned()),
            amount,
            cny: true,
            refund_no: None,
            finished: fields.get("trade_status").is_some_and(|status| status == FINISHED),
            digest: verified::sha256(body),
        })))
    }
}

fn field<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str, NotificationError> {
    // PostgreSQL cannot store NUL characters, and no valid field has one.
    let value = fields.get(name).map(String::as_str).unwrap_or_default();
    if value.is_empty() || value.len() > 64 || value.contains('\0') { Err(NotificationError::Field(name)) } else { Ok(value) }
}

fn yuan(fields: &Fields, name: &'static str) -> Result<Fen, NotificationError> {
    Fen::parse_yuan(field(fields, name)?).map_err(|_| NotificationError::Field(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alipay::tests::alipay;
    use crate::rsa::PrivateKey;
    use domain::payment_event::VerifiedEvent;

    const NOTIFY: &str = include_str!("vectors/notify.txt");

    fn event(body: &str) -> VerifiedEvent {
        match alipay().read_notification(body.as_bytes()).unwrap() {
            Notification::Event(event) => event,
            Notification::Ignored => panic!("nothing"),
        }
    }

    /// The test vector with some fields changed, signed again with the gateway's key.
    fn signed(changes: &[(&str, &str)]) -> String {
        let mut fields = form::parse(NOTIFY.as_bytes()).unwrap();
        for &(name, value) in changes {
            fields.insert(name.into(), value.into());
        }
        let key = PrivateKey::parse(include_str!("vectors/gateway.pem")).unwrap();
        let sign = key.sign(notify_text(&fields).as_bytes()).unwrap();
        fields.insert("sign".into(), sign);
        form::encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    #[test]
    fn alipay_notification_signed_by_openssl_is_accepted() {
        let paid = event(NOTIFY);
        assert_eq!((paid.kind(), paid.amount(), paid.out_trade_no()), (EventKind::Paid, Fen(5_000), "D7531N1"));
        assert_eq!((paid.app_id(), paid.seller_id()), (Some("2021000000000001"), Some("2088000000000001")));
        assert_eq!(paid.trade_no(), Some("2026112322001400000000000001"));
    }

    #[test]
    fn altered_alipay_notifications_are_rejected() {
        let refused = |body: &str| alipay().read_notification(body.as_bytes()).unwrap_err();
        assert_eq!(refused(&NOTIFY.replace("50.00", "5000.00")), NotificationError::Signature);
        assert_eq!(refused(&NOTIFY.replace("sign_type=RSA2", "sign_type=RSA")), NotificationError::Signature);
        assert_eq!(refused(&NOTIFY.replace("&sign_type=RSA2", "")), NotificationError::Signature);
        assert_eq!(refused(&NOTIFY.replace("A%2BB+", "A+B+")), NotificationError::Signature);
        assert_eq!(refused(&format!("{NOTIFY}&total_amount=50.00")), NotificationError::Form);
        assert_eq!(refused(&NOTIFY[..NOTIFY.len() / 2]), NotificationError::Form);
        assert_eq!(refused(""), NotificationError::Signature);
    }

    #[test]
    fn alipay_status_and_refund_fee_decide_the_event() {
        assert_eq!(event(&signed(&[("trade_status", "TRADE_FINISHED")])).kind(), EventKind::Paid);
        assert_eq!(event(&signed(&[("trade_status", "TRADE_CLOSED")])).kind(), EventKind::Closed);
        assert_eq!(event(&signed(&[("refund_fee", "10.00")])).kind(), EventKind::Refunded(Fen(1_000)));
        assert_eq!(
            event(&signed(&[("refund_fee", "50.00"), ("trade_status", "TRADE_CLOSED")])).kind(),
            EventKind::Refunded(Fen(5_000))
        );
        assert_eq!(event(&signed(&[("refund_fee", "0.00")])).kind(), EventKind::Paid);
        for quiet in [("trade_status", "WAIT_BUYER_PAY"), ("notify_type", "servicemarket_order_notify")] {
            assert!(matches!(alipay().read_notification(signed(&[quiet]).as_bytes()), Ok(Notification::Ignored)));
        }
    }

    #[test]
    fn signed_but_invalid_alipay_fields_are_rejected() {
        let refused = |change| alipay().read_notification(signed(&[change]).as_bytes()).unwrap_err();
        assert_eq!(refused(("total_amount", "5e1")), NotificationError::Field("total_amount"));
        assert_eq!(refused(("total_amount", "-50.00")), NotificationError::Field("total_amount"));
        assert_eq!(refused(("trade_status", "TRADE_MAYBE")), NotificationError::Field("trade_status"));
        assert_eq!(refused(("trade_no", "")), NotificationError::Field("trade_no"));
        assert_eq!(refused(("out_trade_no", &"9".repeat(65))), NotificationError::Field("out_trade_no"));
    }
}
