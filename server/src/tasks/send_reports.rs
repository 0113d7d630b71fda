//! Makes the saved reports that are due. Their e-mails wait for [`super::send_mail`].

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::reports::ReportsService;

pub struct SendReports(pub ReportsService);

#[async_trait]
impl Task for SendReports {
    fn kind(&self) -> TaskKind {
        TaskKind::SendReports
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let made = self.0.send_due().await?;
        Ok(Done::new(made, format!("{made} made")))
    }
}
