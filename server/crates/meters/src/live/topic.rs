//! One scope that walls watch: its events are encoded once and shared by all of them.

use bytes::Bytes;
use model::meter::Latest;
use model::wall::{Delta, Snapshot, Tile};
use serde::Serialize;
use tokio::sync::broadcast;

use domain::wall_layout::{Layout, WallScope};

/// The most deltas (16 s) that a wall may lag behind before it gets a new snapshot.
const BACKLOG: usize = 64;

pub(super) struct Topic {
    scope: WallScope,
    /// Index within this scope, by position in the layout.
    scope_index: Vec<Option<usize>>,
    sender: broadcast::Sender<Bytes>,
    /// The newest snapshot with its revision, for walls that connect at the same time.
    cached: Option<(u64, Bytes)>,
}

impl Topic {
    pub(super) fn new(scope: WallScope, layout: &Layout) -> Self {
        let scope_index = scope_index(&scope, layout);
        Self { scope, scope_index, sender: broadcast::channel(BACKLOG).0, cached: None }
    }

    pub(super) fn scope(&self) -> &WallScope {
        &self.scope
    }

    pub(super) fn is_watched(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    pub(super) fn join(
        &mut self,
        layout: &Layout,
        latest: &[Latest],
        revision: u64,
        at: i64,
    ) -> (Bytes, broadcast::Receiver<Bytes>) {
        let receiver = self.sender.subscribe();
        if let Some((cached, bytes)) = &self.cached
            && *cached == revision
        {
            return (bytes.clone(), receiver);
        }
        let bytes = event("snapshot", revision, &snapshot(&self.scope, layout, latest, revision, at));
        self.cached = Some((revision, bytes.clone()));
        (bytes, receiver)
    }

    /// Sends all walls a new snapshot.
    pub(super) fn reset(&mut self, layout: &Layout, latest: &[Latest], revision: u64, at: i64) {
        self.scope_index = scope_index(&self.scope, layout);
        let bytes = event("snapshot", revision, &snapshot(&self.scope, layout, latest, revision, at));
        self.cached = Some((revision, bytes.clone()));
        let _ = self.sender.send(bytes);
    }

    pub(super) fn send_delta(&mut self, latest: &[Latest], positions: &[usize], revision: u64, at: i64) {
        let mut tiles = Vec::with_capacity(positions.len() * (Tile::WIDTH + 1));
        for &position in positions {
            if let (Some(Some(index)), Some(latest)) = (self.scope_index.get(position), latest.get(position)) {
                tiles.push(i64::try_from(*index).unwrap_or(i64::MAX));
                tiles.extend(Tile::of(latest).numbers());
            }
        }
        if !tiles.is_empty() {
            // An error only means that the last wall has just closed.
            let _ = self.sender.send(event("delta", revision, &Delta { revision, at, tiles }));
        }
    }
}

/// The meter wall of a scope.
fn snapshot(scope: &WallScope, layout: &Layout, latest: &[Latest], revision: u64, at: i64) -> Snapshot {
    let within = layout.meter_places().iter().zip(latest).filter(|(place, _)| scope.holds(place));
    let tiles = within.flat_map(|(_, latest)| Tile::of(latest).numbers()).collect();
    Snapshot { revision, at, buildings: layout.buildings(scope), sets: layout.sets(scope), tiles }
}

fn scope_index(scope: &WallScope, layout: &Layout) -> Vec<Option<usize>> {
    let mut next = 0..;
    layout.meter_places().iter().map(|place| if scope.holds(place) { next.next() } else { None }).collect()
}

/// Encodes a server-sent event.
fn event(name: &str, revision: u64, data: &impl Serialize) -> Bytes {
    // Lists of numbers and strings always encode, and JSON has no line breaks, so one data line is enough.
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("id: {revision}\nevent: {name}\ndata: {data}\n\n"))
}
