//! Cases: what a person must decide.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{CaseFile, CaseLine, CaseQuery, Gap, Page, SeenCase};
use model::error::AppError;
use model::ids::{CaseId, UserId};
use model::time::{Date, Timestamp};
use serde::{Deserialize, Serialize};

/// `resolution` is what was done about the case. A case that somebody worked on since it was seen is refused.
#[async_trait]
pub trait CasesPort: Send + Sync {
    async fn cases(&self, who: &Who, query: &CaseQuery) -> Result<Page<CaseLine>, AppError>;
    async fn case(&self, who: &Who, case: CaseId) -> Result<CaseFile, AppError>;
    async fn comment_case(&self, who: &Who, case: CaseId, comment: &str) -> Result<(), AppError>;
    /// Sets who works on these cases; `None`: nobody. All or none.
    async fn assign_cases(&self, who: &Who, cases: &[SeenCase], owner: Option<UserId>) -> Result<(), AppError>;
    /// Sets by when the case should be closed.
    async fn set_case_due(&self, who: &Who, case: SeenCase, due: Timestamp) -> Result<(), AppError>;
    /// Closes cases with the same resolution: all or none.
    async fn close_cases(&self, who: &Who, cases: &[SeenCase], resolution: &str) -> Result<(), AppError>;
    async fn close_case(&self, who: &Who, case: SeenCase, resolution: &str) -> Result<(), AppError>;
    /// Accepts a counter that was held back, with what becomes of the gap, and closes its case.
    async fn settle_counter(&self, who: &Who, case: SeenCase, gap: Gap, resolution: &str) -> Result<(), AppError>;
    /// Takes over the serial number that the identity case recorded, and closes the case.
    async fn confirm_serial(&self, who: &Who, case: SeenCase, resolution: &str) -> Result<(), AppError>;
    /// Resumes the money command that a case holds: the meter is read again and the money rule decides anew.
    async fn try_again(&self, who: &Who, case: SeenCase) -> Result<(), AppError>;
}

/// The page of a case; the list where that is not one.
pub(super) fn case_page(case: &str) -> String {
    parse::<CaseId>(case).map_or_else(|_| "/cases".to_owned(), |case| format!("/cases/{case}"))
}

/// What to do with several cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseBulk {
    /// The person takes them.
    Take,
    Close,
}

/// A case as its page showed it.
fn as_seen(case: &str, steps: Option<i64>) -> Result<SeenCase, AppError> {
    Ok(SeenCase { case: parse(case)?, steps })
}

/// Takes or closes the cases that are ticked in the list; `back` is the address of the list.
#[server(name = BulkCases, prefix = "/api", endpoint = "operator/cases/bulk")]
pub async fn bulk_cases(
    #[server(default)] cases: Vec<String>,
    what: CaseBulk,
    resolution: String,
    back: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let list = Some(link::local(&back)).filter(|path| path.starts_with("/cases")).unwrap_or("/cases").to_owned();
    let done = async {
        let seen = cases.iter().map(|case| SeenCase::parse(case).ok_or(AppError::Invalid)).collect::<Result<Vec<_>, _>>()?;
        match what {
            CaseBulk::Take => ports.cases.assign_cases(&who, &seen, Some(who.user)).await,
            CaseBulk::Close => ports.cases.close_cases(&who, &seen, &resolution).await,
        }
    };
    answer(done.await.map(|()| list.clone()), &list)
}

#[server(name = CommentCase, prefix = "/api", endpoint = "operator/cases/comment")]
pub async fn comment_case(case: String, comment: String) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async { ports.cases.comment_case(&who, parse(&case)?, &comment).await };
    answer(done.await.map(|()| here.clone()), &here)
}

/// Sets who works on a case; empty: nobody.
#[server(name = AssignCase, prefix = "/api", endpoint = "operator/cases/assign")]
pub async fn assign_case(case: String, owner: String, #[server(default)] seen: Option<i64>) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async {
        let owner = if owner.trim().is_empty() { None } else { Some(parse::<UserId>(&owner)?) };
        ports.cases.assign_cases(&who, &[as_seen(&case, seen)?], owner).await
    };
    answer(done.await.map(|()| here.clone()), &here)
}

/// Sets the day at whose end a case should be closed.
#[server(name = SetCaseDue, prefix = "/api", endpoint = "operator/cases/due")]
pub async fn set_case_due(case: String, day: String, #[server(default)] seen: Option<i64>) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async {
        let day: Date = at("day", parse(&day))?;
        ports.cases.set_case_due(&who, as_seen(&case, seen)?, day.plus(1).start()).await
    };
    answer(done.await.map(|()| here.clone()), &here)
}

#[server(name = CloseCase, prefix = "/api", endpoint = "operator/close-case")]
pub async fn close_case(case: String, resolution: String, #[server(default)] seen: Option<i64>) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async { ports.cases.close_case(&who, as_seen(&case, seen)?, &resolution).await }.await;
    answer(done.map(|()| here.clone()), &here)
}

/// Accepts a counter that was held back, and closes its case.
#[server(name = SettleCounter, prefix = "/api", endpoint = "operator/settle-counter")]
pub async fn settle_counter(
    case: String,
    choice: String,
    end: String,
    start: String,
    resolution: String,
    #[server(default)] seen: Option<i64>,
) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async {
        let gap = Gap::parse(&choice, &end, &start)?;
        ports.cases.settle_counter(&who, as_seen(&case, seen)?, gap, &resolution).await
    };
    answer(done.await.map(|()| here.clone()), &here)
}

/// Takes over the serial number that answers at a meter's address, and closes the case.
#[server(name = ConfirmSerial, prefix = "/api", endpoint = "operator/confirm-serial")]
pub async fn confirm_serial(case: String, resolution: String, #[server(default)] seen: Option<i64>) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async { ports.cases.confirm_serial(&who, as_seen(&case, seen)?, &resolution).await };
    answer(done.await.map(|()| here.clone()), &here)
}

/// Resumes the money command that a case holds.
#[server(name = TryAgain, prefix = "/api", endpoint = "operator/try-again")]
pub async fn try_again(case: String, #[server(default)] seen: Option<i64>) -> Result<(), ApiError> {
    let (ports, who, here) = (ports()?, operator()?, case_page(&case));
    let done = async { ports.cases.try_again(&who, as_seen(&case, seen)?).await }.await;
    answer(done.map(|()| here.clone()), &here)
}
