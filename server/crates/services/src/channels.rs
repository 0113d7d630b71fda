//! Whether the payment channels work, for operators and supervisors.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use app::api::channels::{ChannelState, ChannelStatus, ChannelsPort};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::OrderId;
use model::person::Who;
use model::time::SECOND;

use super::Context;
use payments::health::{FailedRequest, HealthReport};
use payments::{Channel, ChannelFault, Merchant, Payments};

/// The shortest time between two questions of people about one order, ms: longer than the answers may take.
const QUESTION_PAUSE: i64 = 15 * SECOND;
/// The most orders that people ask about within that time.
const MAX_QUESTIONS: usize = 20;

pub struct ChannelsService {
    context: Context,
    payments: Payments,
    /// When a person last asked about an order, by the steady clock, ms.
    asked_at: Mutex<HashMap<OrderId, i64>>,
}

impl ChannelsService {
    #[must_use]
    pub fn new(context: Context, payments: Payments) -> Self {
        Self { context, payments, asked_at: Mutex::default() }
    }

    fn limit_questions(&self, order: OrderId) -> Result<(), AppError> {
        let now = self.context.clock.steady();
        let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
        asked_at.retain(|_, at| now.saturating_sub(*at) < QUESTION_PAUSE);
        if asked_at.contains_key(&order) || asked_at.len() >= MAX_QUESTIONS {
            return Err(AppError::AskedJustNow);
        }
        asked_at.insert(order, now);
        Ok(())
    }

    fn statuses(&self) -> Vec<ChannelStatus> {
        let working = self.payments.merchants().iter().map(working);
        let mut all: Vec<_> = working.chain(self.payments.faults().iter().map(switched_off)).collect();
        all.sort_by_key(|status| (status.channel, !status.current));
        all
    }
}

#[async_trait]
impl ChannelsPort for ChannelsService {
    async fn channels(&self, _: &Who) -> Result<Vec<ChannelStatus>, AppError> {
        Ok(self.statuses())
    }

    async fn ask_channel(&self, who: &Who, order: OrderId) -> Result<(), AppError> {
        let (db, now, key) = (&self.context.db, self.context.now(), self.context.form_key());
        let rules = self.payments.refund_rules();
        // Only orders that the operator may see.
        queries::order_money(db, who.user, order, &rules, now, key).await?.ok_or(AppError::NotFound)?;
        self.limit_questions(order)?;
        self.payments.query_now(order).await?;
        self.context.gateway.wake();
        Ok(())
    }

    fn summary(&self) -> Vec<ChannelStatus> {
        let mut worst: Vec<ChannelStatus> = Vec::new();
        for status in self.statuses() {
            match worst.last_mut() {
                Some(last) if (last.channel, last.current) == (status.channel, status.current) => {
                    if last.state < status.state {
                        *last = status;
                    }
                }
                _ => worst.push(status),
            }
        }
        worst
    }
}

fn working(merchant: &Merchant) -> ChannelStatus {
    let report = merchant.health().report();
    let state = state(&report);
    let HealthReport { succeeded_at, failed, skew_ms, notified_at, forged, probes, invalid, unread } = report;
    ChannelStatus {
        channel: merchant.tender(),
        current: merchant.is_current(),
        state,
        merchant: merchant.terms().seller_id.to_owned(),
        fault: None,
        succeeded_at,
        failed: failed.map(|FailedRequest { at, failure, detail }| (at, failure, detail)),
        skew_s: skew_ms.map(|skew| skew / SECOND),
        notified_at,
        forged,
        probes,
        invalid,
        unread,
    }
}

fn state(report: &HealthReport) -> ChannelState {
    if report.is_failing() {
        ChannelState::Failing
    } else if report.is_skewed() {
        ChannelState::ClockSkewed
    } else if report.succeeded_at.is_none() {
        ChannelState::Unknown
    } else {
        ChannelState::Working
    }
}

fn switched_off(fault: &ChannelFault) -> ChannelStatus {
    let ChannelFault { channel, current, error } = fault;
    ChannelStatus {
        channel: *channel,
        current: *current,
        state: ChannelState::Off,
        merchant: String::new(),
        fault: Some((error.key.clone(), error.problem.clone())),
        succeeded_at: None,
        failed: None,
        skew_s: None,
        notified_at: None,
        forged: 0,
        probes: 0,
        invalid: 0,
        unread: 0,
    }
}
