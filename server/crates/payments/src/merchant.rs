//! One merchant at a channel: its adapter, where its configuration is, and how it answers.

use async_trait::async_trait;
use http::HeaderMap;
use model::order::{ChannelFailure, PaymentWay, Tender};
use model::time::Date;

use super::channel::{
    Cashier, Channel, ChannelError, Notification, NotificationError, Payer, QueryResponse, RefundResponse, SignIn,
};
use super::config::ConfigError;
use super::expiry::Expiry;
use super::health::Health;
use super::statement::StatementResponse;
use domain::clock::SharedClock;
use domain::refund::ChannelRefund;
use store::payments::{Attempt, Terms};

/// A channel under one merchant and application of ours. Every call is noted in its health.
pub struct Merchant {
    inner: Box<dyn Channel>,
    clock: SharedClock,
    /// The configuration table, e.g. `pay.alipay` or `pay.former.alipay[0]`.
    section: String,
    /// Whether new payments go through it.
    current: bool,
}

/// A merchant that is switched off because its configuration is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelFault {
    pub channel: Tender,
    /// Whether it would be the merchant of new payments.
    pub current: bool,
    pub error: ConfigError,
}

impl Merchant {
    pub(super) fn new(inner: Box<dyn Channel>, clock: SharedClock, section: String, current: bool) -> Self {
        Self { inner, clock, section, current }
    }

    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.current
    }

    /// The configuration table.
    #[must_use]
    pub fn section(&self) -> &str {
        &self.section
    }

    /// Whether the trade is of this merchant and application. Under another one the channel would answer "no such trade".
    #[must_use]
    pub fn owns(&self, channel: Tender, app_id: &str, seller_id: &str) -> bool {
        let terms = self.inner.terms();
        terms.channel == channel && terms.app_id == app_id && terms.seller_id == seller_id
    }

    /// Whether this merchant and application are those that a message names, as far as it names them.
    #[must_use]
    pub fn is_named(&self, app_id: Option<&str>, seller_id: Option<&str>) -> bool {
        let terms = self.inner.terms();
        app_id.is_none_or(|id| id == terms.app_id) && seller_id.is_none_or(|id| id == terms.seller_id)
    }

    fn note<T>(&self, result: Result<T, ChannelError>) -> Result<T, ChannelError> {
        self.inner.health().result(self.clock.now(), &result);
        result
    }

    fn note_unknown(&self, code: &str) {
        self.inner.health().failed(self.clock.now(), ChannelFailure::Refused, code);
    }
}

#[async_trait]
impl Channel for Merchant {
    fn tender(&self) -> Tender {
        self.inner.tender()
    }

    fn terms(&self) -> Terms<'_> {
        self.inner.terms()
    }

    fn form_origin(&self) -> String {
        self.inner.form_origin()
    }

    async fn start(&self, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, ChannelError> {
        let result = self.inner.start(attempt, payer).await;
        // Where a form is made here, the channel was not asked.
        if matches!(result, Ok(Cashier::Form(_))) { result } else { self.note(result) }
    }

    fn payment_way(&self, payer: &Payer<'_>) -> PaymentWay {
        self.inner.payment_way(payer)
    }

    async fn query(&self, attempt: &Attempt) -> Result<QueryResponse, ChannelError> {
        let result = self.note(self.inner.query(attempt).await);
        if let Ok(QueryResponse::Unknown(code)) = &result {
            self.note_unknown(code);
        }
        result
    }

    async fn close(&self, attempt: &Attempt) -> Result<(), ChannelError> {
        self.note(self.inner.close(attempt).await)
    }

    async fn refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let result = self.note(self.inner.refund(refund).await);
        if let Ok(RefundResponse::Unknown(code) | RefundResponse::NotEnough(code)) = &result {
            self.note_unknown(code);
        }
        result
    }

    async fn query_refund(&self, refund: &ChannelRefund) -> Result<RefundResponse, ChannelError> {
        let result = self.note(self.inner.query_refund(refund).await);
        if let Ok(RefundResponse::Unknown(code)) = &result {
            self.note_unknown(code);
        }
        result
    }

    fn content_type(&self) -> &'static str {
        self.inner.content_type()
    }

    fn parse_notification(&self, headers: &HeaderMap, body: &[u8]) -> Result<Notification, NotificationError> {
        self.inner.parse_notification(headers, body)
    }

    async fn refresh_keys(&self) -> bool {
        self.inner.refresh_keys().await
    }

    fn ack(&self) -> &'static str {
        self.inner.ack()
    }

    fn nack(&self) -> &'static str {
        self.inner.nack()
    }

    async fn statement(&self, day: Date) -> Result<StatementResponse, ChannelError> {
        self.note(self.inner.statement(day).await)
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        self.inner.sign_in()
    }

    fn expiries(&self) -> Vec<Expiry> {
        self.inner.expiries()
    }

    fn health(&self) -> &Health {
        self.inner.health()
    }
}
