//! Cases: what a person must decide.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::console::{CaseLine, CaseQuery, Gap, Page};
use model::error::AppError;
use model::ids::CaseId;

/// `resolution` is what was done about the case.
#[async_trait]
pub trait CasesPort: Send + Sync {
    async fn cases(&self, who: &Who, query: &CaseQuery) -> Result<Page<CaseLine>, AppError>;
    async fn close_case(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError>;
    /// Accepts a counter that was held back, with what becomes of the gap, and closes its case.
    async fn settle_counter(&self, who: &Who, case: CaseId, gap: Gap, resolution: &str) -> Result<(), AppError>;
    /// Takes over the serial number that the identity case recorded, and closes the case.
    async fn confirm_serial(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError>;
    /// Resumes the money command that a case holds: the meter is read again and the money rule decides anew.
    async fn try_again(&self, who: &Who, case: CaseId) -> Result<(), AppError>;
}

#[server(name = CloseCase, prefix = "/api", endpoint = "operator/close-case")]
pub async fn close_case(case: String, resolution: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.cases.close_case(&who, parse::<CaseId>(&case)?, &resolution).await }.await;
    answer(done.map(|()| "/cases".to_owned()), "/cases")
}

/// Accepts a counter that was held back, and closes its case.
#[server(name = SettleCounter, prefix = "/api", endpoint = "operator/settle-counter")]
pub async fn settle_counter(
    case: String,
    choice: String,
    end: String,
    start: String,
    resolution: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let gap = Gap::parse(&choice, &end, &start)?;
        ports.cases.settle_counter(&who, parse::<CaseId>(&case)?, gap, &resolution).await
    };
    answer(done.await.map(|()| "/cases".to_owned()), "/cases")
}

/// Takes over the serial number that answers at a meter's address, and closes the case.
#[server(name = ConfirmSerial, prefix = "/api", endpoint = "operator/confirm-serial")]
pub async fn confirm_serial(case: String, resolution: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.cases.confirm_serial(&who, parse::<CaseId>(&case)?, &resolution).await };
    answer(done.await.map(|()| "/cases".to_owned()), "/cases")
}

/// Resumes the money command that a case holds.
#[server(name = TryAgain, prefix = "/api", endpoint = "operator/try-again")]
pub async fn try_again(case: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.cases.try_again(&who, parse::<CaseId>(&case)?).await }.await;
    answer(done.map(|()| "/cases".to_owned()), "/cases")
}
