//! The audit chain.

use std::time::Duration;

use app::api::audit::AuditPort;
use async_trait::async_trait;
use model::audit::{AuditAction, AuditPage, AuditQuery, Verification};
use model::error::AppError;
use model::person::Who;
use model::time::{Date, Timestamp};
use tokio::time::timeout;

use super::ConsoleService;
use store::audit;

/// How long the lines, and then the seals, are verified: together less than an answer may take.
const LONGEST: Duration = Duration::from_secs(8);
/// After how long no further lines are begun, so that the part that was verified can be told, ms.
const LAST_LINES: i64 = 6_000;
/// Rows that are named in the result.
const NAMED: usize = 5;

#[async_trait]
impl AuditPort for ConsoleService {
    async fn audit(&self, who: &Who, query: &AuditQuery) -> Result<AuditPage, AppError> {
        Ok(queries::audit(&self.context.db, who.user, query).await?)
    }

    async fn verify(&self, who: &Who, from: Option<Date>, until: Option<Date>, after: i64) -> Result<i64, AppError> {
        self.context.require_whole_site(who).await?;
        // It reads everything: one at a time.
        let _turn = self.verifying.try_lock().map_err(|_| AppError::RateLimited)?;
        let (context, begun) = (&self.context, self.context.clock.steady());
        let from = from.map_or(Timestamp(0), Date::start);
        let until = until.map_or(Timestamp(i64::MAX), |day| day.plus(1).start());
        let (range, clock) = (audit::Range { from, until, after }, &context.clock);
        let is_late = || clock.steady() - begun > LAST_LINES;
        let walked =
            timeout(LONGEST, audit::walk_range(&context.db, range, &is_late)).await.map_err(|_| AppError::Unavailable)??;
        let seals = timeout(LONGEST, audit::sealed_rows(&context.db)).await.ok().transpose()?;
        let (sealed_rows, faults) = seals.map_or((None, Vec::new()), |(rows, faults)| (Some(rows), faults));
        let found = Verification {
            first_line: walked.first,
            last_line: walked.last,
            checked: walked.lines,
            broken_at: walked.broken_at,
            sealed_rows,
            faults: faults.len() as i64,
            named: faults.into_iter().take(NAMED).collect(),
            took_ms: context.clock.steady() - begun,
        };
        if !found.is_sound() {
            tracing::error!(?found, "audit.verification_failed");
        }
        Ok(audit::record_verification(&context.db, context.now(), who, &found).await?)
    }

    async fn verification(&self, who: &Who, line: i64) -> Result<Option<(Timestamp, Verification)>, AppError> {
        self.context.require_whole_site(who).await?;
        let line = queries::audit_line(&self.context.db, line).await?;
        let line = line.filter(|(_, action, _)| action == AuditAction::AuditVerify.as_str());
        Ok(line.and_then(|(at, _, detail)| Some((at, serde_json::from_str(&detail).ok()?))))
    }
}
