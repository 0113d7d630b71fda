//! Batches: the same command to many meters, previewed before it is issued.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{confirmation, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, now, operator, ports};
use model::console::{Batch, BatchFilter, BatchQuery, BatchView, Building, MissedSwitch, Page, Preview, Target};
use model::error::AppError;
use model::ids::{BatchId, MeterId};
use model::issue::{Issue, Kind};
use model::meter::SupplyState;

#[async_trait]
pub trait BatchesPort: Send + Sync {
    /// The buildings and floors that commands can be issued to.
    async fn buildings(&self, who: &Who) -> Result<Vec<Building>, AppError>;
    /// Which meters a command of this kind would be issued to.
    async fn preview(&self, who: &Who, kind: Kind, target: &Target) -> Result<Preview, AppError>;
    /// Issues a command. Fails with [`AppError::Conflict`] where the target no longer means the meters that the preview sealed.
    async fn issue_commands(&self, who: &Who, id: BatchId, issue: &Issue, target: &Target, seal: &str) -> Result<(), AppError>;
    /// Batches, newest first.
    async fn batches(&self, who: &Who, query: &BatchQuery) -> Result<Page<Batch>, AppError>;
    /// A batch and a page of its meters.
    async fn batch(&self, who: &Who, id: BatchId, filter: Option<BatchFilter>, page: i64) -> Result<BatchView, AppError>;
    /// Issues the command again to the meters where it failed, or to one of them.
    async fn retry_batch(&self, who: &Who, id: BatchId, meter: Option<MeterId>) -> Result<(), AppError>;
    /// Cancels what was not sent yet.
    async fn cancel_batch(&self, who: &Who, id: BatchId) -> Result<(), AppError>;
    /// Meters whose scheduled prices are not in force.
    async fn missed_price_switches(&self, who: &Who, page: i64) -> Result<Page<MissedSwitch>, AppError>;
}

/// The form of a kind of command.
fn form_page(kind: Kind) -> String {
    link::with("/commands/new", "kind", kind.as_str())
}

/// Issues the previewed command. `state` is the code of a [`SupplyState`].
#[server(name = IssueCommands, prefix = "/api", endpoint = "operator/issue")]
pub async fn issue_commands(
    kind: Kind,
    issue: String,
    meter: String,
    places: String,
    state: Option<u8>,
    rooms: String,
    lost: String,
    differs: Option<String>,
    seal: String,
    key: String,
    #[server(default)] back: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let issue = serde_json::from_str::<Issue>(&issue).ok().and_then(|issue| issue.checked(now())).ok_or(AppError::Invalid)?;
        let places: Vec<String> = places.split(',').map(str::to_owned).collect();
        let differs = differs.filter(|text| !text.is_empty()).map(|text| parse(&text)).transpose()?;
        let of = Target::parse(&meter, &places, state.map(SupplyState::from_code), &rooms, &lost);
        let target = Target { differs, ..of };
        let id: BatchId = parse(&key)?;
        ports.batches.issue_commands(&who, id, &issue, &target, &seal).await?;
        Ok(id)
    };
    let back =
        Some(confirmation(&back, "/commands/preview")).filter(|back| back.contains('?')).unwrap_or_else(|| form_page(kind));
    answer(done.await.map(|id| format!("/commands/{id}")), &back)
}

/// Issues the command again to the meters where it failed, or to the one that is named. `seen` is how many had failed on the
/// page: where there are more now, the page is shown again.
#[server(name = RetryBatch, prefix = "/api", endpoint = "operator/retry-batch")]
pub async fn retry_batch(batch: String, meter: String, #[server(default)] seen: Option<i64>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let id = parse(&batch)?;
        let failed = ports.batches.batch(&who, id, Some(BatchFilter::Failed), 0).await?.total;
        if seen.is_some_and(|seen| failed > seen) {
            return Err(AppError::Conflict);
        }
        ports.batches.retry_batch(&who, id, meter.parse().ok()).await
    };
    let page = format!("/commands/{batch}");
    answer(done.await.map(|()| page.clone()), &page)
}

/// Cancels what was not sent yet.
#[server(name = CancelBatch, prefix = "/api", endpoint = "operator/cancel-batch")]
pub async fn cancel_batch(batch: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.batches.cancel_batch(&who, parse(&batch)?).await };
    let page = format!("/commands/{batch}");
    answer(done.await.map(|()| page.clone()), &page)
}
