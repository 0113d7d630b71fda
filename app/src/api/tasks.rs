//! The background tasks of the server.

use async_trait::async_trait;

use crate::ports::Who;
use model::error::AppError;
use model::task::{TaskKind, TaskStatus};

#[async_trait]
pub trait TasksPort: Send + Sync {
    /// The tasks of the process that answers, those whose last run failed first.
    async fn tasks(&self, who: &Who) -> Result<Vec<TaskStatus>, AppError>;
    /// The tasks whose last run failed, for supervisors.
    fn failing(&self) -> Vec<TaskKind>;
}
