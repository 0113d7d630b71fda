//! Asks for the messages that operators are to get of what is open, and drops those that nobody needs any more.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::notifications::NotificationsService;

pub struct CollectNotifications(pub NotificationsService);

#[async_trait]
impl Task for CollectNotifications {
    fn kind(&self) -> TaskKind {
        TaskKind::CollectNotifications
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let asked = self.0.tell_operators().await?;
        let dropped = self.0.tidy().await?;
        Ok(Done::new(asked + dropped, format!("{asked} asked for, {dropped} dropped")))
    }
}
