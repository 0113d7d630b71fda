//! The reconciler of the outbox: brings commands into meters and believes only what it reads back.
//!
//! It wakes by signal and every second, takes no input but the table `commands`, and does nothing twice: whatever was
//! interrupted is resolved by reading the meter. Meters go side by side; the commands of one meter go one after the other.

mod check;
mod clock;
mod money;
pub mod next;
mod relay;
mod setting;
mod tables;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::command::CommandReason;
use model::ids::MeterId;
use model::issue::Issue;
use model::time::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::task::{Id, JoinSet};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::directory::{Directory, Meter};
use super::driver;
use super::frame::{self, FrameVersion, Header};
use super::keys::MasterKeys;
use super::link::{LinkError, Priority};
use super::poller::Control;
use super::profile::Secured;
use super::reader::ReadError;
use super::recorder::Event;
use crate::command_args;
use domain::clock::SharedClock;
use domain::command_args::CommandArgs;
use domain::meter_state::{MeterStatus, State};
use domain::operation::Operation;
use domain::rng::Rng;
use model::reading::ReadingSource;
use store::commands::Command;
use store::deliveries::{self, Hold};
use store::{Db, StoreError};

/// Everything works without a signal too, this much later.
const PERIOD: Duration = Duration::from_secs(1);
/// Meters taken up in one round; the rest follow as these end.
const ROUND: i64 = 1_000;
/// How long a graceful stop waits for what is under way.
const GRACE: Duration = Duration::from_secs(10);
/// Frames sent for one command in one activation.
const SENDS: u32 = 3;
/// The pause after the first failure; doubles from there.
const FIRST_PAUSE_MS: u64 = 2_000;
/// A mailbox that had too many wrong frames is locked for a minute.
const LOCKED_MS: i64 = 61_000;

/// The parts of the reconciler.
pub struct Engine {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// The site's master keys.
    pub keys: MasterKeys,
    /// The way to each meter.
    pub directory: Arc<Directory>,
    /// What was read on the way.
    pub events: mpsc::Sender<Event>,
    pub config: Arc<Config>,
    /// Failures in a row, by meter.
    pub failures: Mutex<HashMap<MeterId, u32>>,
}

/// How an activation of one command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It is over; the next may move.
    Ended,
    /// The meter has to wait.
    Later,
}

/// What became of a frame.
enum Sent {
    /// The meter took it; its result stands in the state block.
    Taken,
    Unknown,
    /// It was not sent, or the meter would not look at it.
    Refused(LinkError),
}

