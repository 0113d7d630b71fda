//! Which connections are open, and which one gives way to a new one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::address::block;
use tokio_util::sync::CancellationToken;

use crate::config::{Network, Server};

/// Files that are never used for connections: databases, buses, requests to channels, log and key files.
const RESERVE: u64 = 512;
/// The least number of connections, however few files the process may open.
const LEAST: usize = 16;
/// How often reached limits are logged.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// All open connections.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    limit: usize,
    limit_per_address: usize,
    proxies: Vec<Network>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts connections and the ends of requests, so that it orders them.
    step: u64,
    open: BTreeMap<u64, Entry>,
    per_block: HashMap<IpAddr, usize>,
    /// Connections closed or refused since the last line of the log.
    turned_away: u64,
    logged_at: Option<Instant>,
}

struct Entry {
    /// `None` for a trusted proxy.
    block: Option<IpAddr>,
    requests: u32,
    has_served: bool,
    idle_since: u64,
    closed: CancellationToken,
}

/// An open connection; it counts until it is dropped.
pub struct Connection {
    registry: Registry,
    id: u64,
    closed: CancellationToken,
}

/// One request of a connection. From [`Activity::begin`] until the last clone is dropped its connection gives way to no other.
#[derive(Clone)]
pub struct Activity(Arc<RequestActivity>);

struct RequestActivity {
    registry: Registry,
    id: u64,
    has_begun: AtomicBool,
}

impl Registry {
    /// Connections get what `files` leaves beside the reserve, at most what is configured.
    #[must_use]
    pub fn new(server: &Server, files: u64) -> Self {
        let configured = usize::try_from(server.max_connections).unwrap_or(usize::MAX);
        // A process that may open few files shares them: half for connections.
        let left = files.saturating_sub(RESERVE.min(files / 2));
        let limit = usize::try_from(left).unwrap_or(usize::MAX).clamp(LEAST, configured.max(LEAST));
        if limit < configured {
            tracing::warn!(limit, configured, files, "http.connections_reduced: raise the limit of open files (LimitNOFILE)");
        }
        let of_one = usize::try_from(server.max_connections_per_address).unwrap_or(usize::MAX);
        // Otherwise one address could hold all connections.
        let limit_per_address = of_one.min((limit / 2).max(1));
        let (proxies, state) = (server.trusted_proxies.clone(), Mutex::default());
        Self(Arc::new(Shared { limit, limit_per_address, proxies, state }))
    }

    /// Counts a new connection. Where a limit is reached it takes the place of a connection without a request, best of one that
    /// never had any; `None` if all are at work.
    #[must_use]
    pub fn admit(&self, peer: IpAddr) -> Option<Connection> {
        let is_proxy = self.0.proxies.iter().any(|proxy| proxy.contains(peer));
        let address = (!is_proxy).then(|| block(peer));
        let mut state = self.state();
        if let Some(address) = address
            && state.count(address) >= self.0.limit_per_address
            && !state.turn_away(|_, entry| (entry.block == Some(address)).then_some(()))
        {
            return None;
        }
        if state.open.len() >= self.0.limit
            && !state.turn_away(|state, entry| Some(Reverse(entry.block.map_or(0, |b| state.count(b)))))
        {
            return None;
        }
        state.step += 1;
        let (id, closed) = (state.step, CancellationToken::new());
        let entry = Entry { block: address, requests: 0, has_served: false, idle_since: id, closed: closed.clone() };
        state.open.insert(id, entry);
        if let Some(address) = address {
            *state.per_block.entry(address).or_default() += 1;
        }
        Some(Connection { registry: self.clone(), id, closed })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&self, address: IpAddr) -> usize {
        self.per_block.get(&address).copied().unwrap_or_default()
    }

    /// Closes one of the idle connections for which `rank` gives a value: the one of the lowest rank, and of these the one that
    /// is idle for longest. Whether there was one.
    fn turn_away<R: Ord>(&mut self, rank: impl Fn(&Self, &Entry) -> Option<R>) -> bool {
        let idle = self.open.iter().filter(|(_, entry)| entry.requests == 0);
        let ranked = idle.filter_map(|(&id, entry)| Some(((rank(self, entry)?, entry.has_served, entry.idle_since), id)));
        let chosen = ranked.min_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, id)| id);
        if let Some(entry) = chosen.and_then(|id| self.remove(id)) {
            entry.closed.cancel();
        }
        self.turned_away += 1;
        if self.logged_at.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            tracing::info!(turned_away = self.turned_away, open = self.open.len(), "security.connections_limited");
            (self.turned_away, self.logged_at) = (0, Some(Instant::now()));
        }
        chosen.is_some()
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        if let Some(address) = entry.block {
            let left = self.count(address).saturating_sub(1);
            if left == 0 {
                self.per_block.remove(&address);
            } else {
                self.per_block.insert(address, left);
            }
        }
        Some(entry)
    }
}

