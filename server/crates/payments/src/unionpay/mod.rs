//! UnionPay online gateway payment (ACP 5.1.0): the payer's browser posts the front transaction; queries and refunds use the back
//! channel.

mod config;
mod front;
pub mod message;
mod notify;
mod query;
mod refund;
pub mod sign;
mod statement_download;
mod statement_file;
mod trust;

use std::time::Duration;

use async_trait::async_trait;
use http::HeaderMap;
use model::order::{PaymentWay, Tender};
use model::time::{Civil, Date, MINUTE, Timestamp};

pub use config::{HashName, UnionpayConfig};

use self::message::Message;
use self::sign::Signer;
use self::trust::TrustStore;
use super::channel::{Cashier, Channel, ChannelError, Notification, NotificationError, Payer, QueryResponse, RefundResponse};
use super::client::GatewayClient;
use super::expiry::Expiry;
use super::form::{Fields, encode};
use super::health::Health;
use super::response_body::{body, successful};
use super::statement::StatementResponse;
use domain::clock::SharedClock;
use domain::refund::ChannelRefund;
use store::payments::{Attempt, Terms};

pub struct UnionPay {
    gateway: String,
    files: String,
    signer: Signer,
    trust: TrustStore,
    subject: String,
    notify_url: String,
    return_url: String,
    lifetime_minutes: i64,
    client: GatewayClient,
    expiries: Vec<Expiry>,
    clock: SharedClock,
}

impl UnionPay {
    async fn call(&self, path: &str, fields: Fields) -> Result<Message, ChannelError> {
        let response = self.send(format!("{}/gateway/api/{path}", self.gateway), fields, None).await?;
        self.verify(&body(response).await?)
    }

    /// Signs and posts a request.
    async fn send(&self, address: String, fields: Fields, timeout: Option<Duration>) -> Result<reqwest::Response, ChannelError> {
        let fields = self.signer.sign(fields)?;
        let form = encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let request = self.client.post(address);
        let mut request = request.header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8").body(form);
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        successful(self.client.send(request).await?)
    }

    fn verify(&self, body: &[u8]) -> Result<Message, ChannelError> {
        let fields = message::parse_answer(body).ok_or(ChannelError::InvalidResponse("a malformed message"))?;
        // A page of a gateway can look like a field.
        if !fields.contains_key("signature") {
            return Err(ChannelError::InvalidResponse("a response without a signature"));
        }
        let verify = self.trust.verify(fields, self.clock.now(), body);
        verify.ok_or(ChannelError::InvalidResponse("an invalid signature"))
    }

    async fn query_transaction(&self, fields: Fields) -> Result<Message, ChannelError> {
        self.call("queryTrans.do", fields).await
    }
}

#[async_trait]
impl Channel for UnionPay {
    fn tender(&self) -> Tender {
        Tender::UnionPay
    }

    /// UnionPay has no application ids; the merchant number is used for both.
    fn terms(&self) -> Terms<'_> {
        Terms {
            channel: Tender::UnionPay,
            app_id: &self.signer.mer_id,
            seller_id: &self.signer.mer_id,
            lifetime: self.lifetime_minutes * MINUTE,
            way: PaymentWay::Form,
            payer: None,
        }
    }

    fn form_origin(&self) -> String {
        self.gateway.clone()
    }

    async fn start(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError> {
        Ok(Cashier::Form(self.front_form(attempt, payer.device)?))
    }

    async fn query(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError> {
        self.query_trade(attempt).await
    }

    /// Does nothing, as UnionPay has no close request: trades end by `payTimeout`.
    async fn close(&self, _: &Attempt) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        self.submit_refund(refund).await
    }

    async fn query_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        self.fetch_refund(refund).await
    }

    fn parse_notification(&self, _: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError> {
        self.read_notification(body)
    }

    fn ack(&self) -> &'static str {
        "ok"
    }

    fn nack(&self) -> &'static str {
        "refused"
    }

    async fn statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        self.fetch_statement(day).await
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.expiries.clone()
    }

    fn health(&self) -> &Health {
        self.client.health()
    }
}

/// Formats `txnTime` (`20261123210000`) in Beijing time.
#[must_use]
pub fn wire_time(at: Timestamp) -> String {
    let civil = at.civil();
    let (year, month, day) = (civil.year, civil.month, civil.day);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", civil.hour, civil.minute, civil.second)
}

/// Parses `txnTime` in Beijing time.
#[must_use]
pub fn read_wire_time(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize| text.get(from..from + 2).and_then(|part| part.parse().ok());
    let year = text.get(..4)?.parse().ok()?;
    Civil { year, month: part(4)?, day: part(6)?, hour: part(8)?, minute: part(10)?, second: part(12)? }.timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::TestClock;

    /// The time of the test vectors.
    pub(super) const AT: Timestamp = Timestamp(1_795_438_800_000);

    /// The channel with the keys of the test vectors.
    pub(super) fn unionpay() -> UnionPay {
        let config = config::tests::good();
        config.build("https://dorm.example", "https://dorm.example", TestClock::new(AT)).unwrap()
    }

    #[test]
    fn unionpay_pages_are_not_called_wrongly_signed() {
        for (body, told) in [
            ("<html lang=\"zh\"><body>nginx</body></html>", "the channel responded with a response without a signature"),
            ("<html><body>nginx</body></html>", "the channel responded with a malformed message"),
            ("respCode=00&signature=Zm9yZ2Vk", "the channel responded with an invalid signature"),
        ] {
            assert_eq!(unionpay().verify(body.as_bytes()).unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn unionpay_times_are_beijing_time() {
        assert_eq!(wire_time(AT), "20261123210000");
        assert_eq!(read_wire_time("20261123210000"), Some(AT));
        for text in ["", "2026112321000", "20261323210000", "2026112321000x", "+0261123210000", "2026112321000é"] {
            assert_eq!(read_wire_time(text), None, "{text}");
        }
    }
}
