//! What becomes of readings: classified, shown at once, stored in batches with the energy of their hours and days.
//!
//! One task knows what every meter was last seen to hold, so a sweep and a read-back can never overwrite each other out of order.

mod batch;
mod track;

use model::reading::ReadingSource;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::event::EventKind;
use model::ids::{GatewayId, MeterId};
use model::time::{MINUTE, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

use super::directory::Directory;
use super::parameters::Watch;
use crate::live::Live;
use crate::meter_ledger_check::MeterLedgerCheck;
use crate::server_wallets::ServerWallets;
use batch::Batch;
use domain::classify::{Baseline, Counter, classify};
use domain::clock::SharedClock;
use domain::ledger_position::LedgerPosition;
use domain::meter_state::{Measurement, MeterStatus};
use domain::rng::Rng;
use domain::serial::Serial;
use domain::server_wallet::ServerWallet;
use store::events::{self, Change, Subject, Turn};
use store::wallets::Metered;
use store::{self, Db, console, counters, readings};
use track::Track;
pub(super) use track::is_overtaken;

/// A batch is stored when it is this old or this large.
const BATCH_AGE: Duration = Duration::from_millis(500);
const BATCH_ROWS: usize = 200;
/// A database that refuses a batch is asked again after this long.
const RETRY: Duration = Duration::from_secs(1);
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
        source: ReadingSource,
        /// Counters and instantaneous values.
        measurement: Measurement,
        /// Wallet and relay.
        meter_status: MeterStatus,
    },
    /// Wallet and relay alone, read on the way of a command.
    MeterStatus {
        /// Of which meter.
        meter: MeterId,
        at: Timestamp,
        /// Wallet and relay.
        meter_status: MeterStatus,
    },
    /// It does not answer.
    Lost {
        meter: MeterId,
        since: Timestamp,
        /// Its gateway answers for others.
        alone: bool,
    },
    /// Nothing behind a gateway answers, until one of its meters is read again.
    GatewayLost { gateway: GatewayId, since: Timestamp },
    /// Another serial number answers at its address; nothing else that was read counts.
    Stranger { meter: MeterId, serial: Serial },
    /// What the ledger knows a meter to have applied has changed.
    Expect {
        meter: MeterId,
        /// What it should hold; `None` where no account is open any more.
        expected: Option<LedgerPosition>,
    },
    /// Server wallets may have moved: a purchase, a mode, a switch.
    ServerWallets,
}

pub struct Recorder {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    live: Live,
    tracks: HashMap<MeterId, Track>,
    /// Meters whose counter is held back, and until when a person's decisions were looked at.
    held: HashSet<MeterId>,
    looked_at: Timestamp,
    lost_gateways: HashSet<GatewayId>,
    ledger_check: MeterLedgerCheck,
    directory: Arc<Directory>,
    parameters: Option<Watch>,
    server_wallets: ServerWallets,
    /// Whether some have moved, and until when that was followed; `None` for all anew.
    moved: bool,
    followed: Option<Timestamp>,
    /// Rung where a relay is not as its server wallet asks for.
    unsettled: Arc<Notify>,
}

impl Recorder {
    /// Takes up where the stored readings end. The directory knows what the meters' counters can show.
    pub async fn load(db: Db, clock: SharedClock, rng: Rng, live: Live, directory: Arc<Directory>) -> store::Result<Self> {
        let latest = console::latest(&db).await?;
        let mut tracks: HashMap<MeterId, Track> = latest.into_iter().map(|seen| (seen.meter, Track::of(seen))).collect();
        let mut held = HashSet::new();
        for counted in readings::counted(&db).await? {
            let meter = counted.meter_id;
            let track = tracks.entry(meter).or_insert_with(|| Track::new(meter));
            track.baseline = Some(counted.baseline());
            track.held_since = counted.held_since;
            track.last_row = Some(counted.last_at);
            held.extend(track.held_since.map(|_| meter));
        }
        for (meter, kind, since) in events::open_of_meters(&db).await? {
            tracks.entry(meter).or_insert_with(|| Track::new(meter)).resume(kind, since);
        }
        let lost_gateways = events::lost_gateways(&db).await?.into_iter().collect();
        let ledger_check = MeterLedgerCheck::load(&db).await?;
        // What was decided while nobody ran stands in the readings already.
        let looked_at = clock.now();
        let (server_wallets, unsettled) = (ServerWallets::load(&db).await?, Arc::default());
        Ok(Self {
            db,
            clock,
            rng,
            live,
            tracks,
            held,
            looked_at,
            lost_gateways,
            ledger_check,
            directory,
            parameters: None,
            server_wallets,
            // What moved while nobody ran is in the purses, and not in what was last shown.
            moved: true,
            followed: None,
            unsettled,
        })
    }

