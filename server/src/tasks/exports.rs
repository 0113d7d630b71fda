//! Makes the files that people asked for in the background, and clears them away after their day.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;
use tokio_util::sync::CancellationToken;

use super::{Done, Failure, Task};
use services::exports::{ExportsService, RUNNING};

/// Makes one file after the other; as many of these run as files are made at the same time.
pub struct MakeExports {
    pub kind: TaskKind,
    pub exports: ExportsService,
    /// Ends a file in the middle; the next process begins it again.
    pub stop: CancellationToken,
}

impl MakeExports {
    pub const KINDS: [TaskKind; RUNNING] = [TaskKind::MakeExports1, TaskKind::MakeExports2];
}

#[async_trait]
impl Task for MakeExports {
    fn kind(&self) -> TaskKind {
        self.kind
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let begun = self.exports.make_waiting(&self.stop).await?;
        Ok(Done::new(begun, format!("{begun} begun")))
    }
}

pub struct TendExports(pub ExportsService);

#[async_trait]
impl Task for TendExports {
    fn kind(&self) -> TaskKind {
        TaskKind::TendExports
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let removed = self.0.tend().await?;
        Ok(Done::new(removed, format!("{removed} files removed")))
    }
}
