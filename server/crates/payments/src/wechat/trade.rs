//! Creates, queries and closes trades.

use http::Method;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::WechatPay;
use crate::channel::{Cashier, ChannelError, Device, Payer, QueryResponse};
use crate::form;
use crate::verified;
use domain::payment_event::{EventFacts, EventKind, EventSource, VerifiedEvent};
use store::payments::Attempt;

/// A trade in a response or notification.
#[derive(Deserialize)]
pub(super) struct Trade {
    appid: String,
    mchid: String,
    out_trade_no: String,
    transaction_id: Option<String>,
    trade_state: String,
    amount: Option<TradeAmount>,
}

#[derive(Deserialize)]
struct TradeAmount {
    /// Fen. `payer_total` is lower if the payer used a coupon.
    total: i64,
    currency: Option<String>,
}

#[derive(Deserialize)]
struct PrepayResponse {
    h5_url: Option<String>,
    prepay_id: Option<String>,
    code_url: Option<String>,
}

impl WechatPay {
    /// JSAPI for a payer with a known id, H5 on phones, Native otherwise. Repeated calls for an attempt return the same trade.
    pub(super) async fn prepay(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError> {
        let mut content = json!({
            "appid": self.app_id,
            "mchid": self.signer.mchid,
            "description": self.subject,
            "out_trade_no": attempt.out_trade_no,
            "time_expire": rfc3339(attempt.expires_at),
            "notify_url": self.notify_url,
            "amount": { "total": attempt.amount.0, "currency": "CNY" },
        });
        if let (Some(id), Some(content)) = (payer.id, content.as_object_mut()) {
            content.insert("payer".into(), json!({ "openid": id.expose() }));
            let response: PrepayResponse =
                self.call(Method::POST, "/v3/pay/transactions/jsapi", Some(&json!(content))).await?.parse()?;
            let valid = |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
            let prepay_id = response.prepay_id.filter(valid).ok_or(ChannelError::InvalidResponse("no prepay_id"))?;
            return Ok(Cashier::Invoke(self.invocation(&prepay_id)?));
        }
        let phone = payer.device == Device::Phone;
        if let (true, Some(content)) = (phone, content.as_object_mut()) {
            let scene = json!({ "payer_client_ip": payer.ip, "h5_info": { "type": "Wap" } });
            content.insert("scene_info".into(), scene);
        }
        let target = if phone { "/v3/pay/transactions/h5" } else { "/v3/pay/transactions/native" };
        let response: PrepayResponse = self.call(Method::POST, target, Some(&content)).await?.parse()?;
        match (response.h5_url, response.code_url) {
            (Some(url), _) if phone && self.is_wechat_cashier(&url) => {
                let back = format!("{}?out_trade_no={}", self.return_url, attempt.out_trade_no);
                Ok(Cashier::Address(format!("{url}&{}", form::encode([("redirect_url", &*back)]))))
            }
            (_, Some(code)) if !phone && code.len() <= 256 => Ok(Cashier::Scan(code)),
            _ => Err(ChannelError::InvalidResponse("no payment URL")),
        }
    }

    /// Whether the URL, to which the payer's browser is redirected, is at WeChat's cashier.
    fn is_wechat_cashier(&self, url: &str) -> bool {
        let origin = reqwest::Url::parse(url).map(|url| url.origin().ascii_serialization());
        url.contains('?') && origin.is_ok_and(|origin| origin == self.cashier_origin())
    }

    pub(super) fn cashier_origin(&self) -> String {
        if self.local { self.gateway.clone() } else { "https://wx.tenpay.com".to_owned() }
    }

    pub(super) async fn query_trade(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError> {
        let target = format!("/v3/pay/transactions/out-trade-no/{}?mchid={}", attempt.out_trade_no, self.signer.mchid);
        let response = self.call(Method::GET, &target, None).await?;
        if response.is_error(404, &["ORDER_NOT_EXIST", "ORDERNOTEXIST"]) {
            return Ok(QueryResponse::Event(self.absent_event(attempt, &response.body)));
        }
        if response.status != 200 {
            return Ok(QueryResponse::Unknown(response.error_code()));
        }
        let trade: Trade = response.parse()?;
        if trade.out_trade_no != attempt.out_trade_no {
            return Err(ChannelError::InvalidResponse("another trade"));
        }
        match trade.kind() {
            Some(None) => Ok(QueryResponse::Waiting),
            Some(Some(kind)) => self
                .event(trade, kind, EventSource::Query, attempt.amount, &response.body)
                .map(QueryResponse::Event)
                .ok_or(ChannelError::InvalidResponse("a trade without number or amount")),
            None => Ok(QueryResponse::Unknown("an unknown trade_state".into())),
        }
    }

    pub(super) async fn close_trade(&self, attempt: &Attempt) -> Result<(), ChannelError> {
        let target = format!("/v3/pay/transactions/out-trade-no/{}/close", attempt.out_trade_no);
        let response = self.call(Method::POST, &target, Some(&json!({ "mchid": self.signer.mchid }))).await?;
        let code = response.error_code();
        tracing::info!(channel = "wechat", attempt = attempt.out_trade_no, code, "payment.close.response");
        Ok(())
    }

    /// `None` if a paid trade has no valid number or amount. Unpaid trades are reported without amount; `expected` is used then.
    pub(super) fn event(
        &self,
        trade: Trade,
        kind: EventKind,
        source: EventSource,
        expected: Fen,
        body: &[u8],
    ) -> Option<VerifiedEvent> {
        let unpaid = kind == EventKind::Closed;
        let amount = trade.amount.as_ref().map(|amount| Fen(amount.total)).filter(|amount| (Fen(1)..=Fen::MAX).contains(amount));
        let number = |text: &String| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        let trade_no = trade.transaction_id.filter(number);
        if !unpaid && (amount.is_none() || trade_no.is_none()) {
            return None;
        }
        let amount = amount.unwrap_or(expected);
        Some(verified::event(EventFacts {
            channel: Tender::WechatPay,
            kind,
            source,
            out_trade_no: trade.out_trade_no,
            trade_no,
            app_id: Some(trade.appid),
            seller_id: Some(trade.mchid),
            amount,
            cny: trade.amount.and_then(|amount| amount.currency).is_none_or(|currency| currency == "CNY"),
            refund_no: None,
            finished: false,
            digest: verified::sha256(body),
        }))
    }

    fn absent_event(&self, attempt: &Attempt, body: &[u8]) -> VerifiedEvent {
        verified::event(EventFacts {
            channel: Tender::WechatPay,
            kind: EventKind::Absent,
            source: EventSource::Query,
            out_trade_no: attempt.out_trade_no.clone(),
            trade_no: None,
            app_id: Some(self.app_id.clone()),
            seller_id: Some(self.signer.mchid.clone()),
            amount: attempt.amount,
            cny: true,
            refund_no: None,
            finished: false,
            digest: verified::sha256(body),
        })
    }
}

impl Trade {
    /// `None` for an unknown state, `Some(None)` for one that is not final.
    pub(super) fn kind(&self) -> Option<Option<EventKind>> {
        Some(match self.trade_state.as_str() {
            "SUCCESS" => Some(EventKind::Paid),
            "REFUND" => Some(EventKind::RefundStarted),
            "CLOSED" | "REVOKED" => Some(EventKind::Closed),
            "NOTPAY" | "USERPAYING" | "ACCEPT" | "PAYERROR" => None,
            _ => return None,
        })
    }
}

/// Formats `2026-11-23T21:15:00+08:00`.
fn rfc3339(at: Timestamp) -> String {
    format!("{}+08:00", at.to_string().replace(' ', "T"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wechat_expiry_is_beijing_time() {
        assert_eq!(rfc3339(Timestamp(1_795_438_800_000)), "2026-11-23T21:00:00+08:00");
    }
}
