//! Refunds: asked for again under the same number until WeChat gives a final word.

use aws_lc_rs::digest::{SHA256, digest};
use http::Method;
use model::money::Fen;
use model::order::Tender;
use serde::Deserialize;
use serde_json::json;

use super::WechatPay;
use super::call::Answered;
use crate::channel::{ChannelError, RefundAnswer};
use domain::payment_event::{Kind, Source, Statement, Verified};
use domain::refund::ChannelRefund;

/// Refusals after which the same request will never succeed; any other may pass.
const FINAL: [&str; 4] = ["INVALID_REQUEST", "PARAM_ERROR", "USER_ACCOUNT_ABNORMAL", "RESOURCE_NOT_EXISTS"];

/// A refund as answers and notifications tell it.
#[derive(Deserialize)]
pub(super) struct RefundTold {
    /// Only in notifications.
    mchid: Option<String>,
    out_trade_no: String,
    transaction_id: String,
    out_refund_no: String,
    status: Option<String>,
    refund_status: Option<String>,
    amount: Amounts,
}

#[derive(Deserialize)]
struct Amounts {
    refund: i64,
    currency: Option<String>,
}

impl WechatPay {
    pub(super) async fn give_back(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError> {
        let content = json!({
            "out_trade_no": refund.out_trade_no,
            "out_refund_no": refund.number,
            "reason": "电费充值退款",
            "notify_url": self.notify_url,
            "amount": { "refund": refund.amount.0, "total": refund.paid.0, "currency": "CNY" },
        });
        let answered = self.call(Method::POST, "/v3/refund/domestic/refunds", Some(&content)).await?;
        if answered.is(400, &FINAL) || answered.is(403, &FINAL) || answered.is(404, &FINAL) {
            return Ok(RefundAnswer::Event(self.refused(refund, &answered.body)));
        }
        self.read_refund(refund, &answered)
    }

    pub(super) async fn ask_refund(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError> {
        let target = format!("/v3/refund/domestic/refunds/{}", refund.number);
        let answered = self.call(Method::GET, &target, None).await?;
        if answered.is(404, &["RESOURCE_NOT_EXISTS"]) {
            return Ok(RefundAnswer::Absent);
        }
        self.read_refund(refund, &answered)
    }

    fn read_refund(&self, refund: &ChannelRefund, answered: &Answered) -> Result<RefundAnswer, ChannelError> {
        if answered.status != 200 {
            return Ok(RefundAnswer::Unknown(answered.code()));
        }
        let told: RefundTold = answered.object()?;
        if told.out_refund_no != refund.number || told.out_trade_no != refund.out_trade_no {
            return Err(ChannelError::Answer("another refund"));
        }
        Ok(match self.refund_event(told, Source::Query, &answered.body) {
            Some(Some(event)) => RefundAnswer::Event(event),
            Some(None) => RefundAnswer::Processing,
            None => RefundAnswer::Unknown("an unknown status".into()),
        })
    }

    /// Nothing for a word that we do not know or an amount that is none, nothing inside while it is under way.
    pub(super) fn refund_event(&self, told: RefundTold, source: Source, body: &[u8]) -> Option<Option<Verified>> {
        let kind = match told.status.as_deref().or(told.refund_status.as_deref())? {
            "SUCCESS" => Kind::Returned,
            // Abnormal: the payer's account does not take it; a person decides how it goes back.
            "CLOSED" | "ABNORMAL" => Kind::NotReturned,
            "PROCESSING" => return Some(None),
            _ => return None,
        };
        let amount = Some(Fen(told.amount.refund)).filter(|amount| (Fen(1)..=Fen::MAX).contains(amount))?;
        let statement = Statement {
            channel: Tender::WechatPay,
            kind,
            source,
            out_trade_no: told.out_trade_no,
            trade_no: Some(told.transaction_id),
            app_id: None,
            seller_id: Some(told.mchid.unwrap_or_else(|| self.signer.mchid.clone())),
            amount,
            cny: told.amount.currency.is_none_or(|currency| currency == "CNY"),
            refund_no: Some(told.out_refund_no),
            digest: digest(&SHA256, body).as_ref().to_vec(),
        };
        Some(Some(Verified::from_verified_signature(statement)))
    }

    fn refused(&self, refund: &ChannelRefund, body: &[u8]) -> Verified {
        Verified::from_verified_signature(Statement {
            channel: Tender::WechatPay,
            kind: Kind::NotReturned,
            source: Source::Query,
            out_trade_no: refund.out_trade_no.clone(),
            trade_no: None,
            app_id: None,
            seller_id: Some(self.signer.mchid.clone()),
            amount: refund.amount,
            cny: true,
            refund_no: Some(refund.number.clone()),
            digest: digest(&SHA256, body).as_ref().to_vec(),
        })
    }
}
