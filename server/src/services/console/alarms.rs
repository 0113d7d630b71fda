//! Events of meters and gateways.

use app::api::alarms::AlarmsPort;
use async_trait::async_trait;
use model::console::{EventLine, EventQuery, Page};
use model::error::AppError;
use model::ids::EventId;
use model::person::Who;

use super::ConsoleService;
use store::console;

#[async_trait]
impl AlarmsPort for ConsoleService {
    async fn events(&self, who: &Who, query: &EventQuery) -> Result<(Page<EventLine>, Vec<String>), AppError> {
        let page = console::events(&self.context.db, who.user, query).await?;
        let buildings = queries::buildings(&self.context.db, who.user).await?;
        Ok((page, buildings.into_iter().map(|(_, name)| name).collect()))
    }

    async fn acknowledge_event(&self, who: &Who, event: EventId) -> Result<(), AppError> {
        Ok(console::acknowledge(&self.context.db, self.context.now(), who, event).await?)
    }
}
