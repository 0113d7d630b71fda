//! A gateway: meters on one bus, which carries one request at a time.

mod instruments;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::bus::{BusClock, BusTiming};
use super::clock::SiteClock;
use super::dial_in::DialInFaults;
use super::dlt645::{self, Address, Frame};
use super::faults::{Faults, LineFault};
use super::instrument::Instrument;
use super::load::Load;
use super::meter::Meter;
use super::modbus::{Exception, Request, exception, parse, registers, written};
use super::persist::StateFile;
use super::secured::FrameEffect;
use super::tls::Identity;
use super::wire::{BusReply, BusRequest};
use crate::meter_model::MeterModel;
use domain::clock::Clock;
use domain::framing::Framing;
use domain::rng::Rng;
use meters::keys::MasterKeys;
use meters::profile::Area;

/// Shared by all gateways.
pub struct Site {
    pub clock: Arc<SiteClock>,
    pub load: Load,
    /// Master keys of the meters.
    pub keys: MasterKeys,
    /// Bus timing; `None`: transactions take no time.
    pub bus: Option<BusTiming>,
    /// Where the meters' state is stored.
    pub state: Option<StateFile>,
    /// Certificate of gateways that speak TLS; `None` if there are none.
    pub tls: Option<Identity>,
}

/// A meter and its line.
pub struct MeterSlot {
    /// Modbus unit id.
    pub unit: u8,
    pub model: MeterModel,
    pub meter: Meter,
    /// Faults between gateway and meter.
    pub faults: Faults,
}

/// A gateway and its meters.
pub struct Gateway {
    /// Index in the estate.
    pub index: usize,
    pub framing: Framing,
    /// Whether it refuses connections.
    pub refused: watch::Sender<bool>,
    /// Serves one connection at a time, and refuses others for so long after its end; `None`: any number.
    pub single_slot: watch::Sender<Option<Duration>>,
    /// Of one that dials in.
    pub dial_in: DialInFaults,
    site: Arc<Site>,
    rng: Rng,
    /// Held while a request is on the bus.
    bus: tokio::sync::Mutex<BusClock>,
    /// Held while a meter changes, until the change is on disk; nothing reads the change before.
    turn: tokio::sync::Mutex<()>,
    inner: Mutex<GatewayInner>,
}

struct GatewayInner {
    /// Ascending by unit.
    slots: Vec<MeterSlot>,
    instruments: Vec<Instrument>,
    faults: Faults,
    /// An answer waiting to replace the next one.
    shifted: Option<BusReply>,
    /// Units of two meters that exchanged addresses.
    swapped: Option<[u8; 2]>,
}

/// How a gateway answers a request.
#[derive(Debug, PartialEq, Eq)]
pub enum GatewayResponse {
    Answer(BusReply),
    /// Answers later; other requests may be answered before.
    Late(Duration, BusReply),
    /// Answers with a wrong check value.
    BadCheck(BusReply),
    /// Sends these bytes, which are not an answer.
    Raw(Vec<u8>),
    /// Answers with so many zero bytes before and after.
    Stray(BusReply, [u8; 2]),
    /// Sends half of this answer and closes the connection.
    Cut(BusReply),
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such meter")]
pub struct NoMeter;

/// Why a meter could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    NoMeter(#[from] NoMeter),
    #[error("the state file cannot be written: {0}")]
    State(String),
}

impl Gateway {
    /// `slots` in any order.
    #[must_use]
    pub fn new(
        index: usize,
        framing: Framing,
        site: Arc<Site>,
        rng: Rng,
        mut slots: Vec<MeterSlot>,
        instruments: Vec<Instrument>,
    ) -> Self {
        slots.sort_by_key(|slot| slot.unit);
        let inner = Mutex::new(GatewayInner { slots, instruments, faults: Faults::default(), shifted: None, swapped: None });
        let (refused, single_slot) = (watch::Sender::new(false), watch::Sender::new(None));
        let (bus, turn, dial_in) = Default::default();
        Self { index, framing, refused, single_slot, dial_in, site, rng, bus, turn, inner }
    }

