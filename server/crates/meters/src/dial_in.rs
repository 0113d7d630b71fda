//! Gateways that dial in: shared ports where they connect and say who they are, and the hub that hands each connection to the
//! link of its gateway. The registration is a name and no proof: what a meter accepts is protected by its serial number and its
//! secured frames, as behind a gateway that is dialled.

mod listener;
mod mailbox;
mod permits;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use model::gateway::{BytePattern, DialInConnection, PortState, UnknownCaller};
use model::ids::GatewayId;
use model::time::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use crate::link::Stream;
use domain::clock::SharedClock;
use domain::dial_in::{Recognition, recognise};
pub use listener::{Acceptor, DialInError, serve};
pub(crate) use mailbox::{Accepted, Mailbox};
pub(crate) use permits::{ConnectionPermit, Refusal};

use permits::ConnectionPermits;

/// Unknown registrations that are kept for people to see.
const MOST_UNKNOWN_CALLERS: usize = 50;
/// Strangers cannot fill the log: of what they cause it has one warning in this time.
const WARNING_PAUSE: Duration = Duration::from_secs(1);
/// Connections that are kept in a gateway's history.
const MOST_CONNECTIONS: usize = 20;

/// Section `meters.dial_in` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DialInConfig {
    /// Addresses where gateways dial in; empty: none do.
    pub listen: Vec<SocketAddr>,
    /// The same inside TLS, with the certificate and key below.
    pub tls_listen: Vec<SocketAddr>,
    /// PEM files of this server's certificate and of its private key.
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    /// The most connections at once, and from one address: gateways behind one NAT share theirs.
    pub max_connections: usize,
    pub max_per_address: usize,
    /// How long a connection may take to say who it is, TLS handshake included.
    pub registration_timeout_ms: u64,
    /// A second connection with the same registration replaces the first, which may have died unnoticed, after this
    /// time at the earliest.
    pub replace_after_ms: u64,
}

impl Default for DialInConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            tls_listen: Vec::new(),
            certificate_file: None,
            key_file: None,
            max_connections: 2_000,
            max_per_address: 200,
            registration_timeout_ms: 10_000,
            replace_after_ms: 5_000,
        }
    }
}

impl DialInConfig {
    /// Checks all values; reports the first invalid key.
    ///
    /// # Errors
    /// A message with the key, its value and its range.
    pub fn check(&self) -> Result<(), String> {
        let between = |key: &str, value: u64, low: u64, high: u64| {
            let message = || format!("meters.dial_in.{key} = {value}: must be {low} to {high}");
            if (low..=high).contains(&value) { Ok(()) } else { Err(message()) }
        };
        between("max_connections", self.max_connections as u64, 1, 100_000)?;
        between("max_per_address", self.max_per_address as u64, 1, 100_000)?;
        between("registration_timeout_ms", self.registration_timeout_ms, 100, 120_000)?;
        between("replace_after_ms", self.replace_after_ms, 0, 600_000)?;
        if !self.tls_listen.is_empty() && (self.certificate_file.is_none() || self.key_file.is_none()) {
            return Err("meters.dial_in.tls_listen needs meters.dial_in.certificate_file and key_file".to_owned());
        }
        Ok(())
    }
}

/// Where connections become gateways. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

pub(crate) struct Shared {
    config: DialInConfig,
    clock: SharedClock,
    permits: Arc<ConnectionPermits>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    gateways: HashMap<GatewayId, KnownGateway>,
    unknown_callers: VecDeque<UnknownCaller>,
    warned: Option<Instant>,
    ports: HashMap<SocketAddr, PortState>,
}

/// Whether a warning may be logged now; it is noted as logged.
fn may_warn(warned: &mut Option<Instant>) -> bool {
    let may = warned.is_none_or(|at| at.elapsed() >= WARNING_PAUSE);
    if may {
        *warned = Some(Instant::now());
    }
    may
}

struct KnownGateway {
    name: String,
    registration: BytePattern,
    mailbox: Arc<Mailbox>,
    /// Alive as long as its newest connection is.
    seat: Weak<ConnectionPermit>,
    connected: Option<Instant>,
    /// The newest first.
    connections: VecDeque<Arc<Mutex<DialInConnection>>>,
}

/// A gateway that may dial in, as the supervisor knows it.
pub(crate) struct Registration {
    pub gateway: GatewayId,
    pub name: String,
    pub pattern: BytePattern,
    pub mailbox: Arc<Mailbox>,
}

impl Hub {
    #[must_use]
    pub fn new(config: DialInConfig, clock: SharedClock) -> Self {
        let permits = Arc::new(ConnectionPermits::new(config.max_connections, config.max_per_address));
        Self(Arc::new(Shared { config, clock, permits, state: Mutex::default() }))
    }

