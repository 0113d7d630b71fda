//! Starting and stopping everything that reads and commands meters, and following changes of gateways and meters.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::ids::{GatewayId, MeterId};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::archive::Archive;
use super::config::Config;
use super::delivery::Engine;
use super::directory::{Directory, Meter};
use super::gateway::{GatewayHealth, GatewayState};
use super::keys::MasterKeys;
use super::link::{Link, Target};
use super::parameters::{Keeper, Watch};
use super::poller::{Control, Poller};
use super::profile::Profiles;
use super::reconciler::Reconciler;
use super::recorder::{Event, Recorder};
use super::schedule::{Policy, Schedule};
use super::usable::{Unusable, usable};
use crate::live::Live;
use domain::clock::SharedClock;
use domain::rng::Rng;
use model::reading::ReadingSource;
use store::meters::{self as rows, GatewayRow, MeterRow};
use store::{self, Db, cases, intervals};

/// Added gateways and meters are found without a signal too, this much later.
const RELOAD: Duration = Duration::from_secs(30);
/// How often it is seen whether somebody watches.
const LOOK: Duration = Duration::from_secs(1);
/// Reports that may wait for the recorder before pollers wait too.
const BACKLOG: usize = 1_024;

pub struct Meters {
    pub db: Db,
    pub clock: SharedClock,
    /// Ids and jitter.
    pub rng: Rng,
    pub live: Live,
    /// The site's master keys.
    pub keys: MasterKeys,
    pub config: Config,
    pub profiles: Profiles,
}

/// A handle on what runs. Cheap to clone; everything works without a call too, a little later.
#[derive(Clone)]
pub struct Handle(Arc<Shared>);

struct Shared {
    wake: Arc<Notify>,
    /// A server wallet may have moved.
    moved: Arc<Notify>,
    reload: Notify,
    stop: CancellationToken,
    directory: Arc<Directory>,
    buses: Mutex<HashMap<GatewayId, Bus>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

struct Bus {
    row: GatewayRow,
    link: Link,
    control: mpsc::UnboundedSender<Control>,
    health: watch::Receiver<GatewayState>,
    stop: CancellationToken,
}

impl Handle {
    /// A command, or a purchase from a server wallet, was committed.
    pub fn wake(&self) {
        self.0.wake.notify_one();
        self.0.moved.notify_one();
    }

    /// Somebody wants to see this meter as it is now.
    pub fn read_now(&self, meter: MeterId) {
        if let Some(found) = self.0.directory.get(meter) {
            // A poller that has gone is being replaced, and reads all its meters first.
            let _ = found.poll.send(Control::ReadNow(meter, ReadingSource::OnDemand));
        }
    }

    /// Whether a meter says who it is, so that another one at its address is noticed at once; `None` where it is not in service.
    #[must_use]
    pub fn is_identified(&self, meter: MeterId) -> Option<bool> {
        self.0.directory.get(meter).map(|meter| meter.profile.abilities.serial)
    }

    /// Whether a meter in service takes the time from its bus.
    #[must_use]
    pub fn takes_time(&self, meter: MeterId) -> bool {
        let found = self.0.directory.get(meter);
        found.is_some_and(|meter| meter.profile.dlt645.as_ref().is_some_and(|has| has.clock().is_some()))
    }

    /// Try this gateway now, and the meters behind it that are lost.
    pub fn retry_gateway(&self, gateway: GatewayId) {
        if let Some(bus) = self.0.lock_buses().get(&gateway) {
            bus.link.retry();
            // A poller that has gone is being replaced, and tries all its meters.
            let _ = bus.control.send(Control::Retry);
        }
    }

    /// Gateways or meters were added, moved or retired, or are to be read at other intervals.
    pub fn reload(&self) {
        self.0.reload.notify_one();
    }

    /// How the gateways do, by name.
    #[must_use]
    pub fn gateways(&self) -> Vec<GatewayState> {
        let mut states: Vec<_> = self.0.lock_buses().values().map(|bus| bus.health.borrow().clone()).collect();
        states.sort_by(|a, b| a.name.cmp(&b.name));
        states
    }

