//! Polls the meters of one gateway: the schedule chooses the next meter, the poller reads it and reports.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::ids::MeterId;
use model::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::codec::DecodeError;
use super::directory::Meter;
use super::driver;
use super::gateway::{GatewayHealth, GatewayState};
use super::link::{Link, LinkState, Priority};
use super::profile::FieldSet;
use super::read_quality::ReadQualities;
use super::reader::ReadError;
use super::recorder::MeterEvent;
use super::schedule::{ReadFailure, ReadReason, Schedule, ScheduledAction, StatusChange};
use domain::clock::SharedClock;
use domain::serial::Serial;
use model::reading::ReadingSource;

/// Commands to a poller.
pub enum PollerCommand {
    /// Replaces the meters.
    SetMeters(Vec<Arc<Meter>>),
    /// Read this meter as soon as possible.
    ReadNow(MeterId, ReadingSource),
    /// Longest interval while someone watches, ms; `None` for each meter's own interval.
    SetPace(Option<u64>),
    /// Try lost meters now.
    RetryLost,
}

/// What a poller is started with.
pub struct PollerParts {
    pub link: Link,
    pub clock: SharedClock,
    pub schedule: Schedule,
    pub events: mpsc::Sender<MeterEvent>,
    /// Receives meters that answer again.
    pub recovered: mpsc::UnboundedSender<Recovered>,
    pub control: mpsc::UnboundedReceiver<PollerCommand>,
    pub health: watch::Sender<GatewayState>,
    pub qualities: Arc<ReadQualities>,
    pub stop: CancellationToken,
}

/// A meter was read for which commands may wait.
#[derive(Clone, Copy, Debug)]
pub struct Recovered {
    pub meter: MeterId,
    /// The reading before had failed. Otherwise the poller knows of no failure: somebody asked for the reading.
    pub had_failed: bool,
}

/// A meter whose last reading failed.
struct Failing {
    since: Timestamp,
    /// Whether something answered that could not be used, the last time, and how often in a row it was so.
    answers: bool,
    times: u32,
    /// What it was reported as: one that answers so, or lost.
    reported: Option<bool>,
}

impl Failing {
    const fn new(since: Timestamp, answers: bool) -> Self {
        Self { since, answers, times: 0, reported: None }
    }

    const fn note(&mut self, answers: bool) {
        self.times = if self.answers == answers { self.times.saturating_add(1) } else { 1 };
        self.answers = answers;
    }
}

/// What of a meter could not be read in its last readings: a line can spoil one, so it takes two.
#[derive(Default)]
struct OddItems {
    seen: FieldSet,
    times: u32,
    reported: Option<FieldSet>,
}

impl OddItems {
    /// Whether to report these now.
    fn note(&mut self, seen: FieldSet) -> bool {
        self.times = if self.seen == seen { self.times.saturating_add(1) } else { 1 };
        self.seen = seen;
        self.times >= 2 && self.reported.replace(seen) != Some(seen)
    }
}

pub struct Poller {
    link: Link,
    clock: SharedClock,
    events: mpsc::Sender<MeterEvent>,
    recovered: mpsc::UnboundedSender<Recovered>,
    control: mpsc::UnboundedReceiver<PollerCommand>,
    health: watch::Sender<GatewayState>,
    stop: CancellationToken,
    schedule: Schedule,
    started: Instant,
    meters: HashMap<MeterId, Arc<Meter>>,
    /// Whether its meters were set: it begins without any.
    has_list: bool,
    /// Meters whose last reading failed.
    failing: HashMap<MeterId, Failing>,
    /// What of a meter could not be read.
    odd: HashMap<MeterId, OddItems>,
    request_sources: HashMap<MeterId, ReadingSource>,
    /// Serial numbers that last answered in place of a meter's own.
    mismatched_serials: HashMap<MeterId, Serial>,
    /// Those that the log has, until the right meter answers.
    warned_serials: HashMap<MeterId, Serial>,
    /// How long the last attempt on each meter took, ms.
    took: HashMap<MeterId, u64>,
    qualities: Arc<ReadQualities>,
}

