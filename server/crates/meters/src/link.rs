//! The link to one gateway: callers queue requests; one task owns the TCP endpoint and does one at a time, the most urgent first.

mod connection;
mod endpoint;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod late;
mod mbap;
mod modbus;
mod pdu;
mod rtu;
mod target;
mod tls;
mod transport;

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::dlt645::{Answer, Dlt645Request, Refusal};
use super::profile::Area;
use domain::rng::Rng;

pub(crate) use target::Stream;
pub use target::{Carrier, Incoming, Target};
pub use tls::{Tls, TlsError, TlsSettings};

/// The order of requests on a bus, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Account opening, credit, debit, account closure.
    Money,
    /// Control modes and the resident's switch.
    Relay,
    /// Limits, prices, clock.
    Settings,
    /// A reading that a person waits for.
    ReadNow,
    Sweep,
    /// Instruments: after the meters.
    Instrument,
    /// A lost meter or instrument is tried, with half the time-out.
    Probe,
    /// Somebody looks for meters: last of all, with half the time-out.
    Scan,
}

/// Why a request has no answer. After a write, anything but an exception leaves the outcome unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Refused by the gateway or the meter; the connection stays.
    #[error("Modbus exception {0}")]
    Exception(u8),
    /// Refused by a DL/T 645 meter; the connection stays.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A DL/T 645 meter needs a password to switch; nothing was sent.
    #[error("no password for DL/T 645 meters: give meters.dlt645.password in the configuration")]
    NoPassword,
    /// This gateway cannot carry DL/T 645; nothing was sent.
    #[error("DL/T 645 needs a transparent gateway: this one speaks Modbus")]
    NotCarried,
    /// The connection was dropped, because the answer may still arrive.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// The connection was dropped, because something other than the answer was received.
    #[error("the answer cannot be read")]
    Garbled,
    /// The gateway accepts no connection; nothing was sent.
    #[error("the gateway is lost")]
    Unreachable,
    /// The server is stopping; nothing was sent.
    #[error("stopping")]
    Stopped,
}

/// Whether the gateway accepts connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Up,
    /// The last connection was ended, and the next one is not open yet.
    Reconnecting,
    /// It refused or did not answer, and is tried again after a pause.
    Down,
}

enum Action {
    /// With the unit identifier.
    Modbus(u8, Registers),
    Dlt645(Dlt645Request),
}

enum Registers {
    Read { area: Area, address: u16, count: u16 },
    Write { address: u16, words: Vec<u16> },
}

#[derive(Debug, PartialEq, Eq)]
enum Response {
    /// Empty for a write.
    Words(Vec<u16>),
    Dlt645(Answer),
}

/// Request and answer for one value of DL/T 645 with their wake-up bytes, in Modbus registers.
const ONE_VALUE: usize = 40;
/// As above, for the longest answer.
const ALL_DATA: usize = 120;

impl Action {
    /// The length of request and answer together, in registers.
    fn registers(&self) -> usize {
        match self {
            Self::Modbus(_, Registers::Read { count, .. }) => (*count).into(),
            Self::Modbus(_, Registers::Write { words, .. }) => words.len(),
            Self::Dlt645(Dlt645Request::Follow { .. }) => ALL_DATA,
            Self::Dlt645(_) => ONE_VALUE,
        }
    }
}

struct Request {
    priority: Priority,
    /// Keeps the order of requests within a priority.
    turn: u64,
    action: Action,
    reply: oneshot::Sender<Result<Response, LinkError>>,
}

impl Request {
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

/// A handle to the task that owns the endpoint of a gateway.
#[derive(Clone)]
pub struct Link {
    queue: mpsc::UnboundedSender<Request>,
    retry: Arc<Notify>,
    distrusted: Arc<AtomicBool>,
    /// Answers with stray bytes around them.
    noise: Arc<AtomicU64>,
    state: watch::Receiver<LinkState>,
}

/// Exceptions with which a gateway reports that what is behind it does not answer.
const TARGET_SILENT: [u8; 2] = [0x0a, 0x0b];

impl LinkError {
    /// Whether the gateway reports that what is behind it does not answer.
    pub(crate) fn is_target_silent(self) -> bool {
        matches!(self, Self::Exception(code) if TARGET_SILENT.contains(&code))
    }