impl Connection {
    /// Cancelled when the connection must be closed for another one.
    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// For a request whose head has arrived.
    pub fn activity(&self) -> Activity {
        Activity(Arc::new(RequestActivity { registry: self.registry.clone(), id: self.id, has_begun: AtomicBool::new(false) }))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.registry.state().remove(self.id);
    }
}

impl Activity {
    /// The whole request has arrived.
    pub fn begin(&self) {
        if !self.0.has_begun.swap(true, Ordering::Relaxed)
            && let Some(entry) = self.0.registry.state().open.get_mut(&self.0.id)
        {
            entry.requests += 1;
            entry.has_served = true;
        }
    }
}

impl Drop for RequestActivity {
    fn drop(&mut self) {
        if !self.has_begun.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.registry.state();
        state.step += 1;
        let now = state.step;
        if let Some(entry) = state.open.get_mut(&self.id) {
            entry.requests = entry.requests.saturating_sub(1);
            entry.idle_since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(all: u32, of_one: u32) -> Registry {
        let server = Server { max_connections: all, max_connections_per_address: of_one, ..Server::default() };
        Registry::new(&Server { trusted_proxies: vec!["10.9.0.0/16".parse().unwrap()], ..server }, 100_000)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_oldest_idle_connection_of_the_address_gives_way() {
        let registry = registry(16, 2);
        let [first, second] = [(); 2].map(|()| registry.admit(ip("10.0.0.1")).unwrap());
        let other = registry.admit(ip("10.0.0.2")).unwrap();
        let third = registry.admit(ip("10.0.0.1")).unwrap();
        assert!(first.closed().is_cancelled() && !second.closed().is_cancelled() && !other.closed().is_cancelled());
        drop(first);
        let activity = second.activity();
        activity.begin();
        let fourth = registry.admit(ip("10.0.0.1")).unwrap();
        assert!(third.closed().is_cancelled() && !second.closed().is_cancelled(), "a request at work stays");
        fourth.activity().begin();
        let fifth = registry.admit(ip("10.0.0.1")).unwrap();
        assert!(fourth.closed().is_cancelled(), "that request is over");
        let at_work = fifth.activity();
        at_work.begin();
        assert!(registry.admit(ip("10.0.0.1")).is_none(), "all are at work");
        drop((activity, at_work));
        assert!(registry.admit(ip("10.0.0.1")).is_some());
    }

    #[test]
    fn half_open_connections_give_way_before_used_ones() {
        let registry = registry(16, 2);
        let used = registry.admit(ip("10.0.0.1")).unwrap();
        used.activity().begin();
        let half_open = registry.admit(ip("10.0.0.1")).unwrap();
        let _new = registry.admit(ip("10.0.0.1")).unwrap();
        assert!(half_open.closed().is_cancelled() && !used.closed().is_cancelled());
    }

    #[test]
    fn where_all_places_are_taken_the_greediest_address_gives_way() {
        let registry = registry(32, 12);
        let modest: Vec<_> = (0..20).map(|n| registry.admit(IpAddr::from([10, 0, 1, n])).unwrap()).collect();
        // One of an IPv6 network counts as all.
        let greedy: Vec<_> = (0..12_u16).map(|n| registry.admit(ip(&format!("2001:db8::{n}"))).unwrap()).collect();
        let _new = registry.admit(ip("10.0.2.1")).unwrap();
        assert!(greedy[0].closed().is_cancelled());
        assert!(modest.iter().chain(&greedy[1..]).all(|connection| !connection.closed().is_cancelled()));
    }

    #[test]
    fn a_trusted_proxy_has_only_the_limit_of_all() {
        let registry = registry(16, 2);
        let held: Vec<_> = (0..16).map(|_| registry.admit(ip("10.9.0.1")).unwrap()).collect();
        assert!(held.iter().all(|connection| !connection.closed().is_cancelled()));
        assert!(registry.admit(ip("10.9.0.1")).is_some());
        assert!(held[0].closed().is_cancelled());
    }

    #[test]
    fn files_are_kept_for_databases_and_buses() {
        let limit = |files| Registry::new(&Server::default(), files).0.limit;
        assert_eq!(limit(100_000), 4_000);
        assert_eq!(limit(1_024), 512);
        assert_eq!(limit(256), 128);
        assert_eq!(limit(10), LEAST);
    }
}
