//! A counter that is held back, and what a person decides about it.

use leptos::prelude::*;

use super::actions::parse;
use super::{Desk, Gap, desk};
use crate::api::{ApiError, answer};
use model::ids::CaseId;

/// Settles a counter that is held back: closes its case with what was done and what becomes of the gap.
#[server(name = SettleCounter, prefix = "/api", endpoint = "operator/settle-counter")]
pub async fn settle_counter(
    case: String,
    choice: String,
    end: String,
    start: String,
    resolution: String,
) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async {
        let gap = Gap::parse(&choice, &end, &start)?;
        port.settle_counter(&who, parse::<CaseId>(&case)?, gap, &resolution).await
    };
    answer(done.await.map(|()| "/cases".to_owned()), "/cases")
}
