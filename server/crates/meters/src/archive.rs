//! Fetches freezes and journals from meters when the server lacks them: after each midnight, after an outage, and when a journal
//! has grown.
//!
//! Fetching has the lowest priority on a bus and pauses for three times its own duration, so that it slows a sweep by at most a
//! quarter.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use model::ids::{GatewayId, MeterId};
use model::time::{HOUR, MINUTE, Timestamp};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::directory::{Directory, Meter};
use super::driver;
use super::link::Priority;
use super::reader::ReadError;
use domain::clock::SharedClock;
use domain::rng::Rng;
use metering::{journals, midnights};
use store::{Db, StoreError};

/// Freezes are requested this long after midnight, when every meter's clock has passed it.
const AFTER_MIDNIGHT: i64 = 3 * MINUTE;
/// Retry interval of a freeze that was not available; also the interval at which journals without sequence numbers are read.
const RETRY: i64 = HOUR;
/// Limits of one round: meters per gateway, and gateways in parallel.
const METERS_PER_GATEWAY: usize = 20;
const PARALLEL_GATEWAYS: usize = 64;
/// The most meters that one round looks up.
const METERS_PER_ROUND: i64 = 5_000;
/// Pause after a fetch, as a multiple of its duration.
const PAUSE_FACTOR: u32 = 3;

pub struct ArchiveFetcher {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    pub directory: Arc<Directory>,
    /// How often missing records are looked up.
    pub period: Duration,
    pub stop: CancellationToken,
}

/// Which records of a meter are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct MissingRecords {
    freeze: bool,
    journal: bool,
}

#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("not read")]
    Read(#[from] ReadError),
    #[error("not stored")]
    Store(#[from] StoreError),
}

impl ArchiveFetcher {
    /// Runs until `stop` is cancelled.
    pub async fn run(self) {
        let mut tick = interval(self.period);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tried: HashMap<MeterId, Timestamp> = HashMap::new();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            match self.due(&mut tried).await {
                Ok(due) => stream::iter(due).for_each_concurrent(PARALLEL_GATEWAYS, |meters| self.fetch(meters)).await,
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "archive.lookup-failed"),
            }
        }
    }

    /// Meters with missing records, by gateway. Freezes that were tried within the last hour are left out.
    async fn due(&self, tried: &mut HashMap<MeterId, Timestamp>) -> Result<Vec<Vec<(Arc<Meter>, MissingRecords)>>, StoreError> {
        let now = self.clock.now();
        let midnight = now.date().start();
        tried.retain(|_, at| now.since(*at) < RETRY);
        let mut missing: HashMap<MeterId, MissingRecords> = HashMap::new();
        if now.since(midnight) >= AFTER_MIDNIGHT {
            for meter in midnights::missing(&self.db, midnight, METERS_PER_ROUND).await? {
                missing.entry(meter).or_default().freeze = true;
            }
        }
        let mut grown: HashSet<MeterId> = journals::moved(&self.db, METERS_PER_ROUND).await?.into_iter().collect();
        // Journals without sequence numbers do not show that they have grown.
        let unnumbered = |meter: &Arc<Meter>| meter.profile.abilities.journal && meter.profile.secured.is_none();
        let all = self.directory.all();
        grown.extend(all.iter().filter(|meter| unnumbered(meter) && !tried.contains_key(&meter.id)).map(|meter| meter.id));
        for meter in grown {
            missing.entry(meter).or_default().journal = true;
        }
        let mut by_gateway: HashMap<GatewayId, Vec<(Arc<Meter>, MissingRecords)>> = HashMap::new();
        for (id, records_missing) in missing {
            let Some(meter) = self.directory.get(id) else { continue };
            // A journal that grows again is read again; a freeze that was not available will not be a minute later.
            let (abilities, waits) = (&meter.profile.abilities, tried.contains_key(&id));
            let records_missing = MissingRecords {
                freeze: records_missing.freeze && abilities.freeze && !waits,
                journal: records_missing.journal && abilities.journal,
            };
            if records_missing == MissingRecords::default() {
                continue;
            }
            let list = by_gateway.entry(meter.gateway).or_default();
            if list.len() < METERS_PER_GATEWAY {
                if records_missing.freeze || unnumbered(&meter) {
                    tried.insert(id, now);
                }
                list.push((meter, records_missing));
            }
        }
        Ok(by_gateway.into_values().collect())
    }

    /// Fetches from the meters of one gateway in turn; stops at the first failure.
    async fn fetch(&self, meters: Vec<(Arc<Meter>, MissingRecords)>) {
        for (meter, records_missing) in meters {
            let started = Instant::now();
            if let Err(error) = self.fetch_one(&meter, records_missing).await {
                tracing::debug!(meter = %meter, error = &error as &dyn std::error::Error, "archive.fetch-failed");
                return;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(started.elapsed() * PAUSE_FACTOR) => {}
            }
        }
    }

    async fn fetch_one(&self, meter: &Meter, records_missing: MissingRecords) -> Result<(), FetchError> {
        // The status is read first because it identifies the meter; the records do not.
        let (meter_status, _) = driver::meter_status(meter, Priority::Sweep, &self.clock).await?;
        if records_missing.journal {
            let records = driver::journal(meter, Priority::Sweep).await?;
            let newest = meter_status.wallet().map(|state| state.journal);
            journals::store(&self.db, &self.rng, self.clock.now(), meter.id, newest, &records).await?;
        }
        if records_missing.freeze {
            let frozen = driver::freeze(meter, Priority::Sweep).await?;
            midnights::fill(&self.db, self.clock.now(), meter.id, &meter.profile.counter(), &frozen).await?;
        }
        Ok(())
    }
}
