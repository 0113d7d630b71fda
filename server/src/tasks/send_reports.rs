//! Makes the saved reports that are due. Their e-mails wait for [`super::send_mail`].

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use services::reports::ReportsService;

pub struct SendReports(pub ReportsService);

#[async_trait]
impl Task for SendReports {
    fn name(&self) -> &'static str {
        "reports.send"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<String, Failure> {
        Ok(format!("{} made", self.0.send_due().await?))
    }
}
