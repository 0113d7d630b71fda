//! Requests that a second person approves.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, room_page};
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::approval::{ApprovalKind, ApprovalLine};
use model::error::AppError;
use model::ids::{ApprovalId, MeterId};

#[async_trait]
pub trait ApprovalsPort: Send + Sync {
    /// Those that wait, for the operator's places, oldest first.
    async fn waiting(&self, who: &Who) -> Result<Vec<ApprovalLine>, AppError>;
    /// Reads the meter and stores a request about it.
    async fn ask_about_meter(&self, who: &Who, kind: ApprovalKind, meter: MeterId, reason: &str) -> Result<(), AppError>;
    /// Carries the request out, if nothing has changed since it was made. The meter that it is about is read again.
    async fn approve(&self, who: &Who, id: ApprovalId) -> Result<(), AppError>;
    async fn reject(&self, who: &Who, id: ApprovalId, note: &str) -> Result<(), AppError>;
}

const PAGE: &str = "/approvals";

/// Asks for the closure of a foreign account, or for a correction of the books.
#[server(name = AskAboutMeter, prefix = "/api", endpoint = "operator/ask-about-meter")]
pub async fn ask_about_meter(kind: ApprovalKind, meter: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.approvals.ask_about_meter(&who, kind, parse(&meter)?, &reason).await };
    answer(done.await.map(|()| PAGE.to_owned()), &room_page(&meter))
}

#[server(name = ApproveRequest, prefix = "/api", endpoint = "operator/approve-request")]
pub async fn approve_request(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.approvals.approve(&who, parse(&id)?).await };
    answer(done.await.map(|()| PAGE.to_owned()), PAGE)
}

#[server(name = RejectRequest, prefix = "/api", endpoint = "operator/reject-request")]
pub async fn reject_request(id: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.approvals.reject(&who, parse(&id)?, &reason).await };
    answer(done.await.map(|()| PAGE.to_owned()), PAGE)
}
