//! Events of meters, gateways and instruments, as the console lists them.

use super::RoomName;
use crate::alarm::{AlarmChannel, AlarmLevel};
use crate::event::EventKind;
use crate::ids::{EventId, GatewayId, InstrumentId, MeterId, PlaceId, SilenceId, UserId};
use crate::time::{Date, Timestamp};
use crate::word_enum;

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
    /// Only those of this level.
    pub level: Option<AlarmLevel>,
    /// Only those that are assigned to the person.
    pub mine: bool,
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
    /// The gateway and its name.
    pub gateway: Option<(GatewayId, String)>,
    /// The instrument and its name.
    pub instrument: Option<(InstrumentId, String)>,
    pub channel: Option<AlarmChannel>,
    /// As its rule had it; `None` for events from before there were rules.
    pub level: Option<AlarmLevel>,
    pub since: Timestamp,
    /// End; `None` while open.
    pub until: Option<Timestamp>,
    /// Details, as JSON.
    pub detail: String,
    /// When and by whom it was acknowledged.
    pub seen: Option<(Timestamp, String)>,
    /// To whom it is assigned.
    pub assigned: Option<(UserId, String)>,
    /// Maintenance goes on there: nobody gets messages about it.
    pub is_silenced: bool,
    /// The gateway of the meter is lost: nothing is known of it until that is back.
    pub is_suspended: bool,
}

word_enum! {
    /// What a person did about an alarm.
    pub enum AlarmAction {
        Acknowledge = "acknowledge",
        Assign = "assign",
    }
}

/// A step in the history of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmStep {
    pub at: Timestamp,
    pub by: String,
    pub action: AlarmAction,
    /// To whom it was assigned; `None`: nobody.
    pub assigned: Option<String>,
}

/// Where alarms are silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceOf {
    /// A place and everything below it.
    Place(PlaceId),
    /// A gateway and the meters behind it.
    Gateway(GatewayId),
    Meter(MeterId),
}

impl SilenceOf {
    /// From a form: the kind, a colon and the id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        match kind {
            "place" => id.parse().ok().map(Self::Place),
            "gateway" => id.parse().ok().map(Self::Gateway),
            "meter" => id.parse().ok().map(Self::Meter),
            _ => None,
        }
    }

    /// As [`Self::parse`] takes it.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Place(id) => format!("place:{id}"),
            Self::Gateway(id) => format!("gateway:{id}"),
            Self::Meter(id) => format!("meter:{id}"),
        }
    }
}

/// Maintenance, for whose time nobody gets messages about alarms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceLine {
    pub id: SilenceId,
    pub of: SilenceOf,
    /// What that is called.
    pub name: String,
    pub reason: String,
    pub from: Timestamp,
    pub until: Timestamp,
    pub set_by: String,
    /// When and by whom it was ended before its time.
    pub ended: Option<(Timestamp, String)>,
}

/// One alarm with what people did about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmView {
    pub line: EventLine,
    /// The oldest first.
    pub history: Vec<AlarmStep>,
    /// Silences that cover it, or covered it while it was open; the newest first.
    pub silences: Vec<SilenceLine>,
    /// Where it can be silenced, with names; the narrowest first. None for alarms of the server.
    pub scopes: Vec<(SilenceOf, String)>,
    /// To whom it can be assigned.
    pub operators: Vec<(UserId, String)>,
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