    /// Serves one request in the time that the bus takes.
    pub async fn transact(&self, request: &BusRequest) -> GatewayResponse {
        let mut clock = self.bus.lock().await;
        let begun = clock.begin();
        let (unit, fault) = match self.addressed(request) {
            Ok(Some(unit)) => (unit, self.draw_fault(unit)),
            Ok(None) => {
                self.broadcast(request).await;
                self.occupy_bus(&mut clock, begun, Some((request.length(), 0))).await;
                return GatewayResponse::Nothing;
            }
            Err(NoMeter) => (0, self.faults(|faults| faults.draw(&self.rng)).map(Some).ok_or(NoMeter)),
        };
        let reply = match fault {
            Ok(Some(LineFault::Silent | LineFault::LostRequest)) => {
                self.occupy_bus(&mut clock, begun, None).await;
                return GatewayResponse::Nothing;
            }
            Ok(Some(LineFault::NoAnswer)) | Err(NoMeter) => {
                self.occupy_bus(&mut clock, begun, None).await;
                self.no_answer(request)
            }
            Ok(Some(LineFault::Busy)) => {
                self.occupy_bus(&mut clock, begun, Some((request.length(), 2))).await;
                self.busy(unit, request)
            }
            Ok(_) => {
                let reply = self.execute(unit, request).await;
                self.occupy_bus(&mut clock, begun, Some((request.length(), reply.as_ref().map_or(0, BusReply::length)))).await;
                reply
            }
        };
        let Some(reply) = reply else { return GatewayResponse::Nothing };
        self.deliver(fault.unwrap_or(None), reply).await
    }

    async fn deliver(&self, fault: Option<LineFault>, reply: BusReply) -> GatewayResponse {
        match fault {
            Some(LineFault::LostAnswer) => return GatewayResponse::Nothing,
            Some(LineFault::LateAnswer { ms }) => return GatewayResponse::Late(Duration::from_millis(ms), reply),
            Some(LineFault::CutMidFrame) => return GatewayResponse::Cut(reply),
            Some(LineFault::StrayBytes { before, after }) => return GatewayResponse::Stray(reply, [before, after]),
            Some(LineFault::Garbage) => {
                let length = 1 + self.rng.below(32) as usize;
                return GatewayResponse::Raw(self.rng.bytes::<32>().into_iter().take(length).collect());
            }
            Some(LineFault::WrongUnit) => return GatewayResponse::Answer(reply.with_other_address()),
            Some(LineFault::ShortAnswer) => return GatewayResponse::Answer(reply.shortened()),
            Some(LineFault::BadCheck) => return GatewayResponse::BadCheck(reply),
            Some(LineFault::Slow { ms }) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Some(LineFault::ShiftedAnswer) => {
                return self.lock().shifted.replace(reply).map_or(GatewayResponse::Nothing, GatewayResponse::Answer);
            }
            _ => {}
        }
        let earlier = self.lock().shifted.take();
        GatewayResponse::Answer(earlier.unwrap_or(reply))
    }

    /// Waits until the bus is free: after the answer, or after the gateway's time-out.
    async fn occupy_bus(&self, clock: &mut BusClock, begun: Instant, lengths: Option<(usize, usize)>) {
        let Some(timing) = &self.site.bus else { return };
        let took = lengths.map_or(timing.patience, |(request, answer)| timing.transaction(request, answer));
        clock.end(begun + took).await;
    }

    /// Faults of the gateway take precedence over those of the meter's line.
    fn draw_fault(&self, unit: u8) -> Result<Option<LineFault>, NoMeter> {
        let mut inner = self.lock();
        if let Some(fault) = inner.faults.draw(&self.rng) {
            return Ok(Some(fault));
        }
        if let Some(instrument) = inner.instrument(unit) {
            return Ok(instrument.faults.draw(&self.rng));
        }
        inner.slot(unit).map(|slot| slot.faults.draw(&self.rng))
    }

