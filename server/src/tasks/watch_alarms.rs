//! Passes to the alarm engine what the server observes of itself and of its money, and settles the alarms whose delay is over.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::alarm::AlarmChannel;
use model::event::EventKind;
use model::ids::GatewayId;
use model::task::TaskKind;
use model::time::{DAY, HOUR, MINUTE, Timestamp};
use serde_json::{Value, json};

use super::expiries::{WatchedCertificate, expiries};
use super::{Done, Failure, Task};
use domain::alarm::Observation;
use notify::{Channels, outages};
use payments::{Channel, Payments};
use services::Context;
use services::host::Host;
use store::Db;
use store::events::{self, Observed, Subject};

/// Samples of a gateway's noise: one a minute for an hour.
const SAMPLES: usize = 61;

pub struct WatchAlarms {
    context: Context,
    payments: Payments,
    messages: Channels,
    host: Host,
    /// How often answers of each gateway were disturbed, by time; begins anew with the process.
    noise: Mutex<HashMap<GatewayId, VecDeque<(Timestamp, u64)>>>,
}

/// What was observed, with the figures that the alarm shows.
type ObservedCondition = (EventKind, Subject, Observation, Value);

impl WatchAlarms {
    #[must_use]
    pub fn new(context: Context, payments: Payments, messages: Channels, host: Host) -> Self {
        Self { context, payments, messages, host, noise: Mutex::default() }
    }

    /// Payment channels are judged by the last answers of their merchants that take payments, message channels by the messages
    /// that were tried last. One that was not used yet is left out, and one that its configuration switches off is down at once.
    async fn channels(&self) -> store::Result<Vec<ObservedCondition>> {
        let mut down: BTreeMap<AlarmChannel, bool> = BTreeMap::new();
        for merchant in self.payments.merchants().iter().filter(|merchant| merchant.is_current()) {
            let report = merchant.health().report();
            if report.failed.is_some() || report.succeeded_at.is_some() {
                *down.entry(AlarmChannel::Payment(merchant.tender())).or_default() |= report.is_failing();
            }
        }
        let faults = self.payments.faults().iter().filter(|fault| fault.current);
        let off: Vec<AlarmChannel> = faults.map(|fault| AlarmChannel::Payment(fault.channel)).collect();
        down.extend(off.iter().map(|channel| (*channel, true)));
        let messages = outages::channels_down(&self.context.db, &self.messages).await?;
        down.extend(messages.into_iter().map(|(channel, is_down)| (AlarmChannel::Message(channel), is_down)));
        let payments = self.payments.tenders();
        let switched_off = json!({ "off": true });
        for (channel, detail) in alarms::observed_channels(&self.context.db).await? {
            let is_configured = match channel {
                AlarmChannel::Payment(tender) => payments.contains(&tender),
                AlarmChannel::Message(channel) => self.messages.has(channel),
            };
            // What was wrong with its configuration is over before it is used.
            if !is_configured || serde_json::from_str::<Value>(&detail).is_ok_and(|detail| detail == switched_off) {
                down.entry(channel).or_insert(false);
            }
        }
        let seen = |(channel, is_down)| {
            let is_off = off.contains(&channel);
            let seen = if is_off { Observation::Lasts } else { Observation::Holds(is_down) };
            let detail = if is_off { switched_off.clone() } else { json!({}) };
            (EventKind::ChannelDown, Subject::Channel(channel), seen, detail)
        };
        Ok(down.into_iter().map(seen).collect())
    }

    /// The certificate that ends first. That none is in use is a case.
    async fn certificates(&self, now: Timestamp) -> store::Result<ObservedCondition> {
        let all = expiries(&self.context, &self.payments, &self.host).await?.into_iter();
        let first = all.filter_map(|one| Some((one.until?, one))).min_by_key(|(until, _)| *until);
        let (seen, detail) = match first {
            Some((until, WatchedCertificate { key, refused, .. })) => {
                let days = until.since(now).div_euclid(DAY);
                let items: Vec<String> = [key].into_iter().chain(refused).collect();
                (Observation::Value(days), json!({ "days": days, "items": items }))
            }
            None => (Observation::Holds(false), json!({})),
        };
        Ok((EventKind::CertificateExpiring, Subject::Site, seen, detail))
    }

