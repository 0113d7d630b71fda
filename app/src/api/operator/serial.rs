//! A meter that was replaced.

use leptos::prelude::*;

use super::actions::parse;
use super::{Desk, desk};
use crate::api::{ApiError, answer};
use model::ids::CaseId;

/// Takes over the serial number that answers at a meter's address, and closes the case.
#[server(name = ConfirmSerial, prefix = "/api", endpoint = "operator/confirm-serial")]
pub async fn confirm_serial(case: String, resolution: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.confirm_serial(&who, parse::<CaseId>(&case)?, &resolution).await };
    answer(done.await.map(|()| "/cases".to_owned()), "/cases")
}
