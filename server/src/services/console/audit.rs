//! The audit chain.

use app::api::audit::AuditPort;
use async_trait::async_trait;
use model::console::{AuditLine, Page, Query};
use model::error::AppError;
use model::person::Who;

use super::ConsoleService;
use store::console;

#[async_trait]
impl AuditPort for ConsoleService {
    async fn audit(&self, who: &Who, query: &Query) -> Result<Page<AuditLine>, AppError> {
        Ok(console::audit(&self.context.db, who.user, query).await?)
    }
}
