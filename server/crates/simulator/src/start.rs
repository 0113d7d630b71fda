//! Starts a site from its configuration.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock::{Anchor, SiteClock};
use super::dial_in;
use super::estate::{GatewayPlan, MeterPlan};
use super::faults::Faults;
use super::gateway::{Gateway, MeterSlot, Site};
use super::handle::Simulator;
use super::instrument::{Instrument, InstrumentPlan};
use super::load::mix;
use super::meter::Meter;
use super::persist::{Restored, StateError, StateFile};
use super::server::{listen, serve};
use super::tls::{Identity, TlsError};
use super::{Config, control};
use crate::meter_model::MeterModel;
use domain::clock::{Clock, SharedClock};
use domain::framing::Framing;
use domain::rng::Rng;
use domain::serial::Serial;
use meters::profile::{ProfileError, Profiles};

/// Interval at which the state file is rewritten.
const REWRITE: Duration = Duration::from_secs(300);

/// Why a site cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    /// More gateways than ports above the first one.
    #[error("{gateways} gateways do not fit above port {base}")]
    Ports { gateways: usize, base: u16 },
    #[error("gateway {gateway}: unit {unit} is taken twice or is not 1-247")]
    Unit {
        /// Gateway index, from 0.
        gateway: usize,
        unit: u8,
    },
    #[error("the registration must be 1 to 64 bytes for every gateway, as text or in hexadecimal after hex:")]
    Registration,
    #[error("gateways that dial in speak modbus-tcp or transparent; whether TLS is used is a matter of the server's port")]
    DialInTls,
    #[error(transparent)]
    Profiles(#[from] ProfileError),
    #[error("gateway {gateway}, unit {unit}: there is no simulated meter of profile {profile}")]
    Profile {
        /// Gateway index, from 0.
        gateway: usize,
        unit: u8,
        profile: String,
    },
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the state file cannot be written: {0}")]
    Write(String),
    /// The state file belongs to another site.
    #[error("the state file holds meter {found} where this site has {planned} (gateway {gateway}, unit {unit})")]
    OtherSite {
        /// Gateway index, from 0.
        gateway: usize,
        unit: u8,
        /// Serial number in the file.
        found: Serial,
        /// Serial number in the plan.
        planned: Serial,
    },
}

/// Starts a site, which runs until [`Simulator::stop`] or until the simulator is dropped.
///
/// # Errors
/// [`StartError`]; then nothing runs.
pub async fn start(config: Config) -> Result<Simulator, StartError> {
    check(&config)?;
    let (state, restored) = match &config.state_file {
        Some(path) => StateFile::open(path).map(|(file, restored)| (Some(file), restored))?,
        None => (None, Restored::default()),
    };
    let anchor = anchor(&config, restored.anchor);
    if let Some(state) = &state {
        state.append_clock(anchor).await.map_err(StartError::Write)?;
    }
    let clock = Arc::new(SiteClock::new(config.clock.clone(), anchor));
    let uses_tls = config.estate.gateways.iter().any(|gateway| gateway.framing == Framing::ModbusTls);
    let tls = uses_tls.then(|| Identity::generate(config.host)).transpose()?;
    let site = Arc::new(Site { clock, load: config.load, keys: config.keys, bus: config.bus, state, tls });

    let profiles = config.profiles.map_or_else(|| Profiles::load(None), Ok)?;
    let mut restored = restored.meters;
    let restarts = !restored.is_empty();
    let (mut gateways, mut listeners, mut diallers) = (Vec::new(), Vec::new(), Vec::new());
    for (index, GatewayPlan { framing, meters, instruments }) in config.estate.gateways.iter().enumerate() {
        let slot = |plan| slot(index, plan, &profiles, &site, &mut restored);
        let slots = meters.iter().map(slot).collect::<Result<_, _>>()?;
        let instrument = |plan: &InstrumentPlan| {
            let none = || StartError::Profile { gateway: index, unit: plan.unit, profile: plan.profile.to_string() };
            let profile = profiles.instruments().get(&plan.profile).ok_or_else(none)?;
            Instrument::new(plan, profile).ok_or_else(none)
        };
        let instruments = instruments.iter().map(instrument).collect::<Result<_, _>>()?;
        let gateway = Gateway::new(index, *framing, Arc::clone(&site), rng(config.seed, index), slots, instruments);
        gateways.push(Arc::new(gateway));
        if let Some(plan) = &config.dial_in {
            let registration = plan.registration_of(index).ok_or(StartError::Registration)?;
            diallers.push((plan.clone(), registration));
            continue;
        }
        // `check` made sure that the port exists.
        let port = if config.base_port == 0 { 0 } else { config.base_port.saturating_add(index as u16) };
        listeners.push(bind(SocketAddr::new(config.host, port))?);
    }
    let control = config.control.map(bind).transpose()?;

    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let addresses: Vec<SocketAddr> = listeners.iter().map(|(_, address)| *address).collect();
    for (gateway, (listener, address)) in gateways.iter().zip(listeners) {
        tasks.spawn(serve(Arc::clone(gateway), listener, address, stop.clone()));
    }
    for (gateway, (plan, registration)) in gateways.iter().zip(diallers) {
        tasks.spawn(dial_in::serve(Arc::clone(gateway), plan, registration, stop.clone()));
    }
    let gateways: Arc<[Arc<Gateway>]> = gateways.into();
    if restarts {
        // The new challenges: none may come back after the next restart.
        rewrite(&site, &gateways).await.map_err(StartError::Write)?;
    }
    if site.state.is_some() {
        tasks.spawn(rewrite_periodically(Arc::clone(&site), Arc::clone(&gateways), stop.clone()));
    }
    let mut simulator = Simulator::new(site, gateways, addresses, stop, tasks);
    if let Some((listener, address)) = control {
        control::spawn(&mut simulator, listener, address);
    }
    Ok(simulator)
}

