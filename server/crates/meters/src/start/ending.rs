//! How what reads and commands meters ends.

use std::sync::PoisonError;

use super::GatewayHandle;

impl GatewayHandle {
    /// Reads and sends nothing more; [`Self::stop`] waits for what is under way.
    pub fn stop_polling(&self) {
        self.0.stop.cancel();
    }

    /// Whether meters are read and commanded; for tests.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        !self.0.stop.is_cancelled()
    }

    /// Stops all tasks after finishing deliveries and storing readings.
    pub async fn stop(&self) {
        self.stop_polling();
        let tasks = std::mem::take(&mut *self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "meters.task-failed");
            }
        }
    }

    /// Ends all tasks at once, as a crash would; for tests.
    pub fn abort(&self) {
        for task in self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            task.abort();
        }
        self.0.stop.cancel();
    }
}
