//! Reminds residents to top up whose balance is below what they have chosen.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use services::residents::ResidentService;

pub struct RemindTopUps {
    pub residents: ResidentService,
    /// The public address of this server, without `/` at its end.
    pub address: String,
}

#[async_trait]
impl Task for RemindTopUps {
    fn name(&self) -> &'static str {
        "notifications.top-up"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(300)
    }

    async fn run(&self) -> Result<String, Failure> {
        Ok(format!("{} reminded", self.residents.remind(&self.address).await?))
    }
}
