//! Asks for the digests of operators at the hour that each of them chose.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::Context;
use services::notifications::NotificationsService;

pub struct AskDigests {
    context: Context,
    notifications: NotificationsService,
    /// The hour that was looked at last.
    looked_at: AtomicI64,
}

impl AskDigests {
    #[must_use]
    pub const fn new(context: Context, notifications: NotificationsService) -> Self {
        Self { context, notifications, looked_at: AtomicI64::new(-1) }
    }
}

#[async_trait]
impl Task for AskDigests {
    fn kind(&self) -> TaskKind {
        TaskKind::AskDigests
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let (hour, before) = (self.context.now().hour(), self.looked_at.load(Ordering::Relaxed));
        if before == hour {
            return Ok(Done::new(0, "nothing to look at now"));
        }
        let unseen = (before >= 0).then(|| hour.saturating_sub(before));
        let asked = self.notifications.ask_digests(unseen).await?;
        self.looked_at.store(hour, Ordering::Relaxed);
        Ok(Done::new(asked, format!("{asked} asked for")))
    }
}
