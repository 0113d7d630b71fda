//! The entry point of the crate for the rest of the server.

use std::sync::Arc;

use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;
use tokio::sync::Notify;

use super::channel::{Cashier, Channel, Payer, SignIn};
use super::config::{Config, ConfigError};
use super::expiry::Expiry;
use super::reconcile::ReconcileConfig;
use super::settlement::SettlementQueue;
use domain::clock::SharedClock;
use domain::order::Limits;
use domain::payment_event::VerifiedEvent;
use domain::refund::Rules;
use domain::rng::Rng;
use store::orders::{self, NewOrder, Order};
use store::payments::{self, Attempt, AttemptState, Outcome, Terms};
use store::{Db, StoreError};

/// An order and the cashier at which it can be paid.
#[derive(Clone, Debug)]
pub struct StartedPayment {
    pub order: Order,
    pub cashier: Cashier,
}

/// The configured channels with their database. Cheap to clone.
#[derive(Clone)]
pub struct Payments(Arc<Inner>);

struct Inner {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    limits: Limits,
    refunds: Rules,
    reconcile: ReconcileConfig,
    channels: Vec<Box<dyn Channel>>,
    settlement: SettlementQueue,
    /// Notified when an attempt should be queried soon.
    query_requests: Arc<Notify>,
    /// Called after an order became paid.
    paid: Arc<dyn Fn() + Send + Sync>,
}

impl Payments {
    /// Builds the channels and logs certificates that expire soon. `paid` is called after an
    /// order became paid; it must not block.
    ///
    /// # Errors
    /// [`ConfigError`] names the first invalid key.
    pub fn new(
        config: &Config,
        db: Db,
        clock: SharedClock,
        rng: Rng,
        paid: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        let channels = config.channels(&clock, &rng)?;
        for expiry in channels.iter().flat_map(|channel| channel.expiries()) {
            if let Some(state) = expiry.state(clock.now()) {
                tracing::warn!(key = expiry.key, until = %expiry.at, state = state.as_str(), "payment.certificate.expiring");
            }
        }
        let query_requests = Arc::new(Notify::new());
        let settlement = SettlementQueue::new(db.clone(), clock.clone(), rng.clone());
        let Config { limits, refunds, reconcile, .. } = *config;
        Ok(Self(Arc::new(Inner { db, clock, rng, limits, refunds, reconcile, channels, settlement, query_requests, paid })))
    }

    /// The tenders of the configured channels.
    #[must_use]
    pub fn tenders(&self) -> Vec<Tender> {
        self.0.channels.iter().map(|channel| channel.tender()).collect()
    }

