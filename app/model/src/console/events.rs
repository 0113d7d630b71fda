//! Events of meters, gateways and instruments, as the console lists them.

use super::RoomName;
use crate::event::EventKind;
use crate::ids::{EventId, InstrumentId, MeterId};
use crate::time::{Date, Timestamp};

/// Filter of the event list; `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Past events instead of open ones.
    pub over: bool,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only the building of this name.
    pub building: String,
    /// Only events that began on this day or later.
    pub since: Option<Date>,
    /// Page, from 0.
    pub page: i64,
}

/// An open or past event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    pub id: EventId,
    pub kind: EventKind,
    /// The meter and its place.
    pub meter: Option<(MeterId, RoomName)>,
    pub gateway: Option<String>,
    /// The instrument and its name.
    pub instrument: Option<(InstrumentId, String)>,
    pub since: Timestamp,
    /// End; `None` while open.
    pub until: Option<Timestamp>,
    /// Details, as JSON.
    pub detail: String,
    /// When and by whom it was acknowledged.
    pub seen: Option<(Timestamp, String)>,
}

impl EventLine {
    /// Words recorded at its begin.
    #[must_use]
    pub fn words(&self, key: &str) -> Vec<String> {
        let detail = serde_json::from_str::<serde_json::Value>(&self.detail).unwrap_or_default();
        let words = detail.get(key).and_then(serde_json::Value::as_array);
        words.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect()
    }

    /// A value recorded at its begin.
    #[must_use]
    pub fn figure(&self, key: &str) -> Option<i64> {
        serde_json::from_str::<serde_json::Value>(&self.detail).ok()?.get(key)?.as_i64()
    }
}
