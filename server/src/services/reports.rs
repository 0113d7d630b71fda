//! Reports: who may have which, and about which place.

use app::api::reports::{ReportPlace, ReportsPort};
use async_trait::async_trait;
use model::error::AppError;
use model::gateway::SweepInterval;
use model::person::Who;
use model::report::{RangeProblem, Report, ReportKind, ReportQuery};

use super::Context;
use ::reports::{Subject, subject};

pub struct ReportsService {
    context: Context,
    /// The configuration's interval of readings.
    usual_interval: SweepInterval,
}

impl ReportsService {
    #[must_use]
    pub const fn new(context: Context, usual_interval: SweepInterval) -> Self {
        Self { context, usual_interval }
    }
}

#[async_trait]
impl ReportsPort for ReportsService {
    async fn report_places(&self, who: &Who) -> Result<Vec<ReportPlace>, AppError> {
        let db = &self.context.db;
        let places = subject::places(db, who.user).await?;
        let groups = subject::groups(db).await?;
        let places = places.into_iter().map(|(id, name)| ReportPlace { id: id.to_string(), name, is_group: false });
        let groups = groups.into_iter().map(|(id, name)| ReportPlace { id: id.to_string(), name, is_group: true });
        Ok(places.chain(groups).collect())
    }

    async fn report(&self, who: &Who, kind: ReportKind, query: &ReportQuery) -> Result<Result<Report, RangeProblem>, AppError> {
        if !who.may(kind.permission()) {
            return Err(AppError::Forbidden);
        }
        let db = &self.context.db;
        let subject = match Subject::find(db, who.user, kind, query).await? {
            Ok(subject) => subject,
            Err(problem) => return Ok(Err(problem)),
        };
        Ok(::reports::make(db, self.context.now(), who.user, kind, query, &subject, self.usual_interval).await?)
    }
}
