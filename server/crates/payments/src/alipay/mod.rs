//! Alipay mobile website payment (`alipay.trade.wap.pay`) over the OpenAPI gateway, with RSA2 signatures in key mode.

mod config;
mod notify;
mod query;
mod refund;
mod request;
mod response;
pub mod sign;
mod statement_download;
mod statement_file;
mod wap;

use async_trait::async_trait;
use http::HeaderMap;
use model::order::{PaymentWay, Tender};
use model::time::{Date, MINUTE};

pub use config::AlipayConfig;
pub use request::Caller;

use super::channel::{Cashier, Channel, ChannelError, Notification, NotificationError, Payer, QueryResponse, RefundResponse};
use super::client::GatewayClient;
use super::health::Health;
use super::rsa::{PrivateKey, PublicKey};
use super::statement::StatementResponse;
use domain::clock::SharedClock;
use domain::refund::ChannelRefund;
use store::payments::{Attempt, Terms};

pub struct Alipay {
    gateway: String,
    app_id: String,
    seller_id: String,
    app_key: PrivateKey,
    alipay_key: PublicKey,
    subject: String,
    notify_url: String,
    return_url: String,
    lifetime_minutes: i64,
    statement_hosts: Vec<String>,
    client: GatewayClient,
    clock: SharedClock,
}

impl Alipay {
    const fn caller(&self, now: model::time::Timestamp) -> Caller<'_> {
        Caller { gateway: self.gateway.as_str(), app_id: self.app_id.as_str(), key: &self.app_key, now }
    }
}

#[async_trait]
impl Channel for Alipay {
    fn tender(&self) -> Tender {
        Tender::Alipay
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            channel: Tender::Alipay,
            app_id: &self.app_id,
            seller_id: &self.seller_id,
            lifetime: self.lifetime_minutes * MINUTE,
            way: PaymentWay::Form,
            payer: None,
        }
    }

    fn form_origin(&self) -> String {
        reqwest::Url::parse(&self.gateway).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// Returns a URL instead of a form, because browsers follow a redirect without a script.
    async fn start(&self, attempt: &Attempt, _: &Payer<'_>) -> Result<Cashier, ChannelError> {
        Ok(Cashier::Address(self.wap_form(attempt, self.clock.now())?.address()))
    }

    async fn query(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError> {
        self.query_trade(attempt).await
    }

    async fn close(&self, attempt: &Attempt) -> Result<(), ChannelError> {
        self.close_trade(attempt).await
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
        "success"
    }

    fn nack(&self) -> &'static str {
        "failure"
    }

    async fn statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        self.fetch_statement(day).await
    }

    fn health(&self) -> &Health {
        self.client.health()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::clock::TestClock;
    use model::ids::{AttemptId, OrderId};
    use model::money::Fen;
    use model::time::Timestamp;
    use store::payments::AttemptState;

    /// The channel with the keys of the test vectors.
    pub(super) fn alipay() -> Alipay {
        let config = AlipayConfig {
            gateway: "https://gateway.example/gateway.do".into(),
            app_id: "2021000000000001".into(),
            seller_id: "2088000000000001".into(),
            private_key: Some(include_str!("vectors/app-pkcs8.pem").into()),
            alipay_public_key: Some(include_str!("vectors/gateway-public.pem").into()),
            ..AlipayConfig::default()
        };
        config.build("https://dorm.example", "https://dorm.example", TestClock::new(Timestamp(1_795_438_800_000))).unwrap()
    }

    #[test]
    fn wap_form_is_signed_and_has_an_expiry() {
        let attempt = Attempt {
            id: AttemptId(uuid::Uuid::nil()),
            order_id: OrderId(uuid::Uuid::nil()),
            channel: Tender::Alipay,
            out_trade_no: "D7531N1".into(),
            amount: Fen(5_000),
            app_id: "2021000000000001".into(),
            seller_id: "2088000000000001".into(),
            state: AttemptState::Pending,
            created_at: Timestamp(1_795_438_800_000),
            expires_at: Timestamp(1_795_439_700_000),
            queries: 0,
            next_query_at: Timestamp(0),
            trade_no: None,
        };
        let form = alipay().wap_form(&attempt, Timestamp(1_795_438_800_000)).unwrap();
        let (gateway, query) = form.action.split_once('?').unwrap();
        assert_eq!(gateway, "https://gateway.example/gateway.do");
        let mut fields = crate::form::parse(query.as_bytes()).unwrap();
        assert_eq!(fields["charset"], "utf-8", "in the address: the gateway reads the body by it");
        assert_eq!(fields["notify_url"], "https://dorm.example/pay/alipay/notify");
        assert_eq!(fields["timestamp"], "2026-11-23 21:00:00", "Beijing time");
        let [(name, biz_content)] = form.fields.try_into().unwrap();
        let content: serde_json::Value = serde_json::from_str(&biz_content).unwrap();
        assert_eq!(content["total_amount"], "50.00");
        assert_eq!(content["time_expire"], "2026-11-23 21:15:00");
        fields.insert(name, biz_content);
        let key = PublicKey::parse(include_str!("vectors/app-spki.pem")).unwrap();
        assert!(key.verifies(sign::request_text(&fields).as_bytes(), &fields["sign"]));
    }
}
