//! The way to one gateway: callers ask, one task owns the TCP endpoint and does one request at a time, most urgent first.

mod connection;
mod endpoint;

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::profile::Area;
use crate::rng::Rng;

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
    /// Trying.
    Connecting,
    /// Connected.
    Up,
    /// Refused or silent; tried again after a pause.
    Down,
}

enum Action {
    Read { area: Area, address: u16, count: u16 },
    Write { address: u16, words: Vec<u16> },
}

impl Action {
    fn registers(&self) -> usize {
        match self {
            Self::Read { count, .. } => (*count).into(),
            Self::Write { words, .. } => words.len(),
        }
    }
}

struct Request {
    priority: Priority,
    /// Keeps the order of asking within a priority.
    turn: u64,
    unit: u8,
    action: Action,
    reply: oneshot::Sender<Result<Vec<u16>, LinkError>>,
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

impl Link {
    /// Starts the task; it ends after `stop`, when the request under way is done.
    #[must_use]
    pub fn start(host: String, port: u16, config: Arc<Config>, rng: Rng, stop: CancellationToken) -> (Self, JoinHandle<()>) {
        let (queue, requests) = mpsc::unbounded_channel();
        let (publish, state) = watch::channel(LinkState::Connecting);
        let retry = Arc::new(Notify::new());
        let distrusted = Arc::new(AtomicBool::new(false));
        let signals = (Arc::clone(&retry), Arc::clone(&distrusted));
        let endpoint = endpoint::Endpoint::new(host, port, config, rng, stop, requests, signals, publish);
        (Self { queue, retry, distrusted, state }, tokio::spawn(endpoint.run()))
    }

    /// Reads `count` holding registers; exactly as many are given.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn read(&self, priority: Priority, unit: u8, address: u16, count: u16) -> Result<Vec<u16>, LinkError> {
        self.ask(priority, unit, Action::Read { area: Area::Holding, address, count }).await
    }

    /// Reads `count` input registers; exactly as many are given.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn read_input(&self, priority: Priority, unit: u8, address: u16, count: u16) -> Result<Vec<u16>, LinkError> {
        self.ask(priority, unit, Action::Read { area: Area::Input, address, count }).await
    }

    /// Writes registers, once: it is never sent again by itself, and after an error other than an exception or
    /// [`LinkError::Unreachable`] nobody knows whether it arrived.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn write(&self, priority: Priority, unit: u8, address: u16, words: Vec<u16>) -> Result<(), LinkError> {
        self.ask(priority, unit, Action::Write { address, words }).await.map(drop)
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

    async fn ask(&self, priority: Priority, unit: u8, action: Action) -> Result<Vec<u16>, LinkError> {
        let (reply, answer) = oneshot::channel();
        let request = Request { priority, turn: 0, unit, action, reply };
        self.queue.send(request).map_err(|_| LinkError::Stopped)?;
        answer.await.map_err(|_| LinkError::Stopped)?
    }
}

#[cfg(test)]
mod tests;
