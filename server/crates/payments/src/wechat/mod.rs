//! WeChat Pay APIv3: H5 on phones, Native (QR code) on desktops and JSAPI inside WeChat, in public-key and certificate mode.

pub mod api_v3_key;
mod call;
mod certificates;
mod config;
pub mod jsapi;
mod keys;
mod notify;
mod refund;
pub mod sign;
mod statement_download;
mod statement_file;
mod trade;

use async_trait::async_trait;
use http::HeaderMap;
use model::order::{PaymentWay, Tender};
use model::time::{Date, MINUTE};

#[cfg(test)]
pub(crate) use config::tests::good as tests_good;
pub use config::{VerifyConfig, WechatConfig};

use self::api_v3_key::ApiV3Key;
use self::jsapi::Jsapi;
use self::keys::VerificationKeys;
use self::sign::Signer;
use super::channel::{
    Cashier, Channel, ChannelError, Device, Notification, NotificationError, Payer, QueryResponse, RefundResponse, SignIn,
};
use super::client::GatewayClient;
use super::expiry::Expiry;
use super::health::Health;
use super::statement::StatementResponse;
use domain::clock::SharedClock;
use domain::refund::ChannelRefund;
use domain::rng::Rng;
use store::payments::{Attempt, Terms};

pub struct WechatPay {
    gateway: String,
    local: bool,
    app_id: String,
    /// Our applications under this merchant number, this one and others.
    pub(crate) apps: Vec<String>,
    signer: Signer,
    api_key: ApiV3Key,
    keys: VerificationKeys,
    preferred: Option<String>,
    /// `None` without a configured application secret.
    jsapi: Option<Jsapi>,
    subject: String,
    notify_url: String,
    return_url: String,
    lifetime_minutes: i64,
    client: GatewayClient,
    expiries: Vec<Expiry>,
    clock: SharedClock,
    rng: Rng,
}

#[async_trait]
impl Channel for WechatPay {
    fn tender(&self) -> Tender {
        Tender::WechatPay
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            channel: Tender::WechatPay,
            app_id: &self.app_id,
            seller_id: &self.signer.mchid,
            lifetime: self.lifetime_minutes * MINUTE,
            way: PaymentWay::Form,
            payer: None,
        }
    }

    fn form_origin(&self) -> String {
        self.cashier_origin()
    }

    fn payment_way(&self, payer: &Payer<'_>) -> PaymentWay {
        match payer.device {
            _ if payer.id.is_some() => PaymentWay::Jsapi,
            Device::InWechat => PaymentWay::Jsapi,
            Device::Phone => PaymentWay::H5,
            Device::Desk => PaymentWay::Native,
        }
    }

    async fn start(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError> {
        self.prepay(attempt, payer).await
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

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn parse_notification(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError> {
        self.read_notification(headers, body)
    }

    async fn refresh_keys(&self) -> bool {
        self.fetch_new_keys().await
    }

    fn ack(&self) -> &'static str {
        ""
    }

    fn nack(&self) -> &'static str {
        r#"{"code":"FAIL","message":"refused"}"#
    }

    async fn statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        self.fetch_statement(day).await
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        self.jsapi.as_ref().map(|_| self as &dyn SignIn)
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.expiries.clone()
    }

    fn health(&self) -> &Health {
        self.client.health()
    }
}