    /// Stops: what is under way is finished, what was read is stored.
    pub async fn stop(&self) {
        self.0.stop.cancel();
        let tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "meters.task-failed");
            }
        }
    }

    /// Ends everything at once, as a crash would; for tests.
    pub fn abort(&self) {
        for task in self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            task.abort();
        }
        self.0.stop.cancel();
    }
}

impl Shared {
    fn lock_buses(&self) -> std::sync::MutexGuard<'_, HashMap<GatewayId, Bus>> {
        self.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meters {
    /// Starts reading all meters in service, and delivering what waits in the outbox.
    pub async fn start(self) -> store::Result<Handle> {
        let (changed, changes) = mpsc::unbounded_channel();
        let watch = Watch::load(&self.db, changed).await?;
        let (events, reports) = mpsc::channel(BACKLOG);
        let (heard, hears) = mpsc::unbounded_channel();
        let (directory, config) = (Arc::new(Directory::default()), Arc::new(self.config));
        let recorder =
            Recorder::load(self.db.clone(), self.clock.clone(), self.rng.clone(), self.live.clone(), Arc::clone(&directory))
                .await?;
        let shared = Arc::new(Shared {
            wake: Arc::new(Notify::new()),
            moved: recorder.unsettled(),
            reload: Notify::new(),
            stop: CancellationToken::new(),
            directory: Arc::clone(&directory),
            buses: Mutex::default(),
            tasks: Mutex::default(),
        });
        let keeper = Keeper { db: self.db.clone(), rng: self.rng.clone(), directory: Arc::clone(&directory) };
        let archive = Archive {
            db: self.db.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            directory: Arc::clone(&directory),
            period: Duration::from_millis(config.archive_interval_ms),
            stop: shared.stop.clone(),
        };
        let engine = Arc::new(Engine {
            db: self.db.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            keys: self.keys,
            directory,
            events: events.clone(),
            config: Arc::clone(&config),
            failures: Mutex::default(),
        });
        let reconciler = Reconciler {
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
            heard,
            shared: Arc::clone(&shared),
        };
        supervisor.reload().await?;
        let delivery = engine.run(Arc::clone(&shared.wake), hears, shared.stop.clone());
        let reconciling = reconciler.run(Arc::clone(&shared.moved), shared.stop.clone());
        let keeping = keeper.run(changes, shared.stop.clone());
        let tasks = vec![
            tokio::spawn(supervisor.run()),
            tokio::spawn(delivery),
            tokio::spawn(recorder.watching(watch).run(reports)),
            tokio::spawn(keeping),
            tokio::spawn(archive.run()),
            tokio::spawn(reconciling),
        ];
        shared.tasks.lock().unwrap_or_else(PoisonError::into_inner).extend(tasks);
        Ok(Handle(shared))
    }
}

struct Supervisor {
    live: Live,
    /// The longest interval while somebody watches, in ms; `None` while nobody does.
    pace: Option<u64>,
    db: Db,
    clock: SharedClock,
    rng: Rng,
    config: Arc<Config>,
    profiles: Profiles,
    events: mpsc::Sender<Event>,
    heard: mpsc::UnboundedSender<MeterId>,
    shared: Arc<Shared>,
}

impl Supervisor {
    async fn run(mut self) {
        let (mut tick, mut look) = (interval(RELOAD), interval(LOOK));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.reset();
        loop {
            tokio::select! {
                () = self.shared.stop.cancelled() => return,
                () = self.shared.reload.notified() => {}
                _ = tick.tick() => {}
                _ = look.tick() => {
                    self.set_pace();
                    continue;
                }
            }
            if let Err(error) = self.reload().await {
                tracing::error!(error = &error as &dyn std::error::Error, "meters.not-reloaded");
            }
        }
    }

    /// The round hurries while somebody watches.
    fn set_pace(&mut self) {
        let pace = self.live.is_watched().then_some(self.config.watched_interval_ms);
        if std::mem::replace(&mut self.pace, pace) != pace {
            for bus in self.shared.lock_buses().values() {
                let _ = bus.control.send(Control::Pace(pace));
            }
        }
    }

