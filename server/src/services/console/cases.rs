//! Cases: what a person must decide.

use app::api::cases::CasesPort;
use async_trait::async_trait;
use model::case::CaseKind;
use model::console::{CaseLine, CaseQuery, Gap, Page};
use model::error::AppError;
use model::ids::CaseId;
use model::person::Who;

use super::ConsoleService;
use store::{console, counters, deliveries, serials};

/// Characters of a resolution.
const RESOLUTION_MAX: usize = 500;

#[async_trait]
impl CasesPort for ConsoleService {
    async fn cases(&self, who: &Who, query: &CaseQuery) -> Result<Page<CaseLine>, AppError> {
        let mut page = console::cases(&self.context.db, who.user, *query).await?;
        for line in page.lines.iter_mut().filter(|line| line.detail.kind() == CaseKind::Reading && line.closed_at.is_none()) {
            line.counter = match line.meter {
                Some(meter) => counters::held(&self.context.db, meter).await?,
                None => None,
            };
        }
        Ok(page)
    }

    async fn close_case(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError> {
        let resolution = checked_resolution(resolution)?;
        console::close_case(&self.context.db, self.context.now(), who, case, resolution).await?;
        // Money commands of the meter may have waited for it.
        self.context.gateway.wake();
        Ok(())
    }

    async fn settle_counter(&self, who: &Who, case: CaseId, gap: Gap, resolution: &str) -> Result<(), AppError> {
        let (resolution, now) = (checked_resolution(resolution)?, self.context.now());
        Ok(counters::settle(&self.context.db, &self.context.rng, now, who, case, gap, resolution).await?)
    }

    async fn confirm_serial(&self, who: &Who, case: CaseId, resolution: &str) -> Result<(), AppError> {
        let (resolution, db) = (checked_resolution(resolution)?, &self.context.db);
        let meter = serials::meter_of_case(db, who, case).await?;
        // What the case says may be over: the right meter may be back, or a third one may answer.
        let answers = self.context.gateway.answering_serial(meter).await?;
        serials::confirm(db, self.context.now(), who, case, &answers.to_string(), resolution).await?;
        self.context.gateway.reload();
        Ok(())
    }

    async fn try_again(&self, who: &Who, case: CaseId) -> Result<(), AppError> {
        let command = console::held(&self.context.db, who.user, case).await?.ok_or(AppError::NotFound)?;
        let decision = deliveries::Decision { by: who.user, ip: &who.ip, at: self.context.now() };
        deliveries::try_again(&self.context.db, command, &decision).await?;
        self.context.gateway.wake();
        Ok(())
    }
}

fn checked_resolution(resolution: &str) -> Result<&str, AppError> {
    let resolution = resolution.trim();
    if resolution.is_empty() || resolution.chars().count() > RESOLUTION_MAX { Err(AppError::Invalid) } else { Ok(resolution) }
}
