//! What becomes of readings: classified, shown at once, stored in batches with the energy of their hours and days.
//!
//! One task knows what every meter was last seen to hold, so a sweep and a read-back can never overwrite each other out of order.

mod batch;

use std::collections::HashMap;
use std::time::Duration;

use app::model::ids::MeterId;
use app::model::meter::Latest;
use app::model::time::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};

use super::classify::{Baseline, classify};
use super::codec::{Face, Measurement};
use super::serial::Serial;
use super::witness::{Witness, Witnessed};
use crate::clock::SharedClock;
use crate::live::Live;
use crate::rng::Rng;
use crate::store::{self, Db, console, readings};
use batch::Batch;

/// A batch is stored when it is this old or this large.
const BATCH_AGE: Duration = Duration::from_millis(250);
const BATCH_ROWS: usize = 200;
/// A database that refuses a batch is asked again after this long.
const RETRY: Duration = Duration::from_secs(1);
/// A clock that was set back by less than this is waited for; by more, readings are marked as out of order.
const CLOCK_STEP_MS: i64 = 10_000;

/// Why a meter was read, by its code in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The regular round.
    Sweep = 0,
    /// Somebody asked.
    OnDemand = 1,
    /// After a command.
    ReadBack = 2,
}

/// What pollers and deliveries report.
#[derive(Clone, Debug)]
pub enum Event {
    /// A whole reading.
    Read {
        /// Of which meter.
        meter: MeterId,
        /// When reading began: what was settled later is not in it.
        from: Timestamp,
        /// When the state was read; the counters follow at once.
        at: Timestamp,
        /// Why.
        source: Source,
        /// Counters and instantaneous values.
        measurement: Measurement,
        /// Wallet and relay.
        face: Face,
    },
    /// Wallet and relay alone, read on the way of a command.
    Face {
        /// Of which meter.
        meter: MeterId,
        /// When.
        at: Timestamp,
        /// Wallet and relay.
        face: Face,
    },
    /// It does not answer.
    Lost {
        /// Which meter.
        meter: MeterId,
        /// Since when.
        since: Timestamp,
    },
    /// Another serial number answers at its address; nothing else that was read counts.
    Stranger {
        /// Whose address.
        meter: MeterId,
        /// Who answers.
        serial: Serial,
    },
    /// What the ledger knows a meter to have applied has changed.
    Expect {
        /// Which meter.
        meter: MeterId,
        /// What it should hold; `None` where no account is open any more.
        expected: Option<Witnessed>,
    },
}

struct Track {
    latest: Latest,
    baseline: Option<Baseline>,
    /// Since when values are held back.
    held_since: Option<Timestamp>,
    /// The instant of the newest stored reading.
    last_row: Option<Timestamp>,
}

/// The task.
pub struct Recorder {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    live: Live,
    tracks: HashMap<MeterId, Track>,
    witness: Witness,
}

