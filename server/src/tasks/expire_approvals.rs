//! Expires returns, corrections, refunds and requests about meters that nobody approved in time. The store refuses late approvals
//! anyway; this records the end.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use services::Context;
use store::{approvals, refunds, returns};

pub struct ExpireApprovals(pub Context);

#[async_trait]
impl Task for ExpireApprovals {
    fn kind(&self) -> TaskKind {
        TaskKind::ExpireApprovals
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, .. } = &self.0;
        let now = self.0.now();
        let ended = returns::expire(db, now).await? + refunds::expire(db, rng, now).await? + approvals::expire(db, now).await?;
        Ok(Done::new(ended, format!("{ended} expired")))
    }
}
