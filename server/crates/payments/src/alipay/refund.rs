//! `alipay.trade.refund` and `alipay.trade.fastpay.refund.query`: the same number again gives nothing more.

use aws_lc_rs::digest::{SHA256, digest};
use model::money::Fen;
use model::order::Tender;
use serde_json::json;

use super::Alipay;
use super::answer::{Inner, Method, open};
use crate::channel::{ChannelError, RefundAnswer};
use domain::payment_event::{Kind, Source, Statement, Verified};
use domain::refund::ChannelRefund;

/// Refusals after which the same request will never succeed; any other may pass.
const FINAL: [&str; 7] = [
    "ACQ.TRADE_HAS_FINISHED",
    "ACQ.TRADE_HAS_CLOSE",
    "ACQ.TRADE_NOT_EXIST",
    "ACQ.TRADE_NOT_ALLOW_REFUND",
    "ACQ.REASON_TRADE_STATUS_INVALID",
    "ACQ.REASON_TRADE_REFUND_FEE_ERR",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
];

impl Alipay {
    pub(super) async fn give_back(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError> {
        let content = json!({
            "out_trade_no": refund.out_trade_no,
            "refund_amount": refund.amount.to_string(),
            "out_request_no": refund.number,
            "refund_reason": "电费充值退款",
        });
        let body = self.call(Method::Refund, &content).await?;
        let inner = open(Method::Refund, &body, &self.alipay_key)?;
        if inner.code != "10000" {
            let sub_code = inner.sub_code.as_deref().unwrap_or_default();
            return Ok(if FINAL.contains(&sub_code) {
                RefundAnswer::Event(self.refund_event(refund, Kind::NotReturned, &body))
            } else {
                RefundAnswer::Unknown(format!("{} {sub_code}", inner.code))
            });
        }
        Self::is_about(refund, &inner)?;
        // Done before, or not yet: the query tells which.
        let done = inner.fund_change.as_deref() == Some("Y");
        Ok(if done { RefundAnswer::Event(self.refund_event(refund, Kind::Returned, &body)) } else { RefundAnswer::Processing })
    }

    pub(super) async fn ask_refund(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError> {
        let content = json!({ "out_trade_no": refund.out_trade_no, "out_request_no": refund.number });
        let body = self.call(Method::RefundQuery, &content).await?;
        let inner = open(Method::RefundQuery, &body, &self.alipay_key)?;
        if inner.code != "10000" {
            return Ok(RefundAnswer::Unknown(format!("{} {}", inner.code, inner.sub_code.unwrap_or_default())));
        }
        if inner.out_request_no.is_none() && inner.refund_amount.is_none() {
            return Ok(RefundAnswer::Absent);
        }
        Self::is_about(refund, &inner)?;
        let amount = inner.refund_amount.as_deref().and_then(|text| Fen::parse_yuan(text).ok());
        Ok(match inner.refund_status.as_deref() {
            None | Some("REFUND_SUCCESS") if amount == Some(refund.amount) => {
                RefundAnswer::Event(self.refund_event(refund, Kind::Returned, &body))
            }
            Some("REFUND_PROCESSING") => RefundAnswer::Processing,
            status => RefundAnswer::Unknown(format!("refund_status {}", status.unwrap_or_default())),
        })
    }

    fn is_about(refund: &ChannelRefund, inner: &Inner) -> Result<(), ChannelError> {
        let same = inner.out_trade_no.as_deref() == Some(&*refund.out_trade_no)
            && inner.out_request_no.as_deref().is_none_or(|number| number == refund.number);
        if same { Ok(()) } else { Err(ChannelError::Answer("another refund")) }
    }

    fn refund_event(&self, refund: &ChannelRefund, kind: Kind, body: &[u8]) -> Verified {
        Verified::from_verified_signature(Statement {
            channel: Tender::Alipay,
            kind,
            source: Source::Query,
            out_trade_no: refund.out_trade_no.clone(),
            trade_no: Some(refund.trade_no.clone()),
            app_id: Some(self.app_id.clone()),
            seller_id: Some(self.seller_id.clone()),
            amount: refund.amount,
            cny: true,
            refund_no: Some(refund.number.clone()),
            digest: digest(&SHA256, body).as_ref().to_vec(),
        })
    }
}
