//! Removes sessions that have ended. They open nothing; this only keeps the table small.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use domain::clock::SharedClock;
use store::{Db, sessions};

pub struct PurgeSessions {
    pub db: Db,
    pub clock: SharedClock,
}

#[async_trait]
impl Task for PurgeSessions {
    fn name(&self) -> &'static str {
        "sessions.purge"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let removed = sessions::purge(&self.db, self.clock.now()).await?;
        Ok(format!("{removed} removed"))
    }
}
