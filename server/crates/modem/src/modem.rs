//! The handle of a modem.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::clock::SharedClock;
use domain::secret::Secret;
use model::modem::{ModemPhase, ModemState};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::driver::Driver;
use crate::outgoing::Outgoing;
use crate::pdu::{Deliver, PduError, StatusReport};
use crate::{SendError, SendFailure};

/// No part is begun when a message has taken so long; the last one ends within another minute.
const SENDING: Duration = Duration::from_secs(180);
/// How long a sender waits for the task; after that there will be no answer.
const MOST: Duration = Duration::from_secs(280);
/// Messages that wait for the port.
const WAITING: usize = 8;

/// A modem and how it is used.
#[derive(Clone, Debug)]
pub struct Config {
    pub device: PathBuf,
    pub baud: u32,
    /// Of the SIM; empty where it needs none.
    pub pin: Secret,
    /// How long the network keeps a message for a phone that is off.
    pub validity: Duration,
    /// How long a command may take.
    pub answer: Duration,
    /// How long handing a message to the network may take.
    pub network: Duration,
    /// How often the modem is asked how it does, and how long it is left alone after trouble.
    pub pause: Duration,
}

impl Config {
    /// With the usual speed, time-outs and validity.
    #[must_use]
    pub fn new(device: PathBuf) -> Self {
        Self {
            device,
            baud: 115_200,
            pin: Secret::default(),
            validity: Duration::from_secs(24 * 3_600),
            answer: Duration::from_secs(5),
            network: Duration::from_secs(60),
            pause: Duration::from_secs(20),
        }
    }
}

/// What happens at a modem.
#[derive(Debug)]
pub enum Event {
    /// The network took a part of a message.
    Sent {
        tag: u128,
        part: u8,
        parts: u8,
        to: String,
        reference: u8,
    },
    Report(StatusReport),
    Received(Received),
}

/// A message that was received, or what looks like one.
#[derive(Debug)]
pub struct Received {
    /// In hexadecimal, as the modem gave it.
    pub pdu: String,
    pub message: Result<Deliver, PduError>,
    /// To be signalled when the message is stored; otherwise it stays on the SIM and comes again.
    pub stored: oneshot::Sender<()>,
}

pub(crate) struct Request {
    pub outgoing: Outgoing,
    pub deadline: Instant,
    pub answer: oneshot::Sender<Result<(), SendFailure>>,
}

struct Shared {
    config: Config,
    requests: mpsc::Sender<Request>,
    receiver: Mutex<Option<mpsc::Receiver<Request>>>,
    state: watch::Sender<ModemState>,
}

/// Cheap to clone; all clones are the same modem.
#[derive(Clone)]
pub struct Modem(Arc<Shared>);

impl Modem {
    /// Nothing is opened before [`Self::run`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        let (requests, receiver) = mpsc::channel(WAITING);
        let (state, _) = watch::channel(ModemState::default());
        Self(Arc::new(Shared { config, requests, receiver: Mutex::new(Some(receiver)), state }))
    }

    #[must_use]
    pub fn state(&self) -> ModemState {
        self.0.state.borrow().clone()
    }

    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.state.borrow().phase == ModemPhase::Ready
    }

    /// Waits until the state is as wanted.
    pub async fn wait_for(&self, wanted: impl FnMut(&ModemState) -> bool) {
        let _ = self.0.state.subscribe().wait_for(wanted).await;
    }

    /// Hands a message to the network, part by part. Ends within five minutes.
    ///
    /// # Errors
    /// [`SendFailure`], which says how many parts the network took.
    pub async fn send(&self, outgoing: Outgoing) -> Result<(), SendFailure> {
        let accepted = outgoing.from_part;
        let failed = |error| SendFailure { error, accepted };
        if !self.is_ready() {
            return Err(failed(SendError::NotReady));
        }
        let (answer, answered) = oneshot::channel();
        let request = Request { outgoing, deadline: Instant::now() + SENDING, answer };
        self.0.requests.try_send(request).map_err(|_| failed(SendError::NotReady))?;
        match timeout(MOST, answered).await {
            Ok(Ok(result)) => result,
            // The task has ended, perhaps in the middle.
            Ok(Err(_)) | Err(_) => Err(failed(SendError::Unconfirmed)),
        }
    }

    /// Owns the port until `stop`; whoever runs it second does nothing.
    pub async fn run(&self, clock: SharedClock, events: mpsc::Sender<Event>, stop: CancellationToken) {
        let receiver = self.0.receiver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(requests) = receiver else { return };
        Driver::new(&self.0.config, &self.0.state, clock, events, stop).run(requests).await;
    }
}
