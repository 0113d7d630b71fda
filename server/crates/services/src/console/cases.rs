//! Cases: what a person must decide.

use app::api::cases::CasesPort;
use async_trait::async_trait;
use model::case::CaseKind;
use model::console::{CaseFile, CaseLine, CaseQuery, Gap, Page, SeenCase};
use model::error::AppError;
use model::ids::{CaseId, UserId};
use model::person::Who;
use model::time::{DAY, Timestamp};

use super::ConsoleService;
use crate::Context;
use store::console::case_work;
use store::{console, counters, deliveries, serials};

/// Characters of a resolution or a comment.
const RESOLUTION_MAX: usize = 500;
/// How far ahead a case may be due, ms.
const DUE_MAX: i64 = 366 * DAY;

#[async_trait]
impl CasesPort for ConsoleService {
    async fn cases(&self, who: &Who, query: &CaseQuery) -> Result<Page<CaseLine>, AppError> {
        Ok(console::cases(&self.context.db, who.user, self.context.now(), query).await?)
    }

    async fn case(&self, who: &Who, case: CaseId) -> Result<CaseFile, AppError> {
        let db = &self.context.db;
        let mut line = console::case(db, who.user, case).await?.ok_or(AppError::NotFound)?;
        if let (CaseKind::Reading, None, Some(meter)) = (line.detail.kind(), line.closed_at, line.meter) {
            line.counter = counters::held(db, meter).await?;
        }
        let (notes, operators) = (case_work::notes(db, case).await?, case_work::operators(db, case).await?);
        Ok(CaseFile { line, notes, operators })
    }

    async fn comment_case(&self, who: &Who, case: CaseId, comment: &str) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        Ok(case_work::comment(db, rng, self.context.now(), who, case, checked_resolution(comment)?).await?)
    }

    async fn assign_cases(&self, who: &Who, cases: &[SeenCase], owner: Option<UserId>) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        Ok(case_work::assign(db, rng, self.context.now(), who, checked_cases(cases)?, owner).await?)
    }

    async fn set_case_due(&self, who: &Who, case: SeenCase, due: Timestamp) -> Result<(), AppError> {
        let (now, Context { db, rng, .. }) = (self.context.now(), &self.context);
        if !(now..now.plus(DUE_MAX)).contains(&due) {
            return Err(AppError::Invalid);
        }
        Ok(case_work::set_due(db, rng, now, who, case, due).await?)
    }

    async fn close_cases(&self, who: &Who, cases: &[SeenCase], resolution: &str) -> Result<(), AppError> {
        let resolution = checked_resolution(resolution)?;
        console::close_cases(&self.context.db, self.context.now(), who, checked_cases(cases)?, resolution).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn close_case(&self, who: &Who, case: SeenCase, resolution: &str) -> Result<(), AppError> {
        let resolution = checked_resolution(resolution)?;
        console::close_case(&self.context.db, self.context.now(), who, case, resolution).await?;
        // Money commands of the meter may have waited for it.
        self.context.gateway.wake();
        Ok(())
    }

    async fn settle_counter(&self, who: &Who, case: SeenCase, gap: Gap, resolution: &str) -> Result<(), AppError> {
        let (resolution, now) = (checked_resolution(resolution)?, self.context.now());
        Ok(counters::settle(&self.context.db, &self.context.rng, now, who, case, gap, resolution).await?)
    }

    async fn confirm_serial(&self, who: &Who, case: SeenCase, resolution: &str) -> Result<(), AppError> {
        let (resolution, db) = (checked_resolution(resolution)?, &self.context.db);
        let meter = serials::meter_of_case(db, who, case.case).await?;
        // What the case says may be over: the right meter may be back, or a third one may answer.
        let answers = self.context.gateway.answering_serial(meter).await?;
        serials::confirm(db, self.context.now(), who, case, &answers.to_string(), resolution).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn try_again(&self, who: &Who, case: SeenCase) -> Result<(), AppError> {
        let command = console::held(&self.context.db, who.user, case.case).await?.ok_or(AppError::NotFound)?;
        let decision = deliveries::Decision { by: who.user, ip: &who.ip, at: self.context.now(), seen: Some(case) };
        deliveries::try_again(&self.context.db, command, &decision).await?;
        self.context.gateway.wake();
        Ok(())
    }
}

/// Those of a page of the list at most, and at least one.
fn checked_cases<T>(cases: &[T]) -> Result<&[T], AppError> {
    let most = usize::try_from(Page::<CaseLine>::SIZE).unwrap_or(usize::MAX);
    if (1..=most).contains(&cases.len()) { Ok(cases) } else { Err(AppError::Invalid) }
}

fn checked_resolution(resolution: &str) -> Result<&str, AppError> {
    let resolution = resolution.trim();
    if resolution.is_empty() || resolution.chars().count() > RESOLUTION_MAX { Err(AppError::Invalid) } else { Ok(resolution) }
}
