//! Starts and stops everything that reads and commands meters, and applies changes of gateways and meters.

mod certificates;
mod dial_in;
mod ending;
mod instruments;
mod on_demand;
mod scan;
mod test_gateway;

use model::case::{CaseDetail, CaseKind};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::gateway::SweepInterval;
use model::ids::{GatewayId, InstrumentId, MeterId};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::archive::ArchiveFetcher;
use super::config::Config;
use super::delivery::DeliveryEngine;
use super::dial_in::Hub;
use super::directory::{Directory, Meter};
use super::gateway::{GatewayHealth, GatewayState};
use super::instruments::Instrument;
use super::keys::MasterKeys;
use super::link::{Link, Target};
use super::parameters::{ParameterReader, VersionTracker};
use super::poller::{Poller, PollerCommand, PollerParts, Recovered};
use super::profile::Profiles;
use super::read_quality::ReadQualities;
use super::recorder::{MeterEvent, Recorder};
use super::relay_controller::RelayController;
use super::schedule::{Schedule, SchedulePolicy};
use super::usable::{Unusable, usable};
use crate::live::Live;
use domain::clock::{FollowedClock, SharedClock};
use domain::defaults::DefaultsTree;
use domain::rng::Rng;
use metering::clock_steps;
use store::meters::{self as rows, GatewayRow, MeterRow};
use store::{self, Db, StoreError, cases};

/// Changes of gateways and meters are noticed this much later if a signal was missed.
const RELOAD: Duration = Duration::from_secs(30);
/// How often it is checked whether someone watches.
const WATCH_CHECK: Duration = Duration::from_secs(1);
/// The most reports queued for the recorder before pollers wait.
const BACKLOG: usize = 1_024;

pub struct Meters {
    pub db: Db,
    pub clock: SharedClock,
    /// For ids and jitter.
    pub rng: Rng,
    pub live: Live,
    pub keys: MasterKeys,
    pub config: Config,
    pub profiles: Profiles,
}

/// Handle of the running tasks, cheap to clone. Its signals only speed things up: each task also runs periodically.
#[derive(Clone)]
pub struct GatewayHandle(Arc<Shared>);

struct Shared {
    wake: Arc<Notify>,
    /// Signals that a server wallet may have changed.
    moved: Arc<Notify>,
    reload: Notify,
    stop: CancellationToken,
    clock: SharedClock,
    followed: Arc<FollowedClock>,
    rng: Rng,
    directory: Arc<Directory>,
    instruments: Mutex<HashMap<InstrumentId, Arc<Instrument>>>,
    db: Db,
    buses: Mutex<HashMap<GatewayId, Bus>>,
    hub: Hub,
    profiles: Profiles,
    scans: scan::Scans,
    qualities: Arc<ReadQualities>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Bus {
    row: GatewayRow,
    target: Target,
    /// With the gateway's own time limits.
    config: Arc<Config>,
    link: Link,
    control: mpsc::UnboundedSender<PollerCommand>,
    instruments: mpsc::UnboundedSender<Vec<Arc<Instrument>>>,
    health: watch::Receiver<GatewayState>,
    stop: CancellationToken,
}

impl GatewayHandle {
    /// Signals that a command, or a purchase from a server wallet, was committed.
    pub fn wake(&self) {
        self.0.wake.notify_one();
        self.0.moved.notify_one();
    }

    /// Connects to this gateway now, and tries the lost meters behind it.
    pub fn retry_gateway(&self, gateway: GatewayId) {
        if let Some(bus) = self.0.lock_buses().get(&gateway) {
            bus.link.retry();
            // If the poller is gone it is being replaced, and the new one tries all meters.
            let _ = bus.control.send(PollerCommand::RetryLost);
        }
    }

    /// Signals that gateways or meters were added, moved or retired, or that intervals changed.
    pub fn reload(&self) {
        self.0.reload.notify_one();
    }