fn check(config: &Config) -> Result<(), StartError> {
    let gateways = config.estate.gateways.len();
    let available = usize::from(u16::MAX - config.base_port) + 1;
    if config.base_port != 0 && gateways > available {
        return Err(StartError::Ports { gateways, base: config.base_port });
    }
    let is_tls = |plan: &GatewayPlan| plan.framing == Framing::ModbusTls;
    if config.dial_in.is_some() && config.estate.gateways.iter().any(is_tls) {
        return Err(StartError::DialInTls);
    }
    for (gateway, plans) in config.estate.gateways.iter().enumerate() {
        let mut seen = [false; 248];
        let units = plans.meters.iter().map(|plan| plan.unit).chain(plans.instruments.iter().map(|plan| plan.unit));
        for unit in units {
            let place = seen.get_mut(usize::from(unit)).filter(|seen| unit != 0 && !**seen);
            *place.ok_or(StartError::Unit { gateway, unit })? = true;
        }
    }
    Ok(())
}

/// Site time continues from the file, at the configured speed.
fn anchor(config: &Config, restored: Option<Anchor>) -> Anchor {
    let wall = config.clock.now();
    let site = restored.map_or(config.starts_at.unwrap_or(wall), |anchor| anchor.site_at(wall));
    Anchor { wall, site, speed: config.speed }
}

fn slot(
    gateway: usize,
    plan: &MeterPlan,
    profiles: &Profiles,
    site: &Site,
    restored: &mut HashMap<(usize, u8), Meter>,
) -> Result<MeterSlot, StartError> {
    let none = || StartError::Profile { gateway, unit: plan.unit, profile: plan.profile.to_string() };
    let model = MeterModel::of(&profiles.get(&plan.profile).ok_or_else(none)?);
    let meter = match restored.remove(&(gateway, plan.unit)) {
        Some(mut meter) if meter.serial == plan.serial => {
            meter.restart();
            meter
        }
        Some(meter) => {
            let (found, planned) = (meter.serial, plan.serial);
            return Err(StartError::OtherSite { gateway, unit: plan.unit, found, planned });
        }
        None => Meter::new(plan, site.clock.now()),
    };
    Ok(MeterSlot { unit: plan.unit, model, meter, faults: Faults::default() })
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let fail = |source| StartError::Listen { address, source };
    let listener = listen(address).map_err(fail)?;
    let address = listener.local_addr().map_err(fail)?;
    Ok((listener, address))
}

fn rng(seed: u64, gateway: usize) -> Rng {
    let mut bytes = [0; 32];
    let mut state = mix(seed ^ mix(gateway as u64));
    for chunk in bytes.as_chunks_mut::<8>().0 {
        state = mix(state);
        *chunk = state.to_be_bytes();
    }
    Rng::from_seed(bytes)
}

/// Rewrites the state file periodically, and at the end.
async fn rewrite_periodically(site: Arc<Site>, gateways: Arc<[Arc<Gateway>]>, stop: CancellationToken) {
    loop {
        let stopped = stop.run_until_cancelled(tokio::time::sleep(REWRITE)).await.is_none();
        if let Err(error) = rewrite(&site, &gateways).await {
            tracing::warn!(error, "sim.state.rewrite_failed");
        }
        if stopped {
            return;
        }
    }
}

async fn rewrite(site: &Site, gateways: &[Arc<Gateway>]) -> Result<(), String> {
    let Some(state) = &site.state else { return Ok(()) };
    state.begin_rewriting().await?;
    let mut meters = Vec::new();
    for gateway in gateways {
        let states = gateway.states().await;
        meters.extend(states.into_iter().map(|(unit, meter)| (gateway.index, unit, meter)));
    }
    state.rewrite(site.clock.anchor(), &meters).await
}

pub(super) fn shared(site: &Site) -> SharedClock {
    site.clock.clone() as Arc<dyn Clock>
}
