//! The events of meters and gateways: what is the matter, since when, and who has seen it.

use leptos::prelude::*;

use super::actions::parse;
use super::{Desk, RoomName, desk};
use crate::api::answer;
use crate::error::AppError;
use crate::link;
use crate::model::event::EventKind;
use crate::model::ids::{EventId, MeterId};
use crate::model::time::{Date, Timestamp};

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
    /// The event.
    pub id: EventId,
    /// What.
    pub kind: EventKind,
    /// At which meter, and where that is.
    pub meter: Option<(MeterId, RoomName)>,
    /// At which gateway.
    pub gateway: Option<String>,
    /// Since when.
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

/// Somebody has seen an event; `back` is the address of the list that they came from.
#[server(name = AcknowledgeEvent, prefix = "/api", endpoint = "operator/acknowledge")]
pub async fn acknowledge_event(event: String, back: String) -> Result<(), AppError> {
    let Desk { who, port } = desk()?;
    let list = Some(link::local(&back)).filter(|path| path.starts_with("/alarms")).unwrap_or("/alarms").to_owned();
    let done = async { port.acknowledge(&who, parse::<EventId>(&event)?).await };
    answer(done.await.map(|()| list.clone()), &list)
}
