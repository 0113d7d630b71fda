//! The round over the meters of one gateway: asks the schedule who is next, reads, and reports.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use model::ids::MeterId;
use model::time::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::directory::Meter;
use super::driver;
use super::gateway::{GatewayHealth, GatewayState};
use super::link::{Link, LinkState, Priority};
use super::reader::ReadError;
use super::recorder::Event;
use super::schedule::{Change, Failure, Next, Schedule, Turn};
use domain::clock::SharedClock;
use domain::serial::Serial;
use model::reading::ReadingSource;

/// What a poller is told.
pub enum Control {
    /// These meters from now on.
    Meters(Vec<Arc<Meter>>),
    /// Read this one now.
    ReadNow(MeterId, ReadingSource),
    /// While somebody watches: no meter waits longer than so many ms; `None`: each at its own interval.
    Pace(Option<u64>),
    /// Try what is lost now.
    Retry,
}

/// The parts of a poller.
pub struct Poller {
    link: Link,
    clock: SharedClock,
    events: mpsc::Sender<Event>,
    /// Meters that were lost and answer again.
    heard: mpsc::UnboundedSender<MeterId>,
    control: mpsc::UnboundedReceiver<Control>,
    health: watch::Sender<GatewayState>,
    stop: CancellationToken,
    schedule: Schedule,
    started: Instant,
    meters: HashMap<MeterId, Arc<Meter>>,
    /// Meters that failed last time, since when, and whether they were reported lost.
    failing: HashMap<MeterId, (Timestamp, bool)>,
    asked_by: HashMap<MeterId, ReadingSource>,
    /// Serial numbers that answered last time in place of a meter's own.
    strangers: HashMap<MeterId, Serial>,
}

impl Poller {
    /// A poller without meters.
    #[must_use]
    pub fn new(
        link: Link,
        clock: SharedClock,
        schedule: Schedule,
        events: mpsc::Sender<Event>,
        heard: mpsc::UnboundedSender<MeterId>,
        control: mpsc::UnboundedReceiver<Control>,
        health: watch::Sender<GatewayState>,
        stop: CancellationToken,
    ) -> Self {
        let (meters, failing, asked_by, strangers) = (HashMap::new(), HashMap::new(), HashMap::new(), HashMap::new());
        let started = Instant::now();
        Self { link, clock, events, heard, control, health, stop, schedule, started, meters, failing, asked_by, strangers }
    }

