//! Notifications: signed forms. What they mean for us is decided where they are settled, not here.

use aws_lc_rs::digest::{SHA256, digest};
use model::money::Fen;
use model::order::Tender;

use super::Alipay;
use super::sign::{SIGN_TYPE, notify_text};
use crate::channel::{Notice, NoticeError};
use crate::form::{self, Fields};
use domain::payment_event::{Kind, Source, Statement, Verified};

impl Alipay {
    pub(super) fn read_notify(&self, body: &[u8]) -> Result<Notice, NoticeError> {
        let fields = form::parse(body)?;
        let sign = fields.get("sign").ok_or(NoticeError::Signature)?;
        let type_fits = fields.get("sign_type").is_some_and(|sign_type| sign_type == SIGN_TYPE);
        if !type_fits || !self.alipay_key.verifies(notify_text(&fields).as_bytes(), sign) {
            return Err(NoticeError::Signature);
        }
        // From here on it is Alipay that speaks.
        if fields.get("notify_type").is_some_and(|kind| kind != "trade_status_sync") {
            return Ok(Notice::Nothing);
        }
        let amount = yuan(&fields, "total_amount")?;
        let returned = if fields.contains_key("refund_fee") { yuan(&fields, "refund_fee")? } else { Fen::ZERO };
        let kind = match field(&fields, "trade_status")? {
            // A refund is told with the status that the trade keeps: SUCCESS after a part of it, CLOSED after all.
            "TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED" if returned > Fen::ZERO => Kind::Refunded(returned),
            "TRADE_SUCCESS" | "TRADE_FINISHED" => Kind::Paid,
            "TRADE_CLOSED" => Kind::Closed,
            "WAIT_BUYER_PAY" => return Ok(Notice::Nothing),
            _ => return Err(NoticeError::Field("trade_status")),
        };
        Ok(Notice::Event(Verified::from_verified_signature(Statement {
            channel: Tender::Alipay,
            kind,
            source: Source::Notify,
            out_trade_no: field(&fields, "out_trade_no")?.to_owned(),
            trade_no: Some(field(&fields, "trade_no")?.to_owned()),
            app_id: Some(field(&fields, "app_id")?.to_owned()),
            seller_id: Some(field(&fields, "seller_id")?.to_owned()),
            amount,
            cny: true,
            refund_no: None,
            digest: digest(&SHA256, body).as_ref().to_vec(),
        })))
    }
}

fn field<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str, NoticeError> {
    // PostgreSQL keeps no NUL, and no number of ours or of the channel has one.
    let value = fields.get(name).map(String::as_str).unwrap_or_default();
    if value.is_empty() || value.len() > 64 || value.contains('\0') { Err(NoticeError::Field(name)) } else { Ok(value) }
}

fn yuan(fields: &Fields, name: &'static str) -> Result<Fen, NoticeError> {
    Fen::parse_yuan(field(fields, name)?).map_err(|_| NoticeError::Field(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alipay::tests::alipay;
    use crate::rsa::PrivateKey;

    const NOTIFY: &str = include_str!("vectors/notify.txt");

    fn event(body: &str) -> Verified {
        match alipay().read_notify(body.as_bytes()).unwrap() {
            Notice::Event(event) => event,
            Notice::Nothing => panic!("nothing"),
        }
    }

    /// The vector with some fields changed and signed again by the gateway's key.
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
    fn what_openssl_signed_is_read() {
        let paid = event(NOTIFY);
        assert_eq!((paid.kind(), paid.amount(), paid.out_trade_no()), (Kind::Paid, Fen(5_000), "D7531N1"));
        assert_eq!((paid.app_id(), paid.seller_id()), (Some("2021000000000001"), Some("2088000000000001")));
        assert_eq!(paid.trade_no(), Some("2026112322001400000000000001"));
    }

    #[test]
    fn anything_changed_is_refused() {
        let refused = |body: &str| alipay().read_notify(body.as_bytes()).unwrap_err();
        assert_eq!(refused(&NOTIFY.replace("50.00", "5000.00")), NoticeError::Signature);
        assert_eq!(refused(&NOTIFY.replace("sign_type=RSA2", "sign_type=RSA")), NoticeError::Signature);
        assert_eq!(refused(&NOTIFY.replace("&sign_type=RSA2", "")), NoticeError::Signature);
        assert_eq!(refused(&NOTIFY.replace("A%2BB+", "A+B+")), NoticeError::Signature);
        assert_eq!(refused(&format!("{NOTIFY}&total_amount=50.00")), NoticeError::Form);
        assert_eq!(refused(&NOTIFY[..NOTIFY.len() / 2]), NoticeError::Form);
        assert_eq!(refused(""), NoticeError::Signature);
    }

    #[test]
    fn the_status_and_the_refund_decide_what_it_is() {
        assert_eq!(event(&signed(&[("trade_status", "TRADE_FINISHED")])).kind(), Kind::Paid);
        assert_eq!(event(&signed(&[("trade_status", "TRADE_CLOSED")])).kind(), Kind::Closed);
        assert_eq!(event(&signed(&[("refund_fee", "10.00")])).kind(), Kind::Refunded(Fen(1_000)));
        assert_eq!(
            event(&signed(&[("refund_fee", "50.00"), ("trade_status", "TRADE_CLOSED")])).kind(),
            Kind::Refunded(Fen(5_000))
        );
        assert_eq!(event(&signed(&[("refund_fee", "0.00")])).kind(), Kind::Paid);
        for quiet in [("trade_status", "WAIT_BUYER_PAY"), ("notify_type", "servicemarket_order_notify")] {
            assert!(matches!(alipay().read_notify(signed(&[quiet]).as_bytes()), Ok(Notice::Nothing)));
        }
    }

    #[test]
    fn signed_rubbish_is_still_rubbish() {
        let refused = |change| alipay().read_notify(signed(&[change]).as_bytes()).unwrap_err();
        assert_eq!(refused(("total_amount", "5e1")), NoticeError::Field("total_amount"));
        assert_eq!(refused(("total_amount", "-50.00")), NoticeError::Field("total_amount"));
        assert_eq!(refused(("trade_status", "TRADE_MAYBE")), NoticeError::Field("trade_status"));
        assert_eq!(refused(("trade_no", "")), NoticeError::Field("trade_no"));
        assert_eq!(refused(("out_trade_no", &"9".repeat(65))), NoticeError::Field("out_trade_no"));
    }
}