impl Recorder {
    /// Takes up where the stored readings end.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn load(db: Db, clock: SharedClock, rng: Rng, live: Live) -> store::Result<Self> {
        let mut tracks: HashMap<MeterId, Track> = HashMap::new();
        for latest in console::latest(&db).await? {
            tracks.insert(latest.meter, Track { latest, baseline: None, held_since: None, last_row: None });
        }
        for counted in readings::counted(&db).await? {
            let track = tracks.entry(MeterId(counted.meter_id)).or_insert_with(|| Track::new(MeterId(counted.meter_id)));
            let total = app::model::energy::Energy(counted.total_wh);
            track.baseline = Some(Baseline { at: Timestamp(counted.at), total });
            track.held_since = counted.held_since.map(Timestamp);
            track.last_row = Some(Timestamp(counted.last_at));
        }
        let witness = Witness::load(&db).await?;
        Ok(Self { db, clock, rng, live, tracks, witness })
    }

    /// Works until nobody can report any more; then what is left is stored.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut refresh = Instant::now() + witness_refresh();
        while let Some(first) = events.recv().await {
            let mut batch = Batch::default();
            let until = Instant::now() + BATCH_AGE;
            self.take(first, &mut batch);
            while batch.rows() < BATCH_ROWS {
                match timeout_at(until, events.recv()).await {
                    Ok(Some(event)) => self.take(event, &mut batch),
                    Ok(None) | Err(_) => break,
                }
            }
            self.store(batch).await;
            if Instant::now() >= refresh {
                refresh = Instant::now() + witness_refresh();
                match Witness::load(&self.db).await {
                    Ok(witness) => self.witness = witness,
                    Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "witness.stale"),
                }
            }
        }
    }

    fn take(&mut self, event: Event, batch: &mut Batch) {
        match event {
            Event::Read { meter, from, at, source, measurement, face } => {
                if let Some(state) = face.wallet().filter(|state| self.witness.differs(meter, state)) {
                    batch.suspect(meter, from, state);
                }
                let track = self.tracks.entry(meter).or_insert_with(|| Track::new(meter));
                track.see_face(at, &face);
                let at = track.row_at(at);
                let (quality, energy) = classify(track.baseline, at, measurement.total);
                track.see_measurement(&measurement);
                if quality.counts() {
                    if let Some(last) = track.baseline {
                        batch.energy(meter, last.at, at, energy);
                    }
                    track.baseline = Some(Baseline { at, total: measurement.total });
                    track.held_since = None;
                    track.latest.total = measurement.total;
                    track.latest.reverse = measurement.reverse.unwrap_or(track.latest.reverse);
                } else {
                    let since = *track.held_since.get_or_insert(at);
                    batch.hold(meter, quality, track.baseline, at, measurement.total, since);
                }
                batch.reading(meter, at, quality, source, &measurement, &track.latest);
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            Event::Face { meter, at, face } => {
                let track = self.tracks.entry(meter).or_insert_with(|| Track::new(meter));
                track.see_face(at, &face);
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            Event::Lost { meter, since } => {
                let track = self.tracks.entry(meter).or_insert_with(|| Track::new(meter));
                track.latest.lost_since = Some(since);
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            Event::Stranger { meter, serial } => batch.stranger(meter, serial),
            Event::Expect { meter, expected } => self.witness.expect(meter, expected),
        }
    }

    /// Stores a batch, however often the database must be asked: nothing is dropped, and while this waits, the pollers do.
    async fn store(&mut self, mut batch: Batch) {
        let latest = |meter: &MeterId| self.tracks.get(meter).map(|track| track.latest.clone());
        let rows = batch.finish(latest);
        while let Err(error) = readings::write(&self.db, &self.rng, self.clock.now(), &rows).await {
            tracing::error!(error = &error as &dyn std::error::Error, readings = rows.readings.len(), "readings.not-stored");
            sleep(RETRY).await;
        }
        for (meter, since, at, total) in batch.held {
            self.count_again(meter, since, Baseline { at, total }).await;
        }
        for (meter, from, state) in batch.suspects {
            if let Err(error) = self.witness.confirm(&self.db, &self.rng, self.clock.now(), meter, from, &state).await {
                tracing::warn!(error = &error as &dyn std::error::Error, meter = %meter, "witness.not-confirmed");
            }
        }
    }

    /// A person who closed the case has accepted the counter as it stands: energy counts from here on.
    async fn count_again(&mut self, meter: MeterId, since: Timestamp, from: Baseline) {
        match readings::is_settled(&self.db, meter, since).await {
            Ok(true) => {
                if let Some(track) = self.tracks.get_mut(&meter) {
                    track.baseline = Some(from);
                    track.held_since = None;
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, meter = %meter, "reading.still-held"),
        }
    }
}

const fn witness_refresh() -> Duration {
    Duration::from_secs(60)
}

impl Track {
    fn new(meter: MeterId) -> Self {
        Self { latest: Latest::unseen(meter), baseline: None, held_since: None, last_row: None }
    }

    /// Two stored readings of a meter are never of the same instant, and small steps of our clock back are no disorder.
    fn row_at(&mut self, at: Timestamp) -> Timestamp {
        let at = match self.last_row {
            Some(last) if at <= last && last.since(at) < CLOCK_STEP_MS => last.plus(1),
            _ => at,
        };
        self.last_row = Some(at);
        at
    }

    /// A sweep that a command overtook has read an older state than the one that is known.
    fn is_overtaken(&self, at: Timestamp) -> bool {
        self.latest.observed_at.is_some_and(|last| at < last && last.since(at) < CLOCK_STEP_MS)
    }

    fn see_face(&mut self, at: Timestamp, face: &Face) {
        self.latest.lost_since = None;
        if self.is_overtaken(at) {
            return;
        }
        let latest = &mut self.latest;
        latest.observed_at = Some(at);
        latest.status = face.status();
        latest.clock_offset_s = face.clock_offset_s(at);
        if let Some(state) = face.wallet() {
            (latest.remaining, latest.cumulative) = (state.remaining, state.cumulative);
            (latest.count, latest.epoch) = (state.count, state.epoch);
        }
    }

    fn see_measurement(&mut self, measurement: &Measurement) {
        let latest = &mut self.latest;
        (latest.power_w, latest.power_factor) = (measurement.power_w, measurement.power_factor);
        (latest.voltage_dv, latest.current_ca) = (measurement.voltage_dv, measurement.current_ca);
    }
}