    /// Expiry dates of all configured certificates.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        self.0.channels.iter().flat_map(|channel| channel.expiries()).collect()
    }

    /// Origins that a page's Content-Security-Policy must allow in `form-action`.
    #[must_use]
    pub fn form_origins(&self) -> Vec<String> {
        let channels = self.0.channels.iter();
        channels.flat_map(|channel| [Some(channel.form_origin()), channel.sign_in().map(SignIn::origin)]).flatten().collect()
    }

    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    #[must_use]
    pub fn refund_rules(&self) -> Rules {
        self.0.refunds
    }

    #[must_use]
    pub fn reconcile_config(&self) -> ReconcileConfig {
        self.0.reconcile
    }

    /// Creates an order to be paid through the channel that its tender names; [`Self::resume`] opens the cashier. The same key
    /// gives the same order.
    ///
    /// # Errors
    /// [`AppError::ChannelUnavailable`], and what [`orders::create`] refuses.
    pub async fn create_order(&self, new: &NewOrder) -> Result<Order, AppError> {
        let inner = &self.0;
        self.channel(new.tender).ok_or(AppError::ChannelUnavailable)?;
        Ok(orders::create(&inner.db, &inner.rng, inner.clock.now(), &inner.limits, new).await?)
    }

    /// Opens the cashier of an unpaid order, for its open attempt or a new one. The caller has checked access to the order.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::OrderClosed`] or [`AppError::ChannelUnavailable`].
    pub async fn resume(&self, order: OrderId, payer: &Payer<'_>) -> Result<StartedPayment, AppError> {
        let order = orders::find(&self.0.db, order).await?.ok_or(AppError::NotFound)?;
        let channel = self.channel(order.tender).ok_or(AppError::ChannelUnavailable)?;
        let cashier = self.cashier(&order, channel, payer).await?;
        Ok(StartedPayment { order, cashier })
    }

    /// Opens the cashier of the order's open attempt; never starts a new attempt, so that it can serve a GET request.
    ///
    /// # Errors
    /// [`AppError::OrderClosed`] without an open attempt, otherwise as [`Self::resume`].
    pub async fn reopen_cashier(&self, order: OrderId, payer: &Payer<'_>) -> Result<Cashier, AppError> {
        let now = self.0.clock.now();
        let attempts = payments::attempts_of(&self.0.db, order).await?;
        let open = attempts.iter().rev().find(|attempt| attempt.state == AttemptState::Pending && attempt.expires_at > now);
        let attempt = open.ok_or(AppError::OrderClosed)?;
        let channel = self.channel(attempt.channel);
        self.open(channel.ok_or(AppError::ChannelUnavailable)?, attempt, payer).await
    }

    /// Opens an attempt without contacting the channel, for payers who must sign in there first.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub async fn open_attempt(&self, order: OrderId) -> Result<(), AppError> {
        let inner = &self.0;
        let order = orders::find(&inner.db, order).await?.ok_or(AppError::NotFound)?;
        let channel = self.channel(order.tender).ok_or(AppError::ChannelUnavailable)?;
        payments::open_attempt(&inner.db, &inner.rng, inner.clock.now(), order.id, &channel.terms()).await?;
        Ok(())
    }

    /// Brings forward the next query of the order's attempt, because somebody is watching it.
    /// The store limits how often that happens.
    pub async fn request_query(&self, order: OrderId) {
        match payments::nudge(&self.0.db, self.0.clock.now(), order).await {
            Ok(true) => self.0.query_requests.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, %order, "payment.query-request.failed"),
        }
    }

    /// Settles a verified event and calls `paid` if an order became paid.
    ///
    /// # Errors
    /// [`StoreError`] if nothing was stored; the notification must then not be acknowledged.
    pub async fn settle(&self, event: &VerifiedEvent) -> Result<Outcome, StoreError> {
        let inner = &self.0;
        let outcome = inner.settlement.settle(event).await?;
        let (channel, source) = (event.channel().as_str(), event.source().as_str());
        let (attempt, outcome_name) = (event.out_trade_no(), outcome.as_str());
        match outcome {
            Outcome::Credited { .. } => (inner.paid)(),
            Outcome::Held(_) | Outcome::Twice | Outcome::Undeliverable | Outcome::NotReturned | Outcome::Refunded => {
                tracing::error!(channel, source, attempt, outcome = outcome_name, "payment.case");
                return Ok(outcome);
            }
            _ => {}
        }
        tracing::info!(channel, source, attempt, outcome = outcome_name, "payment.settled");
        Ok(outcome)
    }

    #[must_use]
    pub fn channel(&self, tender: Tender) -> Option<&dyn Channel> {
        self.0.channels.iter().find(|channel| channel.tender() == tender).map(AsRef::as_ref)
    }

    /// Notified when the query task should run at once.
    #[must_use]
    pub fn query_requests(&self) -> Arc<Notify> {
        self.0.query_requests.clone()
    }

    pub(crate) fn parts(&self) -> (&Db, &SharedClock, &Rng) {
        (&self.0.db, &self.0.clock, &self.0.rng)
    }

    /// Finds an attempt by its number, which may come from an untrusted request.
    ///
    /// # Errors
    /// [`StoreError`] if the database fails.
    pub async fn attempt(&self, out_trade_no: &str) -> Result<Option<Attempt>, StoreError> {
        payments::find(&self.0.db, out_trade_no).await
    }

    async fn cashier(&self, order: &Order, channel: &dyn Channel, payer: &Payer<'_>) -> Result<Cashier, AppError> {
        let inner = &self.0;
        let terms: Terms<'_> = channel.terms();
        let attempt = payments::open_attempt(&inner.db, &inner.rng, inner.clock.now(), order.id, &terms).await?;
        self.open(channel, &attempt, payer).await
    }

    async fn open(&self, channel: &dyn Channel, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, AppError> {
        channel.start(attempt, payer).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, attempt = attempt.out_trade_no, "payment.start.failed");
            AppError::ChannelUnavailable
        })
    }
}
