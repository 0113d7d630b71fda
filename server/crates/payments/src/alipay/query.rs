//! `alipay.trade.query` and `alipay.trade.close`.

use aws_lc_rs::digest::{SHA256, digest};
use model::money::Fen;
use model::order::Tender;
use serde_json::json;

use super::Alipay;
use super::answer::{Inner, Method, open};
use crate::channel::{Answer, ChannelError};
use crate::wire::{body, unreachable};
use domain::payment_event::{Kind, Source, Statement, Verified};
use store::payments::Attempt;

impl Alipay {
    pub(super) async fn ask(&self, attempt: &Attempt) -> Result<Answer, ChannelError> {
        let content = json!({ "out_trade_no": attempt.out_trade_no });
        let body = self.call(Method::Query, &content).await?;
        let inner = open(Method::Query, &body, &self.alipay_key)?;
        self.read(attempt, inner, &body)
    }

    pub(super) async fn tell_to_close(&self, attempt: &Attempt) -> Result<(), ChannelError> {
        let content = json!({ "out_trade_no": attempt.out_trade_no });
        let body = self.call(Method::Close, &content).await?;
        let inner = open(Method::Close, &body, &self.alipay_key)?;
        let sub_code = inner.sub_code.as_deref().unwrap_or_default();
        tracing::info!(channel = "alipay", attempt = attempt.out_trade_no, code = inner.code, sub_code, "payment.close.answered");
        Ok(())
    }

    pub(super) async fn call(&self, method: Method, content: &serde_json::Value) -> Result<Vec<u8>, ChannelError> {
        let form = self.caller(self.clock.now()).sign(method.name(), content, &[])?;
        let request = self.client.post(&form.action).form(&form.fields);
        let response = request.send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(ChannelError::Answer("an HTTP status that is no success"));
        }
        body(response).await
    }

    fn read(&self, attempt: &Attempt, inner: Inner, body: &[u8]) -> Result<Answer, ChannelError> {
        if inner.code != "10000" {
            return Ok(match inner.sub_code.as_deref() {
                Some("ACQ.TRADE_NOT_EXIST") => Answer::Event(self.event(attempt, Kind::Absent, None, attempt.amount(), body)),
                sub_code => Answer::Unknown(format!("{} {}", inner.code, sub_code.unwrap_or_default())),
            });
        }
        if inner.out_trade_no.as_deref() != Some(&*attempt.out_trade_no) {
            return Err(ChannelError::Answer("another trade"));
        }
        let amount = inner.total_amount.as_deref().and_then(|text| Fen::parse_yuan(text).ok());
        let amount = amount.ok_or(ChannelError::Answer("no amount"))?;
        let kind = match inner.trade_status.as_deref() {
            Some("WAIT_BUYER_PAY") => return Ok(Answer::Waiting),
            Some("TRADE_SUCCESS" | "TRADE_FINISHED") => Kind::Paid,
            // Closed after it was paid means that all of it went back.
            Some("TRADE_CLOSED") if inner.send_pay_date.is_some() => Kind::Refunded(amount),
            Some("TRADE_CLOSED") => Kind::Closed,
            _ => return Ok(Answer::Unknown("an unknown trade_status".into())),
        };
        let trade_no = inner.trade_no.filter(|text| !text.is_empty()).ok_or(ChannelError::Answer("no trade number"))?;
        Ok(Answer::Event(self.event(attempt, kind, Some(trade_no), amount, body)))
    }

    /// An answer names no merchant: it is given to the one who asked, and that is us.
    fn event(&self, attempt: &Attempt, kind: Kind, trade_no: Option<String>, amount: Fen, body: &[u8]) -> Verified {
        Verified::from_verified_signature(Statement {
            channel: Tender::Alipay,
            kind,
            source: Source::Query,
            out_trade_no: attempt.out_trade_no.clone(),
            trade_no,
            app_id: Some(self.app_id.clone()),
            seller_id: Some(self.seller_id.clone()),
            amount,
            cny: true,
            refund_no: None,
            digest: digest(&SHA256, body).as_ref().to_vec(),
        })
    }
}
