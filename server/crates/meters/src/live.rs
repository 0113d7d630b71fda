//! What every meter was last seen to hold, in memory, and who wants to hear of it.
//!
//! Pollers publish each reading; every quarter of a second what changed is encoded once for each scope of buildings that
//! somebody watches, and all walls of that scope share the bytes. A wall that cannot keep up gets a new snapshot.

mod topic;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::console::RoomName;
use model::ids::MeterId;
use model::meter::Latest;
use model::wall::Snapshot;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use domain::clock::SharedClock;
use domain::wall_layout::{Layout, MeterPlace, Scope};
use store::{self, Db, console};
use topic::Topic;
pub use watch::Watch;

/// How long changes are collected before they are sent.
const COALESCE: Duration = Duration::from_millis(250);
/// Changes that a slow listener may be behind before it has to read everything anew.
const BACKLOG: usize = 4_096;

/// The hub. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Hub>);

struct Hub {
    clock: SharedClock,
    state: Mutex<State>,
    changes: broadcast::Sender<MeterId>,
}

struct State {
    layout: Layout,
    /// By position in the layout.
    latest: Vec<Latest>,
    dirty: Vec<bool>,
    queue: Vec<usize>,
    revision: u64,
    topics: Vec<Topic>,
    /// Meters that answered before the layout knew them.
    strays: HashMap<MeterId, Latest>,
}

impl Live {
    /// A hub over this layout; meters without a reading among `latest` are unseen.
    #[must_use]
    pub fn new(clock: SharedClock, layout: Layout, latest: impl IntoIterator<Item = Latest>) -> Self {
        let mut state = State {
            layout: Layout::default(),
            latest: Vec::new(),
            dirty: Vec::new(),
            queue: Vec::new(),
            revision: 0,
            topics: Vec::new(),
            strays: latest.into_iter().map(|latest| (latest.meter, latest)).collect(),
        };
        state.lay_out(layout);
        Self(Arc::new(Hub { clock, state: Mutex::new(state), changes: broadcast::channel(BACKLOG).0 }))
    }

    /// A hub over what the store holds.
    pub async fn load(db: &Db, clock: SharedClock) -> store::Result<Self> {
        let (layout, latest) = (console::layout(db).await?, console::latest(db).await?);
        Ok(Self::new(clock, layout, latest))
    }

    /// Reads the places and meters anew, after some were added, moved or retired; every wall gets a new snapshot.
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub async fn reload(&self, db: &Db) -> store::Result<()> {
        let layout = console::layout(db).await?;
        let at = self.0.clock.now();
        let mut state = self.lock();
        state.lay_out(layout);
        state.revision += 1;
        let State { layout, latest, topics, revision, .. } = &mut *state;
        for topic in topics {
            topic.reset(layout, latest, *revision, at.0);
        }
        Ok(())
    }

    /// Takes in what a meter was just seen to hold.
    pub fn publish(&self, latest: Latest) {
        let meter = latest.meter;
        let mut state = self.lock();
        if state.put(latest) {
            drop(state);
            // Nobody listening is no fault.
            let _ = self.0.changes.send(meter);
        }
    }

    /// What a meter was last seen to hold.
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<Latest> {
        let state = self.lock();
        match state.layout.position(meter) {
            Some(position) => state.latest.get(position).cloned(),
            None => state.strays.get(&meter).cloned(),
        }
    }

    /// Where a meter is, as people say it.
    #[must_use]
    pub fn name(&self, meter: MeterId) -> Option<RoomName> {
        self.lock().layout.place(meter).map(MeterPlace::name)
    }

    /// Everything, for who may see this scope.
    #[must_use]
    pub fn snapshot(&self, scope: &Scope) -> Snapshot {
        let state = self.lock();
        topic::snapshot(scope, &state.layout, &state.latest, state.revision, self.0.clock.now().0)
    }

    /// Where the meters are, and what each was last seen to hold, in the order of the wall.
    #[must_use]
    pub fn meter_places(&self, scope: &Scope) -> Vec<(MeterPlace, Latest)> {
        let state = self.lock();
        let meter_places = state.layout.meter_places().iter().zip(&state.latest);
        meter_places
            .filter(|(place, _)| scope.holds(place.building))
            .map(|(place, latest)| (place.clone(), latest.clone()))
            .collect()
    }

    /// Each meter as it changes. Who lags behind must read everything it cares for anew.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<MeterId> {
        self.0.changes.subscribe()
    }

    /// The encoded stream of a wall: a snapshot, then what changes.
    #[must_use]
    pub fn watch(&self, scope: &Scope) -> Watch {
        Watch::new(self.clone(), scope.clone())
    }

    /// Whether somebody watches a wall.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.lock().topics.iter().any(Topic::is_watched)
    }

    /// Sends what changed since the last time. [`Live::run`] calls it; tests may.
    pub fn flush(&self) {
        let mut state = self.lock();
        if state.queue.is_empty() {
            return;
        }
        state.revision += 1;
        let State { latest, dirty, queue, topics, revision, .. } = &mut *state;
        // Scopes that nobody watches any more cost nothing.
        topics.retain(Topic::is_watched);
        for topic in topics.iter_mut() {
            topic.send_delta(latest, queue, *revision, self.0.clock.now().0);
        }
        for position in queue.drain(..) {
            if let Some(dirty) = dirty.get_mut(position) {
                *dirty = false;
            }
        }
    }

    /// Flushes until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut tick = tokio::time::interval(COALESCE);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => self.flush(),
            }
        }
    }

    /// Joins the watchers of a scope: the snapshot to begin with, and what follows it.
    fn join(&self, scope: &Scope) -> (bytes::Bytes, broadcast::Receiver<bytes::Bytes>) {
        let at = self.0.clock.now();
        let mut state = self.lock();
        let State { layout, latest, topics, revision, .. } = &mut *state;
        if let Some(topic) = topics.iter_mut().find(|topic| topic.scope() == scope) {
            return topic.join(layout, latest, *revision, at.0);
        }
        let mut topic = Topic::new(scope.clone(), layout);
        let joined = topic.join(layout, latest, *revision, at.0);
        topics.push(topic);
        joined
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state whole, so a panic elsewhere does not spoil it.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lay_out(&mut self, layout: Layout) {
        let mut known = std::mem::take(&mut self.strays);
        known.extend(std::mem::take(&mut self.latest).into_iter().map(|latest| (latest.meter, latest)));
        self.latest = layout
            .meter_places()
            .iter()
            .map(|place| known.remove(&place.meter).unwrap_or_else(|| Latest::unseen(place.meter)))
            .collect();
        self.dirty = vec![false; self.latest.len()];
        self.queue.clear();
        self.strays = known;
        self.layout = layout;
    }

    /// Whether it says anything new.
    fn put(&mut self, latest: Latest) -> bool {
        let Some(position) = self.layout.position(latest.meter) else {
            let meter = latest.meter;
            return self.strays.get(&meter) != Some(&latest) && {
                self.strays.insert(meter, latest);
                true
            };
        };
        let (Some(place), Some(dirty)) = (self.latest.get_mut(position), self.dirty.get_mut(position)) else { return false };
        if *place == latest {
            return false;
        }
        *place = latest;
        if !std::mem::replace(dirty, true) {
            self.queue.push(position);
        }
        true
    }
}

#[cfg(test)]
mod tests;
