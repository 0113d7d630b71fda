//! The scan of a gateway: which meters answer behind it. It only reads, and is kept in memory.
//!
//! Its requests come last of all on the link, and between two of them the bus is left to the others for twice as long as the
//! request took: a scan takes a third of a busy bus at most.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::error::AppError;
use model::gateway::Framing;
use model::gateway::scan::{Discovered, Scan, ScanMatch, ScanState};
use model::ids::GatewayId;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::GatewayHandle;
use crate::codec::DecodedValues;
use crate::directory::{Directory, Meter};
use crate::dlt645::{Answer, Dlt645Request};
use crate::link::{Link, LinkError, LinkState, Priority};
use crate::profile::{Area, Profile, Protocol, ReadRequest};
use domain::serial::Serial;

/// How long a lost gateway is waited for.
const LOST_WAIT: Duration = Duration::from_secs(30);
/// The highest Modbus unit id.
const UNITS: u8 = 247;

/// Scans by gateway, the newest of each.
pub(super) type Scans = Mutex<HashMap<GatewayId, RunningScan>>;

pub(super) struct RunningScan {
    scan: Arc<Mutex<Scan>>,
    stop: CancellationToken,
}

impl GatewayHandle {
    /// Starts to look for meters behind a gateway, unless it is being scanned already.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where the gateway is not polled here.
    pub async fn start_scan(&self, gateway: GatewayId) -> Result<(), AppError> {
        let (link, framing) = self.of_bus(gateway, |bus| (bus.link.clone(), bus.row.framing)).await?;
        let mut scans = lock(&self.0.scans);
        if scans.get(&gateway).is_some_and(|running| lock(&running.scan).state == ScanState::Running) {
            return Ok(());
        }
        let is_bus = framing == Framing::Transparent;
        let total = u16::from(UNITS) + u16::from(is_bus);
        let scan = Arc::new(Mutex::new(Scan { state: ScanState::Running, tried: 0, total, found: Vec::new() }));
        let stop = self.0.stop.child_token();
        let scanner = Scanner {
            gateway,
            link,
            is_bus,
            profiles: self.0.profiles.iter().cloned().collect(),
            directory: Arc::clone(&self.0.directory),
            scan: Arc::clone(&scan),
        };
        scans.insert(gateway, RunningScan { scan, stop: stop.clone() });
        tokio::spawn(async move {
            tokio::select! {
                state = scanner.run() => lock(&scanner.scan).state = state,
                () = stop.cancelled() => lock(&scanner.scan).state = ScanState::Stopped,
            }
        });
        Ok(())
    }

    /// Stops the scan of a gateway; what was found stays.
    pub fn stop_scan(&self, gateway: GatewayId) {
        if let Some(running) = lock(&self.0.scans).get(&gateway) {
            running.stop.cancel();
        }
    }

    /// The newest scan of a gateway since the server started, compared with what is registered now.
    #[must_use]
    pub fn scan(&self, gateway: GatewayId) -> Option<Scan> {
        let mut scan = lock(&self.0.scans).get(&gateway).map(|running| lock(&running.scan).clone())?;
        let (meters, instruments) = (self.0.directory.all(), self.instrument_units(gateway));
        for found in &mut scan.found {
            let is_instrument = found.unit.is_some_and(|unit| instruments.contains(&unit));
            found.standing = standing(gateway, found, &meters, is_instrument);
        }
        Some(scan)
    }
}

