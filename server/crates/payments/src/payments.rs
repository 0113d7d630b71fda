//! Paying through channels, as the rest of the server sees it.

use std::sync::Arc;

use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;
use tokio::sync::Notify;

use super::channel::{Cashier, Channel, Payer, SignIn};
use super::config::{Config, ConfigError};
use super::expiry::Expiry;
use super::reconcile::ReconcileConfig;
use super::settling::Settling;
use domain::clock::SharedClock;
use domain::order::Limits;
use domain::payment_event::Verified;
use domain::refund::Rules;
use domain::rng::Rng;
use store::orders::{self, NewOrder, Order};
use store::payments::{self, Attempt, Outcome, Terms};
use store::{Db, StoreError};

/// An order that waits for its payer.
#[derive(Clone, Debug)]
pub struct Started {
    pub order: Order,
    /// How the payer comes to the cashier.
    pub cashier: Cashier,
}

/// All channels of this server. Cheap to clone.
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
    settling: Settling,
    /// The query job waits for this.
    asked: Arc<Notify>,
    /// The delivery engine is poked by this after money was committed.
    paid: Arc<dyn Fn() + Send + Sync>,
}

impl Payments {
    /// From the configuration. `paid` is called after an order became paid; it must return at once.
    ///
    /// # Errors
    /// [`ConfigError`] names the key that cannot be used.
    pub fn new(
        config: &Config,
        db: Db,
        clock: SharedClock,
        rng: Rng,
        paid: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        let channels = config.channels(&clock, &rng)?;
        for expiry in channels.iter().flat_map(|channel| channel.expiries()) {
            if let Some(nearness) = expiry.nearness(clock.now()) {
                tracing::warn!(key = expiry.key, until = %expiry.at, nearness = nearness.as_str(), "payment.certificate.ends");
            }
        }
        let asked = Arc::new(Notify::new());
        let settling = Settling::new(db.clone(), clock.clone(), rng.clone());
        let Config { limits, refunds, reconcile, .. } = *config;
        Ok(Self(Arc::new(Inner { db, clock, rng, limits, refunds, reconcile, channels, settling, asked, paid })))
    }

    /// Which channels can be offered.
    #[must_use]
    pub fn offered(&self) -> Vec<Tender> {
        self.0.channels.iter().map(|channel| channel.tender()).collect()
    }

