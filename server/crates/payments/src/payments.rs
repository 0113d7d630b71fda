//! The entry point of the crate for the rest of the server.

use std::sync::Arc;

use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;
use tokio::sync::Notify;

use super::channel::{Cashier, Channel, Payer, SignIn};
use super::config::{Config, ConfigError, Merchants};
use super::expiry::Expiry;
use super::merchant::{ChannelFault, Merchant};
use super::reconcile::ReconcileConfig;
use super::settlement::SettlementQueue;
use super::verified;
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

/// The configured merchants with their database. Cheap to clone.
#[derive(Clone)]
pub struct Payments(Arc<Inner>);

struct Inner {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    limits: Limits,
    refunds: Rules,
    reconcile: ReconcileConfig,
    merchants: Vec<Merchant>,
    faults: Vec<ChannelFault>,
    settlement: SettlementQueue,
    /// Notified when an attempt should be queried soon.
    query_requests: Arc<Notify>,
    /// Called after an order became paid.
    paid: Arc<dyn Fn() + Send + Sync>,
}

impl Payments {
    /// Builds the merchants, and logs those that are switched off and certificates that expire soon. `paid` is called after an
    /// order became paid; it must not block.
    ///
    /// # Errors
    /// [`ConfigError`] names the first invalid key of the settings that are not of one channel.
    pub fn new(
        config: &Config,
        db: Db,
        clock: SharedClock,
        rng: Rng,
        paid: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self, ConfigError> {
        let Merchants { working: merchants, faults } = config.merchants(&clock, &rng)?;
        for ChannelFault { channel, current, error } in &faults {
            let channel = channel.as_str();
            if *current {
                tracing::error!(channel, key = error.key, error = error.problem, "payment.channel.off");
            } else {
                tracing::error!(channel, key = error.key, error = error.problem, "payment.former-merchant.off");
            }
        }
        for expiry in merchants.iter().flat_map(merchant_expiries) {
            if let Some(state) = expiry.state(clock.now()) {
                tracing::warn!(key = expiry.key, until = %expiry.at, state = state.as_str(), "payment.certificate.expiring");
            }
        }
        let query_requests = Arc::new(Notify::new());
        let settlement = SettlementQueue::new(db.clone(), clock.clone(), rng.clone());
        let Config { limits, refunds, reconcile, .. } = *config;
        Ok(Self(Arc::new(Inner {
            db,
            clock,
            rng,
            limits,
            refunds,
            reconcile,
            merchants,
            faults,
            settlement,
            query_requests,
            paid,
        })))
    }

    /// The tenders of the channels that take payments.
    #[must_use]
    pub fn tenders(&self) -> Vec<Tender> {
        self.0.merchants.iter().filter(|merchant| merchant.is_current()).map(Channel::tender).collect()
    }

    /// The channels with a merchant, current or former.
    #[must_use]
    pub fn channels(&self) -> Vec<Tender> {
        let mut channels: Vec<Tender> = self.0.merchants.iter().map(Channel::tender).collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// Every merchant that works, the current one of each channel before its former ones.
    #[must_use]
    pub fn merchants(&self) -> &[Merchant] {
        &self.0.merchants
    }

    /// The merchants that are switched off because their configuration is wrong.
    #[must_use]
    pub fn faults(&self) -> &[ChannelFault] {
        &self.0.faults
    }

    /// Whether the channel is configured, even if it is switched off.
    #[must_use]
    pub fn is_configured(&self, channel: Tender) -> bool {
        let mut faults = self.0.faults.iter();
        self.any_merchant(channel).is_some() || faults.any(|fault| fault.channel == channel)
    }

    /// Expiry dates of all configured certificates.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        self.0.merchants.iter().flat_map(merchant_expiries).collect()
    }

    /// Origins that a page's Content-Security-Policy must allow in `form-action`.
    #[must_use]
    pub fn form_origins(&self) -> Vec<String> {
        let merchants = self.0.merchants.iter();
        merchants.flat_map(|channel| [Some(channel.form_origin()), channel.sign_in().map(SignIn::origin)]).flatten().collect()
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

    /// Gives up an unpaid order, because its payer takes another channel, and creates one through that; the next queries close
    /// the attempts of the old one at its channel. The same key gives the same order.
    ///
    /// # Errors
    /// [`AppError::ChannelUnavailable`], and what [`orders::replace`] refuses.
    pub async fn replace_order(&self, new: &NewOrder, old: OrderId) -> Result<Order, AppError> {
        let inner = &self.0;
        self.channel(new.tender).ok_or(AppError::ChannelUnavailable)?;
        let order = orders::replace(&inner.db, &inner.rng, inner.clock.now(), &inner.limits, new, old).await?;
        inner.query_requests.notify_one();
        Ok(order)
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

    /// Opens the cashier of the order's open attempt; never starts a new attempt, so that it can serve a GET request. `None`
    /// where the attempt was made by another way or for another payer, for whom the channel refuses its number: [`Self::resume`]
    /// makes a new one.
    ///
    /// # Errors
    /// [`AppError::OrderClosed`] without an open attempt, otherwise as [`Self::resume`].
    pub async fn reopen_cashier(&self, order: OrderId, payer: &Payer<'_>) -> Result<Option<Cashier>, AppError> {
        let now = self.0.clock.now();
        let attempts = payments::attempts_of(&self.0.db, order).await?;
        let open = attempts.iter().rev().find(|attempt| attempt.state == AttemptState::Pending && attempt.expires_at > now);
        let attempt = open.ok_or(AppError::OrderClosed)?;
        let channel = self.merchant_of(attempt.channel, &attempt.app_id, &attempt.seller_id);
        let channel = channel.ok_or(AppError::ChannelUnavailable)?;
        let of = payments::way_of(&self.0.db, attempt.id).await?;
        if of != Some((channel.payment_way(payer), payer_digest(payer))) {
            return Ok(None);
        }
        self.open(channel, attempt, payer).await.map(Some)
    }

    /// Opens an attempt without contacting the channel, for payers who must sign in there first.
    ///
    /// # Errors
    /// As [`Self::resume`].
    pub async fn open_attempt(&self, order: OrderId, payer: &Payer<'_>) -> Result<(), AppError> {
        let inner = &self.0;
        let order = orders::find(&inner.db, order).await?.ok_or(AppError::NotFound)?;
        let channel = self.channel(order.tender).ok_or(AppError::ChannelUnavailable)?;
        let digest = payer_digest(payer);
        let terms = Terms { way: channel.payment_way(payer), payer: digest.as_deref(), ..channel.terms() };
        payments::open_attempt(&inner.db, &inner.rng, inner.clock.now(), order.id, &terms).await?;
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

    /// The current merchant of a channel, through which new payments go.
    #[must_use]
    pub fn channel(&self, tender: Tender) -> Option<&dyn Channel> {
        let mut merchants = self.0.merchants.iter();
        merchants.find(|merchant| merchant.is_current() && merchant.tender() == tender).map(|merchant| merchant as &dyn Channel)
    }

    /// The merchant under which a payment was made, current or former; `None` if its credentials are not configured.
    #[must_use]
    pub fn merchant_of(&self, channel: Tender, app_id: &str, seller_id: &str) -> Option<&dyn Channel> {
        let mut merchants = self.0.merchants.iter();
        merchants.find(|merchant| merchant.owns(channel, app_id, seller_id)).map(|merchant| merchant as &dyn Channel)
    }

    /// The current merchant of a channel, or a former one if there is none.
    #[must_use]
    pub fn any_merchant(&self, channel: Tender) -> Option<&Merchant> {
        self.0.merchants.iter().find(|merchant| merchant.tender() == channel)
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
        let digest = payer_digest(payer);
        let terms = Terms { way: channel.payment_way(payer), payer: digest.as_deref(), ..channel.terms() };
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

/// Tells payers apart without keeping who they are.
fn payer_digest(payer: &Payer<'_>) -> Option<String> {
    payer.id.map(|id| hex::encode(verified::sha256(id.expose().as_bytes())))
}

/// The expiry dates of a merchant's certificates, named as in its own table.
fn merchant_expiries(merchant: &Merchant) -> Vec<Expiry> {
    let current = format!("pay.{}.", merchant.tender().as_str());
    let mut expiries = merchant.expiries();
    for expiry in &mut expiries {
        if let Some(key) = expiry.key.strip_prefix(&current) {
            expiry.key = format!("{}.{key}", merchant.section());
        }
    }
    expiries
}
