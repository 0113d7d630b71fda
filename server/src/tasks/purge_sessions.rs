//! Deletes expired sessions. They are refused anyway; this keeps the table small.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::Context;
use store::sessions;

pub struct PurgeSessions(pub Context);

#[async_trait]
impl Task for PurgeSessions {
    fn kind(&self) -> TaskKind {
        TaskKind::PurgeSessions
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let removed = sessions::purge(&self.0.db, self.0.now()).await?;
        Ok(Done::new(removed, format!("{removed} removed")))
    }
}
