//! The events of meters and gateways: what is the matter, since when, and who has seen it.

use leptos::prelude::*;

use super::actions::parse;
use super::{Desk, desk};
use crate::api::{ApiError, answer};
use crate::link;
use model::ids::EventId;

/// Somebody has seen an event; `back` is the address of the list that they came from.
#[server(name = AcknowledgeEvent, prefix = "/api", endpoint = "operator/acknowledge")]
pub async fn acknowledge_event(event: String, back: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let list = Some(link::local(&back)).filter(|path| path.starts_with("/alarms")).unwrap_or("/alarms").to_owned();
    let done = async { port.acknowledge(&who, parse::<EventId>(&event)?).await };
    answer(done.await.map(|()| list.clone()), &list)
}
