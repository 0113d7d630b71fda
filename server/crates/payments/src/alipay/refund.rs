//! Refunds (`alipay.trade.refund`, `alipay.trade.fastpay.refund.query`). Repeating a request with the same number refunds once.

use model::money::Fen;
use model::order::Tender;
use serde_json::json;

use super::Alipay;
use super::response::{ApiMethod, ResponseBody, verify};
use crate::channel::{ChannelError, RefundResponse};
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource, VerifiedEvent};
use domain::refund::ChannelRefund;

/// Error codes after which the request can never succeed; all others may be temporary.
const FINAL: [&str; 7] = [
    FINISHED,
    "ACQ.TRADE_HAS_CLOSE",
    "ACQ.TRADE_NOT_EXIST",
    "ACQ.TRADE_NOT_ALLOW_REFUND",
    "ACQ.REASON_TRADE_STATUS_INVALID",
    "ACQ.REASON_TRADE_REFUND_FEE_ERR",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
];

const FINISHED: &str = "ACQ.TRADE_HAS_FINISHED";
/// The merchant's balance does not cover the refund; it can be requested again under the same number.
const NOT_ENOUGH: &str = "ACQ.SELLER_BALANCE_NOT_ENOUGH";

impl Alipay {
    pub(super) async fn submit_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let content = json!({
            "out_trade_no": refund.out_trade_no,
            "refund_amount": refund.amount.to_string(),
            "out_request_no": refund.number,
            "refund_reason": "电费充值退款",
        });
        let body = self.call(ApiMethod::Refund, &content).await?;
        let response = verify(ApiMethod::Refund, &body, &self.alipay_key)?;
        if response.code != "10000" {
            let sub_code = response.sub_code.as_deref().unwrap_or_default();
            return Ok(if FINAL.contains(&sub_code) {
                let finished = sub_code == FINISHED;
                RefundResponse::Event(self.refund_event(refund, EventKind::RefundFailed, finished, &body))
            } else if sub_code == NOT_ENOUGH {
                RefundResponse::NotEnough(format!("{} {sub_code}", response.code))
            } else {
                RefundResponse::Unknown(format!("{} {sub_code}", response.code))
            });
        }
        Self::check_subject(refund, &response)?;
        // Otherwise it was refunded by an earlier request or is still being processed; a query tells which.
        let done = response.fund_change.as_deref() == Some("Y");
        Ok(if done {
            RefundResponse::Event(self.refund_event(refund, EventKind::RefundSucceeded, false, &body))
        } else {
            RefundResponse::Processing
        })
    }

    pub(super) async fn fetch_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let content = json!({ "out_trade_no": refund.out_trade_no, "out_request_no": refund.number });
        let body = self.call(ApiMethod::RefundQuery, &content).await?;
        let response = verify(ApiMethod::RefundQuery, &body, &self.alipay_key)?;
        if response.code != "10000" {
            return Ok(RefundResponse::Unknown(format!("{} {}", response.code, response.sub_code.unwrap_or_default())));
        }
        if response.out_request_no.is_none() && response.refund_amount.is_none() {
            return Ok(RefundResponse::Absent);
        }
        Self::check_subject(refund, &response)?;
        let amount = response.refund_amount.as_deref().and_then(|text| Fen::parse_yuan(text).ok());
        Ok(match response.refund_status.as_deref() {
            None | Some("REFUND_SUCCESS") if amount == Some(refund.amount) => {
                RefundResponse::Event(self.refund_event(refund, EventKind::RefundSucceeded, false, &body))
            }
            Some("REFUND_PROCESSING") => RefundResponse::Processing,
            status => RefundResponse::Unknown(format!("refund_status {}", status.unwrap_or_default())),
        })
    }

    fn check_subject(refund: &ChannelRefund, response: &ResponseBody) -> Result<(), ChannelError> {
        let same = response.out_trade_no.as_deref() == Some(&*refund.out_trade_no)
            && response.out_request_no.as_deref().is_none_or(|number| number == refund.number);
        if same { Ok(()) } else { Err(ChannelError::InvalidResponse("another refund")) }
    }

    fn refund_event(&self, refund: &ChannelRefund, kind: EventKind, finished: bool, body: &[u8]) -> VerifiedEvent {
        verified::event(EventFacts {
            channel: Tender::Alipay,
            kind,
            source: EventSource::Query,
            out_trade_no: refund.out_trade_no.clone(),
            trade_no: Some(refund.trade_no.clone()),
            app_id: Some(self.app_id.clone()),
            seller_id: Some(self.seller_id.clone()),
            amount: refund.amount,
            cny: true,
            refund_no: Some(refund.number.clone()),
            finished,
            digest: verified::sha256(body),
        })
    }
}
