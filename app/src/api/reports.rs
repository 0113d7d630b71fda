//! Reports.

use async_trait::async_trait;

use crate::ports::Who;
use model::error::AppError;
use model::report::{RangeProblem, Report, ReportKind, ReportQuery};

/// A place or group that a report can be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportPlace {
    /// As it stands in the address.
    pub id: String,
    pub name: String,
    pub is_group: bool,
}

#[async_trait]
pub trait ReportsPort: Send + Sync {
    /// The places above rooms, and the groups, that the operator may ask about.
    async fn report_places(&self, who: &Who) -> Result<Vec<ReportPlace>, AppError>;
    /// A report, or why there is none of that place or room. Refused without the report's own permission.
    async fn report(&self, who: &Who, kind: ReportKind, query: &ReportQuery) -> Result<Result<Report, RangeProblem>, AppError>;
}
