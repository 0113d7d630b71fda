//! The task that owns the port.

use std::error::Error as StdError;
use std::time::Duration;

use domain::clock::SharedClock;
use model::modem::{ModemPhase, ModemState, SimState};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::at::stored_messages;
use crate::dialog::{Dialog, TimeLimits};
use crate::error::ModemFailure;
use crate::modem::{Config, Event, Received, Request};
use crate::pdu::Incoming;
use crate::port::Port;
use crate::setup::set_up;
use crate::watch::look;
use crate::{SendError, SendFailure};

/// How long whoever stores messages has for one.
const STORING: Duration = Duration::from_secs(10);

pub(crate) struct Driver<'a> {
    config: &'a Config,
    state: &'a watch::Sender<ModemState>,
    clock: SharedClock,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
    pin_refused: bool,
}

impl<'a> Driver<'a> {
    pub const fn new(
        config: &'a Config,
        state: &'a watch::Sender<ModemState>,
        clock: SharedClock,
        events: mpsc::Sender<Event>,
        stop: CancellationToken,
    ) -> Self {
        Self { config, state, clock, events, stop, pin_refused: false }
    }

    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let stop = self.stop.clone();
        while !stop.is_cancelled() {
            // A modem that does not answer must not keep the server from stopping; no message is on its way yet.
            let connected = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                connected = self.connect() => connected,
            };
            let ended = match connected {
                Ok(dialog) => self.serve(dialog, &mut requests).await,
                Err(trouble) => Err(trouble),
            };
            if let Err(trouble) = ended {
                self.note(&trouble);
                self.pause(&mut requests).await;
            }
        }
    }

    async fn connect(&mut self) -> Result<Dialog, ModemFailure> {
        let Config { device, baud, answer, network, .. } = self.config;
        let patience = TimeLimits { answer: *answer, network: *network };
        let mut dialog = Dialog::new(Port::open(device, *baud)?, patience);
        let sim = set_up(&mut dialog, &self.config.pin, &mut self.pin_refused).await?;
        self.state.send_modify(|state| state.sim = sim);
        if sim != SimState::Ready {
            return Err(ModemFailure::Sim);
        }
        self.look(&mut dialog).await?;
        Ok(dialog)
    }

    /// Until there is trouble, or the server stops.
    async fn serve(&mut self, mut dialog: Dialog, requests: &mut mpsc::Receiver<Request>) -> Result<(), ModemFailure> {
        let stop = self.stop.clone();
        let mut next_look = Instant::now() + self.config.pause;
        loop {
            self.receive(&mut dialog).await?;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep_until(next_look) => {
                    self.look(&mut dialog).await?;
                    // A signal that a message was stored may have been lost.
                    dialog.has_stored = true;
                    next_look = Instant::now() + self.config.pause;
                }
                Some(request) = requests.recv() => self.send(&mut dialog, request).await?,
                woken = dialog.idle() => woken?,
            }
        }
    }

    async fn look(&self, dialog: &mut Dialog) -> Result<(), ModemFailure> {
        let mut state = self.state.borrow().clone();
        look(dialog, &mut state).await?;
        state.answered_at = Some(self.clock.now());
        self.state.send_replace(state);
        Ok(())
    }

    async fn send(&self, dialog: &mut Dialog, request: Request) -> Result<(), ModemFailure> {
        let Request { outgoing, deadline, answer } = request;
        let mut accepted = outgoing.from_part;
        let (result, trouble) = match outgoing.parts(self.config.validity) {
            _ if self.state.borrow().phase != ModemPhase::Ready => (Err(SendError::NotReady), None),
            Err(error) => (Err(error), None),
            Ok(parts) => loop {
                let Some(part) = parts.get(accepted) else { break (Ok(()), None) };
                if Instant::now() >= deadline {
                    break (Err(SendError::NotReady), None);
                }
                let (pdu, length) = part.encode();
                let reference = match dialog.submit(&pdu, length).await {
                    Ok(Ok(reference)) => reference,
                    // What it says later must not be taken for the answer to something else.
                    Ok(Err(SendError::Unconfirmed)) => break (Err(SendError::Unconfirmed), Some(ModemFailure::Silent)),
                    Ok(Err(error)) => break (Err(error), None),
                    Err(trouble) => break (Err(SendError::NotReady), Some(trouble)),
                };
                accepted += 1;
                self.state.send_modify(|state| state.answered_at = Some(self.clock.now()));
                let [part, parts] = [accepted, parts.len()].map(|number| u8::try_from(number).unwrap_or(u8::MAX));
                let event = Event::Sent { tag: outgoing.tag, part, parts, to: outgoing.to.clone(), reference };
                // Without it only the report about this part is lost.
                let _ = timeout(STORING, self.events.send(event)).await;
            },
        };
        // Nobody waits any more: what was sent has its event all the same.
        let _ = answer.send(result.map_err(|error| SendFailure { error, accepted }));
        trouble.map_or(Ok(()), Err)
    }

    /// Hands over what was received; what nobody stored stays on the SIM until the next look.
    async fn receive(&self, dialog: &mut Dialog) -> Result<(), ModemFailure> {
        while let Some(pdu) = dialog.pdus.pop_front() {
            self.hand_over(&pdu).await;
        }
        if !std::mem::take(&mut dialog.has_stored) {
            return Ok(());
        }
        let lines = dialog.command("AT+CMGL=4").await?.unwrap_or_default();
        for (index, pdu) in stored_messages(&lines) {
            if self.hand_over(pdu).await {
                let _ = dialog.command(&format!("AT+CMGD={index}")).await?;
            }
        }
        Ok(())
    }

    async fn hand_over(&self, pdu: &str) -> bool {
        let message = match Incoming::parse(pdu) {
            Ok(Incoming::Report(report)) => {
                return timeout(STORING, self.events.send(Event::Report(report))).await.is_ok_and(|sent| sent.is_ok());
            }
            Ok(Incoming::Deliver(deliver)) => Ok(deliver),
            Err(error) => Err(error),
        };
        let (stored, is_stored) = oneshot::channel();
        let event = Event::Received(Received { pdu: pdu.to_owned(), message, stored });
        let handed_over = async { self.events.send(event).await.is_ok() && is_stored.await.is_ok() };
        timeout(STORING, handed_over).await.unwrap_or(false)
    }

    fn note(&self, trouble: &ModemFailure) {
        tracing::warn!(error = trouble as &dyn StdError, "modem.trouble");
        let phase = match trouble {
            ModemFailure::Port(_) => ModemPhase::NoPort,
            ModemFailure::Sim => ModemPhase::NoSim,
            ModemFailure::Silent | ModemFailure::Garbage | ModemFailure::Restarted | ModemFailure::Refused(_) => {
                ModemPhase::NoAnswer
            }
        };
        self.state.send_modify(|state| {
            state.recoveries += i64::from(state.phase == ModemPhase::Ready);
            (state.phase, state.signal) = (phase, None);
        });
    }

    /// Leaves the modem alone for a while; messages do not wait for it.
    async fn pause(&self, requests: &mut mpsc::Receiver<Request>) {
        let refuse = async {
            while let Some(Request { outgoing, answer, .. }) = requests.recv().await {
                let _ = answer.send(Err(SendFailure { error: SendError::NotReady, accepted: outgoing.from_part }));
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = sleep(self.config.pause) => {}
            () = refuse => {}
        }
    }
}
