//! Writes SQLite's log (WAL) back into the database file beside the writer.
//!
//! By itself SQLite does it in whichever commit fills the log's thousandth page, and that commit then waits for the disk many
//! times as long as the others. Here another connection does it shortly after a commit, while the writer goes on.

use std::time::Duration;

use sqlx::SqlitePool;
use tokio::sync::watch;

/// Pages of the log (4 KiB each) after which the writer writes back itself, so that the log cannot grow without end while commits
/// follow each other without a pause.
pub(super) const WRITER_PAGES: &str = "16000";

/// Commits within this time are written back together.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs until nothing can commit any more or the pool is closed. The pool's connections can write.
pub(super) async fn run(mut commits: watch::Receiver<()>, pool: SqlitePool) {
    while commits.changed().await.is_ok() {
        tokio::time::sleep(PAUSE).await;
        commits.mark_unchanged();
        // Passive: it waits for no reader or writer and leaves what they still use for the next time.
        match sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await {
            Ok(_) => {}
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "db.write-back-failed"),
        }
    }
}
