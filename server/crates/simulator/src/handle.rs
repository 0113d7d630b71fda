//! Handles to a running site: addresses, meters, time, and shutdown.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use model::gateway::BytePattern;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::faults::{Defect, LineFault, OneTimeFault};
use super::gateway::{ChangeError, Gateway, Site};
use super::start;
use super::view::MeterView;
use domain::clock::SharedClock;

/// A running site; stops when dropped.
pub struct Simulator {
    site: Arc<Site>,
    gateways: Arc<[Arc<Gateway>]>,
    addresses: Vec<SocketAddr>,
    /// Address of the control interface.
    pub control: Option<SocketAddr>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Simulator {
    pub(super) fn new(
        site: Arc<Site>,
        gateways: Arc<[Arc<Gateway>]>,
        addresses: Vec<SocketAddr>,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        Self { site, gateways, addresses, control: None, stop, tasks }
    }

    /// Addresses of the gateways, in order; empty where they dial in.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The TLS certificate of the gateways, in PEM; `None` if no gateway speaks TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.site.tls.as_ref().map(|identity| &*identity.pem)
    }

    /// The site's clock, which can be given to a server to run in the same time.
    #[must_use]
    pub fn clock(&self) -> SharedClock {
        start::shared(&self.site)
    }

    /// A handle that may outlive this one.
    #[must_use]
    pub fn handle(&self) -> SiteHandle {
        SiteHandle { site: Arc::clone(&self.site), gateways: Arc::clone(&self.gateways) }
    }

    /// The gateway at this index of the estate.
    #[must_use]
    pub fn gateway(&self, gateway: usize) -> Option<GatewayHandle> {
        self.handle().gateway(gateway)
    }

    /// A meter by gateway index and unit id.
    #[must_use]
    pub fn meter(&self, gateway: usize, unit: u8) -> Option<MeterHandle> {
        self.handle().meter(gateway, unit)
    }

    /// An instrument by gateway index and unit id.
    #[must_use]
    pub fn instrument(&self, gateway: usize, unit: u8) -> Option<InstrumentHandle> {
        let gateway = self.gateways.get(gateway)?;
        gateway.with_instrument(unit, |_, _| ()).ok().map(|()| InstrumentHandle { gateway: Arc::clone(gateway), unit })
    }

    #[must_use]
    pub fn meters(&self) -> Vec<MeterHandle> {
        self.handle().meters()
    }

    /// Moves site time forward.
    ///
    /// # Errors
    /// If the state file cannot be written; time has moved nevertheless.
    pub async fn advance(&self, ms: i64) -> Result<(), ChangeError> {
        self.handle().advance(ms).await
    }

    /// Stops the site and waits until its state is in the state file.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if let Some(state) = &self.site.state {
            state.close();
        }
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Access to a site for tasks and the control interface; cannot stop it.
#[derive(Clone)]
pub struct SiteHandle {
    site: Arc<Site>,
    gateways: Arc<[Arc<Gateway>]>,
}

impl SiteHandle {
    /// See [`Simulator::gateway`].
    #[must_use]
    pub fn gateway(&self, gateway: usize) -> Option<GatewayHandle> {
        self.gateways.get(gateway).map(|gateway| GatewayHandle(Arc::clone(gateway)))
    }

    /// See [`Simulator::meter`].
    #[must_use]
    pub fn meter(&self, gateway: usize, unit: u8) -> Option<MeterHandle> {
        let gateway = self.gateways.get(gateway)?;
        gateway.with_slot(unit, |_| ()).ok().map(|()| MeterHandle { gateway: Arc::clone(gateway), unit })
    }

    /// See [`Simulator::meters`].
    #[must_use]
    pub fn meters(&self) -> Vec<MeterHandle> {
        self.gateways.iter().flat_map(|gateway| GatewayHandle(Arc::clone(gateway)).meters()).collect()
    }

    /// See [`Simulator::advance`].
    ///
    /// # Errors
    /// If the state file cannot be written; time has moved nevertheless.
    pub async fn advance(&self, ms: i64) -> Result<(), ChangeError> {
        let anchor = self.site.clock.advance(ms);
        match &self.site.state {
            Some(state) => state.append_clock(anchor).await.map_err(ChangeError::State),
            None => Ok(()),
        }
    }

    #[must_use]
    pub fn clock(&self) -> SharedClock {
        start::shared(&self.site)
    }
}

#[derive(Clone)]
pub struct GatewayHandle(Arc<Gateway>);

impl GatewayHandle {
    #[must_use]
    pub fn meters(&self) -> Vec<MeterHandle> {
        self.0.units().into_iter().map(|unit| MeterHandle { gateway: Arc::clone(&self.0), unit }).collect()
    }

    /// Injects a fault into requests to any of its meters; probability 0.0 never, 1.0 always.
    pub fn fault(&self, fault: LineFault, probability: f64) {
        self.0.faults(|faults| faults.set(fault, probability));
    }

