//! Alarms: the lists, what people do about them, and silences.

use app::api::alarms::{AlarmsPort, PAST_SILENCES, Silences};
use async_trait::async_trait;
use model::console::{AlarmView, EventLine, EventQuery, Page, SilenceOf};
use model::error::AppError;
use model::ids::{EventId, SilenceId, UserId};
use model::person::Who;

use super::ConsoleService;
use crate::Context;

#[async_trait]
impl AlarmsPort for ConsoleService {
    async fn events(&self, who: &Who, query: &EventQuery) -> Result<(Page<EventLine>, Vec<String>), AppError> {
        let page = alarms::events(&self.context.db, who.user, query, self.context.now()).await?;
        let buildings = queries::buildings(&self.context.db, who.user).await?;
        Ok((page, buildings.into_iter().map(|(_, name)| name).collect()))
    }

    async fn alarm(&self, who: &Who, event: EventId) -> Result<AlarmView, AppError> {
        let db = &self.context.db;
        let line = alarms::event(db, who.user, event, self.context.now()).await?.ok_or(AppError::NotFound)?;
        let scopes = alarms::scopes(db, &line).await?;
        Ok(AlarmView {
            history: alarms::history(db, event).await?,
            silences: alarms::silences_of(db, who.user, &line, &scopes).await?,
            operators: alarms::assignees(db, event).await?,
            scopes,
            line,
        })
    }

    async fn acknowledge_event(&self, who: &Who, event: EventId) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        Ok(alarms::acknowledge(db, rng, self.context.now(), who, event).await?)
    }

    async fn assign_alarm(&self, who: &Who, event: EventId, assignee: Option<UserId>) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        Ok(alarms::assign(db, rng, self.context.now(), who, event, assignee).await?)
    }

    async fn silences(&self, who: &Who) -> Result<Silences, AppError> {
        let (db, now) = (&self.context.db, self.context.now());
        Ok(Silences {
            current: alarms::silences(db, who.user, now).await?,
            past: alarms::past_silences(db, who.user, now, PAST_SILENCES).await?,
            scopes: alarms::all_scopes(db, who.user).await?,
        })
    }

    async fn silence_alarms(&self, who: &Who, of: SilenceOf, length: i64, reason: &str) -> Result<SilenceId, AppError> {
        let (now, Context { db, rng, .. }) = (self.context.now(), &self.context);
        Ok(alarms::silence(db, rng, now, who, of, (now.plus(length), reason)).await?)
    }

    async fn end_silence(&self, who: &Who, silence: SilenceId) -> Result<(), AppError> {
        Ok(alarms::end_silence(&self.context.db, self.context.now(), who, silence).await?)
    }
}