    /// Replaces the gateways that may dial in. Those that stay keep their history.
    pub(crate) fn set(&self, registrations: Vec<Registration>) {
        let mut state = self.lock();
        let mut before = std::mem::take(&mut state.gateways);
        for Registration { gateway, name, pattern, mailbox } in registrations {
            let old = before.remove(&gateway);
            let is_same_link = old.as_ref().is_some_and(|old| Arc::ptr_eq(&old.mailbox, &mailbox));
            let (seat, connected, connections) = match old {
                Some(old) if is_same_link => (old.seat, old.connected, old.connections),
                Some(old) => (Weak::new(), None, old.connections),
                None => (Weak::new(), None, VecDeque::new()),
            };
            let known = KnownGateway { name, registration: pattern, mailbox, seat, connected, connections };
            state.gateways.insert(gateway, known);
        }
        let state = &mut *state;
        let gateways = &state.gateways;
        // What has become a gateway is known.
        state.unknown_callers.retain(|one| {
            let registrations = gateways.iter().map(|(id, known)| (*id, &known.registration));
            !matches!(recognise(registrations, &one.received), Recognition::Named(_))
        });
    }

    /// Takes a place for a connection.
    ///
    /// # Errors
    /// [`Refusal`] where there are too many.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<Arc<ConnectionPermit>, Refusal> {
        self.0.permits.take(address)
    }

    pub(crate) fn recognise(&self, received: &[u8]) -> Recognition {
        let state = self.lock();
        recognise(state.gateways.iter().map(|(id, known)| (*id, &known.registration)), received)
    }

    /// Hands a connection to the link of its gateway. It replaces the one before, unless that is too young.
    pub(crate) fn hand_over(&self, gateway: GatewayId, stream: Box<dyn Stream>, peer: SocketAddr, seat: Arc<ConnectionPermit>) {
        let mut state = self.lock();
        let state = &mut *state;
        // Retired since it was recognised.
        let Some(known) = state.gateways.get_mut(&gateway) else { return };
        let is_alive = known.seat.upgrade().is_some();
        let replace_after = Duration::from_millis(self.0.config.replace_after_ms);
        if is_alive && known.connected.is_some_and(|at| at.elapsed() < replace_after) {
            if may_warn(&mut state.warned) {
                tracing::warn!(gateway = known.name, %peer, "gateway.dials-in-twice");
            }
            return;
        }
        tracing::info!(gateway = known.name, %peer, replaces = is_alive, "gateway.dialled-in");
        let line = DialInConnection { peer: peer.to_string(), since: self.0.clock.now(), until: None, replaces: is_alive };
        let line = Arc::new(Mutex::new(line));
        seat.note_end_in(&line, &self.0.clock);
        known.connections.push_front(line);
        known.connections.truncate(MOST_CONNECTIONS);
        (known.seat, known.connected) = (Arc::downgrade(&seat), Some(Instant::now()));
        known.mailbox.put(Accepted { stream, peer, seat });
    }

    /// Notes a connection that got no place.
    pub(crate) fn turn_away(&self, refusal: Refusal, peer: SocketAddr) {
        if may_warn(&mut self.lock().warned) {
            tracing::warn!(%peer, ?refusal, "dial-in.too-many-connections");
        }
    }

    /// Notes a connection that named no gateway.
    pub(crate) fn refuse(&self, received: Vec<u8>, peer: SocketAddr) {
        let (now, mut state) = (self.0.clock.now(), self.lock());
        let hex: String = received.iter().map(|byte| format!("{byte:02x}")).collect();
        match state.unknown_callers.iter().position(|one| one.received == received) {
            Some(known) => {
                if let Some(mut one) = state.unknown_callers.remove(known) {
                    tracing::debug!(%peer, received = hex, "gateway.unknown-registration");
                    (one.peer, one.last, one.times) = (peer.ip().to_string(), now, one.times.saturating_add(1));
                    state.unknown_callers.push_front(one);
                }
            }
            None => {
                if may_warn(&mut state.warned) {
                    tracing::warn!(%peer, received = hex, "gateway.unknown-registration");
                }
                state.unknown_callers.push_front(UnknownCaller {
                    received,
                    peer: peer.ip().to_string(),
                    first: now,
                    last: now,
                    times: 1,
                });
                state.unknown_callers.truncate(MOST_UNKNOWN_CALLERS);
            }
        }
    }

    /// What dialled in and is no gateway, the newest first.
    #[must_use]
    pub fn unknown_callers(&self) -> Vec<UnknownCaller> {
        self.lock().unknown_callers.iter().cloned().collect()
    }

    /// The connections of a gateway since the server started, the newest first.
    #[must_use]
    pub fn connections(&self, gateway: GatewayId) -> Vec<DialInConnection> {
        let state = self.lock();
        let lines = state.gateways.get(&gateway).map(|known| &known.connections).into_iter().flatten();
        lines.map(|line| line.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    /// How a port of all addresses does; not tried yet where nothing is known of it.
    #[must_use]
    pub fn port_state(&self, port: u16) -> PortState {
        self.lock().ports.get(&any_address(port)).copied().unwrap_or(PortState::Starting)
    }

    /// Notes how an address does; `None` where it is not listened at any more.
    pub(crate) fn note_port(&self, address: SocketAddr, state: Option<PortState>) {
        let mut known = self.lock();
        match state {
            Some(state) => drop(known.ports.insert(address, state)),
            None => drop(known.ports.remove(&address)),
        }
    }

    pub(crate) fn config(&self) -> &DialInConfig {
        &self.0.config
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The port of all addresses.
pub(crate) fn any_address(port: u16) -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], port))
}

/// Notes when a connection ended.
pub(crate) fn note_end(line: &Mutex<DialInConnection>, at: Timestamp) {
    line.lock().unwrap_or_else(PoisonError::into_inner).until = Some(at);
}