    /// The unit of the addressed meter; `None` for a broadcast.
    fn addressed(&self, request: &BusRequest) -> Result<Option<u8>, NoMeter> {
        let mut inner = self.lock();
        match request {
            BusRequest::Modbus { unit, .. } => {
                let unit = inner.wired(*unit);
                if inner.instrument(unit).is_some() {
                    return Ok(Some(unit));
                }
                inner.slot(unit)?.model.speaks_modbus().then_some(Some(unit)).ok_or(NoMeter)
            }
            BusRequest::Dlt645(Frame { address: Address::All, .. }) => Ok(None),
            BusRequest::Dlt645(frame) => {
                let mut hear = inner.slots.iter().filter(|slot| !slot.model.speaks_modbus()).filter(|slot| match frame.address {
                    Address::Meter(serial) => slot.meter.serial == serial,
                    Address::All | Address::Anyone => true,
                });
                // When several meters answer at once, the answers collide.
                match (hear.next(), hear.next()) {
                    (Some(slot), None) => Ok(Some(slot.unit)),
                    _ => Err(NoMeter),
                }
            }
        }
    }

    /// A transparent gateway does not know that no meter answered.
    fn no_answer(&self, request: &BusRequest) -> Option<BusReply> {
        match request {
            BusRequest::Modbus { unit, pdu } if self.framing != Framing::Transparent => {
                Some(BusReply::Modbus { unit: *unit, pdu: exception(pdu, Exception::NoAnswer) })
            }
            _ => None,
        }
    }

    fn busy(&self, unit: u8, request: &BusRequest) -> Option<BusReply> {
        match request {
            BusRequest::Modbus { unit, pdu } => Some(BusReply::Modbus { unit: *unit, pdu: exception(pdu, Exception::Busy) }),
            BusRequest::Dlt645(frame) => self.with_slot(unit, |slot| BusReply::Dlt645(dlt645::refusal(&slot.meter, frame))).ok(),
        }
    }

    async fn execute(&self, unit: u8, request: &BusRequest) -> Option<BusReply> {
        match request {
            BusRequest::Modbus { unit: named, pdu } => {
                let done = match parse(pdu) {
                    Ok(Request::Read { area, address, count }) => self.read(unit, area, address, count).await,
                    Ok(Request::Write { address, bytes }) => self.write(unit, address, bytes).await,
                    Err(refused) => Err(refused),
                };
                Some(BusReply::Modbus { unit: *named, pdu: done.unwrap_or_else(|refused| exception(pdu, refused)) })
            }
            BusRequest::Dlt645(frame) => {
                let received = self.commit(unit, |meter| dlt645::receive(meter, &self.site.load, frame)).await;
                received.unwrap_or_else(|error| self.failed(unit, &error)).map(BusReply::Dlt645)
            }
        }
    }

    async fn broadcast(&self, request: &BusRequest) {
        let BusRequest::Dlt645(frame) = request else { return };
        for unit in self.units() {
            if self.with_slot(unit, |slot| slot.model.speaks_modbus()) == Ok(false)
                && let Err(error) = self.commit(unit, |meter| dlt645::receive(meter, &self.site.load, frame)).await
            {
                self.failed(unit, &error);
            }
        }
    }

    async fn read(&self, unit: u8, area: Area, address: u16, count: u16) -> Result<Vec<u8>, Exception> {
        let _turn = self.turn.lock().await;
        if let Ok(read) = self.with_instrument(unit, |instrument, total| instrument.read(total, area, address, count)) {
            return read.map(|found| registers(area, &found));
        }
        let found = self.with_slot(unit, |slot| slot.model.read(&slot.meter, &self.site.load, area, address, count));
        found.map_err(|NoMeter| Exception::NoAnswer)?.map(|found| registers(area, &found))
    }

