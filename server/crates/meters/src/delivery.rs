//! The delivery engine: brings queued commands into meters and completes them only after reading the result back.
//!
//! Its only input is the table `commands`; it runs by signal and every second. Nothing is done twice: whatever was interrupted is
//! resolved by reading the meter. Meters are served in parallel, the commands of one meter in order.

mod check;
mod clock;
mod controls;
mod foreign_account;
mod money;
pub mod next_action;
mod pauses;
mod relay;
mod setting;
mod tables;

use model::case::{DeliveryCase, HoldReason};
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
use super::poller::{PollerCommand, Recovered};
use super::profile::SecuredFrames;
use super::reader::ReadError;
use super::recorder::MeterEvent;
use crate::command_args;
use domain::clock::SharedClock;
use domain::command_args::CommandArgs;
use domain::meter_state::{MeterStatus, StateBlock};
use domain::money_rule::MoneyOperation;
use domain::operation::Operation;
use domain::rng::Rng;
use model::reading::ReadingSource;
pub use pauses::Pauses;
use store::commands::Command;
use store::deliveries;
use store::{Db, StoreError};

/// Commands are picked up this much later if a signal was missed.
const PERIOD: Duration = Duration::from_secs(1);
/// Meters picked up in one round; the rest follow as these finish.
const METERS_PER_ROUND: i64 = 1_000;
/// How long a graceful stop waits for deliveries in progress.
const GRACE: Duration = Duration::from_secs(10);
/// The most frames sent for one command in one activation.
const MAX_SENDS: u32 = 3;
/// How often a frame is sent again that the meter took and did not keep; then a person decides.
const MAX_RESENDS: u32 = 3;
/// A meter locks its mailbox for a minute after too many frames with a bad MAC.
const LOCKED_MS: i64 = 61_000;

pub struct DeliveryEngine {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    pub keys: MasterKeys,
    pub directory: Arc<Directory>,
    /// Readings taken during deliveries go to the recorder.
    pub events: mpsc::Sender<MeterEvent>,
    pub config: Arc<Config>,
    pub pauses: Mutex<Pauses>,
}

/// How an activation of one command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommandStep {
    /// The command is finished; the meter's next one may start.
    Ended,
    /// The meter must wait.
    Later,
}

/// What became of a frame that was to be written.
enum WriteOutcome {
    /// The meter accepted the write; the result is in the state block.
    Accepted,
    Unconfirmed,
    /// Not sent, or rejected by the meter before it was examined.
    Rejected(LinkError),
}

