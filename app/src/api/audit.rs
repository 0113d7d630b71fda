//! The audit chain.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::day;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::audit::{AuditPage, AuditQuery, Verification};
use model::error::AppError;
use model::time::{Date, Timestamp};

#[async_trait]
pub trait AuditPort: Send + Sync {
    /// The audit chain, newest first; an operator bound to buildings sees their own lines only.
    async fn audit(&self, who: &Who, query: &AuditQuery) -> Result<AuditPage, AppError>;
    /// Verifies the lines of those days, of them those after the line `after`, and the seals of the books, and writes the result
    /// down, also where the time was up before the end; gives the number of its line.
    async fn verify(&self, who: &Who, from: Option<Date>, until: Option<Date>, after: i64) -> Result<i64, AppError>;
    /// The result that a line holds, and when; `None` where the line is something else.
    async fn verification(&self, who: &Who, line: i64) -> Result<Option<(Timestamp, Verification)>, AppError>;
}

/// Verifies the lines of the chosen days, or goes on after a line of them; the page shows the result.
#[server(name = VerifyAudit, prefix = "/api", endpoint = "operator/audit/verify")]
pub async fn verify_audit(from: String, until: String, after: Option<i64>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let days = [("from", &from), ("until", &until)].into_iter().filter(|(_, day)| !day.is_empty());
    let back = days.fold("/audit".to_owned(), |page, (key, day)| link::with(&page, key, day));
    let line = ports.audit.verify(&who, day(&from), day(&until), after.unwrap_or(0)).await;
    answer(line.map(|line| link::with(&back, "verified", &line.to_string())), &back)
}
