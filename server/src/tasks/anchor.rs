//! Appends the last line of the audit chain to the file of anchors.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;
use model::time::Timestamp;

use super::{Done, Failure, Task};
use crate::anchors;
use services::Context;
use store::audit;

pub struct AnchorAudit {
    pub context: Context,
    pub file: PathBuf,
}

#[async_trait]
impl Task for AnchorAudit {
    fn kind(&self) -> TaskKind {
        TaskKind::AnchorAudit
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Some(anchor) = audit::anchor_before(&self.context.db, Timestamp(i64::MAX)).await? else {
            return Ok(Done::new(0, "no lines yet"));
        };
        if anchors::check(&self.context.db, &self.file).await? == 0 {
            // Who deletes the file starts the proof anew.
            tracing::warn!(file = %self.file.display(), line = anchor.seq, "audit.anchor_file_begins");
        }
        let added = anchors::append(&self.file, &anchor)?;
        let as_before = if added { "" } else { ", as before" };
        Ok(Done::new(u64::from(added), format!("line {}{as_before}", anchor.seq)))
    }
}