impl DeliveryEngine {
    /// Runs until `stop` is cancelled; then finishes deliveries in progress.
    pub async fn run(
        self: Arc<Self>,
        wake: Arc<Notify>,
        mut recovered: mpsc::UnboundedReceiver<Recovered>,
        stop: CancellationToken,
    ) {
        match deliveries::reset_backoffs(&self.db, self.clock.now()).await {
            Ok(0) => {}
            Ok(commands) => tracing::info!(commands, "delivery.resumed"),
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "delivery.backoffs-not-reset"),
        }
        let mut busy: HashMap<MeterId, Id> = HashMap::new();
        let mut tasks = JoinSet::new();
        let mut tick = interval(PERIOD);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = wake.notified() => {}
                Some(recovered) = recovered.recv() => self.reset_backoff(recovered).await,
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
            match deliveries::due(&self.db, self.clock.now(), METERS_PER_ROUND).await {
                Ok(meters) => {
                    for meter in meters {
                        busy.entry(meter).or_insert_with(|| {
                            let (engine, stop) = (Arc::clone(&self), stop.clone());
                            tasks.spawn(async move { engine.run_commands(meter, &stop).await }).id()
                        });
                    }
                }
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "delivery.outbox-unavailable"),
            }
        }
        let finish = async { while tasks.join_next().await.is_some() {} };
        if timeout(GRACE, finish).await.is_err() {
            tracing::warn!(meters = tasks.len(), "delivery.stop-timed-out");
        }
    }

    async fn reset_backoff(&self, Recovered { meter, had_failed }: Recovered) {
        if !self.lock_pauses().recover(meter, had_failed) {
            return;
        }
        if let Err(error) = deliveries::reset_backoff(&self.db, meter, self.clock.now()).await {
            let meter = self.directory.label(meter);
            tracing::warn!(error = &error as &dyn std::error::Error, %meter, "delivery.backoff-not-reset");
        }
    }

    /// Activates the commands of one meter until none is due.
    async fn run_commands(&self, meter: MeterId, stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let step = match deliveries::next(&self.db, meter, self.clock.now()).await {
                Ok(Some(command)) => self.activate(&command).await,
                Ok(None) => return,
                Err(error) => Err(error),
            };
            match step {
                Ok(CommandStep::Ended) => self.lock_pauses().forget(meter),
                Ok(CommandStep::Later) => return,
                Err(error) => {
                    // Nothing is lost: the command is unchanged, and the next round picks it up.
                    let meter = self.directory.label(meter);
                    tracing::error!(error = &error as &dyn std::error::Error, %meter, "delivery.failed");
                    return;
                }
            }
        }
    }

    async fn activate(&self, command: &Command) -> Result<CommandStep, StoreError> {
        let id = command.meter_id;
        let Some(meter) = self.directory.get(id) else {
            return self.back_off(id, CommandReason::UnknownMeter).await;
        };
        let secured = meter.profile.secured.is_some();
        match command.args() {
            Some(CommandArgs::Money(operation)) if secured => self.money(command, &meter, *operation).await,
            _ if command.money => self.hold(command, None, DeliveryCase::new(HoldReason::Invalid).into()).await,
            Some(CommandArgs::Issue(Issue::Read)) => self.read(command, &meter).await,
            Some(CommandArgs::Issue(issue)) => self.issue(command, &meter, issue).await,
            Some(CommandArgs::ClockCorrection) => self.issue(command, &meter, &Issue::Clock).await,
            Some(CommandArgs::CloseForeign { account, order }) if secured => {
                self.close_foreign(command, &meter, *account, *order).await
            }
            Some(CommandArgs::Relay { closed }) => self.relay(command, &meter, *closed).await,
            Some(CommandArgs::InForce { prices, at }) if secured => self.check_prices(command, &meter, *prices, *at).await,
            _ => self.refuse(command, None, CommandReason::Invalid).await,
        }
    }

    async fn issue(&self, command: &Command, meter: &Meter, issue: &Issue) -> Result<CommandStep, StoreError> {
        let Some(operations) = command_args::operations(issue, self.clock.now()) else {
            return self.refuse(command, None, CommandReason::Invalid).await;
        };
        match (&*operations, &meter.profile.dlt645) {
            ([Operation::SetClock(_)], Some(dlt645)) => self.clock(command, meter, dlt645).await,
            _ if meter.profile.secured.is_some() => self.setting(command, meter, &operations).await,
            _ => self.tables(command, meter, &operations).await,
        }
    }

    /// Reads and reports the state block of a meter with a secured wallet; if that fails, all commands of the meter wait.
    async fn read_state(
        &self,
        meter: &Meter,
        priority: Priority,
    ) -> Result<Result<(StateBlock, Timestamp), CommandStep>, StoreError> {
        match driver::meter_status(meter, priority, &self.clock).await {
            Ok((meter_status, at)) => {
                self.report(MeterEvent::MeterStatus { meter: meter.id, at, meter_status }).await;
                match meter_status {
                    MeterStatus::Wallet(state) => Ok(Ok((state, at))),
                    MeterStatus::Plain(_) => self.back_off(meter.id, CommandReason::Invalid).await.map(Err),
                }
            }
            Err(error) => self.defer_unread(meter, error).await.map(Err),
        }
    }

    /// Defers all commands of a meter that could not be read.
    async fn defer_unread(&self, meter: &Meter, error: ReadError) -> Result<CommandStep, StoreError> {
        if error == ReadError::Link(LinkError::Stopped) {
            return Ok(CommandStep::Later);
        }
        match error {
            // The poller warns of these, once.
            ReadError::SerialMismatch(_) | ReadError::Link(LinkError::Unreachable) => {
                tracing::debug!(meter = %meter, %error, "delivery.read-failed")
            }
            _ => tracing::info!(meter = %meter, %error, "delivery.read-failed"),
        }
        // The poller finds out whether the meter is lost or replaced, and reports when it answers again.
        let _ = meter.poll.send(PollerCommand::ReadNow(meter.id, ReadingSource::OnDemand));
        self.back_off(meter.id, error.reason()).await
    }

    /// Seals and writes one frame for the challenge in `seen`, after counting and numbering it in the database. `None` if the
    /// command was ended meanwhile.
    async fn send(
        &self,
        command: &Command,
        meter: &Meter,
        priority: Priority,
        seen: &StateBlock,
        operation: &Operation,
    ) -> Result<Option<WriteOutcome>, StoreError> {
        let secured = meter.profile.secured.as_ref();
        let Some((secured, version)) = secured.and_then(|secured| Some((secured, version(secured, seen)?))) else {
            return Ok(Some(WriteOutcome::Rejected(LinkError::Exception(0x03))));
        };
        let Some(frame_number) = deliveries::begin_send(&self.db, self.clock.now(), command).await? else { return Ok(None) };
        let header = Header { epoch: seen.epoch, challenge: seen.challenge, frame_number };
        let bytes = match frame::seal(&self.keys, version, &header, meter.serial, operation) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "delivery.seal-failed");
                return Ok(Some(WriteOutcome::Rejected(LinkError::Stopped)));
            }
        };
        tracing::info!(meter = %meter, order = order_number(command), kind = command.kind.as_str(), version = version as u8,
            "delivery.send");
        let written = meter.link.write(priority, meter.unit, secured.address, command_args::words(&bytes)).await;
        Ok(Some(match written {
            Ok(()) => WriteOutcome::Accepted,
            Err(error @ (LinkError::Exception(0x01..=0x03 | 0x06) | LinkError::Unreachable)) => WriteOutcome::Rejected(error),
            Err(_) => WriteOutcome::Unconfirmed,
        }))
    }

    /// Defers all commands of a meter; the pause doubles with each failure.
    async fn back_off(&self, meter: MeterId, reason: CommandReason) -> Result<CommandStep, StoreError> {
        let pause = self.lock_pauses().fail(meter, reason, self.config.command_cap_ms);
        self.defer_meter(meter, i64::try_from(pause).unwrap_or(i64::MAX), reason).await
    }

    async fn defer_meter(&self, meter: MeterId, ms: i64, reason: CommandReason) -> Result<CommandStep, StoreError> {
        deliveries::defer_meter(&self.db, meter, self.clock.now().plus(ms), reason).await?;
        Ok(CommandStep::Later)
    }

    async fn report(&self, event: MeterEvent) {
        if self.events.send(event).await.is_err() {
            tracing::debug!("recorder.gone");
        }
    }

    fn lock_pauses(&self) -> std::sync::MutexGuard<'_, Pauses> {
        self.pauses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The order number that a money command carries, for the log.
fn order_number(command: &Command) -> Option<u64> {
    match command.args()? {
        CommandArgs::Money(
            MoneyOperation::Credit { order, .. } | MoneyOperation::Debit { order, .. } | MoneyOperation::Close { order },
        )
        | CommandArgs::CloseForeign { order, .. } => Some(*order),
        _ => None,
    }
}

/// The best frame version that the meter announces and the profile knows.
fn version(secured: &SecuredFrames, seen: &StateBlock) -> Option<FrameVersion> {
    let announced = |version: FrameVersion| {
        let entry = secured.versions.iter().find(|entry| entry.version == version as u8);
        entry.is_some_and(|entry| seen.accepts & (1 << entry.bit) != 0)
    };
    [FrameVersion::Aes, FrameVersion::Tdes].into_iter().find(|&version| announced(version))
}
