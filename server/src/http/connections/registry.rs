//! Which connections are open, and which one gives way to a new one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::address::{block, site};
use tokio_util::sync::CancellationToken;

use crate::config::{Network, Server};

/// A connection that is full of an answer for so long gives way to new ones: its reader is slow, or takes its time on purpose.
const SLOW_READER_AFTER: Duration = Duration::from_secs(10);
/// Files that are never used for connections: databases, buses, requests to channels, log and key files.
const RESERVED_FILES: u64 = 512;
/// The least number of connections, however few files the process may open.
const LEAST_CONNECTIONS: usize = 16;
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
    per_site: HashMap<IpAddr, usize>,
    /// Connections closed or refused since the last line of the log.
    evicted: u64,
    logged_at: Option<Instant>,
}

struct Entry {
    /// `None` for a trusted proxy.
    peer: Option<Peer>,
    requests: u32,
    /// Since when an answer is being sent.
    answering_since: Option<Instant>,
    has_served: bool,
    idle_since: u64,
    closed: CancellationToken,
}

/// Where a connection comes from, as limits count it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Peer {
    block: IpAddr,
    site: IpAddr,
}

/// Which limit a new connection met.
#[derive(Clone, Copy)]
enum Reached {
    OfAddress,
    OfAll,
}

/// An open connection; it counts until it is dropped.
pub struct Connection {
    registry: Registry,
    id: u64,
    is_of_proxy: bool,
    closed: CancellationToken,
}

/// One request of a connection. From [`Activity::begin`] until the last clone is dropped its connection gives way to no other,
/// unless its answer takes long to send.
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
        let left = files.saturating_sub(RESERVED_FILES.min(files / 2));
        let limit = usize::try_from(left).unwrap_or(usize::MAX).clamp(LEAST_CONNECTIONS, configured.max(LEAST_CONNECTIONS));
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
    /// never had any, or of one whose reader is slow; `None` if all are at work. Where all places are taken, whoever has most of
    /// them gives way first.
    #[must_use]
    pub fn admit(&self, from: IpAddr) -> Option<Connection> {
        let is_of_proxy = self.0.proxies.iter().any(|proxy| proxy.contains(from));
        let peer = (!is_of_proxy).then(|| Peer { block: block(from), site: site(from) });
        let mut state = self.state();
        if let Some(peer) = peer
            && count(&state.per_block, peer.block) >= self.0.limit_per_address
            && !state.evict_idle((from, Reached::OfAddress), |_, one| (one.block == peer.block).then_some(()))
        {
            return None;
        }
        if state.open.len() >= self.0.limit
            && !state.evict_idle((from, Reached::OfAll), |state, one| Some(Reverse(count(&state.per_site, one.site))))
        {
            return None;
        }
        state.step += 1;
        let (id, closed) = (state.step, CancellationToken::new());
        let closing = closed.clone();
        let entry = Entry { peer, requests: 0, answering_since: None, has_served: false, idle_since: id, closed: closing };
        state.open.insert(id, entry);
        if let Some(peer) = peer {
            *state.per_block.entry(peer.block).or_default() += 1;
            *state.per_site.entry(peer.site).or_default() += 1;
        }
        Some(Connection { registry: self.clone(), id, is_of_proxy, closed })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether it may give way: no request, or a slow reader.
    fn is_evictable(&self) -> bool {
        self.requests == 0 || self.answering_since.is_some_and(|since| since.elapsed() >= SLOW_READER_AFTER)
    }
}