    /// The same, and whoever keeps parameters hears of their changes.
    #[must_use]
    pub fn watching(mut self, parameters: Watch) -> Self {
        self.parameters = Some(parameters);
        self
    }

    /// Rings where a relay is not as its server wallet asks for.
    #[must_use]
    pub fn unsettled(&self) -> Arc<Notify> {
        Arc::clone(&self.unsettled)
    }

    /// Works until nobody can report any more; then what is left is stored.
    pub async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut refresh = Instant::now() + witness_refresh();
        while let Some(first) = events.recv().await {
            self.follow_decisions().await;
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
                // Meters that were added have a purse too.
                (self.moved, self.followed) = (true, None);
                match MeterLedgerCheck::load(&self.db).await {
                    Ok(ledger_check) => self.ledger_check = ledger_check,
                    Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "witness.stale"),
                }
            }
        }
    }

    fn take(&mut self, event: Event, batch: &mut Batch) {
        if let Event::Read { meter, from: at, meter_status: MeterStatus::Wallet(state), .. }
        | Event::MeterStatus { meter, at, meter_status: MeterStatus::Wallet(state) } = &event
            && let Some(watch) = &mut self.parameters
        {
            watch.see(*meter, state.parameters, *at);
        }
        match event {
            Event::Read { meter, from, at, source, measurement, meter_status } => {
                if let Some(state) = meter_status.wallet().filter(|state| self.ledger_check.differs(meter, state)) {
                    batch.suspect(meter, from, state);
                }
                let known = self.directory.get(meter);
                let counter = known.as_ref().map_or_else(Counter::default, |meter| meter.profile.counter());
                if let Some(gateway) = known.map(|meter| meter.gateway).filter(|gateway| self.lost_gateways.remove(gateway)) {
                    batch.events(vec![gateway_change(gateway, at, Turn::Over)]);
                }
                let track = self.tracks.entry(meter).or_insert_with(|| Track::new(meter));
                let server_wallet = self.server_wallets.get(meter);
                batch.events(track.see_face(at, &meter_status, server_wallet));
                let at = track.row_at(at);
                let Measurement { total, reverse, rates, .. } = measurement;
                let now = Baseline { at, total, reverse, rates };
                let (quality, interval) = classify(track.baseline.as_ref(), &now, &counter);
                if let Some(interval) = interval {
                    batch.energy(meter, &interval);
                }
                if quality.counts() {
                    self.held.remove(&meter);
                } else if track.held_since.is_none() {
                    track.held_since = Some(at);
                    self.held.insert(meter);
                    batch.hold(meter, quality, track.baseline.as_ref(), &now);
                }
                batch.events(track.see_measurement(&now, quality, &meter_status, &measurement));
                batch.reading(meter, at, quality, source, &measurement, &track.latest);
                batch.latest(meter);
                if server_wallet.is_some() {
                    // Shown when it was charged.
                    let counts = quality.counts();
                    let load = measurement.load(at);
                    let before = std::mem::replace(&mut track.load, load);
                    batch.meter(Metered { meter, at, counts, interval, total, load, before });
                } else {
                    self.live.publish(track.latest.clone());
                }
            }
            Event::MeterStatus { meter, at, meter_status } => {
                let track = self.tracks.entry(meter).or_insert_with(|| Track::new(meter));
                batch.events(track.see_face(at, &meter_status, self.server_wallets.get(meter)));
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            Event::Lost { meter, since, alone } => {
                let track = self.tracks.entry(meter).or_insert_with(|| Track::new(meter));
                batch.events(track.lose(since, alone));
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            Event::GatewayLost { gateway, since } => {
                if self.lost_gateways.insert(gateway) {
                    batch.events(vec![gateway_change(gateway, since, Turn::Raised("{}".into()))]);
                }
            }
            Event::Stranger { meter, serial } => batch.stranger(meter, serial),
            Event::Expect { meter, expected } => self.ledger_check.expect(meter, expected),
            Event::ServerWallets => self.moved = true,
        }
    }

    /// Shows every meter whose server wallet has moved as it stands now.
    async fn follow_purses(&mut self, batch: &mut Batch) {
        let now = self.clock.now();
        // A wallet may have moved in a transaction that was on its way while the last look was taken.
        let moved = match self.server_wallets.follow(&self.db, self.followed.map(|at| at.plus(-MINUTE))).await {
            Ok(moved) => moved,
            Err(error) => {
                self.moved = true;
                return tracing::warn!(error = &error as &dyn std::error::Error, "purses.stale");
            }
        };
        self.followed = Some(now);
        for (meter, server_wallet) in moved {
            let Some(track) = self.tracks.get_mut(&meter) else { continue };
            let mut latest = track.latest.clone();
            server_wallet.show(&mut latest);
            if latest != track.latest {
                track.latest = latest.clone();
                batch.latest(meter);
                self.live.publish(latest);
            }
        }
    }

    /// Meters without a wallet inside are shown with what was charged, those without an account too; a relay that is not as it
    /// should be is told.
    fn show_metered(&mut self, metered: &[Metered], mut charged: BTreeMap<MeterId, ServerWallet>) {
        for Metered { meter, .. } in metered {
            let Some(track) = self.tracks.get_mut(meter) else { continue };
            if let Some(server_wallet) = charged.remove(meter) {
                server_wallet.show(&mut track.latest);
                if server_wallet.differs(&track.latest) {
                    self.unsettled.notify_one();
                }
                self.server_wallets.put(*meter, server_wallet);
            }
            self.live.publish(track.latest.clone());
        }
    }

    /// Stores a batch, however often the database must be asked: nothing is dropped, and while this waits, the pollers do.
    async fn store(&mut self, mut batch: Batch) {
        if std::mem::take(&mut self.moved) {
            self.follow_purses(&mut batch).await;
        }
        let latest = |meter: &MeterId| self.tracks.get(meter).map(|track| track.latest.clone());
        let rows = batch.finish(latest);
        let charged = loop {
            match readings::write(&self.db, &self.rng, self.clock.now(), &rows).await {
                Ok(charged) => break charged,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        readings = rows.readings.len(),
                        "readings.not-stored"
                    );
                }
            }
            sleep(RETRY).await;
        };
        self.show_metered(&rows.metered, charged);
        for (meter, from, state) in batch.suspects {
            if let Err(error) = self.ledger_check.confirm(&self.db, &self.rng, self.clock.now(), meter, from, &state).await {
                tracing::warn!(error = &error as &dyn std::error::Error, meter = %meter, "witness.not-confirmed");
            }
        }
    }

    /// Where a person has decided about a counter that is held, it counts again from the reading that they chose.
    async fn follow_decisions(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let now = self.clock.now();
        let decided = async {
            // A decision may have been on its way while the last look was taken.
            for meter in counters::decided_since(&self.db, self.looked_at.plus(-MINUTE)).await? {
                let Some(track) = self.tracks.get_mut(&meter).filter(|track| track.held_since.is_some()) else { continue };
                let Some(from) = readings::counted_of(&self.db, meter).await?.map(|counted| counted.baseline()) else { continue };
                if track.baseline.is_none_or(|last| last.at < from.at) {
                    (track.baseline, track.held_since) = (Some(from), None);
                    self.held.remove(&meter);
                }
            }
            Ok::<_, store::StoreError>(())
        };
        match decided.await {
            Ok(()) => self.looked_at = now,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "readings.still-held"),
        }
    }
}

const fn gateway_change(gateway: GatewayId, at: Timestamp, turn: Turn) -> Change {
    Change { kind: EventKind::GatewayLost, subject: Subject::Gateway(gateway), at, turn }
}

const fn witness_refresh() -> Duration {
    Duration::from_secs(60)
}
