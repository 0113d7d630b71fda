//! A gateway: meters on one bus, which carries one request at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::bus::BusTiming;
use super::clock::SiteClock;
use super::faults::{Faults, LineFault};
use super::load::Load;
use super::meter::Meter;
use super::modbus::{Exception, Header, Request, exception, parse, registers, written};
use super::persist::StateFile;
use super::registers::{MAILBOX, read};
use super::secured::{Effect, receive};
use crate::clock::Clock;
use crate::meters::keys::MasterKeys;
use crate::rng::Rng;

/// What all gateways share.
pub struct Site {
    /// The site's time.
    pub clock: Arc<SiteClock>,
    /// What rooms draw.
    pub load: Load,
    /// What meters' keys derive from.
    pub keys: MasterKeys,
    /// How long transactions take; `None`: no time.
    pub bus: Option<BusTiming>,
    /// Where meters' memory is kept.
    pub state: Option<StateFile>,
}

/// A meter and its line.
pub struct Slot {
    /// Modbus unit id.
    pub unit: u8,
    /// The meter.
    pub meter: Meter,
    /// Faults between gateway and meter.
    pub faults: Faults,
}

/// A gateway and what is behind it.
pub struct Gateway {
    /// Its place in the estate.
    pub index: usize,
    /// Whether it refuses connections.
    pub refused: watch::Sender<bool>,
    site: Arc<Site>,
    rng: Rng,
    /// Held while a request is on the wire.
    bus: tokio::sync::Mutex<()>,
    /// Held while a meter changes, until the change is on disk; nobody reads a change before that.
    turn: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Ascending by unit.
    slots: Vec<Slot>,
    faults: Faults,
    /// An answer that waits to go out in place of the next one.
    shifted: Option<(u8, Vec<u8>)>,
}

/// What a gateway does with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Answers, in the name of a unit.
    Answer(u8, Vec<u8>),
    /// Answers later; other requests may be answered before.
    Late(Duration, Vec<u8>),
    /// Sends these bytes, which are no answer.
    Raw(Vec<u8>),
    /// Sends half of this answer and closes the connection.
    Cut(Vec<u8>),
    /// Says nothing.
    Nothing,
}

/// There is no such meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such meter")]
pub struct NoMeter;

/// Why a meter could not be changed from outside.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such meter.
    #[error(transparent)]
    NoMeter(#[from] NoMeter),
    /// Its memory could not be kept.
    #[error("the state file cannot be written: {0}")]
    State(String),
}

impl Gateway {
    /// `slots` in any order.
    #[must_use]
    pub fn new(index: usize, site: Arc<Site>, rng: Rng, mut slots: Vec<Slot>) -> Self {
        slots.sort_by_key(|slot| slot.unit);
        let inner = Mutex::new(Inner { slots, faults: Faults::default(), shifted: None });
        Self { index, refused: watch::Sender::new(false), site, rng, bus: Default::default(), turn: Default::default(), inner }
    }

    /// Serves one request, as slowly as the bus is.
    pub async fn transact(&self, header: Header, pdu: &[u8]) -> Delivery {
        let _bus = self.bus.lock().await;
        let begun = Instant::now();
        let fault = self.draw(header.unit);
        let answer = match fault {
            Ok(Some(LineFault::Silent | LineFault::LostRequest)) => {
                self.hold(begun, None).await;
                return Delivery::Nothing;
            }
            Ok(Some(LineFault::NoAnswer)) | Err(NoMeter) => {
                self.hold(begun, None).await;
                exception(pdu, Exception::NoAnswer)
            }
            Ok(Some(LineFault::Busy)) => {
                self.hold(begun, Some((pdu.len(), 2))).await;
                exception(pdu, Exception::Busy)
            }
            Ok(_) => {
                let answer = self.execute(header.unit, pdu).await;
                self.hold(begun, Some((pdu.len(), answer.len()))).await;
                answer
            }
        };
        self.deliver(header.unit, fault.unwrap_or(None), answer).await
    }

