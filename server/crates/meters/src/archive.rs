//! What meters keep themselves, midnights and journals, is fetched when it is missing: after each midnight, after an outage, and
//! when a journal has moved.
//!
//! Fetching comes after everything else on a bus, and rests three times as long as it took, so that a round of the sweep is
//! never slowed by more than a quarter.

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
use store::{Db, StoreError, journals, midnights};

/// Midnight is asked for when every meter's clock has passed it.
const AFTER_MIDNIGHT: i64 = 3 * MINUTE;
/// A meter that could not give what is missing is asked again after this long; a journal without numbers is read as often.
const AGAIN: i64 = HOUR;
/// Meters of one gateway in one round, and gateways side by side.
const METERS: usize = 20;
const GATEWAYS: usize = 64;
/// Meters that one round may find to be due.
const DUE: i64 = 5_000;
/// Rest after a fetch, in times of what it took.
const REST: u32 = 3;

pub struct Archive {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// The way to each meter.
    pub directory: Arc<Directory>,
    /// How often it looks for what is missing.
    pub period: Duration,
    pub stop: CancellationToken,
}

/// What a meter is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Want {
    freeze: bool,
    journal: bool,
}

/// Why it did not come.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("not read")]
    Read(#[from] ReadError),
    #[error("not stored")]
    Store(#[from] StoreError),
}

impl Archive {
    /// Works until it is stopped.
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
                Ok(due) => stream::iter(due).for_each_concurrent(GATEWAYS, |meters| self.fetch(meters)).await,
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "archive.not-known"),
            }
        }
    }

    /// What is missing, by gateway; what was tried lately waits.
    async fn due(&self, tried: &mut HashMap<MeterId, Timestamp>) -> Result<Vec<Vec<(Arc<Meter>, Want)>>, StoreError> {
        let now = self.clock.now();
        let midnight = now.date().start();
        tried.retain(|_, at| now.since(*at) < AGAIN);
        let mut wants: HashMap<MeterId, Want> = HashMap::new();
        if now.since(midnight) >= AFTER_MIDNIGHT {
            for meter in midnights::missing(&self.db, midnight, DUE).await? {
                wants.entry(meter).or_default().freeze = true;
            }
        }
        let mut moved: HashSet<MeterId> = journals::moved(&self.db, DUE).await?.into_iter().collect();
        // Journals without numbers do not say that they moved.
        let unnumbered = |meter: &Arc<Meter>| meter.profile.abilities.journal && meter.profile.secured.is_none();
        let all = self.directory.all();
        moved.extend(all.iter().filter(|meter| unnumbered(meter) && !tried.contains_key(&meter.id)).map(|meter| meter.id));
        for meter in moved {
            wants.entry(meter).or_default().journal = true;
        }
        let mut by_gateway: HashMap<GatewayId, Vec<(Arc<Meter>, Want)>> = HashMap::new();
        for (id, want) in wants {
            let Some(meter) = self.directory.get(id) else { continue };
            // A journal that moves again is read again; a midnight that was not there is not there a minute later.
            let (can, waits) = (&meter.profile.abilities, tried.contains_key(&id));
            let want = Want { freeze: want.freeze && can.freeze && !waits, journal: want.journal && can.journal };
            if want == Want::default() {
                continue;
            }
            let list = by_gateway.entry(meter.gateway).or_default();
            if list.len() < METERS {
                if want.freeze || unnumbered(&meter) {
                    tried.insert(id, now);
                }
                list.push((meter, want));
            }
        }
        Ok(by_gateway.into_values().collect())
    }

    /// One meter of a gateway after the other; a failure ends the round there.
    async fn fetch(&self, meters: Vec<(Arc<Meter>, Want)>) {
        for (meter, want) in meters {
            let began = Instant::now();
            if let Err(error) = self.fetch_one(&meter, want).await {
                tracing::debug!(meter = %meter.id, error = &error as &dyn std::error::Error, "archive.not-fetched");
                return;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = sleep(began.elapsed() * REST) => {}
            }
        }
    }

    async fn fetch_one(&self, meter: &Meter, want: Want) -> Result<(), Failure> {
        // Who answers is asked first: the records themselves do not say whose they are.
        let (meter_status, _) = driver::meter_status(meter, Priority::Sweep, &self.clock).await?;
        if want.journal {
            let records = driver::journal(meter, Priority::Sweep).await?;
            let newest = meter_status.wallet().map(|state| state.journal);
            journals::store(&self.db, &self.rng, self.clock.now(), meter.id, newest, &records).await?;
        }
        if want.freeze {
            let frozen = driver::freeze(meter, Priority::Sweep).await?;
            midnights::fill(&self.db, self.clock.now(), meter.id, &meter.profile.counter(), &frozen).await?;
        }
        Ok(())
    }
}
