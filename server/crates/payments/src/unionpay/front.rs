//! The front transaction: a form that the payer's browser posts. UnionPay creates the trade when the payer pays.

use super::sign::fields;
use super::{UnionPay, wire_time};
use crate::channel::{ChannelError, Device, Form};
use store::payments::Attempt;

impl UnionPay {
    /// `txnTime` is the attempt's creation, because later queries identify the trade by merchant, number and this time.
    /// `payTimeout` is absolute, so that the trade cannot outlive the attempt when the form is submitted late.
    pub(super) fn front_form(&self, attempt: &Attempt, device: Device) -> Result<Form, ChannelError> {
        let channel_type = if device == Device::Desk { "07" } else { "08" };
        let request = fields([
            ("txnType", "01"),
            ("txnSubType", "01"),
            ("bizType", "000201"),
            ("channelType", channel_type),
            ("orderId", &attempt.out_trade_no),
            ("txnTime", &wire_time(attempt.created_at)),
            ("txnAmt", &attempt.amount.0.to_string()),
            ("currencyCode", "156"),
            ("payTimeout", &wire_time(attempt.expires_at)),
            ("orderDesc", &self.subject),
            // UnionPay's page posts the browser back here; that is no proof of payment.
            ("frontUrl", &format!("{}?out_trade_no={}", self.return_url, attempt.out_trade_no)),
            ("backUrl", &self.notify_url),
        ]);
        let signed = self.signer.sign(request)?;
        Ok(Form { action: format!("{}/gateway/api/frontTransReq.do", self.gateway), fields: signed.into_iter().collect() })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::form::Fields;
    use crate::unionpay::sign;
    use crate::unionpay::tests::{AT, unionpay};
    use model::ids::{AttemptId, OrderId};
    use model::money::Fen;
    use model::order::Tender;
    use model::time::Timestamp;
    use store::payments::AttemptState;

    /// The attempt of the test vectors.
    pub fn attempt() -> Attempt {
        Attempt {
            id: AttemptId(uuid::Uuid::nil()),
            order_id: OrderId(uuid::Uuid::nil()),
            channel: Tender::UnionPay,
            out_trade_no: "D7531000N1".into(),
            amount: Fen(5_000),
            app_id: "777290058110048".into(),
            seller_id: "777290058110048".into(),
            state: AttemptState::Pending,
            created_at: AT,
            expires_at: AT.plus(900_000),
            queries: 0,
            next_query_at: Timestamp(0),
            trade_no: None,
        }
    }

    #[test]
    fn front_form_matches_the_openssl_signature() {
        let form = unionpay().front_form(&attempt(), Device::Phone).unwrap();
        assert_eq!(form.action, "https://gateway.95516.com/gateway/api/frontTransReq.do");
        let fields: Fields = form.fields.into_iter().collect();
        assert_eq!(sign::text(&fields), include_str!("vectors/front.txt"));
        assert_eq!(fields["signature"], include_str!("vectors/front.sig"));
        let desk = unionpay().front_form(&attempt(), Device::Desk).unwrap();
        assert!(desk.fields.contains(&("channelType".into(), "07".into())));
    }
}