impl Engine {
    /// Works until it is stopped; then what is under way is finished.
    pub async fn run(self: Arc<Self>, wake: Arc<Notify>, mut heard: mpsc::UnboundedReceiver<MeterId>, stop: CancellationToken) {
        let mut busy: HashMap<MeterId, Id> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = wake.notified() => {}
                Some(meter) = heard.recv() => self.reset_backoff(meter).await,
                Some(ended) = tasks.join_next_with_id() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "delivery.task-failed");
                            error.id()
                        }
                    };
                    busy.retain(|_, task| *task != id);
                }
                _ = tick.tick() => {}
            }
            match deliveries::due(&self.db, self.clock.now(), ROUND).await {
                Ok(meters) => {
                    for meter in meters {
                        busy.entry(meter).or_insert_with(|| {
                            let (engine, stop) = (Arc::clone(&self), stop.clone());
                            tasks.spawn(async move { engine.serve(meter, &stop).await }).id()
                        });
                    }
                }
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "delivery.no-outbox"),
            }
        }
        let finish = async { while tasks.join_next().await.is_some() {} };
        if timeout(GRACE, finish).await.is_err() {
            tracing::warn!(meters = tasks.len(), "delivery.cut-short");
        }
    }

    async fn reset_backoff(&self, meter: MeterId) {
        self.lock_failures().remove(&meter);
        if let Err(error) = deliveries::reset_backoff(&self.db, meter, self.clock.now()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, meter = %meter, "delivery.not-hurried");
        }
    }

    /// Moves the commands of one meter until none is due.
    async fn serve(&self, meter: MeterId, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let step = match deliveries::next(&self.db, meter, self.clock.now()).await {
                Ok(Some(command)) => self.activate(&command).await,
                Ok(None) => return,
                Err(error) => Err(error),
            };
            match step {
                Ok(Step::Ended) => {}
                Ok(Step::Later) => return,
                Err(error) => {
                    // Nothing is lost: the command stands as it stood, and the next round takes it up.
                    tracing::error!(error = &error as &dyn std::error::Error, meter = %meter, "delivery.failed");
                    return;
                }
            }
        }
    }

    async fn activate(&self, command: &Command) -> Result<Step, StoreError> {
        let id = command.meter_id;
        let Some(meter) = self.directory.get(id) else {
            return self.wait(id, CommandReason::UnknownMeter).await;
        };
        let secured = meter.profile.secured.is_some();
        match command.args() {
            Some(CommandArgs::Money(operation)) if secured => self.money(command, &meter, *operation).await,
            _ if command.money => self.hold(command, Hold::because(CommandReason::Invalid)).await,
            Some(CommandArgs::Issue(Issue::Read)) => self.read(command, &meter).await,
            Some(CommandArgs::Issue(issue)) => self.issue(command, &meter, issue).await,
            Some(CommandArgs::ClockCorrection) => self.issue(command, &meter, &Issue::Clock).await,
            Some(CommandArgs::Relay { closed }) => self.relay(command, &meter, *closed).await,
            Some(CommandArgs::InForce { prices, at }) if secured => self.in_force(command, &meter, *prices, *at).await,
            _ => self.refuse(command, None, CommandReason::Invalid).await,
        }
    }

    async fn issue(&self, command: &Command, meter: &Meter, issue: &Issue) -> Result<Step, StoreError> {
        let Some(operations) = command_args::operations(issue, self.clock.now()) else {
            return self.refuse(command, None, CommandReason::Invalid).await;
        };
        match (&*operations, &meter.profile.dlt645) {
            ([Operation::SetClock(_)], Some(has)) => self.clock(command, meter, has).await,
            _ if meter.profile.secured.is_some() => self.setting(command, meter, &operations).await,
            _ => self.tables(command, meter, &operations).await,
        }
    }

    /// Reads the state of a meter with a secured wallet and shows it; where it cannot be read, everything for the meter waits.
    async fn look(&self, meter: &Meter, priority: Priority) -> Result<Result<(State, Timestamp), Step>, StoreError> {
        match driver::meter_status(meter, priority, &self.clock).await {
            Ok((meter_status, at)) => {
                self.lock_failures().remove(&meter.id);
                self.report(Event::MeterStatus { meter: meter.id, at, meter_status }).await;
                match meter_status {
                    MeterStatus::Wallet(state) => Ok(Ok((state, at))),
                    MeterStatus::Plain(_) => self.wait(meter.id, CommandReason::Invalid).await.map(Err),
                }
            }
            Err(error) => self.unread(meter, error).await.map(Err),
        }
    }

    /// Everything for a meter waits that could not be read.
    async fn unread(&self, meter: &Meter, error: ReadError) -> Result<Step, StoreError> {
        if error == ReadError::Link(LinkError::Stopped) {
            return Ok(Step::Later);
        }
        tracing::info!(meter = %meter.id, %error, "delivery.meter-unread");
        // The poller finds out whether the meter is lost or another stands there, and says when it is heard again.
        let _ = meter.poll.send(Control::ReadNow(meter.id, ReadingSource::OnDemand));
        self.wait(meter.id, error.reason()).await
    }

    /// Seals and writes one frame for the challenge of `seen`; counted and numbered durably before. `None`: ended meanwhile.
    async fn send(
        &self,
        command: &Command,
        meter: &Meter,
        priority: Priority,
        seen: &State,
        operation: &Operation,
    ) -> Result<Option<Sent>, StoreError> {
        let secured = meter.profile.secured.as_ref();
        let Some((secured, version)) = secured.and_then(|secured| Some((secured, version(secured, seen)?))) else {
            return Ok(Some(Sent::Refused(LinkError::Exception(0x03))));
        };
        let Some(frame_number) = deliveries::begin_send(&self.db, self.clock.now(), command).await? else { return Ok(None) };
        let header = Header { epoch: seen.epoch, challenge: seen.challenge, frame_number };
        let bytes = match frame::seal(&self.keys, version, &header, meter.serial, operation) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "delivery.not-sealed");
                return Ok(Some(Sent::Refused(LinkError::Stopped)));
            }
        };
        tracing::info!(meter = %meter.id, kind = command.kind.as_str(), version = version as u8, "delivery.send");
        let written = meter.link.write(priority, meter.unit, secured.address, command_args::words(&bytes)).await;
        Ok(Some(match written {
            Ok(()) => Sent::Taken,
            Err(error @ (LinkError::Exception(0x01..=0x03 | 0x06) | LinkError::Unreachable)) => Sent::Refused(error),
            Err(_) => Sent::Unknown,
        }))
    }

    /// Everything for this meter waits, twice as long after each failure.
    async fn wait(&self, meter: MeterId, reason: CommandReason) -> Result<Step, StoreError> {
        let failures = {
            let mut all = self.lock_failures();
            let failures = all.entry(meter).or_default();
            *failures = failures.saturating_add(1);
            *failures
        };
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << (failures - 1).min(16)).min(self.config.command_cap_ms);
        self.wait_for(meter, i64::try_from(pause).unwrap_or(i64::MAX), reason).await
    }

    async fn wait_for(&self, meter: MeterId, ms: i64, reason: CommandReason) -> Result<Step, StoreError> {
        deliveries::defer_meter(&self.db, meter, self.clock.now().plus(ms), reason).await?;
        Ok(Step::Later)
    }

    async fn report(&self, event: Event) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("recorder.gone");
        }
    }

    fn lock_failures(&self) -> std::sync::MutexGuard<'_, HashMap<MeterId, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The best frame version that the meter announces and the profile knows.
fn version(secured: &Secured, seen: &State) -> Option<FrameVersion> {
    let announced = |version: FrameVersion| {
        let entry = secured.versions.iter().find(|entry| entry.version == version as u8);
        entry.is_some_and(|entry| seen.accepts & (1 << entry.bit) != 0)
    };
    [FrameVersion::Aes, FrameVersion::Tdes].into_iter().find(|&version| announced(version))
}