    /// State of all gateways, by name.
    #[must_use]
    pub fn gateways(&self) -> Vec<GatewayState> {
        let mut states: Vec<_> = self.0.lock_buses().values().map(|bus| bus.health.borrow().clone()).collect();
        states.sort_by(|a, b| a.name.cmp(&b.name));
        states
    }
}

impl Shared {
    fn lock_buses(&self) -> std::sync::MutexGuard<'_, HashMap<GatewayId, Bus>> {
        self.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meters {
    /// Starts reading all meters in service and delivering queued commands.
    ///
    /// # Errors
    /// Where the database fails; [`StoreError::ClockBehind`] where the clock cannot be right.
    pub async fn start(self) -> store::Result<GatewayHandle> {
        let now = self.clock.now();
        if let Some(ahead) = clock_steps::ahead(&self.db, now).await? {
            if ahead > clock_steps::MOST_BACK && !self.config.accept_clock {
                return Err(StoreError::ClockBehind { now, newest: now.plus(ahead) });
            }
            tracing::warn!(step_s = -ahead / 1_000, "clock.stepped");
            clock_steps::follow(&self.db, &self.rng, now, -ahead).await?;
            for latest in queries::latest(&self.db).await? {
                self.live.publish(latest);
            }
        }
        let (changed, changes) = mpsc::unbounded_channel();
        let tracker = VersionTracker::load(&self.db, changed).await?;
        let (events, reports) = mpsc::channel(BACKLOG);
        let (recovered, recoveries) = mpsc::unbounded_channel();
        let (directory, config) = (Arc::new(Directory::default()), Arc::new(self.config));
        let recorder =
            Recorder::load(self.db.clone(), self.clock.clone(), self.rng.clone(), self.live.clone(), Arc::clone(&directory))
                .await?;
        let shared = Arc::new(Shared {
            wake: Arc::new(Notify::new()),
            moved: recorder.relay_mismatch(),
            reload: Notify::new(),
            stop: CancellationToken::new(),
            clock: self.clock.clone(),
            followed: recorder.followed_clock(),
            rng: self.rng.clone(),
            directory: Arc::clone(&directory),
            instruments: Mutex::default(),
            db: self.db.clone(),
            buses: Mutex::default(),
            hub: Hub::new(config.dial_in.clone(), self.clock.clone()),
            profiles: self.profiles.clone(),
            scans: Mutex::default(),
            qualities: Arc::default(),
            tasks: Mutex::default(),
        });
        let parameter_reader = ParameterReader { db: self.db.clone(), rng: self.rng.clone(), directory: Arc::clone(&directory) };
        let archive = ArchiveFetcher {
            db: self.db.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            directory: Arc::clone(&directory),
            period: Duration::from_millis(config.archive_interval_ms),
            stop: shared.stop.clone(),
        };
        let engine = Arc::new(DeliveryEngine {
            db: self.db.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            keys: self.keys,
            directory,
            events: events.clone(),
            config: Arc::clone(&config),
            pauses: Mutex::default(),
        });
        let relay_controller = RelayController {
            db: self.db.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            events: events.clone(),
            wake: Arc::clone(&shared.wake),
        };
        let mut supervisor = Supervisor {
            live: self.live,
            pace: None,
            db: self.db,
            clock: self.clock,
            rng: self.rng,
            config,
            profiles: self.profiles,
            events,
            recovered,
            shared: Arc::clone(&shared),
            site_port: dial_in::SitePort::default(),
            rooms: HashMap::new(),
        };
        supervisor.reload().await?;
        let listeners = dial_in::listeners(&shared);
        let delivery = engine.run(Arc::clone(&shared.wake), recoveries, shared.stop.clone());
        let controlling = relay_controller.run(Arc::clone(&shared.moved), shared.stop.clone());
        let reading_parameters = parameter_reader.run(changes, shared.stop.clone());
        let tasks = vec![
            tokio::spawn(supervisor.run()),
            tokio::spawn(delivery),
            tokio::spawn(recorder.with_version_tracker(tracker).run(reports)),
            tokio::spawn(reading_parameters),
            tokio::spawn(archive.run()),
            tokio::spawn(controlling),
        ];
        shared.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks.into_iter().chain(listeners));
        Ok(GatewayHandle(shared))
    }
}

struct Supervisor {
    live: Live,
    /// Longest interval while someone watches, ms; `None` otherwise.
    pace: Option<u64>,
    db: Db,
    clock: SharedClock,
    rng: Rng,
    config: Arc<Config>,
    profiles: Profiles,
    events: mpsc::Sender<MeterEvent>,
    recovered: mpsc::UnboundedSender<Recovered>,
    shared: Arc<Shared>,
    site_port: dial_in::SitePort,
    /// Building, floor and room of each meter, for the log.
    rooms: HashMap<MeterId, String>,
}

impl Supervisor {
    async fn run(mut self) {
        let (mut tick, mut watch_check) = (interval(RELOAD), interval(WATCH_CHECK));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        watch_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        loop {
            tokio::select! {
                () = self.shared.stop.cancelled() => return,
                () = self.shared.reload.notified() => {}
                _ = tick.tick() => {}
                _ = watch_check.tick() => {
                    self.set_pace();
                    continue;
                }
            }
            if let Err(error) = self.reload().await {
                tracing::error!(error = &error as &dyn std::error::Error, "meters.not-reloaded");
            }
        }
    }

    /// Shortens the sweep while someone watches.
    fn set_pace(&mut self) {
        let pace = self.live.is_watched().then_some(self.config.watched_interval_ms);
        if std::mem::replace(&mut self.pace, pace) != pace {
            for bus in self.shared.lock_buses().values() {
                let _ = bus.control.send(PollerCommand::SetPace(pace));
            }
        }
    }

