//! Asks for the messages that operators are to get of what is open, and drops those that nobody needs any more.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use services::notifications::NotificationsService;

pub struct CollectNotifications(pub NotificationsService);

#[async_trait]
impl Task for CollectNotifications {
    fn name(&self) -> &'static str {
        "notifications.collect"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30)
    }

    async fn run(&self) -> Result<String, Failure> {
        let asked = self.0.tell_operators().await?;
        let dropped = self.0.tidy().await?;
        Ok(format!("{asked} asked for, {dropped} dropped"))
    }
}