    async fn deliver(&self, unit: u8, fault: Option<LineFault>, mut answer: Vec<u8>) -> Delivery {
        match fault {
            Some(LineFault::LostAnswer) => return Delivery::Nothing,
            Some(LineFault::LateAnswer { ms }) => return Delivery::Late(Duration::from_millis(ms), answer),
            Some(LineFault::CutMidFrame) => return Delivery::Cut(answer),
            Some(LineFault::Garbage) => {
                let length = 1 + self.rng.below(32) as usize;
                return Delivery::Raw(self.rng.bytes::<32>().into_iter().take(length).collect());
            }
            Some(LineFault::WrongUnit) => return Delivery::Answer(unit.wrapping_add(1), answer),
            Some(LineFault::ShortAnswer) => answer.truncate(answer.len().saturating_sub(2).max(1)),
            Some(LineFault::Slow { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(LineFault::ShiftedAnswer) => {
                return match self.lock().shifted.replace((unit, answer)) {
                    Some((unit, earlier)) => Delivery::Answer(unit, earlier),
                    None => Delivery::Nothing,
                };
            }
            _ => {}
        }
        let (unit, answer) = self.lock().shifted.take().unwrap_or((unit, answer));
        Delivery::Answer(unit, answer)
    }

    /// Waits until the bus would be free again: after the answer, or after the gateway lost its patience.
    async fn hold(&self, begun: Instant, lengths: Option<(usize, usize)>) {
        let Some(timing) = &self.site.bus else { return };
        let took = lengths.map_or(timing.patience, |(request, answer)| timing.transaction(request, answer));
        tokio::time::sleep_until(begun + took).await;
    }

    /// The gateway's own faults go before those of the meter's line.
    fn draw(&self, unit: u8) -> Result<Option<LineFault>, NoMeter> {
        let mut inner = self.lock();
        if let Some(fault) = inner.faults.draw(&self.rng) {
            return Ok(Some(fault));
        }
        inner.slot(unit).map(|slot| slot.faults.draw(&self.rng))
    }

    async fn execute(&self, unit: u8, pdu: &[u8]) -> Vec<u8> {
        let done = match parse(pdu) {
            Ok(Request::Read { address, count }) => self.read(unit, address, count).await,
            Ok(Request::Write { address: MAILBOX, bytes }) => self.write(unit, bytes).await,
            Ok(Request::Write { .. }) => Err(Exception::IllegalAddress),
            Err(refused) => Err(refused),
        };
        done.unwrap_or_else(|refused| exception(pdu, refused))
    }

    async fn read(&self, unit: u8, address: u16, count: u16) -> Result<Vec<u8>, Exception> {
        let _turn = self.turn.lock().await;
        let found = self.look(unit, |slot| read(&slot.meter, &self.site.load, address, count));
        found.map_err(|NoMeter| Exception::NoAnswer)?.map(|found| registers(&found))
    }

    async fn write(&self, unit: u8, frame: &[u8]) -> Result<Vec<u8>, Exception> {
        let taken = self.commit(unit, |meter| {
            let taken = receive(meter, &self.site.keys, frame, meter.until);
            (taken, taken.unwrap_or(Effect::Refused))
        });
        match taken.await {
            Ok(taken) => taken.map(|_| written(MAILBOX, frame.len())),
            Err(ChangeError::NoMeter(_)) => Err(Exception::NoAnswer),
            Err(ChangeError::State(error)) => {
                tracing::error!(gateway = self.index, unit, error, "sim.state.write_failed");
                Err(Exception::DeviceFailure)
            }
        }
    }

    /// Changes a meter from outside, and keeps the change.
    ///
    /// # Errors
    /// [`ChangeError`]; then nothing has changed.
    pub async fn change<R>(&self, unit: u8, change: impl FnOnce(&mut Meter) -> R) -> Result<R, ChangeError> {
        self.commit(unit, |meter| (change(meter), Effect::Changed)).await
    }

    /// A change becomes visible only after it is on disk: a reader who saw money must find it again after a power cut.
    async fn commit<R>(&self, unit: u8, change: impl FnOnce(&mut Meter) -> (R, Effect)) -> Result<R, ChangeError> {
        let _turn = self.turn.lock().await;
        let mut next = self.look(unit, |slot| slot.meter.clone())?;
        let (result, effect) = change(&mut next);
        if let (Effect::Changed, Some(state)) = (effect, &self.site.state) {
            state.append(self.index, unit, &next).await.map_err(ChangeError::State)?;
        }
        self.lock().slot(unit)?.meter = next;
        Ok(result)
    }

    /// Looks at a meter as it stands now.
    ///
    /// # Errors
    /// [`NoMeter`].
    pub fn look<R>(&self, unit: u8, look: impl FnOnce(&mut Slot) -> R) -> Result<R, NoMeter> {
        let mut inner = self.lock();
        let slot = inner.slot(unit)?;
        slot.meter.run(&self.site.load, self.site.clock.now());
        Ok(look(slot))
    }

    /// Looks at the faults of the gateway itself.
    pub fn faults<R>(&self, look: impl FnOnce(&mut Faults) -> R) -> R {
        look(&mut self.lock().faults)
    }

    /// The units behind it, ascending.
    #[must_use]
    pub fn units(&self) -> Vec<u8> {
        self.lock().slots.iter().map(|slot| slot.unit).collect()
    }

    /// Every meter's memory, no change being under way.
    pub async fn memory(&self) -> Vec<(u8, Meter)> {
        let _turn = self.turn.lock().await;
        self.lock().slots.iter().map(|slot| (slot.unit, slot.meter.clone())).collect()
    }

    /// What all gateways share.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn slot(&mut self, unit: u8) -> Result<&mut Slot, NoMeter> {
        let index = self.slots.binary_search_by_key(&unit, |slot| slot.unit).map_err(|_| NoMeter)?;
        self.slots.get_mut(index).ok_or(NoMeter)
    }
}
