//! Events of meters and gateways.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{EventLine, EventQuery, Page};
use model::error::AppError;
use model::ids::EventId;

#[async_trait]
pub trait AlarmsPort: Send + Sync {
    /// Events, and the buildings that they can be filtered by.
    async fn events(&self, who: &Who, query: &EventQuery) -> Result<(Page<EventLine>, Vec<String>), AppError>;
    async fn acknowledge_event(&self, who: &Who, event: EventId) -> Result<(), AppError>;
}

/// Acknowledges an event; `back` is the address of the list that the form is on.
#[server(name = AcknowledgeEvent, prefix = "/api", endpoint = "operator/acknowledge")]
pub async fn acknowledge_event(event: String, back: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let list = Some(link::local(&back)).filter(|path| path.starts_with("/alarms")).unwrap_or("/alarms").to_owned();
    let done = async { ports.alarms.acknowledge_event(&who, parse::<EventId>(&event)?).await };
    answer(done.await.map(|()| list.clone()), &list)
}