/// How what was found compares with the meters and instruments that are registered.
fn standing(gateway: GatewayId, found: &Discovered, meters: &[Arc<Meter>], is_instrument: bool) -> ScanMatch {
    let here = meters.iter().find(|meter| meter.gateway == gateway && Some(meter.unit) == found.unit);
    let serial: Option<Serial> = found.serial.as_deref().and_then(|serial| serial.parse().ok());
    let registered = meters.iter().find(|meter| Some(meter.serial) == serial);
    match (registered, here) {
        _ if matches!(found.standing, ScanMatch::Collision | ScanMatch::Doubled) => found.standing,
        (Some(meter), _) if meter.gateway == gateway && found.unit.is_none_or(|unit| unit == meter.unit) => ScanMatch::Known,
        (Some(_), _) => ScanMatch::Elsewhere,
        (None, Some(here)) if found.serial.is_none() && !here.profile.abilities.serial => ScanMatch::Known,
        (None, Some(_)) => ScanMatch::OtherSerial,
        (None, None) if is_instrument => ScanMatch::Known,
        (None, None) if found.profile.is_none() => ScanMatch::Unknown,
        (None, None) => ScanMatch::New,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Scanner {
    gateway: GatewayId,
    link: Link,
    is_bus: bool,
    profiles: Vec<Arc<Profile>>,
    directory: Arc<Directory>,
    scan: Arc<Mutex<Scan>>,
}

/// What one address answers.
enum Reply {
    Silent,
    /// Nothing can be sent.
    Lost,
    /// Bytes that are no answer, twice.
    Collision,
    /// It answers, perhaps in no known way.
    Meter(Option<Serial>, Option<String>),
}

impl Scanner {
    async fn run(&self) -> ScanState {
        for unit in 1..=UNITS {
            let begun = Instant::now();
            match self.modbus(unit).await {
                Reply::Lost => return ScanState::Lost,
                Reply::Silent => {}
                Reply::Collision => self.note(Some(unit), None, None, true),
                Reply::Meter(serial, profile) => self.note(Some(unit), serial, profile, false),
            }
            self.count();
            sleep(begun.elapsed() * 2).await;
        }
        if self.is_bus {
            match self.dlt645().await {
                Reply::Lost => return ScanState::Lost,
                Reply::Silent => {}
                Reply::Collision => self.note(None, None, None, true),
                Reply::Meter(serial, profile) => self.note(None, serial, profile, false),
            }
            self.count();
        }
        ScanState::Done
    }

    fn count(&self) {
        lock(&self.scan).tried += 1;
    }

    /// Tries the identity of each profile; the first whose serial number can be read tells the model.
    async fn modbus(&self, unit: u8) -> Reply {
        let known = self.directory.all().into_iter().find(|meter| meter.gateway == self.gateway && meter.unit == unit);
        let mut profiles: Vec<&Arc<Profile>> = self.profiles.iter().filter(|one| one.protocol == Protocol::Modbus).collect();
        // What is registered there first, then models that say who they are, those with the most to say before others.
        let is_registered = |one: &Profile| known.as_ref().is_some_and(|meter| meter.profile.name == one.name);
        profiles.sort_by_key(|one| (!is_registered(one), !one.abilities.serial, one.secured.is_none(), one.name.clone()));
        let (mut fits, mut answered, mut garbled) = (None, false, 0);
        for profile in profiles {
            let Some(request) = profile.plan.meter_status.first().copied() else { continue };
            let words = match self.read(unit, request).await {
                Ok(words) => words,
                Err(error) if error.is_target_silent() => return Reply::Silent,
                Err(LinkError::Exception(_) | LinkError::Refused(_)) => {
                    answered = true;
                    continue;
                }
                Err(LinkError::Garbled) => {
                    garbled += 1;
                    if garbled > 1 {
                        return Reply::Collision;
                    }
                    continue;
                }
                // Something answered before, and this request is too much for it.
                Err(LinkError::Timeout | LinkError::Broken) if answered => continue,
                Err(LinkError::Timeout | LinkError::Broken) => return Reply::Silent,
                Err(_) => return Reply::Lost,
            };
            answered = true;
            let mut values = DecodedValues::default();
            if values.decode_block(profile, &request, &words).is_err() {
                continue;
            }
            match values.serial() {
                Ok(Some(serial)) => return Reply::Meter(Some(serial), Some(profile.name.clone())),
                // Any register fits a model that says nothing about itself.
                Ok(None) if fits.is_none() && !profile.abilities.serial => fits = Some(profile.name.clone()),
                Ok(None) | Err(_) => {}
            }
        }
        if answered { Reply::Meter(None, fits) } else { Reply::Silent }
    }

    /// Asks whoever is alone on the bus for its address.
    async fn dlt645(&self) -> Reply {
        let profile = self.profiles.iter().find(|one| one.protocol == Protocol::Dlt645).map(|one| one.name.clone());
        for _ in 0..2 {
            match self.patient(self.link.dlt645(Priority::Scan, Dlt645Request::Address)).await {
                Ok(Answer::Address(serial)) => return Reply::Meter(Some(serial), profile),
                Err(LinkError::Garbled) => return Reply::Collision,
                Err(LinkError::Unreachable | LinkError::Stopped) => return Reply::Lost,
                Ok(_) | Err(_) => {}
            }
        }
        Reply::Silent
    }

    async fn read(&self, unit: u8, ReadRequest { area, address, count }: ReadRequest) -> Result<Vec<u16>, LinkError> {
        match area {
            Area::Holding => self.patient(self.link.read(Priority::Scan, unit, address, count)).await,
            Area::Input => self.patient(self.link.read_input(Priority::Scan, unit, address, count)).await,
        }
    }

    /// Waits until the gateway is connected before a request, and until its line is free again after one.
    async fn patient<T>(&self, request: impl Future<Output = Result<T, LinkError>>) -> Result<T, LinkError> {
        let mut state = self.link.state();
        let is_up = timeout(LOST_WAIT, state.wait_for(|state| *state == LinkState::Up)).await.is_ok_and(|up| up.is_ok());
        if !is_up {
            return Err(LinkError::Unreachable);
        }
        let answer = request.await;
        self.link.settled().await;
        answer
    }

    /// Notes what was found.
    fn note(&self, unit: Option<u8>, serial: Option<Serial>, profile: Option<String>, collides: bool) {
        let mut scan = lock(&self.scan);
        let serial = serial.map(|serial| serial.to_string());
        let is_doubled = serial.is_some() && scan.found.iter().any(|before| before.serial == serial);
        // Compared with what is registered when it is shown.
        let standing = match (collides, is_doubled) {
            (true, _) => ScanMatch::Collision,
            (_, true) => ScanMatch::Doubled,
            _ => ScanMatch::Unknown,
        };
        scan.found.push(Discovered { unit, serial, profile, standing });
    }
}
