//! Requests about a meter that a second person approves: to close a foreign account in it, and to correct the books.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, room_page};
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::console::{MeterRequestKind, MeterRequestLine};
use model::error::AppError;
use model::ids::{MeterId, Uuid};

#[async_trait]
pub trait MeterRequestsPort: Send + Sync {
    /// Those that wait, for the operator's meters.
    async fn waiting(&self, who: &Who) -> Result<Vec<MeterRequestLine>, AppError>;
    /// Reads the meter and stores the request. The same key stores nothing new.
    async fn ask(&self, who: &Who, kind: MeterRequestKind, meter: MeterId, reason: &str, key: Uuid) -> Result<(), AppError>;
    /// Reads the meter again and carries the request out, if it still shows the same.
    async fn approve(&self, who: &Who, id: Uuid) -> Result<(), AppError>;
    async fn reject(&self, who: &Who, id: Uuid, note: &str) -> Result<(), AppError>;
}

/// Requests the closure of a foreign account, or a ledger adjustment.
#[server(name = AskMeterRequest, prefix = "/api", endpoint = "operator/ask-meter-request")]
pub async fn ask_meter_request(kind: MeterRequestKind, meter: String, reason: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.meter_requests.ask(&who, kind, parse(&meter)?, &reason, parse(&key)?).await };
    answer(done.await.map(|()| "/approvals".to_owned()), &room_page(&meter))
}

#[server(name = ApproveMeterRequest, prefix = "/api", endpoint = "operator/approve-meter-request")]
pub async fn approve_meter_request(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.meter_requests.approve(&who, parse(&id)?).await };
    answer(done.await.map(|()| "/approvals".to_owned()), "/approvals")
}

#[server(name = RejectMeterRequest, prefix = "/api", endpoint = "operator/reject-meter-request")]
pub async fn reject_meter_request(id: String, note: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.meter_requests.reject(&who, parse(&id)?, &note).await };
    answer(done.await.map(|()| "/approvals".to_owned()), "/approvals")
}
