//! `alipay.trade.query` and `alipay.trade.close`.

use model::money::Fen;
use model::order::Tender;
use serde_json::json;

use super::Alipay;
use super::response::{ApiMethod, ResponseBody, verify};
use crate::channel::{ChannelError, QueryResponse};
use crate::response_body::{body, successful};
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource, VerifiedEvent};
use store::payments::Attempt;

/// The trade was paid, and Alipay refunds nothing of it any more.
pub(super) const FINISHED: &str = "TRADE_FINISHED";

impl Alipay {
    pub(super) async fn query_trade(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError> {
        let content = json!({ "out_trade_no": attempt.out_trade_no });
        let body = self.call(ApiMethod::Query, &content).await?;
        let response = verify(ApiMethod::Query, &body, &self.alipay_key)?;
        self.read(attempt, response, &body)
    }

    pub(super) async fn close_trade(&self, attempt: &Attempt) -> Result<(), ChannelError> {
        let content = json!({ "out_trade_no": attempt.out_trade_no });
        let body = self.call(ApiMethod::Close, &content).await?;
        let response = verify(ApiMethod::Close, &body, &self.alipay_key)?;
        let sub_code = response.sub_code.as_deref().unwrap_or_default();
        tracing::info!(
            channel = "alipay",
            attempt = attempt.out_trade_no,
            code = response.code,
            sub_code,
            "payment.close.response"
        );
        Ok(())
    }

    pub(super) async fn call(&self, method: ApiMethod, content: &serde_json::Value) -> Result<Vec<u8>, ChannelError> {
        let form = self.caller(self.clock.now()).sign(method.name(), content, &[])?;
        let request = self.client.post(&form.action).form(&form.fields);
        body(successful(self.client.send(request).await?)?).await
    }

    fn read(&self, attempt: &Attempt, response: ResponseBody, body: &[u8]) -> Result<QueryResponse, ChannelError> {
        if response.code != "10000" {
            return Ok(match response.sub_code.as_deref() {
                Some("ACQ.TRADE_NOT_EXIST") => {
                    QueryResponse::Event(self.event(attempt, EventKind::Absent, None, (attempt.amount, false), body))
                }
                sub_code => QueryResponse::Unknown(format!("{} {}", response.code, sub_code.unwrap_or_default())),
            });
        }
        if response.out_trade_no.as_deref() != Some(&*attempt.out_trade_no) {
            return Err(ChannelError::InvalidResponse("another trade"));
        }
        let amount = response.total_amount.as_deref().and_then(|text| Fen::parse_yuan(text).ok());
        let amount = amount.ok_or(ChannelError::InvalidResponse("a trade without an amount"))?;
        let kind = match response.trade_status.as_deref() {
            Some("WAIT_BUYER_PAY") => return Ok(QueryResponse::Waiting),
            Some("TRADE_SUCCESS" | "TRADE_FINISHED") => EventKind::Paid,
            // A closed trade with a payment time was refunded in full.
            Some("TRADE_CLOSED") if response.send_pay_date.is_some() => EventKind::Refunded(amount),
            Some("TRADE_CLOSED") => EventKind::Closed,
            _ => return Ok(QueryResponse::Unknown("an unknown trade_status".into())),
        };
        let trade_no =
            response.trade_no.filter(|text| !text.is_empty()).ok_or(ChannelError::InvalidResponse("a trade without a number"))?;
        let finished = response.trade_status.as_deref() == Some(FINISHED);
        Ok(QueryResponse::Event(self.event(attempt, kind, Some(trade_no), (amount, finished), body)))
    }

    /// Responses name neither application nor merchant: they go to the one that signed the request.
    fn event(
        &self,
        attempt: &Attempt,
        kind: EventKind,
        trade_no: Option<String>,
        (amount, finished): (Fen, bool),
        body: &[u8],
    ) -> VerifiedEvent {
        verified::event(EventFacts {
            channel: Tender::Alipay,
            kind,
            source: EventSource::Query,
            out_trade_no: attempt.out_trade_no.clone(),
            trade_no,
            app_id: Some(self.app_id.clone()),
            seller_id: Some(self.seller_id.clone()),
            amount,
            cny: true,
            refund_no: None,
            finished,
            digest: verified::sha256(body),
        })
    }
}