    /// Goes round until it is stopped.
    pub async fn run(mut self) {
        let mut link = self.link.state();
        let stop = self.stop.clone();
        while !stop.is_cancelled() {
            while let Ok(control) = self.control.try_recv() {
                self.handle(control);
            }
            let state = *link.borrow_and_update();
            match state {
                LinkState::Down => {
                    let change = self.schedule.unreachable(self.now());
                    self.apply(change, None).await;
                    self.tell(GatewayHealth::Unreachable);
                }
                LinkState::Up if self.schedule.is_gateway_lost() => self.schedule.reachable(self.now()),
                LinkState::Up | LinkState::Connecting => {}
            }
            let until = match self.schedule.next(self.now()) {
                Next::Read { meter, turn } if state != LinkState::Down => {
                    self.read(meter, turn).await;
                    continue;
                }
                Next::Read { .. } | Next::Wait(None) => None,
                Next::Wait(Some(at)) => Some(self.started + Duration::from_millis(at)),
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

    /// Steady milliseconds, for the schedule.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn handle(&mut self, control: Control) {
        match control {
            Control::Meters(meters) => {
                self.meters = meters.into_iter().map(|meter| (meter.id, meter)).collect();
                let intervals = self.meters.values().map(|meter| (meter.id, meter.sweep_interval_ms)).collect();
                self.schedule.set_meters(&intervals, self.now());
                self.failing.retain(|id, _| self.meters.contains_key(id));
                self.health.send_modify(|state| state.meters = self.meters.len());
            }
            Control::ReadNow(meter, source) => {
                self.schedule.request_read(meter);
                self.asked_by.insert(meter, source);
            }
            Control::Pace(pace) => self.schedule.set_pace(pace),
            Control::Retry => self.schedule.retry(self.now()),
        }
    }

    async fn read(&mut self, id: MeterId, turn: Turn) {
        let Some(meter) = self.meters.get(&id).cloned() else { return };
        let asked_by = self.asked_by.remove(&id).unwrap_or(ReadingSource::Sweep);
        let (source, priority) = match turn {
            Turn::Asked => (asked_by, Priority::ReadNow),
            Turn::Round => (ReadingSource::Sweep, Priority::Sweep),
            Turn::Probe => (ReadingSource::Sweep, Priority::Probe),
        };
        let (began, from) = (self.now(), self.clock.now());
        let result = driver::read(&meter, priority, &self.clock).await;
        let now = self.now();
        let took = now.saturating_sub(began);
        match result {
            Ok(driver::Reading { at, measurement, meter_status }) => {
                self.strangers.remove(&id);
                let change = self.schedule.good(id, now, took);
                self.apply(change, Some(at)).await;
                self.tell(GatewayHealth::Up);
                if let Some((_, true)) = self.failing.remove(&id) {
                    tracing::info!(meter = %id, "meter.found");
                    // Nobody to hear is nobody who waits.
                    let _ = self.heard.send(id);
                }
                self.report(Event::Read { meter: id, from, at, source, measurement, meter_status }).await;
            }
            Err(error) => self.fail(id, error, from, now, took).await,
        }
    }

    async fn fail(&mut self, id: MeterId, error: ReadError, from: Timestamp, now: u64, took: u64) {
        // Before the schedule: a gateway that is lost by this failure reports this meter with the others.
        self.failing.entry(id).or_insert((from, false));
        let stranger = if let ReadError::Stranger(serial) = error { Some(serial) } else { None };
        // Once may be an answer that slipped; the same one twice, on two connections, lives at this address.
        if let (Some(serial), true) = (stranger, self.strangers.get(&id) == stranger.as_ref()) {
            self.report(Event::Stranger { meter: id, serial }).await;
        }
        match stranger {
            Some(serial) => drop(self.strangers.insert(id, serial)),
            None => drop(self.strangers.remove(&id)),
        }
        let change = self.schedule.failed(id, now, took, error.failure());
        if change == Change::MeterLost {
            tracing::info!(meter = %id, %error, "meter.lost");
            self.lose(id, from, true).await;
        }
        self.apply(change, Some(from)).await;
        if !self.schedule.is_gateway_lost() {
            let health = self.health.borrow().health;
            self.tell(if error.failure() == Failure::Refused { GatewayHealth::Up } else { health });
        }
    }

    /// What a change means for the gateway as a whole.
    async fn apply(&mut self, change: Change, at: Option<Timestamp>) {
        match change {
            Change::GatewayLost => {
                tracing::warn!(gateway = %self.health.borrow().id, "gateway.lost");
                let since = at.unwrap_or_else(|| self.clock.now());
                let ids: Vec<MeterId> = self.meters.keys().copied().collect();
                let gateway = self.health.borrow().id;
                self.report(Event::GatewayLost { gateway, since }).await;
                for id in ids {
                    self.lose(id, since, false).await;
                }
                self.tell(GatewayHealth::Silent);
            }
            Change::GatewayFound => {
                tracing::info!(gateway = %self.health.borrow().id, "gateway.found");
                self.tell(GatewayHealth::Up);
            }
            Change::Nothing | Change::Found | Change::MeterLost => {}
        }
    }

    /// Says once that a meter is lost, alone or with its gateway: since it first failed.
    async fn lose(&mut self, id: MeterId, at: Timestamp, alone: bool) {
        let (since, reported) = self.failing.entry(id).or_insert((at, false));
        let since = *since;
        if !std::mem::replace(reported, true) {
            self.report(Event::Lost { meter: id, since, alone }).await;
        }
    }

    fn tell(&self, health: GatewayHealth) {
        let (lost, now) = (self.failing.values().filter(|(_, reported)| *reported).count(), self.clock.now());
        self.health.send_if_modified(|state| {
            let changed = state.health != health || state.lost != lost;
            if state.health != health {
                state.since = now;
            }
            (state.health, state.lost) = (health, lost);
            changed
        });
    }

    /// Waits where the recorder is behind: a database that is down stops the round rather than dropping readings.
    async fn report(&self, event: Event) {
        tokio::select! {
            biased;
            sent = self.events.send(event) => if sent.is_err() { tracing::debug!("recorder.gone") },
            () = self.stop.cancelled() => {}
        }
    }
}
