//! Events of meters and gateways, as the console lists them.

use super::RoomName;
use crate::event::EventKind;
use crate::ids::{EventId, MeterId};
use crate::time::{Date, Timestamp};

/// What the events are asked for; what is left out matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Those that are over instead of those that are open.
    pub over: bool,
    /// Of this kind only.
    pub kind: Option<EventKind>,
    /// In the building of this name only.
    pub building: String,
    /// Begun on this day or later.
    pub since: Option<Date>,
    /// Counted from 0.
    pub page: i64,
}

/// Something that is or was the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    pub id: EventId,
    pub kind: EventKind,
    /// At which meter, and where that is.
    pub meter: Option<(MeterId, RoomName)>,
    /// At which gateway.
    pub gateway: Option<String>,
    pub since: Timestamp,
    /// Until when; `None` while it lasts.
    pub until: Option<Timestamp>,
    /// What is known of it, as JSON.
    pub detail: String,
    /// When and by whom it was seen.
    pub seen: Option<(Timestamp, String)>,
}

impl EventLine {
    /// A number that was noted as it began.
    #[must_use]
    pub fn figure(&self, key: &str) -> Option<i64> {
        serde_json::from_str::<serde_json::Value>(&self.detail).ok()?.get(key)?.as_i64()
    }
}