    /// Disturbed answers within the last hour. A process that has not watched so long knows only that it was more.
    fn noise(&self, now: Timestamp) -> Vec<ObservedCondition> {
        let mut all = self.noise.lock().unwrap_or_else(PoisonError::into_inner);
        let states = self.context.gateway.gateways();
        all.retain(|gateway, _| states.iter().any(|state| state.id == *gateway));
        let all_seen = states.into_iter().filter_map(|state| {
            let samples = all.entry(state.id).or_default();
            let count = state.noise.map_or(0, |(count, _)| count);
            if samples.back().is_none_or(|(at, _)| now.since(*at) >= MINUTE) {
                samples.push_back((now, count));
                let old = samples.len().saturating_sub(SAMPLES);
                samples.drain(..old);
            }
            let (first_at, first) = *samples.front()?;
            let an_hour = i64::try_from(count.saturating_sub(first)).unwrap_or(i64::MAX);
            let is_whole = now.since(first_at) >= HOUR - MINUTE;
            let seen = if is_whole { Observation::Value(an_hour) } else { Observation::AtLeast(an_hour) };
            Some((EventKind::LineNoise, Subject::Gateway(state.id), seen, json!({ "an_hour": an_hour })))
        });
        all_seen.collect()
    }

    async fn money(&self, now: Timestamp) -> store::Result<Vec<ObservedCondition>> {
        let stuck = alarms::stuck_deliveries(&self.context.db, now).await?.into_iter().map(|(meter, minutes)| {
            let detail = json!({ "minutes": minutes });
            (EventKind::DeliveryStuck, Subject::Meter(meter), Observation::Value(minutes), detail)
        });
        let payments = alarms::mismatched_payments(&self.context.db).await?;
        let mismatch = Observation::Holds(payments > 0);
        let mismatch = (EventKind::PaymentMismatch, Subject::Site, mismatch, json!({ "payments": payments }));
        Ok(stuck.chain([mismatch]).collect())
    }

    /// Passes what is observed now to the engine. Gives the number of observations.
    pub async fn observe(&self, now: Timestamp) -> store::Result<usize> {
        let Context { db, rng, .. } = &self.context;
        let mut seen = self.machine(now).await;
        seen.extend(self.channels().await?);
        seen.push(self.certificates(now).await?);
        seen.extend(self.noise(now));
        seen.extend(self.money(now).await?);
        let observed = seen.len();
        let mut tx = db.begin().await?;
        for (kind, subject, seen, detail) in seen {
            let detail = detail.to_string();
            events::observe(&mut tx, rng, now, &Observed { kind, subject, seen, detail: &detail }).await?;
        }
        tx.commit().await?;
        Ok(observed)
    }

    /// What belongs to this machine, as far as it can be read.
    async fn machine(&self, now: Timestamp) -> Vec<ObservedCondition> {
        let disk =
            self.host.free_percent().await.map(|percent| {
                (EventKind::DiskLow, Subject::Site, Observation::Value(percent), json!({ "free_percent": percent }))
            });
        let backup = match self.host.hours_since_backup(now).await {
            Some(hours) => (Observation::Value(hours), json!({ "hours": hours })),
            None => (Observation::Holds(false), json!({})),
        };
        disk.into_iter().chain([(EventKind::BackupOverdue, Subject::Site, backup.0, backup.1)]).collect()
    }
}

#[async_trait]
impl Task for WatchAlarms {
    fn kind(&self) -> TaskKind {
        TaskKind::WatchAlarms
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, gateway, .. } = &self.context;
        let now = self.context.now();
        let settled = events::settle_due(db, rng, now).await?;
        // Of several processes the one that polls watches: machine and channels of another one are not the site's.
        if !gateway.polls() && !matches!(db, Db::Sqlite { .. }) {
            return Ok(Done::new(settled, format!("{settled} settled")));
        }
        let observed = self.observe(now).await?;
        Ok(Done::new(settled, format!("{settled} settled, {observed} observed")))
    }
}
