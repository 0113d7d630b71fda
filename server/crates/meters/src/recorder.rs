//! Records readings: classifies them, publishes them, and stores them in batches with the hourly and daily energy.
//!
//! A single task holds the last known values of every meter, so a sweep and a read-back cannot overwrite each other out of order.

mod batch;
mod books;
mod event;
mod relay_cases;
mod step;
mod track;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::case::CaseKind;
use model::event::EventKind;
use model::ids::{GatewayId, MeterId};
use model::time::{MINUTE, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

use super::directory::Directory;
use super::parameters::VersionTracker;
use crate::live::Live;
use crate::meter_ledger_check::MeterLedgerCheck;
use crate::server_wallets::ServerWallets;
use batch::Batch;
use domain::classify::{Baseline, Counter, HeldValues, classify};
use domain::clock::{FollowedClock, SharedClock};
use domain::meter_state::{Measurement, MeterStatus};
use domain::rng::Rng;
use domain::server_wallet::ServerWallet;
pub use event::MeterEvent;
use relay_cases::RelayCases;
use step::Steps;
use store::events::{self, Change, Subject, Turn};
use store::wallets::Metered;
use store::{self, Db, StoreError, cases, counters, readings};
use track::MeterTrack;
pub(super) use track::is_overtaken;

/// A batch is stored when it reaches this age or size.
const BATCH_AGE: Duration = Duration::from_millis(500);
const BATCH_ROWS: usize = 200;
/// Pause before a failed batch is retried.
const RETRY: Duration = Duration::from_secs(1);
/// Ledger positions and server wallets are reloaded this often.
const LEDGER_REFRESH: Duration = Duration::from_secs(60);

pub struct Recorder {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    live: Live,
    tracks: HashMap<MeterId, MeterTrack>,
    /// Meters whose counter is held, and until when operators' decisions were applied.
    held: HashSet<MeterId>,
    /// Meters in whose place another one answered: they have an open case.
    replaced: HashSet<MeterId>,
    relay_cases: RelayCases,
    decisions_checked_at: Timestamp,
    lost_gateways: HashSet<GatewayId>,
    ledger_check: MeterLedgerCheck,
    directory: Arc<Directory>,
    parameters: Option<VersionTracker>,
    server_wallets: ServerWallets,
    /// Whether server wallets may have changed, and until when changes were applied; `None` reloads all.
    moved: bool,
    refreshed_at: Option<Timestamp>,
    /// Signalled when a relay differs from the state that its server wallet asks for.
    relay_mismatch: Arc<Notify>,
    steps: Steps,
}

impl Recorder {
    /// Continues from the stored readings.
    pub async fn load(db: Db, clock: SharedClock, rng: Rng, live: Live, directory: Arc<Directory>) -> store::Result<Self> {
        let latest = queries::latest(&db).await?;
        let mut tracks: HashMap<MeterId, MeterTrack> =
            latest.into_iter().map(|seen| (seen.meter, MeterTrack::of(seen))).collect();
        let mut held = HashSet::new();
        for counted in readings::counted(&db).await? {
            let meter = counted.meter_id;
            let track = tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
            track.baseline = Some(counted.baseline());
            track.held_since = counted.held_since;
            (track.last_row, track.last_sequence) = (Some(counted.last_at), counted.last_sequence.unwrap_or(0));
            if track.held_since.is_some() {
                held.insert(meter);
                track.held = readings::held_values(&db, meter, counted.at).await?;
            }
        }
        for (meter, kind, since) in events::open_of_meters(&db).await? {
            tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter)).resume(kind, since);
        }
        let steps = Steps::load(&db, clock.clone()).await?;
        let replaced = cases::open_of_kind(&db, CaseKind::Identity).await?.into_iter().collect();
        let relay_cases = RelayCases::load(&db).await?;
        let lost_gateways = events::lost_gateways(&db).await?.into_iter().collect();
        let ledger_check = MeterLedgerCheck::load(&db).await?;
        // Decisions made while the process was down are in the readings already.
        let decisions_checked_at = clock.now();
        let (server_wallets, relay_mismatch) = (ServerWallets::load(&db).await?, Arc::default());
        Ok(Self {
            db,
            clock,
            rng,
            live,
            tracks,
            held,
            replaced,
            relay_cases,
            decisions_checked_at,
            lost_gateways,
            ledger_check,
            directory,
            parameters: None,
            server_wallets,
            // Changes made while the process was down are in the wallets but not in the last known values.
            moved: true,
            refreshed_at: None,
            relay_mismatch,
            steps,
        })
    }

    /// Also reports changes of parameter versions.
    #[must_use]
    pub fn with_version_tracker(mut self, parameters: VersionTracker) -> Self {
        self.parameters = Some(parameters);
        self
    }

    /// Tells the time while all steps of the clock are followed.
    #[must_use]
    pub fn followed_clock(&self) -> Arc<FollowedClock> {
        Arc::clone(&self.steps.followed)
    }

    /// Signalled when a relay differs from the state that its server wallet asks for.
    #[must_use]
    pub fn relay_mismatch(&self) -> Arc<Notify> {
        Arc::clone(&self.relay_mismatch)
    }

    /// Runs until all senders are gone; then stores the rest. Ends at once where another server may record the same meters.
    pub async fn run(mut self, mut events: mpsc::Receiver<MeterEvent>) {
        let mut refresh = Instant::now() + LEDGER_REFRESH;
        while let Some(first) = events.recv().await {
            if !self.follow_clock(&events).await {
                return;
            }
            self.apply_decisions().await;
            let mut batch = Batch::default();
            let until = Instant::now() + BATCH_AGE;
            self.handle(first, &mut batch);
            while batch.rows() < BATCH_ROWS {
                match timeout_at(until, events.recv()).await {
                    Ok(Some(event)) => {
                        if self.steps.notice()
                            && (!self.store(std::mem::take(&mut batch)).await || !self.follow_clock(&events).await)
                        {
                            return;
                        }
                        self.handle(event, &mut batch);
                    }
                    Ok(None) | Err(_) => break,
                }
            }
            if !self.store(batch).await {
                return;
            }
            if Instant::now() >= refresh {
                refresh = Instant::now() + LEDGER_REFRESH;
                // Meters that were added have a wallet too.
                (self.moved, self.refreshed_at) = (true, None);
                self.refresh_cases().await;
            }
        }
    }

    fn handle(&mut self, event: MeterEvent, batch: &mut Batch) {
        let event = self.steps.place(event);
        if let MeterEvent::Read { meter, from: at, meter_status: MeterStatus::Wallet(state), .. }
        | MeterEvent::MeterStatus { meter, at, meter_status: MeterStatus::Wallet(state) } = &event
            && let Some(tracker) = &mut self.parameters
        {
            tracker.observe(*meter, state.parameters, *at);
        }
        match event {
            MeterEvent::Read { meter, from, at, source, measurement, meter_status } => {
                let found = self.directory.get(meter);
                if let Some(state) = meter_status.wallet() {
                    self.compare_with_books(meter, from, state, batch);
                }
                // Its serial number was read with it.
                if self.replaced.remove(&meter) {
                    batch.mended(meter, CaseKind::Identity);
                }
                let counter = found.as_ref().map_or_else(Counter::default, |meter| meter.profile.counter());
                if let Some(gateway) = found.map(|meter| meter.gateway).filter(|gateway| self.lost_gateways.remove(gateway)) {
                    batch.events(vec![gateway_change(gateway, at, Turn::Over)]);
                }
                let track = self.tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
                let server_wallet = self.server_wallets.get(meter);
                batch.events(track.apply_status(at, &meter_status, server_wallet));
                let row = track.next_row(at);
                let at = row.at;
                let Measurement { total, reverse, rates, .. } = measurement;
                let now = Baseline { at, total, reverse, rates };
                let (quality, interval) = classify(track.baseline.as_ref(), track.held.as_ref(), &now, &counter);
                if let Some(interval) = interval {
                    batch.energy(meter, &interval);
                }
                track.held = if quality.counts() { None } else { HeldValues::after(track.held, &now, quality, &counter) };
                if quality.counts() {
                    self.held.remove(&meter);
                } else if track.held_since.is_none() {
                    track.held_since = Some(at);
                    self.held.insert(meter);
                    batch.hold(meter, quality, track.baseline.as_ref(), &now);
                }
                batch.events(track.apply_measurement(&now, quality, &meter_status, &measurement));
                if self.relay_cases.is_mended(meter, &meter_status, &track.latest) {
                    batch.mended(meter, CaseKind::Relay);
                }
                batch.reading(meter, row, quality, source, &measurement, &track.latest);
                batch.latest(meter);
                if server_wallet.is_some() {
                    // Published after it was charged.
                    let counts = quality.counts();
                    let load = measurement.load(at);
                    let before = std::mem::replace(&mut track.load, load);
                    batch.meter(Metered { meter, at, counts, interval, total, load, before });
                } else {
                    self.live.publish(track.latest.clone());
                }
            }
            MeterEvent::MeterStatus { meter, at, meter_status } => {
                let track = self.tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
                batch.events(track.apply_status(at, &meter_status, self.server_wallets.get(meter)));
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            MeterEvent::MeterLost { meter, since, alone } => {
                let track = self.tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
                batch.events(track.mark_lost(since, alone));
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            MeterEvent::MeterUnreadable { meter, since, items } => {
                let track = self.tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
                // One fault, one report: that another meter answers is a case already.
                let is_replaced = self.replaced.contains(&meter);
                batch.events(track.mark_unreadable(since, &items, !is_replaced));
                batch.latest(meter);
                self.live.publish(track.latest.clone());
            }
            MeterEvent::OddItems { meter, at, items } => {
                let track = self.tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
                batch.events(track.mark_odd(at, &items));
            }
            MeterEvent::GatewayLost { gateway, since } => {
                // Each loss is reported once.
                self.lost_gateways.insert(gateway);
                batch.events(vec![gateway_change(gateway, since, Turn::Raised("{}".into()))]);
            }
            MeterEvent::GatewayConnected { gateway, at } => {
                if self.lost_gateways.remove(&gateway) {
                    batch.events(vec![gateway_change(gateway, at, Turn::Over)]);
                }
            }
            MeterEvent::SerialMismatch { meter, serial } => {
                self.replaced.insert(meter);
                batch.serial_mismatch(meter, serial);
                let track = self.tracks.entry(meter).or_insert_with(|| MeterTrack::new(meter));
                batch.events(track.mark_replaced(self.clock.now()));
            }
            MeterEvent::LedgerPosition { meter, expected } => self.ledger_check.expect(meter, expected),
            MeterEvent::ServerWallets => self.moved = true,
            // It was followed before this is handled.
            MeterEvent::ClockSet => {}
        }
    }

    /// Publishes every meter whose server wallet has changed.
    async fn refresh_server_wallets(&mut self, batch: &mut Batch) {
        let now = self.clock.now();
        // Overlaps the previous check, for transactions that were committed while it ran.
        let moved = match self.server_wallets.refresh(&self.db, self.refreshed_at.map(|at| at.plus(-MINUTE))).await {
            Ok(moved) => moved,
            Err(error) => {
                self.moved = true;
                return tracing::warn!(error = &error as &dyn std::error::Error, "server_wallets.stale");
            }
        };
        self.refreshed_at = Some(now);
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

    /// Publishes meters without a meter wallet with what was charged, including those without an account; signals a relay that
    /// differs from the state that its wallet asks for.
    fn show_metered(&mut self, metered: &[Metered], mut charged: BTreeMap<MeterId, ServerWallet>) {
        for Metered { meter, .. } in metered {
            let Some(track) = self.tracks.get_mut(meter) else { continue };
            if let Some(server_wallet) = charged.remove(meter) {
                server_wallet.show(&mut track.latest);
                if server_wallet.differs(&track.latest) {
                    self.relay_mismatch.notify_one();
                }
                self.server_wallets.insert(*meter, server_wallet);
            }
            self.live.publish(track.latest.clone());
        }
    }

    /// Stores a batch, retrying until it succeeds: nothing is dropped, and pollers wait meanwhile. `false` where this server has
    /// lost the database: another one reads the same meters and charges what they used.
    async fn store(&mut self, mut batch: Batch) -> bool {
        if std::mem::take(&mut self.moved) {
            self.refresh_server_wallets(&mut batch).await;
        }
        let latest = |meter: &MeterId| self.tracks.get(meter).map(|track| track.latest.clone());
        let rows = batch.finish(latest);
        let charged = loop {
            match readings::write(&self.db, &self.rng, self.clock.now(), &rows).await {
                Ok(charged) => break charged,
                Err(StoreError::LockLost) => {
                    tracing::error!(readings = rows.readings.len(), "readings.left-to-the-next-server");
                    return false;
                }
                Err(error) => {
                    let (error, readings) = (&error as &dyn std::error::Error, rows.readings.len());
                    tracing::error!(error, readings, "readings.not-stored");
                }
            }
            sleep(RETRY).await;
        };
        self.show_metered(&rows.metered, charged);
        self.confirm_differences(batch.ledger_mismatches).await;
        true
    }

    /// Releases held counters for which an operator has chosen a new baseline.
    async fn apply_decisions(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let now = self.clock.now();
        let decided = async {
            // Overlaps the previous check, for decisions that were committed while it ran.
            for meter in counters::decided_since(&self.db, self.decisions_checked_at.plus(-MINUTE)).await? {
                let Some(track) = self.tracks.get_mut(&meter).filter(|track| track.held_since.is_some()) else { continue };
                let Some(from) = readings::counted_of(&self.db, meter).await?.map(|counted| counted.baseline()) else { continue };
                if track.baseline.is_none_or(|last| last.at < from.at) {
                    (track.baseline, track.held_since, track.held) = (Some(from), None, None);
                    self.held.remove(&meter);
                }
            }
            Ok::<_, StoreError>(())
        };
        match decided.await {
            Ok(()) => self.decisions_checked_at = now,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "readings.decisions-unavailable"),
        }
    }
}

const fn gateway_change(gateway: GatewayId, at: Timestamp, turn: Turn) -> Change {
    Change { kind: EventKind::GatewayLost, subject: Subject::Gateway(gateway), at, turn }
}
