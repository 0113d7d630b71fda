//! Telling many meters something at once: whom, what before it is done, and how far each has come.

use leptos::prelude::*;

use super::{Desk, Target, desk};
use crate::api::{ApiError, answer};
use crate::link;
use crate::ports::now;
use model::error::AppError;
use model::ids::BatchId;
use model::issue::Issue;

/// Where the form of a kind is.
fn form(kind: &str) -> String {
    link::with("/commands/new", "kind", kind)
}

/// Tells the meters that the preview showed.
#[server(name = IssueCommands, prefix = "/api", endpoint = "operator/issue")]
pub async fn issue_commands(
    kind: String,
    issue: String,
    meter: String,
    places: String,
    state: String,
    rooms: String,
    lost: String,
    seal: String,
    key: String,
) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async {
        let issue = serde_json::from_str::<Issue>(&issue).ok().and_then(|issue| issue.checked(now())).ok_or(AppError::Invalid)?;
        let places: Vec<String> = places.split(',').map(str::to_owned).collect();
        let target = Target::parse(&meter, &places, &state, &rooms, &lost);
        let id: BatchId = key.parse().map_err(|_| AppError::Invalid)?;
        port.issue(&who, id, &issue, &target, &seal).await?;
        Ok(id)
    };
    answer(done.await.map(|id| format!("/commands/{id}")), &form(&kind))
}

/// Sends again to those that did not do it; to one meter where one is named.
#[server(name = RetryBatch, prefix = "/api", endpoint = "operator/retry-batch")]
pub async fn retry_batch(batch: String, meter: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async {
        let id: BatchId = batch.parse().map_err(|_| AppError::Invalid)?;
        port.retry_batch(&who, id, meter.parse().ok()).await
    };
    let page = format!("/commands/{batch}");
    answer(done.await.map(|()| page.clone()), &page)
}

/// Takes back what was not sent yet.
#[server(name = CancelBatch, prefix = "/api", endpoint = "operator/cancel-batch")]
pub async fn cancel_batch(batch: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.cancel_batch(&who, batch.parse().map_err(|_| AppError::Invalid)?).await };
    let page = format!("/commands/{batch}");
    answer(done.await.map(|()| page.clone()), &page)
}
