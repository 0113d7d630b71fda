//! Reminds residents to top up whose balance is below what they have chosen.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::residents::ResidentService;

pub struct RemindTopUps {
    pub residents: ResidentService,
    /// The public address of this server, without `/` at its end.
    pub address: String,
}

#[async_trait]
impl Task for RemindTopUps {
    fn kind(&self) -> TaskKind {
        TaskKind::RemindTopUps
    }

    fn period(&self) -> Duration {
        Duration::from_secs(300)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let reminded = self.residents.remind(&self.address).await?;
        Ok(Done::new(reminded, format!("{reminded} reminded")))
    }
}
