//! The last known values of every meter, in memory, and their distribution to subscribers.
//!
//! Pollers publish each reading. Every quarter of a second the changes are encoded once for each scope that someone watches,
//! buildings or one profile in them, and all walls of that scope share the bytes. A wall that cannot keep up gets a new snapshot.

mod topic;
mod wall_stream;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::console::RoomName;
use model::ids::MeterId;
use model::meter::Latest;
use model::wall::Set;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use domain::clock::SharedClock;
use domain::wall_layout::{Layout, MeterPlace, Scope, WallScope};
use store::{self, Db};
use topic::Topic;
pub use wall_stream::WallStream;

/// How long changes are collected before they are sent.
const COALESCE: Duration = Duration::from_millis(250);
/// The most changes that a subscriber may lag behind before it has to read everything again.
const BACKLOG: usize = 4_096;

/// Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Hub>);

struct Hub {
    clock: SharedClock,
    state: Mutex<State>,
    changes: broadcast::Sender<MeterId>,
}

struct State {
    layout: Layout,
    /// In the order of the layout.
    latest: Vec<Latest>,
    dirty: Vec<bool>,
    queue: Vec<usize>,
    revision: u64,
    topics: Vec<Topic>,
    /// Meters that answered before they were part of the layout.
    unplaced: HashMap<MeterId, Latest>,
}

impl Live {
    /// Meters without an entry in `latest` start as unseen.
    #[must_use]
    pub fn new(clock: SharedClock, layout: Layout, latest: impl IntoIterator<Item = Latest>) -> Self {
        let mut state = State {
            layout: Layout::default(),
            latest: Vec::new(),
            dirty: Vec::new(),
            queue: Vec::new(),
            revision: 0,
            topics: Vec::new(),
            unplaced: latest.into_iter().map(|latest| (latest.meter, latest)).collect(),
        };
        state.set_layout(layout);
        Self(Arc::new(Hub { clock, state: Mutex::new(state), changes: broadcast::channel(BACKLOG).0 }))
    }

    /// Loads layout and last values from the database.
    pub async fn load(db: &Db, clock: SharedClock) -> store::Result<Self> {
        let (layout, latest) = (queries::layout(db).await?, queries::latest(db).await?);
        Ok(Self::new(clock, layout, latest))
    }

    /// Reloads places and meters; where they have changed, every wall gets a new snapshot.
    ///
    /// # Errors
    /// If the database fails; then nothing changes.
    pub async fn reload(&self, db: &Db) -> store::Result<()> {
        let layout = queries::layout(db).await?;
        let at = self.0.clock.now();
        let mut state = self.lock();
        if state.layout == layout {
            return Ok(());
        }
        state.set_layout(layout);
        state.revision += 1;
        let State { layout, latest, topics, revision, .. } = &mut *state;
        for topic in topics {
            topic.reset(layout, latest, *revision, at.0);
        }
        Ok(())
    }

    /// Updates the last known values of a meter.
    pub fn publish(&self, latest: Latest) {
        let meter = latest.meter;
        let mut state = self.lock();
        if state.update(latest) {
            drop(state);
            // No subscriber is no error.
            let _ = self.0.changes.send(meter);
        }
    }

    /// The last known values of a meter.
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<Latest> {
        let state = self.lock();
        match state.layout.position(meter) {
            Some(position) => state.latest.get(position).cloned(),
            None => state.unplaced.get(&meter).cloned(),
        }
    }

    /// The room of a meter, for display.
    #[must_use]
    pub fn name(&self, meter: MeterId) -> Option<RoomName> {
        self.lock().layout.place(meter).map(MeterPlace::name)
    }

    /// The gateways, profiles and groups of a wall.
    #[must_use]
    pub fn sets(&self, scope: &WallScope) -> Vec<Set> {
        self.lock().layout.sets(scope)
    }

    /// Meters of these buildings with their last known values, in the order of the wall.
    #[must_use]
    pub fn meter_places(&self, scope: &Scope) -> Vec<(MeterPlace, Latest)> {
        let state = self.lock();
        let meter_places = state.layout.meter_places().iter().zip(&state.latest);
        meter_places
            .filter(|(place, _)| scope.holds(place.building))
            .map(|(place, latest)| (place.clone(), latest.clone()))
            .collect()
    }

    /// The ids of meters as they change. A subscriber that lags must read everything again.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<MeterId> {
        self.0.changes.subscribe()
    }

    /// The encoded event stream of a wall: a snapshot, then changes.
    #[must_use]
    pub fn watch(&self, scope: &WallScope) -> WallStream {
        WallStream::new(self.clone(), scope.clone())
    }

    /// Whether any wall is being watched.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.lock().topics.iter().any(Topic::is_watched)
    }

    /// Sends the changes since the last call. Called by [`Live::run`] and by tests.
    pub fn flush(&self) {
        let mut state = self.lock();
        if state.queue.is_empty() {
            return;
        }
        state.revision += 1;
        let State { latest, dirty, queue, topics, revision, .. } = &mut *state;
        // Drops scopes that are no longer watched.
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

    /// Flushes periodically until `stop` is cancelled.
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

    /// Subscribes to a scope: its snapshot, and the events after it.
    fn join(&self, scope: &WallScope) -> (bytes::Bytes, broadcast::Receiver<bytes::Bytes>) {
        let at = self.0.clock.now();
        let mut state = self.lock();
        let State { layout, latest, topics, revision, .. } = &mut *state;
        if let Some(topic) = topics.iter_mut().find(|topic| topic.scope() == scope) {
            return topic.join(layout, latest, *revision, at.0);
        }
        // Requests name profiles, and where no reading comes nothing else drops what is watched no more.
        topics.retain(Topic::is_watched);
        let mut topic = Topic::new(scope.clone(), layout);
        let joined = topic.join(layout, latest, *revision, at.0);
        topics.push(topic);
        joined
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state consistent, so a panic elsewhere does not matter.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set_layout(&mut self, layout: Layout) {
        let mut by_meter = std::mem::take(&mut self.unplaced);
        by_meter.extend(std::mem::take(&mut self.latest).into_iter().map(|latest| (latest.meter, latest)));
        self.latest = layout
            .meter_places()
            .iter()
            .map(|place| by_meter.remove(&place.meter).unwrap_or_else(|| Latest::unseen(place.meter)))
            .collect();
        self.dirty = vec![false; self.latest.len()];
        self.queue.clear();
        self.unplaced = by_meter;
        self.layout = layout;
    }

    /// Stores the values; returns whether they changed.
    fn update(&mut self, latest: Latest) -> bool {
        let Some(position) = self.layout.position(latest.meter) else {
            let meter = latest.meter;
            return self.unplaced.get(&meter) != Some(&latest) && {
                self.unplaced.insert(meter, latest);
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
