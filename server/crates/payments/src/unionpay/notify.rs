//! Asynchronous notifications: forms that contain the certificate of their signer.

use model::order::Tender;

use super::UnionPay;
use super::message::Message;
use crate::channel::{Notification, NotificationError};
use crate::form;
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource, VerifiedEvent};

impl UnionPay {
    pub(super) fn read_notification(&self, body: &[u8]) -> Result<Notification, NotificationError> {
        let fields = form::parse(body)?;
        let message = self.trust.verify(fields, self.clock.now(), body).ok_or(NotificationError::Signature)?;
        if !matches!(message.get("respCode"), "00" | "A6") {
            return Ok(Notification::Ignored);
        }
        match message.get("txnType") {
            "01" => Ok(Notification::Event(event_from(&message, EventKind::Paid)?)),
            "04" => Ok(Notification::Event(event_from(&message, EventKind::RefundSucceeded)?)),
            _ => Ok(Notification::Ignored),
        }
    }
}

/// A refund's notification has the refund number in `orderId`; the number of its trade
/// returns in `reqReserved`, which the refund request set.
fn event_from(message: &Message, kind: EventKind) -> Result<VerifiedEvent, NotificationError> {
    let word = |name: &'static str| message.word(name).map(str::to_owned).ok_or(NotificationError::Field(name));
    let refund = kind == EventKind::RefundSucceeded;
    let number = word("orderId")?;
    Ok(verified::event(EventFacts {
        channel: Tender::UnionPay,
        kind,
        source: EventSource::Notify,
        // A refund at UnionPay's console has no number of ours; the trade's number names it.
        out_trade_no: if refund { message.word("reqReserved").unwrap_or_default().to_owned() } else { number.clone() },
        trade_no: Some(word(if refund { "origQryId" } else { "queryId" })?),
        app_id: None,
        seller_id: Some(word("merId")?),
        amount: message.amount().ok_or(NotificationError::Field("txnAmt"))?,
        cny: message.is_cny(),
        refund_no: refund.then_some(number),
        finished: false,
        digest: message.digest(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rsa::PrivateKey;
    use crate::unionpay::sign::signed_text;
    use crate::unionpay::tests::unionpay;
    use model::money::Fen;

    const NOTIFY: &str = include_str!("vectors/notify.txt");

    fn event(body: &str) -> VerifiedEvent {
        match unionpay().read_notification(body.as_bytes()).unwrap() {
            Notification::Event(event) => event,
            Notification::Ignored => panic!("nothing"),
        }
    }

    /// The test vector with some fields changed, signed again with UnionPay's key.
    fn signed(changes: &[(&str, &str)]) -> String {
        let mut fields = form::parse(NOTIFY.as_bytes()).unwrap();
        fields.extend(changes.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let key = PrivateKey::parse(include_str!("vectors/leaf-key.pem")).unwrap();
        let signature = key.sign(signed_text(&fields).as_bytes()).unwrap();
        fields.insert("signature".into(), signature);
        form::encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    #[test]
    fn unionpay_notification_signed_by_openssl_is_accepted() {
        let paid = event(NOTIFY);
        assert_eq!((paid.kind(), paid.out_trade_no(), paid.amount()), (EventKind::Paid, "D7531000N1", Fen(5_000)));
        assert_eq!((paid.trade_no(), paid.seller_id()), (Some("952611232100009999998"), Some("777290058110048")));
        assert!(paid.is_cny());
    }

    #[test]
    fn altered_unionpay_notifications_are_rejected() {
        let refused = |body: &str| unionpay().read_notification(body.as_bytes()).unwrap_err();
        assert_eq!(refused(&NOTIFY.replace("txnAmt=5000", "txnAmt=5001")), NotificationError::Signature);
        assert_eq!(
            refused(&NOTIFY.replace("%0D%0A", "%0A")),
            NotificationError::Signature,
            "the signature covers the certificate's line ends"
        );
        assert_eq!(refused(&format!("{NOTIFY}&more=1")), NotificationError::Signature);
        assert_eq!(refused(&format!("{NOTIFY}&txnAmt=1")), NotificationError::Form, "the same name twice");
        assert_eq!(refused(&NOTIFY[..NOTIFY.len() / 2]), NotificationError::Signature);
        assert_eq!(refused(""), NotificationError::Signature);
    }

    #[test]
    fn unionpay_type_and_code_decide_the_event() {
        assert_eq!(event(&signed(&[("respCode", "A6")])).kind(), EventKind::Paid);
        let refund = [("txnType", "04"), ("orderId", "D7531000N1R1"), ("origQryId", "95"), ("reqReserved", "D7531000N1")];
        let back = event(&signed(&refund));
        assert_eq!(
            (back.kind(), back.out_trade_no(), back.refund_no()),
            (EventKind::RefundSucceeded, "D7531000N1", Some("D7531000N1R1"))
        );
        for quiet in [("respCode", "05"), ("respCode", "61"), ("respCode", ""), ("txnType", "02"), ("txnType", "")] {
            assert!(matches!(unionpay().read_notification(signed(&[quiet]).as_bytes()), Ok(Notification::Ignored)), "{quiet:?}");
        }
    }

    #[test]
    fn signed_but_invalid_unionpay_fields_are_rejected() {
        let refused = |change: (&str, &str)| unionpay().read_notification(signed(&[change]).as_bytes()).unwrap_err();
        for amount in ["", "-5000", "50.00", "5e3", "0"] {
            assert_eq!(refused(("txnAmt", amount)), NotificationError::Field("txnAmt"), "{amount}");
        }
        assert_eq!(refused(("queryId", "")), NotificationError::Field("queryId"));
        let long = "9".repeat(65);
        assert_eq!(refused(("orderId", &long)), NotificationError::Field("orderId"));
        assert_eq!(refused(("orderId", "a\0b")), NotificationError::Field("orderId"));
        assert_eq!(refused(("txnType", "04")), NotificationError::Field("origQryId"), "a refund without its trade's number");
        assert!(!event(&signed(&[("currencyCode", "840")])).is_cny());
    }
}
