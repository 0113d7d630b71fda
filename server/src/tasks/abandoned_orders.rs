//! Closes orders through a channel that nobody brought to a cashier.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::Context;
use store::payments::close_abandoned;

pub struct CloseAbandoned(pub Context);

#[async_trait]
impl Task for CloseAbandoned {
    fn kind(&self) -> TaskKind {
        TaskKind::CloseAbandoned
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let closed = close_abandoned(&self.0.db, self.0.now()).await?;
        Ok(Done::new(closed, format!("closed {closed}")))
    }
}