    /// Whether the connection is still in step: the request was answered, or never sent.
    const fn is_in_step(self) -> bool {
        matches!(self, Self::Exception(_) | Self::Refused(_) | Self::NoPassword | Self::NotCarried)
    }
}

impl Link {
    /// Starts the task; it ends after `stop`, when the current request is done.
    #[must_use]
    pub fn start(target: Target, config: Arc<Config>, rng: Rng, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (queue, requests) = mpsc::unbounded_channel();
        let (publish, state) = watch::channel(LinkState::Connecting);
        let retry = Arc::new(Notify::new());
        let distrusted = Arc::new(AtomicBool::new(false));
        let noise = Arc::new(AtomicU64::new(0));
        let signals = (Arc::clone(&retry), Arc::clone(&distrusted), Arc::clone(&noise));
        let incoming = target.incoming.clone();
        let endpoint = endpoint::Endpoint::new(target, config, rng, stop, requests, signals, publish);
        (
            Self { queue, retry, distrusted, noise, state },
            tokio::spawn(async move {
                match incoming {
                    Some(incoming) => endpoint.run_dial_in(incoming).await,
                    None => endpoint.run().await,
                }
            }),
        )
    }

    /// Reads `count` holding registers, and returns exactly as many.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn read(&self, priority: Priority, unit: u8, address: u16, count: u16) -> Result<Vec<u16>, LinkError> {
        self.registers(priority, unit, Registers::Read { area: Area::Holding, address, count }).await
    }

    /// Reads `count` input registers, and returns exactly as many.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn read_input(&self, priority: Priority, unit: u8, address: u16, count: u16) -> Result<Vec<u16>, LinkError> {
        self.registers(priority, unit, Registers::Read { area: Area::Input, address, count }).await
    }

    /// Writes registers. The request is sent once and never repeated; after an error other than an exception or
    /// [`LinkError::Unreachable`] it is unknown whether it arrived.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn write(&self, priority: Priority, unit: u8, address: u16, words: Vec<u16>) -> Result<(), LinkError> {
        self.registers(priority, unit, Registers::Write { address, words }).await.map(drop)
    }

    /// Sends a DL/T 645 request to a meter, or the time to all of them. It is sent once and never repeated.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn dlt645(&self, priority: Priority, ask: Dlt645Request) -> Result<Answer, LinkError> {
        match self.send(priority, Action::Dlt645(ask)).await? {
            Response::Dlt645(answer) => Ok(answer),
            Response::Words(_) => Err(LinkError::Broken),
        }
    }

    /// Drops the connection before the next request: an answer was well formed and not the one requested, so the answers on the
    /// connection may belong to earlier requests.
    pub fn distrust(&self) {
        self.distrusted.store(true, Ordering::Relaxed);
    }

    /// How often stray bytes were received around an answer, or between two.
    #[must_use]
    pub fn noise(&self) -> u64 {
        self.noise.load(Ordering::Relaxed)
    }

    /// Ends the pause before the next attempt to connect.
    pub fn retry(&self) {
        self.retry.notify_one();
    }

    /// Whether the gateway accepts connections; changes can be awaited.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// Waits while a connection that was ended is being replaced: until then the bus is not free.
    pub async fn settled(&self) {
        // The task is gone when the server stops.
        let _ = self.state.clone().wait_for(|state| *state != LinkState::Reconnecting).await;
    }

    async fn registers(&self, priority: Priority, unit: u8, registers: Registers) -> Result<Vec<u16>, LinkError> {
        match self.send(priority, Action::Modbus(unit, registers)).await? {
            Response::Words(words) => Ok(words),
            Response::Dlt645(_) => Err(LinkError::Broken),
        }
    }

    async fn send(&self, priority: Priority, action: Action) -> Result<Response, LinkError> {
        let (reply, answer) = oneshot::channel();
        let request = Request { priority, turn: 0, action, reply };
        self.queue.send(request).map_err(|_| LinkError::Stopped)?;
        answer.await.map_err(|_| LinkError::Stopped)?
    }
}

#[cfg(test)]
mod tests;
