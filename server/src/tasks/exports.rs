//! Makes the files that people asked for in the background, and clears them away after their day.

use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::{Failure, Task};
use services::exports::{ExportsService, RUNNING};

/// Makes one file after the other; as many of these run as files are made at the same time.
pub struct MakeExports {
    pub name: &'static str,
    pub exports: ExportsService,
    /// Ends a file in the middle; the next process begins it again.
    pub stop: CancellationToken,
}

impl MakeExports {
    pub const NAMES: [&'static str; RUNNING] = ["exports.make.1", "exports.make.2"];
}

#[async_trait]
impl Task for MakeExports {
    fn name(&self) -> &'static str {
        self.name
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self) -> Result<String, Failure> {
        Ok(format!("{} begun", self.exports.make_waiting(&self.stop).await?))
    }
}

pub struct TendExports(pub ExportsService);

#[async_trait]
impl Task for TendExports {
    fn name(&self) -> &'static str {
        "exports.tend"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(10)
    }

    async fn run(&self) -> Result<String, Failure> {
        Ok(format!("{} files removed", self.0.tend().await?))
    }
}