impl Poller {
    /// Starts without meters.
    #[must_use]
    pub fn new(parts: PollerParts) -> Self {
        let PollerParts { link, clock, schedule, events, recovered, control, health, qualities, stop } = parts;
        Self {
            link,
            clock,
            events,
            recovered,
            control,
            health,
            stop,
            schedule,
            started: Instant::now(),
            meters: HashMap::new(),
            has_list: false,
            failing: HashMap::new(),
            odd: HashMap::new(),
            request_sources: HashMap::new(),
            mismatched_serials: HashMap::new(),
            warned_serials: HashMap::new(),
            took: HashMap::new(),
            qualities,
        }
    }

    /// Polls until `stop` is cancelled.
    pub async fn run(mut self) {
        let mut link = self.link.state();
        let stop = self.stop.clone();
        let (mut was_down, mut stood_alone) = (false, false);
        while !stop.is_cancelled() {
            while let Ok(control) = self.control.try_recv() {
                self.handle(control);
            }
            let state = *link.borrow_and_update();
            match state {
                LinkState::Down => {
                    let change = self.schedule.unreachable(self.now());
                    self.apply(change, None).await;
                    self.set_health(GatewayHealth::Unreachable);
                    was_down = true;
                }
                // Once: one that accepts connections and does not answer is tried now and then.
                LinkState::Up if std::mem::take(&mut was_down) && self.schedule.is_gateway_lost() => {
                    let change = self.schedule.reachable(self.now());
                    self.apply(change, None).await;
                }
                LinkState::Up | LinkState::Connecting | LinkState::Reconnecting => {}
            }
            let stands_alone = state == LinkState::Up && self.has_list && self.meters.is_empty();
            if !std::mem::replace(&mut stood_alone, stands_alone) && stands_alone {
                self.report_connected().await;
            }
            let until = match self.schedule.next(self.now()) {
                ScheduledAction::Read { meter, reason } if state != LinkState::Down => {
                    self.read(meter, reason).await;
                    continue;
                }
                ScheduledAction::Read { .. } | ScheduledAction::Wait(None) => None,
                ScheduledAction::Wait(Some(at)) => Some(self.started + Duration::from_millis(at)),
            };
            tokio::select! {
                () = sleep_until(until.unwrap_or(self.started)), if until.is_some() => {}
                control = self.control.recv() => match control {
                    Some(control) => self.handle(control),
                    None => return,
                },
                changed = link.changed() => if changed.is_err() { return },
                () = stop.cancelled() => {}
            }
        }
    }