    /// Makes the running tasks match the database.
    async fn reload(&mut self) -> store::Result<()> {
        let (gateways, meters) = (rows::gateways(&self.db).await?, rows::meters(&self.db).await?);
        self.site_port.follow(store::meters::dial_in_port(&self.db).await?, &self.shared);
        self.rooms = rows::room_names(&self.db).await?;
        let defaults = store::defaults::tree(&self.db).await?;
        let unusable = self.apply_site(gateways, meters, &defaults);
        self.apply_instruments().await?;
        // An import by another process adds meters too.
        self.live.reload(&self.db).await?;
        cases::keep(&self.db, &self.rng, self.clock.now(), CaseKind::Unusable, &unusable).await
    }

    /// Starts and stops links and pollers as needed; returns the meters that cannot be read, and why.
    fn apply_site(
        &self,
        gateways: Vec<GatewayRow>,
        meters: Vec<MeterRow>,
        defaults: &DefaultsTree,
    ) -> Vec<(MeterId, CaseDetail)> {
        let gateway_intervals: HashMap<GatewayId, Option<i64>> =
            gateways.iter().map(|row| (row.id, row.sweep_interval_s)).collect();
        let mut buses = self.shared.lock_buses();
        buses.retain(|_, bus| {
            let stays = gateways.iter().any(|row| bus.is_reached_by(row));
            if !stays {
                bus.stop.cancel();
            }
            stays
        });
        for row in gateways {
            buses.entry(row.id).or_insert_with(|| self.start_bus(row));
        }
        self.shared.hub.set(buses.values().filter_map(Bus::registration).collect());
        let mut by_gateway: HashMap<GatewayId, Vec<Arc<Meter>>> = buses.keys().map(|&id| (id, Vec::new())).collect();
        let mut unusable = Vec::new();
        for row in meters {
            let gateway = row.gateway_id;
            let (Some(bus), Some(list)) = (buses.get(&gateway), by_gateway.get_mut(&gateway)) else { continue };
            let own = row.sweep_interval_s.or(gateway_intervals.get(&gateway).copied().flatten()).and_then(SweepInterval::new);
            let seconds = own.or_else(|| defaults.values(row.place_id).interval());
            let interval = seconds.map_or(self.config.sweep_interval_ms, |s| u64::from(s.seconds()) * 1_000);
            match self.meter(&row, bus, interval) {
                Ok(meter) => list.push(Arc::new(meter)),
                Err(why) => {
                    let room = self.rooms.get(&row.id).map_or("", |room| room);
                    tracing::error!(room, serial = row.serial, meter = %row.id, %why, "meter.unusable");
                    unusable.push((row.id, why.case()));
                }
            }
        }
        self.shared.directory.replace(by_gateway.values().flatten().cloned());
        for (gateway, meters) in by_gateway {
            if let Some(bus) = buses.get(&gateway) {
                // A poller that is gone is stopping.
                let _ = bus.control.send(PollerCommand::SetMeters(meters));
            }
        }
        unusable
    }

    fn meter(&self, row: &MeterRow, bus: &Bus, sweep_interval_ms: u64) -> Result<Meter, Unusable> {
        let (unit, serial, profile) = usable(row, bus.row.framing, &self.profiles)?;
        Ok(Meter {
            id: row.id,
            room: self.rooms.get(&row.id).map_or("", |room| room).into(),
            gateway: row.gateway_id,
            unit,
            serial,
            profile,
            sweep_interval_ms,
            link: bus.link.clone(),
            poll: bus.control.clone(),
        })
    }

    fn start_bus(&self, row: GatewayRow) -> Bus {
        let stop = self.shared.stop.child_token();
        let target = Target::of(&row, &self.config.tls);
        let config = Arc::new(self.config.with(row.timing()));
        let (link, task) = Link::start(target.clone(), Arc::clone(&config), self.rng.clone(), stop.clone());
        let (control, commands) = mpsc::unbounded_channel();
        let _ = control.send(PollerCommand::SetPace(self.pace));
        let (publish, health) = watch::channel(GatewayState {
            id: row.id,
            name: row.name.clone(),
            health: GatewayHealth::Connecting,
            since: self.clock.now(),
            meters: 0,
            lost: 0,
            noise: None,
            round_ms: None,
        });
        let policy = SchedulePolicy { probe_cap_ms: self.config.probe_cap_ms, probe_share: self.config.probe_share };
        let poller = Poller::new(PollerParts {
            link: link.clone(),
            clock: self.clock.clone(),
            schedule: Schedule::new(policy),
            events: self.events.clone(),
            recovered: self.recovered.clone(),
            control: commands,
            health: publish,
            qualities: Arc::clone(&self.shared.qualities),
            stop: stop.clone(),
        });
        let (instruments, instrument_poller) = self.instrument_poller(stop.clone());
        let mut tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.extend([task, tokio::spawn(poller.run()), tokio::spawn(instrument_poller.run())]);
        Bus { row, target, config, link, control, instruments, health, stop }
    }
}
