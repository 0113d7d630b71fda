//! Refunds. Repeating a request with the same number refunds once.

use http::Method;
use model::money::Fen;
use model::order::Tender;
use serde::Deserialize;
use serde_json::json;

use super::WechatPay;
use super::call::ApiResponse;
use crate::channel::{ChannelError, RefundResponse};
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource, VerifiedEvent};
use domain::refund::ChannelRefund;

/// Error codes after which the request can never succeed; all others may be temporary.
const FINAL: [&str; 4] = ["INVALID_REQUEST", "PARAM_ERROR", "USER_ACCOUNT_ABNORMAL", "RESOURCE_NOT_EXISTS"];

/// A refund in a response or notification.
#[derive(Deserialize)]
pub(super) struct RefundResource {
    mchid: Option<String>,
    out_trade_no: String,
    transaction_id: String,
    out_refund_no: String,
    status: Option<String>,
    refund_status: Option<String>,
    amount: RefundAmount,
}

#[derive(Deserialize)]
struct RefundAmount {
    refund: i64,
    currency: Option<String>,
}

impl WechatPay {
    pub(super) async fn submit_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let content = json!({
            "out_trade_no": refund.out_trade_no,
            "out_refund_no": refund.number,
            "reason": "电费充值退款",
            "notify_url": self.notify_url,
            "amount": { "refund": refund.amount.0, "total": refund.paid.0, "currency": "CNY" },
        });
        let response = self.call(Method::POST, "/v3/refund/domestic/refunds", Some(&content)).await?;
        if response.error_code().ends_with(" NOT_ENOUGH") {
            return Ok(RefundResponse::NotEnough(response.error_code()));
        }
        if response.is_error(400, &FINAL) || response.is_error(403, &FINAL) || response.is_error(404, &FINAL) {
            return Ok(RefundResponse::Event(self.failed_event(refund, &response.body)));
        }
        self.read_refund(refund, &response)
    }

    pub(super) async fn fetch_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let target = format!("/v3/refund/domestic/refunds/{}", refund.number);
        let response = self.call(Method::GET, &target, None).await?;
        if response.is_error(404, &["RESOURCE_NOT_EXISTS"]) {
            return Ok(RefundResponse::Absent);
        }
        self.read_refund(refund, &response)
    }

    fn read_refund(&self, refund: &ChannelRefund, response: &ApiResponse) -> Result<RefundResponse, ChannelError> {
        if response.status != 200 {
            return Ok(RefundResponse::Unknown(response.error_code()));
        }
        let resource: RefundResource = response.parse()?;
        if resource.out_refund_no != refund.number || resource.out_trade_no != refund.out_trade_no {
            return Err(ChannelError::InvalidResponse("another refund"));
        }
        Ok(match self.refund_event(resource, EventSource::Query, &response.body) {
            Some(Some(event)) => RefundResponse::Event(event),
            Some(None) => RefundResponse::Processing,
            None => RefundResponse::Unknown("an unknown status".into()),
        })
    }

    /// `None` for an unknown status or an invalid amount, `Some(None)` while the refund is in progress.
    pub(super) fn refund_event(
        &self,
        resource: RefundResource,
        source: EventSource,
        body: &[u8],
    ) -> Option<Option<VerifiedEvent>> {
        let kind = match resource.status.as_deref().or(resource.refund_status.as_deref())? {
            "SUCCESS" => EventKind::RefundSucceeded,
            // ABNORMAL: the payer's account rejected the money; an operator decides.
            "CLOSED" | "ABNORMAL" => EventKind::RefundFailed,
            "PROCESSING" => return Some(None),
            _ => return None,
        };
        let amount = Some(Fen(resource.amount.refund)).filter(|amount| (Fen(1)..=Fen::MAX).contains(amount))?;
        let facts = EventFacts {
            channel: Tender::WechatPay,
            kind,
            source,
            out_trade_no: resource.out_trade_no,
            trade_no: Some(resource.transaction_id),
            app_id: None,
            seller_id: Some(resource.mchid.unwrap_or_else(|| self.signer.mchid.clone())),
            amount,
            cny: resource.amount.currency.is_none_or(|currency| currency == "CNY"),
            refund_no: Some(resource.out_refund_no),
            finished: false,
            digest: verified::sha256(body),
        };
        Some(Some(verified::event(facts)))
    }

    fn failed_event(&self, refund: &ChannelRefund, body: &[u8]) -> VerifiedEvent {
        verified::event(EventFacts {
            channel: Tender::WechatPay,
            kind: EventKind::RefundFailed,
            source: EventSource::Query,
            out_trade_no: refund.out_trade_no.clone(),
            trade_no: None,
            app_id: None,
            seller_id: Some(self.signer.mchid.clone()),
            amount: refund.amount,
            cny: true,
            refund_no: Some(refund.number.clone()),
            finished: false,
            digest: verified::sha256(body),
        })
    }
}