    /// Monotonic milliseconds for the schedule.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn handle(&mut self, control: PollerCommand) {
        match control {
            PollerCommand::SetMeters(meters) => {
                self.has_list = true;
                self.meters = meters.into_iter().map(|meter| (meter.id, meter)).collect();
                let intervals = self.meters.values().map(|meter| (meter.id, meter.sweep_interval_ms)).collect();
                self.schedule.set_meters(&intervals, self.now());
                self.failing.retain(|id, _| self.meters.contains_key(id));
                self.odd.retain(|id, _| self.meters.contains_key(id));
                self.took.retain(|id, _| self.meters.contains_key(id));
                self.health.send_modify(|state| state.meters = self.meters.len());
            }
            PollerCommand::ReadNow(meter, source) => {
                self.schedule.request_read(meter);
                self.request_sources.insert(meter, source);
            }
            PollerCommand::SetPace(pace) => self.schedule.set_pace(pace),
            PollerCommand::RetryLost => self.schedule.retry(self.now()),
        }
    }

    async fn read(&mut self, id: MeterId, reason: ReadReason) {
        let Some(meter) = self.meters.get(&id).cloned() else { return };
        let requested_by = self.request_sources.remove(&id).unwrap_or(ReadingSource::Sweep);
        let (source, priority) = match reason {
            ReadReason::Requested => (requested_by, Priority::ReadNow),
            ReadReason::Sweep => (ReadingSource::Sweep, Priority::Sweep),
            ReadReason::Probe => (ReadingSource::Sweep, Priority::Probe),
        };
        let (started_at, from) = (self.now(), self.clock.now());
        let result = driver::read(&meter, priority, &self.clock).await;
        if result.is_err() {
            // The time until the gateway accepts a connection again is the cost of this attempt, not of the next one.
            self.link.settled().await;
        }
        let now = self.now();
        let took = now.saturating_sub(started_at);
        self.took.insert(id, took);
        self.qualities.note(id, result.as_ref().err().is_none_or(|error| error.is_answered()));
        match result {
            Ok(driver::Reading { at, measurement, meter_status, odd }) => {
                self.mismatched_serials.remove(&id);
                self.warned_serials.remove(&id);
                let change = self.schedule.succeeded(id, now, took);
                self.apply(change, Some(at)).await;
                self.set_health(GatewayHealth::Up);
                let failed = self.failing.remove(&id);
                if failed.as_ref().is_some_and(|failing| failing.reported.is_some()) {
                    tracing::info!(%meter, "meter.found");
                }
                // A delivery that got no answer requests a reading and defers the meter's commands, longer each time, although
                // the meter may never be lost. Without a delivery engine no command waits for the meter.
                let had_failed = failed.is_some();
                if had_failed || reason == ReadReason::Requested {
                    let _ = self.recovered.send(Recovered { meter: id, had_failed });
                }
                self.report(MeterEvent::Read { meter: id, from, at, source, measurement, meter_status }).await;
                if self.odd.entry(id).or_default().note(odd) {
                    let items: Vec<String> = odd.iter().map(|field| meter.profile.item(field)).collect();
                    if !items.is_empty() {
                        tracing::warn!(%meter, items = items.join(", "), "meter.items-unreadable");
                    }
                    self.report(MeterEvent::OddItems { meter: id, at, items }).await;
                }
            }
            Err(error) => self.fail(&meter, error, from, now, took).await,
        }
    }

    async fn fail(&mut self, meter: &Meter, error: ReadError, from: Timestamp, now: u64, took: u64) {
        let id = meter.id;
        // Before the schedule: if this failure makes the gateway lost, the meter is reported with the others.
        let answers = error.is_answered();
        self.failing.entry(id).or_insert_with(|| Failing::new(from, answers)).note(answers);
        let other_serial = if let ReadError::SerialMismatch(serial) = error { Some(serial) } else { None };
        // A single mismatch may be a late answer; the same serial number on two connections is installed at this address.
        if let (Some(serial), true) = (other_serial, self.mismatched_serials.get(&id) == other_serial.as_ref()) {
            if self.warned_serials.insert(id, serial) != Some(serial) {
                tracing::warn!(%meter, answers = %serial, "meter.serial-mismatch");
            }
            self.report(MeterEvent::SerialMismatch { meter: id, serial }).await;
        }
        match other_serial {
            Some(serial) => drop(self.mismatched_serials.insert(id, serial)),
            None => drop(self.mismatched_serials.remove(&id)),
        }
        let change = self.schedule.failed(id, now, took, error.failure());
        // A meter that falls silent, or begins to answer what cannot be read, changes its state after two of the kind.
        let turned = |failing: &Failing| failing.reported.is_some_and(|reported| reported != answers) && failing.times >= 2;
        let turned = self.failing.get(&id).is_some_and(turned) && change == StatusChange::Nothing;
        if change == StatusChange::MeterLost || (turned && !self.schedule.is_gateway_lost()) {
            self.report_failing(meter, error).await;
        }
        self.apply(change, Some(from)).await;
        if !self.schedule.is_gateway_lost() {
            let health = self.health.borrow().health;
            self.set_health(if error.failure() != ReadFailure::Silent { GatewayHealth::Up } else { health });
        }
    }

    /// Reports what a schedule change means for the gateway as a whole.
    async fn apply(&mut self, change: StatusChange, at: Option<Timestamp>) {
        match change {
            StatusChange::GatewayLost => {
                tracing::warn!(gateway = self.health.borrow().name, "gateway.lost");
                let since = at.unwrap_or_else(|| self.clock.now());
                let ids: Vec<MeterId> = self.meters.keys().copied().collect();
                let gateway = self.health.borrow().id;
                self.report(MeterEvent::GatewayLost { gateway, since }).await;
                for id in ids {
                    self.report_lost(id, since, false).await;
                }
                self.set_health(GatewayHealth::Silent);
            }
            StatusChange::GatewayFound => {
                tracing::info!(gateway = self.health.borrow().name, "gateway.found");
                self.set_health(GatewayHealth::Up);
            }
            StatusChange::Nothing | StatusChange::Found | StatusChange::MeterLost => {}
        }
    }

    /// Reports that a gateway without meters accepts connections: no reading will tell that it is back.
    async fn report_connected(&mut self) {
        let change = self.schedule.reachable(self.now());
        self.apply(change, None).await;
        let gateway = self.health.borrow().id;
        self.report(MeterEvent::GatewayConnected { gateway, at: self.clock.now() }).await;
    }

    /// Reports a meter that fails alone as what it is: lost, or one that answers what cannot be read.
    async fn report_failing(&mut self, meter: &Meter, error: ReadError) {
        let id = meter.id;
        if !error.is_answered() {
            tracing::info!(%meter, %error, "meter.lost");
            return self.report_lost(id, self.clock.now(), true).await;
        }
        if !matches!(error, ReadError::SerialMismatch(_)) {
            tracing::info!(%meter, %error, "meter.unreadable");
        }
        let items = match error {
            ReadError::Decode(DecodeError::Value(field) | DecodeError::Missing(field)) => vec![meter.profile.item(field)],
            _ => Vec::new(),
        };
        let Some(failing) = self.failing.get_mut(&id) else { return };
        failing.reported = Some(true);
        let since = failing.since;
        self.report(MeterEvent::MeterUnreadable { meter: id, since, items }).await;
    }

    /// Reports a meter as lost, once, since its first failure; `alone` unless its gateway is lost too.
    async fn report_lost(&mut self, id: MeterId, at: Timestamp, alone: bool) {
        let failing = self.failing.entry(id).or_insert_with(|| Failing::new(at, false));
        let since = failing.since;
        if failing.reported.replace(false) != Some(false) {
            self.report(MeterEvent::MeterLost { meter: id, since, alone }).await;
        }
    }

    fn set_health(&self, health: GatewayHealth) {
        let (lost, now) = (self.failing.values().filter(|failing| failing.reported.is_some()).count(), self.clock.now());
        let noise = self.link.noise();
        let round = (!self.took.is_empty()).then(|| self.took.values().sum());
        self.health.send_if_modified(|state| {
            // Shown when somebody looks; nobody waits for its changes.
            state.round_ms = round;
            let noisy = noise > state.noise.map_or(0, |(count, _)| count);
            let changed = state.health != health || state.lost != lost || noisy;
            if state.health != health {
                state.since = now;
            }
            if noisy {
                state.noise = Some((noise, now));
            }
            (state.health, state.lost) = (health, lost);
            changed
        });
    }

    /// Waits while the recorder is behind: a database outage pauses polling instead of dropping readings.
    async fn report(&self, event: MeterEvent) {
        tokio::select! {
            biased;
            sent = self.events.send(event) => if sent.is_err() { tracing::debug!("recorder.gone") },
            () = self.stop.cancelled() => {}
        }
    }
}
