//! The way to one gateway: callers ask, one task owns the TCP endpoint and does one request at a time, most urgent first.

mod connection;
mod endpoint;
#[cfg(test)]
mod fuzz;
pub mod late;
mod mbap;
mod pdu;
mod rtu;
mod target;
mod tls;
mod wire;

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::dlt645::{Answer, Ask, Refusal};
use super::profile::Area;
use domain::rng::Rng;

pub use target::{Carrier, Target};
pub use tls::{Tls, TlsError, TlsSettings};

/// What goes first on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Opening, credit, debit, closing.
    Money,
    /// Modes and the resident's switch.
    Relay,
    /// Limits, prices, clock.
    Settings,
    /// Somebody looks at this meter now.
    ReadNow,
    /// The regular round.
    Sweep,
    /// A lost meter may answer again: last of all, and not worth a long wait.
    Probe,
}

/// Why there is no answer. After a write, anything but an exception leaves the outcome unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The gateway or the meter refused; the connection is sound.
    #[error("Modbus exception {0}")]
    Exception(u8),
    /// A DL/T 645 meter refused; the connection is sound.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A DL/T 645 meter switches for nobody without a password; nothing was sent.
    #[error("no password for DL/T 645 meters: give meters.dlt645.password in the configuration")]
    NoPassword,
    /// This gateway cannot carry DL/T 645; nothing was sent.
    #[error("DL/T 645 needs a transparent gateway: this one speaks Modbus")]
    NotCarried,
    /// No answer in time; the connection was dropped, for the answer might still come.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came was not the answer; it was dropped.
    #[error("the connection broke")]
    Broken,
    /// The gateway does not accept connections; nothing was sent.
    #[error("the gateway is lost")]
    Unreachable,
    /// The server stops; nothing more is sent.
    #[error("stopping")]
    Stopped,
}

/// Whether the gateway accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Up,
    /// Refused or silent; tried again after a pause.
    Down,
}

enum Action {
    /// With the unit that must answer.
    Modbus(u8, Registers),
    Dlt645(Ask),
}

enum Registers {
    Read { area: Area, address: u16, count: u16 },
    Write { address: u16, words: Vec<u16> },
}

/// What an answer holds.
#[derive(Debug, PartialEq, Eq)]
enum Given {
    /// None for a write.
    Words(Vec<u16>),
    Dlt645(Answer),
}

/// Request and answer for one value of DL/T 645, its waking bytes with it, in registers of Modbus.
const ONE_VALUE: usize = 40;
/// The same for the longest answer.
const ALL_DATA: usize = 120;

impl Action {
    /// How much goes over the wire, in registers.
    fn registers(&self) -> usize {
        match self {
            Self::Modbus(_, Registers::Read { count, .. }) => (*count).into(),
            Self::Modbus(_, Registers::Write { words, .. }) => words.len(),
            Self::Dlt645(Ask::Follow { .. }) => ALL_DATA,
            Self::Dlt645(_) => ONE_VALUE,
        }
    }
}

struct Request {
    priority: Priority,
    /// Keeps the order of asking within a priority.
    turn: u64,
    action: Action,
    reply: oneshot::Sender<Result<Given, LinkError>>,
}

impl Request {
    /// The greatest is taken first.
    const fn rank(&self) -> Reverse<(Priority, u64)> {
        Reverse((self.priority, self.turn))
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}
impl Eq for Request {}
impl PartialOrd for Request {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Request {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// A handle to the task that owns the endpoint.
#[derive(Clone)]
pub struct Link {
    queue: mpsc::UnboundedSender<Request>,
    retry: Arc<Notify>,
    distrusted: Arc<AtomicBool>,
    state: watch::Receiver<LinkState>,
}

impl LinkError {
    /// Whether the connection is still in step: the request was answered, or never sent.
    const fn is_in_step(self) -> bool {
        matches!(self, Self::Exception(_) | Self::Refused(_) | Self::NoPassword | Self::NotCarried)
    }
}

impl Link {
    /// Starts the task; it ends after `stop`, when the request under way is done.
    #[must_use]
    pub fn start(target: Target, config: Arc<Config>, rng: Rng, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (queue, requests) = mpsc::unbounded_channel();
        let (publish, state) = watch::channel(LinkState::Connecting);
        let retry = Arc::new(Notify::new());
        let distrusted = Arc::new(AtomicBool::new(false));
        let signals = (Arc::clone(&retry), Arc::clone(&distrusted));
        let endpoint = endpoint::Endpoint::new(target, config, rng, stop, requests, signals, publish);
        (Self { queue, retry, distrusted, state }, tokio::spawn(endpoint.run()))
    }

    /// Reads `count` holding registers; exactly as many are given.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn read(&self, priority: Priority, unit: u8, address: u16, count: u16) -> Result<Vec<u16>, LinkError> {
        self.registers(priority, unit, Registers::Read { area: Area::Holding, address, count }).await
    }

    /// Reads `count` input registers; exactly as many are given.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn read_input(&self, priority: Priority, unit: u8, address: u16, count: u16) -> Result<Vec<u16>, LinkError> {
        self.registers(priority, unit, Registers::Read { area: Area::Input, address, count }).await
    }

    /// Writes registers, once: it is never sent again by itself, and after an error other than an exception or
    /// [`LinkError::Unreachable`] nobody knows whether it arrived.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn write(&self, priority: Priority, unit: u8, address: u16, words: Vec<u16>) -> Result<(), LinkError> {
        self.registers(priority, unit, Registers::Write { address, words }).await.map(drop)
    }

    /// Asks a DL/T 645 meter, or tells all of them the time; once: what switches is never sent again by itself.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn dlt645(&self, priority: Priority, ask: Ask) -> Result<Answer, LinkError> {
        match self.ask(priority, Action::Dlt645(ask)).await? {
            Given::Dlt645(answer) => Ok(answer),
            Given::Words(_) => Err(LinkError::Broken),
        }
    }

    /// What came was well formed and not what was asked for: the connection is dropped before the next request, for answers on
    /// it may belong to the requests before.
    pub fn distrust(&self) {
        self.distrusted.store(true, Ordering::Relaxed);
    }

    /// Ends the pause before the next try to connect.
    pub fn retry(&self) {
        self.retry.notify_one();
    }

    /// Whether the gateway accepts connections; changes can be awaited.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    async fn registers(&self, priority: Priority, unit: u8, registers: Registers) -> Result<Vec<u16>, LinkError> {
        match self.ask(priority, Action::Modbus(unit, registers)).await? {
            Given::Words(words) => Ok(words),
            Given::Dlt645(_) => Err(LinkError::Broken),
        }
    }

    async fn ask(&self, priority: Priority, action: Action) -> Result<Given, LinkError> {
        let (reply, answer) = oneshot::channel();
        let request = Request { priority, turn: 0, action, reply };
        self.queue.send(request).map_err(|_| LinkError::Stopped)?;
        answer.await.map_err(|_| LinkError::Stopped)?
    }
}

#[cfg(test)]
mod tests;