impl State {
    /// Closes one of the evictable connections for which `rank` gives a value: the one of the lowest rank, of these an idle one
    /// before one that is answering, and of these the one that is idle for longest. A proxy's have a rank only where no other
    /// has. Whether there was one.
    fn evict_idle<R: Ord>(&mut self, new: (IpAddr, Reached), rank: impl Fn(&Self, &Peer) -> Option<R>) -> bool {
        let ranked = self.open.iter().filter(|(_, entry)| entry.is_evictable()).filter_map(|(&id, entry)| {
            let rank = match (&entry.peer, new.1) {
                (Some(peer), _) => (false, Some(rank(self, peer)?)),
                (None, Reached::OfAll) => (true, None),
                (None, Reached::OfAddress) => return None,
            };
            Some(((rank, entry.requests > 0, entry.has_served, entry.idle_since), id))
        });
        let chosen = ranked.min_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, id)| id);
        if let Some(entry) = chosen.and_then(|id| self.remove(id)) {
            entry.closed.cancel();
        }
        self.log(new);
        chosen.is_some()
    }

    /// Names the caller who met the limit; not each one, or a flood would fill the log.
    fn log(&mut self, (address, reached): (IpAddr, Reached)) {
        self.evicted += 1;
        if self.logged_at.is_none_or(|at| at.elapsed() >= LOG_EVERY) {
            let reason = match reached {
                Reached::OfAddress => "max_connections_per_address",
                Reached::OfAll => "max_connections",
            };
            tracing::info!(%address, reason, evicted = self.evicted, open = self.open.len(), "security.connections_limited");
            (self.evicted, self.logged_at) = (0, Some(Instant::now()));
        }
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.open.remove(&id)?;
        if let Some(peer) = entry.peer {
            count_down(&mut self.per_block, peer.block);
            count_down(&mut self.per_site, peer.site);
        }
        Some(entry)
    }
}

fn count(counts: &HashMap<IpAddr, usize>, address: IpAddr) -> usize {
    counts.get(&address).copied().unwrap_or_default()
}

fn count_down(counts: &mut HashMap<IpAddr, usize>, address: IpAddr) {
    match count(counts, address).saturating_sub(1) {
        0 => drop(counts.remove(&address)),
        left => drop(counts.insert(address, left)),
    }
}

impl Connection {
    /// Cancelled when the connection must be closed for another one.
    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Whether a trusted proxy opened it.
    pub const fn is_of_proxy(&self) -> bool {
        self.is_of_proxy
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
            entry.answering_since = None;
        }
    }

    /// The work is done, and what remains is to send the answer.
    pub fn answering(&self) {
        if let Some(entry) = self.0.registry.state().open.get_mut(&self.0.id) {
            entry.answering_since = Some(Instant::now());
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
            entry.answering_since = None;
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
    fn whoever_has_many_networks_gives_way_before_others() {
        let registry = registry(32, 12);
        let modest: Vec<_> = (0..16).map(|n| registry.admit(IpAddr::from([10, 0, 1, n])).unwrap()).collect();
        // One connection of each /64 of a /48.
        let greedy: Vec<_> = (0..16_u16).map(|n| registry.admit(ip(&format!("2001:db8:0:{n}::1"))).unwrap()).collect();
        let _new = registry.admit(ip("10.0.2.1")).unwrap();
        assert!(greedy[0].closed().is_cancelled());
        assert!(modest.iter().all(|connection| !connection.closed().is_cancelled()));
    }

    #[test]
    fn slow_readers_of_the_greediest_address_give_way_first() {
        let registry = registry(32, 12);
        let modest: Vec<_> = (0..20).map(|n| registry.admit(IpAddr::from([10, 0, 1, n])).unwrap()).collect();
        let greedy: Vec<_> = (0..12).map(|_| registry.admit(ip("10.0.0.1")).unwrap()).collect();
        let answers: Vec<_> = greedy.iter().map(Connection::activity).collect();
        for answer in &answers {
            answer.begin();
            answer.answering();
        }
        let _new = registry.admit(ip("10.0.2.1")).unwrap();
        assert!(modest[0].closed().is_cancelled(), "an answer that has just begun is not cut off");
        for connection in &greedy {
            let long_ago = Instant::now().checked_sub(SLOW_READER_AFTER);
            registry.state().open.get_mut(&connection.id).unwrap().answering_since = long_ago;
        }
        let _new = registry.admit(ip("10.0.2.2")).unwrap();
        assert!(greedy[0].closed().is_cancelled() && !modest[1].closed().is_cancelled());
        // And of an address that has all its places.
        let _new = registry.admit(ip("10.0.0.1")).unwrap();
        let _new = registry.admit(ip("10.0.0.1")).unwrap();
        assert!(greedy[1].closed().is_cancelled() && greedy[2..].iter().all(|one| !one.closed().is_cancelled()));
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
        assert_eq!(limit(10), LEAST_CONNECTIONS);
    }
}