    async fn write(&self, unit: u8, address: u16, bytes: &[u8]) -> Result<Vec<u8>, Exception> {
        let model = self.with_slot(unit, |slot| slot.model.clone()).map_err(|NoMeter| Exception::NoAnswer)?;
        let taken = self.commit(unit, |meter| {
            let taken = model.write(meter, &self.site.keys, address, bytes);
            (taken, taken.unwrap_or(FrameEffect::Refused))
        });
        match taken.await {
            Ok(taken) => taken.map(|_| written(address, bytes.len())),
            Err(error) => {
                self.failed(unit, &error);
                Err(Exception::DeviceFailure)
            }
        }
    }

    fn failed(&self, unit: u8, error: &ChangeError) -> Option<Frame> {
        tracing::error!(gateway = self.index, unit, error = error as &dyn std::error::Error, "sim.state.write_failed");
        None
    }

    /// Changes a meter and stores the change.
    ///
    /// # Errors
    /// [`ChangeError`]; then nothing has changed.
    pub async fn change<R>(&self, unit: u8, change: impl FnOnce(&mut Meter) -> R) -> Result<R, ChangeError> {
        self.commit(unit, |meter| (change(meter), FrameEffect::Changed)).await
    }

    /// A change becomes visible only after it is on disk: money that was seen must survive a power cut.
    async fn commit<R>(&self, unit: u8, change: impl FnOnce(&mut Meter) -> (R, FrameEffect)) -> Result<R, ChangeError> {
        let _turn = self.turn.lock().await;
        let mut next = self.with_slot(unit, |slot| slot.meter.clone())?;
        let (result, effect) = change(&mut next);
        if let (FrameEffect::Changed, Some(state)) = (effect, &self.site.state) {
            state.append(self.index, unit, &next).await.map_err(ChangeError::State)?;
        }
        self.lock().slot(unit)?.meter = next;
        Ok(result)
    }

    /// Accesses a meter in its current state.
    ///
    /// # Errors
    /// [`NoMeter`] if there is no such unit.
    pub fn with_slot<R>(&self, unit: u8, access: impl FnOnce(&mut MeterSlot) -> R) -> Result<R, NoMeter> {
        let mut inner = self.lock();
        let slot = inner.slot(unit)?;
        slot.meter.run(&self.site.load, self.site.clock.now());
        Ok(access(slot))
    }

    /// Accesses the faults of the gateway itself.
    pub fn faults<R>(&self, access: impl FnOnce(&mut Faults) -> R) -> R {
        access(&mut self.lock().faults)
    }

    /// Exchanges the addresses of two meters, as after an unrecorded rewiring; `None` restores the plan.
    pub fn swap(&self, units: Option<[u8; 2]>) {
        self.lock().swapped = units;
    }

    /// Units of all meters, ascending.
    #[must_use]
    pub fn units(&self) -> Vec<u8> {
        self.lock().slots.iter().map(|slot| slot.unit).collect()
    }

    /// The state of every meter, while no change is in progress.
    pub async fn states(&self) -> Vec<(u8, Meter)> {
        let _turn = self.turn.lock().await;
        self.lock().slots.iter().map(|slot| (slot.unit, slot.meter.clone())).collect()
    }

    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    fn lock(&self) -> MutexGuard<'_, GatewayInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GatewayInner {
    /// The unit of the meter that is wired to a unit id.
    fn wired(&self, unit: u8) -> u8 {
        match self.swapped {
            Some([a, b]) if unit == a => b,
            Some([a, b]) if unit == b => a,
            _ => unit,
        }
    }

    fn slot(&mut self, unit: u8) -> Result<&mut MeterSlot, NoMeter> {
        let index = self.slots.binary_search_by_key(&unit, |slot| slot.unit).map_err(|_| NoMeter)?;
        self.slots.get_mut(index).ok_or(NoMeter)
    }
}