    /// Makes what runs equal to what the database lists.
    async fn reload(&mut self) -> store::Result<()> {
        let (gateways, meters) = (rows::gateways(&self.db).await?, rows::meters(&self.db).await?);
        let site = intervals::of_site(&self.db).await?;
        let unusable = self.adopt(gateways, meters, site);
        cases::keep(&self.db, &self.rng, self.clock.now(), cases::kind::UNUSABLE, &unusable).await
    }

    /// Starts and stops what is needed for that; gives the meters that cannot be read, and why.
    fn adopt(&self, gateways: Vec<GatewayRow>, meters: Vec<MeterRow>, site: Option<i64>) -> Vec<(MeterId, String)> {
        let each: HashMap<GatewayId, Option<i64>> = gateways.iter().map(|row| (row.id, row.sweep_interval_s)).collect();
        let mut buses = self.shared.lock_buses();
        buses.retain(|_, bus| {
            let stays = gateways.iter().any(|row| is_same_bus(row, &bus.row));
            if !stays {
                bus.stop.cancel();
            }
            stays
        });
        for row in gateways {
            buses.entry(row.id).or_insert_with(|| self.start_bus(row));
        }
        let mut by_gateway: HashMap<GatewayId, Vec<Arc<Meter>>> = buses.keys().map(|&id| (id, Vec::new())).collect();
        let mut unusable = Vec::new();
        for row in meters {
            let gateway = row.gateway_id;
            let (Some(bus), Some(list)) = (buses.get(&gateway), by_gateway.get_mut(&gateway)) else { continue };
            let seconds = row.sweep_interval_s.or(each.get(&gateway).copied().flatten()).or(site);
            let interval = seconds.and_then(|s| u64::try_from(s).ok()).map_or(self.config.sweep_interval_ms, |s| s * 1_000);
            match self.meter(&row, bus, interval) {
                Ok(meter) => list.push(Arc::new(meter)),
                Err(why) => {
                    tracing::error!(meter = %row.id, serial = row.serial, %why, "meter.unusable");
                    unusable.push((row.id, why.detail()));
                }
            }
        }
        self.shared.directory.replace(by_gateway.values().flatten().cloned());
        for (gateway, meters) in by_gateway {
            if let Some(bus) = buses.get(&gateway) {
                // A poller that has gone is stopping.
                let _ = bus.control.send(Control::Meters(meters));
            }
        }
        unusable
    }

    fn meter(&self, row: &MeterRow, bus: &Bus, sweep_interval_ms: u64) -> Result<Meter, Unusable> {
        let (unit, serial, profile) = usable(row, bus.row.framing, &self.profiles)?;
        Ok(Meter {
            id: row.id,
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
        let (link, task) = Link::start(target, Arc::clone(&self.config), self.rng.clone(), stop.clone());
        let (control, orders) = mpsc::unbounded_channel();
        let _ = control.send(Control::Pace(self.pace));
        let (publish, health) = watch::channel(GatewayState {
            id: row.id,
            name: row.name.clone(),
            health: GatewayHealth::Connecting,
            since: self.clock.now(),
            meters: 0,
            lost: 0,
        });
        let policy = Policy { probe_cap_ms: self.config.probe_cap_ms, probe_share: self.config.probe_share };
        let schedule = Schedule::new(policy);
        let poller = Poller::new(
            link.clone(),
            self.clock.clone(),
            schedule,
            self.events.clone(),
            self.heard.clone(),
            orders,
            publish,
            stop.clone(),
        );
        let mut tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.extend([task, tokio::spawn(poller.run())]);
        Bus { row, link, control, health, stop }
    }
}

/// Whether it is reached as before; how often its meters are read is told to the poller that runs.
fn is_same_bus(a: &GatewayRow, b: &GatewayRow) -> bool {
    (a.id, &a.name, &a.host, a.port, &a.framing, &a.tls_name, &a.tls_pin)
        == (b.id, &b.name, &b.host, b.port, &b.framing, &b.tls_name, &b.tls_pin)
}
