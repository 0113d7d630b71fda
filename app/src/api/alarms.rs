//! Alarms: what is or was the matter, who works on it, and where it is silenced.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, fits, parse, reason_of};
use super::{ApiError, answer};
use crate::i18n::alarms::texts;
use crate::i18n::lang;
use crate::link;
use crate::ports::{Who, operator, ports};
use model::alarm::silence_length;
use model::console::{AlarmView, EventLine, EventQuery, Page, SilenceLine, SilenceOf};
use model::error::AppError;
use model::ids::{EventId, SilenceId, UserId};

/// The most silences of the past that a page lists.
pub const PAST_SILENCES: usize = 200;

/// What is silenced, was, and can be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silences {
    pub current: Vec<SilenceLine>,
    /// The newest first, at most [`PAST_SILENCES`].
    pub past: Vec<SilenceLine>,
    pub scopes: Vec<(SilenceOf, String)>,
}

#[async_trait]
pub trait AlarmsPort: Send + Sync {
    /// Events, and the buildings that they can be filtered by.
    async fn events(&self, who: &Who, query: &EventQuery) -> Result<(Page<EventLine>, Vec<String>), AppError>;
    async fn alarm(&self, who: &Who, event: EventId) -> Result<AlarmView, AppError>;
    async fn acknowledge_event(&self, who: &Who, event: EventId) -> Result<(), AppError>;
    /// Assigns an open alarm; `None`: to nobody.
    async fn assign_alarm(&self, who: &Who, event: EventId, assignee: Option<UserId>) -> Result<(), AppError>;
    async fn silences(&self, who: &Who) -> Result<Silences, AppError>;
    /// Silences alarms for that long, ms.
    async fn silence_alarms(&self, who: &Who, of: SilenceOf, length: i64, reason: &str) -> Result<SilenceId, AppError>;
    async fn end_silence(&self, who: &Who, silence: SilenceId) -> Result<(), AppError>;
}

/// The page of alarms that a form is on.
fn list(back: &str) -> String {
    Some(link::local(back)).filter(|path| path.starts_with("/alarms")).unwrap_or("/alarms").to_owned()
}

/// Acknowledges an event; `back` is the address of the list that the form is on.
#[server(name = AcknowledgeEvent, prefix = "/api", endpoint = "operator/acknowledge")]
pub async fn acknowledge_event(event: String, back: String) -> Result<(), ApiError> {
    let (ports, who, list) = (ports()?, operator()?, list(&back));
    let done = async { ports.alarms.acknowledge_event(&who, parse::<EventId>(&event)?).await };
    answer(done.await.map(|()| list.clone()), &list)
}

/// Assigns an alarm; an empty assignee is nobody.
#[server(name = AssignAlarm, prefix = "/api", endpoint = "operator/alarms/assign")]
pub async fn assign_alarm(event: String, assignee: String) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, list(&format!("/alarms/{}", event.trim())));
    let done = async {
        let assignee = match assignee.trim() {
            "" => None,
            id => Some(at("assignee", parse::<UserId>(id))?),
        };
        ports.alarms.assign_alarm(&who, parse(&event)?, assignee).await
    };
    answer(done.await.map(|()| here.clone()), &here)
}

/// Silences the alarms of a place, gateway or meter for some hours.
#[server(name = SilenceAlarms, prefix = "/api", endpoint = "operator/alarms/silence")]
pub async fn silence_alarms(of: String, hours: String, reason: String, back: String) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, list(&back));
    let done = async {
        let of = SilenceOf::parse(of.trim()).ok_or(AppError::Invalid)?;
        let t = texts(lang());
        let length = parse::<i64>(&hours).and_then(|hours| silence_length(hours).ok_or(AppError::Invalid));
        let length = fits("hours", (t.hours, t.hours_form), length)?;
        ports.alarms.silence_alarms(&who, of, length, &reason_of(&reason)?).await
    };
    answer(done.await.map(|id| link::with(&here, "silenced", &id.to_string())), &here)
}

/// Ends a silence before its time.
#[server(name = EndSilence, prefix = "/api", endpoint = "operator/alarms/silence-end")]
pub async fn end_silence(silence: String, back: String) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, list(&back));
    let done = async { ports.alarms.end_silence(&who, parse::<SilenceId>(&silence)?).await };
    answer(done.await.map(|()| link::with(&here, "ended", silence.trim())), &here)
}