    /// Refuses connections and closes existing ones, or listens again.
    pub fn refuse(&self, refused: bool) {
        self.0.refused.send_replace(refused);
    }

    /// Serves one connection at a time, and refuses others while it is open and for so long after its end; `None`: any number.
    pub fn single_slot(&self, refuse_for: Option<Duration>) {
        // Connections are closed only where something changes.
        self.0.single_slot.send_if_modified(|slot| std::mem::replace(slot, refuse_for) != refuse_for);
    }

    /// Hangs up, where it dials in, and dials again.
    pub fn hang_up(&self) {
        self.0.dial_in.hang_up.notify_one();
    }

    /// Lets its connection die without an end, where it dials in, and dials again.
    pub fn go_half_open(&self) {
        self.0.dial_in.half_open.notify_one();
    }

    /// Registers differently from the next connection on, where it dials in; `None`: as planned.
    pub fn register_as(&self, registration: Option<BytePattern>) {
        *self.0.dial_in.registration.lock().unwrap_or_else(PoisonError::into_inner) = registration;
    }

    /// Exchanges the addresses of two meters, as after an unrecorded rewiring.
    pub fn swap(&self, units: [u8; 2]) {
        self.0.swap(Some(units));
    }

    /// Clears faults, restores addresses, and listens again.
    pub fn heal(&self) {
        self.0.faults(super::faults::Faults::clear);
        self.0.swap(None);
        self.refuse(false);
        self.single_slot(None);
    }
}

#[derive(Clone)]
pub struct InstrumentHandle {
    gateway: Arc<Gateway>,
    unit: u8,
}

impl InstrumentHandle {
    /// The counter of each circuit, 0.01 kWh, as its registers show it.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn counters(&self) -> Result<Vec<u64>, ChangeError> {
        let counters = self.gateway.with_instrument(self.unit, |instrument, total| {
            instrument.plan.circuits.iter().map(|circuit| instrument.counter(circuit, total)).collect()
        });
        Ok(counters?)
    }

    /// Injects a fault into requests to this instrument; probability 0.0 never, 1.0 always.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn fault(&self, fault: LineFault, probability: f64) -> Result<(), ChangeError> {
        Ok(self.gateway.with_instrument(self.unit, |instrument, _| instrument.faults.set(fault, probability))?)
    }

    /// Clears the faults of its line.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn heal(&self) -> Result<(), ChangeError> {
        Ok(self.gateway.with_instrument(self.unit, |instrument, _| instrument.faults.clear())?)
    }

    /// Moves all its counters by so much, 0.01 kWh: somebody set or replaced it.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn shift(&self, by: i64) -> Result<(), ChangeError> {
        Ok(self.gateway.with_instrument(self.unit, |instrument, _| instrument.offset += by)?)
    }
}

#[derive(Clone)]
pub struct MeterHandle {
    gateway: Arc<Gateway>,
    unit: u8,
}

impl MeterHandle {
    /// The true current state.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn view(&self) -> Result<MeterView, ChangeError> {
        let load = &self.gateway.site().load;
        Ok(self.gateway.with_slot(self.unit, |slot| MeterView::new(self.gateway.index, slot, load))?)
    }

    /// Injects a fault into requests to this meter; probability 0.0 never, 1.0 always.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn fault(&self, fault: LineFault, probability: f64) -> Result<(), ChangeError> {
        Ok(self.gateway.with_slot(self.unit, |slot| slot.faults.set(fault, probability))?)
    }

    /// Clears the faults of its line.
    ///
    /// # Errors
    /// Never, for a handle from this simulator.
    pub fn heal(&self) -> Result<(), ChangeError> {
        Ok(self.gateway.with_slot(self.unit, |slot| slot.faults.clear())?)
    }

    /// Breaks or repairs the meter.
    ///
    /// # Errors
    /// [`ChangeError::State`] if the change cannot be stored; then nothing has changed.
    pub async fn defect(&self, defect: Defect, on: bool) -> Result<(), ChangeError> {
        self.gateway.change(self.unit, |meter| defect.put(meter, on)).await
    }

    /// Injects a one-time fault.
    ///
    /// # Errors
    /// [`ChangeError::State`] if the change cannot be stored; then nothing has changed.
    pub async fn inject(&self, fault: OneTimeFault) -> Result<(), ChangeError> {
        self.gateway.change(self.unit, |meter| fault.apply(meter)).await
    }

    /// Sets the load of its room, W; `None` restores the planned load.
    ///
    /// # Errors
    /// [`ChangeError::State`] if the change cannot be stored; then nothing has changed.
    pub async fn draw(&self, watts: Option<u32>) -> Result<(), ChangeError> {
        self.gateway.change(self.unit, |meter| meter.room.watts = watts).await
    }
}