    /// What of all channels' configuration ends by itself.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        self.0.channels.iter().flat_map(|channel| channel.expiries()).collect()
    }

    /// Which origins a page's `form-action` must allow.
    #[must_use]
    pub fn form_origins(&self) -> Vec<String> {
        let channels = self.0.channels.iter();
        channels.flat_map(|channel| [Some(channel.form_origin()), channel.sign_in().map(SignIn::origin)]).flatten().collect()
    }

    /// What one sale may be.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Until when each channel gives back, and what goes back by itself.
    #[must_use]
    pub fn refund_rules(&self) -> Rules {
        self.0.refunds
    }

    /// When bills are fetched.
    #[must_use]
    pub fn reconcile_config(&self) -> ReconcileConfig {
        self.0.reconcile
    }

    /// Creates an order to be paid through the channel that its tender names; [`Self::resume`] opens the cashier. The same key gives the
    /// same order.
    ///
    /// # Errors
    /// [`AppError::ChannelUnavailable`], and what [`orders::create`] refuses.
    pub async fn create_order(&self, new: &NewOrder) -> Result<Order, AppError> {
        let inner = &self.0;
        self.channel(new.tender).ok_or(AppError::ChannelUnavailable)?;
        Ok(orders::create(&inner.db, &inner.rng, inner.clock.now(), &inner.limits, new).await?)
    }

    /// The cashier of an order that still waits for its payer: of the same attempt while that lasts, otherwise of a new one.
    /// Whoever asks must be allowed to see the order.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::OrderClosed`] or [`AppError::ChannelUnavailable`].
    pub async fn resume(&self, order: OrderId, payer: &Payer<'_>) -> Result<Started, AppError> {
        let order = orders::find(&self.0.db, order).await?.ok_or(AppError::NotFound)?;
        let channel = self.channel(order.tender()?).ok_or(AppError::ChannelUnavailable)?;
        let cashier = self.cashier(&order, channel, payer).await?;
        Ok(Started { order, cashier })
    }

    /// The cashier of the attempt that is open, for a page that only looks: none is begun.
    ///
    /// # Errors
    /// As [`Self::resume`]; [`AppError::OrderClosed`] where no attempt is open.
    pub async fn again(&self, order: OrderId, payer: &Payer<'_>) -> Result<Cashier, AppError> {
        let now = self.0.clock.now();
        let attempts = payments::attempts_of(&self.0.db, order).await?;
        let open = attempts.iter().rev().find(|attempt| attempt.state == "pending" && attempt.expires_at() > now);
        let attempt = open.ok_or(AppError::OrderClosed)?;
        let channel = Tender::parse(&attempt.channel).and_then(|tender| self.channel(tender));
        self.open(channel.ok_or(AppError::ChannelUnavailable)?, attempt, payer).await
    }

    /// Opens the attempt under which an order is paid, and asks the channel nothing yet: the payer must first say who they are.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub async fn begin(&self, order: OrderId) -> Result<(), AppError> {
        let inner = &self.0;
        let order = orders::find(&inner.db, order).await?.ok_or(AppError::NotFound)?;
        let channel = self.channel(order.tender()?).ok_or(AppError::ChannelUnavailable)?;
        payments::open_attempt(&inner.db, &inner.rng, inner.clock.now(), order.id(), &channel.terms()).await?;
        Ok(())
    }

    /// Somebody looks at this order: ask its channel sooner. Harmless however often it is called.
    pub async fn nudge(&self, order: OrderId) {
        match payments::nudge(&self.0.db, self.0.clock.now(), order).await {
            Ok(true) => self.0.asked.notify_one(),
            Ok(false) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, %order, "payment.nudge.failed"),
        }
    }

    /// Settles a verified event, and pokes the delivery engine where an order became paid.
    ///
    /// # Errors
    /// Where it could not be stored: the channel must not be told that it was.
    pub async fn settle(&self, event: &Verified) -> Result<Outcome, StoreError> {
        let inner = &self.0;
        let outcome = inner.settling.settle(event).await?;
        let (channel, source) = (event.channel().as_str(), event.source().as_str());
        let (attempt, said) = (event.out_trade_no(), outcome.as_str());
        match outcome {
            Outcome::Credited { .. } => (inner.paid)(),
            Outcome::Held(_) | Outcome::Twice | Outcome::Undeliverable | Outcome::NotReturned | Outcome::Refunded => {
                tracing::error!(channel, source, attempt, outcome = said, "payment.case");
                return Ok(outcome);
            }
            _ => {}
        }
        tracing::info!(channel, source, attempt, outcome = said, "payment.settled");
        Ok(outcome)
    }

    /// A channel by its tender.
    #[must_use]
    pub fn channel(&self, tender: Tender) -> Option<&dyn Channel> {
        self.0.channels.iter().find(|channel| channel.tender() == tender).map(AsRef::as_ref)
    }

    /// Signalled when the query job should look at once.
    #[must_use]
    pub fn asked(&self) -> Arc<Notify> {
        self.0.asked.clone()
    }

    pub(crate) fn parts(&self) -> (&Db, &SharedClock, &Rng) {
        (&self.0.db, &self.0.clock, &self.0.rng)
    }

    /// The order of one of our numbers, as somebody who need not be trusted names it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn attempt(&self, out_trade_no: &str) -> Result<Option<Attempt>, StoreError> {
        payments::find(&self.0.db, out_trade_no).await
    }

    async fn cashier(&self, order: &Order, channel: &dyn Channel, payer: &Payer<'_>) -> Result<Cashier, AppError> {
        let inner = &self.0;
        let terms: Terms<'_> = channel.terms();
        let attempt = payments::open_attempt(&inner.db, &inner.rng, inner.clock.now(), order.id(), &terms).await?;
        self.open(channel, &attempt, payer).await
    }

    async fn open(&self, channel: &dyn Channel, attempt: &Attempt, payer: &Payer<'_>) -> Result<Cashier, AppError> {
        channel.start(attempt, payer).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, attempt = attempt.out_trade_no, "payment.start.failed");
            AppError::ChannelUnavailable
        })
    }
}
