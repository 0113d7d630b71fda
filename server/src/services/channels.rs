//! Whether the payment channels work, for operators and supervisors.

use app::api::channels::{ChannelState, ChannelStatus, ChannelsPort};
use async_trait::async_trait;
use model::error::AppError;
use model::order::Tender;
use model::person::Who;
use model::time::SECOND;
use payments::health::HealthReport;
use payments::{Channel, ChannelFault, Merchant, Payments};

pub struct ChannelsService {
    payments: Payments,
}

impl ChannelsService {
    #[must_use]
    pub const fn new(payments: Payments) -> Self {
        Self { payments }
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

    fn summary(&self) -> Vec<(Tender, ChannelState)> {
        let mut worst: Vec<(Tender, ChannelState)> = Vec::new();
        for status in self.statuses() {
            match worst.last_mut() {
                Some((channel, state)) if *channel == status.channel => *state = (*state).max(status.state),
                _ => worst.push((status.channel, status.state)),
            }
        }
        worst
    }
}

fn working(merchant: &Merchant) -> ChannelStatus {
    let report = merchant.health().report();
    let state = state(&report);
    let HealthReport { succeeded_at, failed, skew_ms, notified_at, forged, probes, invalid } = report;
    ChannelStatus {
        channel: merchant.tender(),
        current: merchant.is_current(),
        state,
        merchant: merchant.terms().seller_id.to_owned(),
        fault: None,
        succeeded_at,
        failed,
        skew_s: skew_ms.map(|skew| skew / SECOND),
        notified_at,
        forged,
        probes,
        invalid,
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
    }
}
