//! WeChat Pay API v3: H5 on phones, Native (a QR code) at desks and JSAPI inside WeChat, in public-key and in certificate mode.

mod bill;
mod call;
mod certificates;
mod config;
pub mod jsapi;
mod keys;
mod notify;
mod refund;
pub mod seal;
pub mod sign;
mod statement;
mod trade;

use async_trait::async_trait;
use http::HeaderMap;
use model::order::Tender;
use model::time::{Date, MINUTE};

pub use config::{VerifyConfig, WechatConfig};

use self::jsapi::Jsapi;
use self::keys::Keys;
use self::seal::ApiKey;
use self::sign::Signer;
use super::bill::BillAnswer;
use super::channel::{Answer, Cashier, Channel, ChannelError, Notice, NoticeError, Payer, RefundAnswer, SignIn};
use super::expiry::Expiry;
use domain::clock::SharedClock;
use domain::refund::ChannelRefund;
use domain::rng::Rng;
use store::payments::{Attempt, Terms};

/// The channel, ready to use.
pub struct WechatPay {
    gateway: String,
    nearby: bool,
    app_id: String,
    signer: Signer,
    api_key: ApiKey,
    keys: Keys,
    preferred: Option<String>,
    /// Where the application's secret is known.
    jsapi: Option<Jsapi>,
    subject: String,
    notify_url: String,
    return_url: String,
    lifetime_minutes: i64,
    client: reqwest::Client,
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
        }
    }

    fn form_origin(&self) -> String {
        self.cashier_origin()
    }

    async fn start(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError> {
        self.prepay(attempt, payer).await
    }

    async fn query(&self, attempt: &Attempt) -> Result<Answer, ChannelError> {
        self.ask(attempt).await
    }

    async fn close(&self, attempt: &Attempt) -> Result<(), ChannelError> {
        self.tell_to_close(attempt).await
    }

    async fn refund(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError> {
        self.give_back(refund).await
    }

    async fn query_refund(&self, refund: &ChannelRefund) -> Result<RefundAnswer, ChannelError> {
        self.ask_refund(refund).await
    }

    fn parse_notify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notice, NoticeError> {
        self.read_notify(headers, body)
    }

    async fn renew(&self) -> bool {
        self.renew_keys().await
    }

    fn ack(&self) -> &'static str {
        ""
    }

    fn nack(&self) -> &'static str {
        r#"{"code":"FAIL","message":"refused"}"#
    }

    async fn bill(&self, day: Date) -> Result<BillAnswer, ChannelError> {
        self.fetch_bill(day).await
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        self.jsapi.as_ref().map(|_| self as &dyn SignIn)
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.expiries.clone()
    }
}
