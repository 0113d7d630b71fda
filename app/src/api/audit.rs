//! The audit chain.

use async_trait::async_trait;

use crate::ports::Who;
use model::console::{AuditLine, Page, Query};
use model::error::AppError;

#[async_trait]
pub trait AuditPort: Send + Sync {
    /// The audit chain, newest first; an operator bound to buildings sees their own lines only.
    async fn audit(&self, who: &Who, query: &Query) -> Result<Page<AuditLine>, AppError>;
}
