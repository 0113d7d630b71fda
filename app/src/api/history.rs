//! The history of a meter.

use async_trait::async_trait;

use crate::ports::Who;
use model::console::{History, HistoryQuery, Reading};
use model::error::AppError;
use model::ids::MeterId;
use model::time::Timestamp;

#[async_trait]
pub trait HistoryPort: Send + Sync {
    /// Days, hours or readings of a meter, in service or not.
    async fn history(&self, who: &Who, meter: MeterId, query: &HistoryQuery) -> Result<History, AppError>;
    /// The newest readings of `[from, before)`, newest first, at most `limit`.
    async fn readings(
        &self,
        who: &Who,
        meter: MeterId,
        range: (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<Reading>, AppError>;
}
