//! Connections of reports that somebody waits for. A page gives a report up by itself, but the statement of its connection would
//! go on in the database: here it ends, and nothing but reports waits for it.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Connection, PgPool, SqliteConnection, SqlitePool};

/// How many are made at once. Each uses one connection at a time.
pub const REPORTS_AT_ONCE: u32 = 3;
/// Less than a page waits for its whole answer, so that there is time to say what to do.
pub const REPORT_LIMIT: Duration = Duration::from_secs(14);
/// How long one waits for a connection: a report that was given up may still hold it.
const LONGEST_WAIT: Duration = Duration::from_secs(6);
/// Steps of SQLite between two looks at the clock: about a millisecond.
const STEPS: i32 = 10_000;

/// Only connections for reports cannot write.
pub(super) const NO_LIMIT_BUT_FOR_REPORTS: &str =
    "SELECT set_config('statement_timeout', '0', TRUE) WHERE current_setting('default_transaction_read_only') = 'off'";

/// The limit is of each statement.
pub(super) fn postgres(pool: &PgPool, limit: Duration) -> PgPool {
    let limit = limit.as_millis().to_string();
    let options = PgConnectOptions::clone(&pool.connect_options())
        .options([("statement_timeout", limit.as_str()), ("default_transaction_read_only", "on")]);
    super::postgres_pool(REPORTS_AT_ONCE).acquire_timeout(LONGEST_WAIT).connect_lazy_with(options)
}

/// The limit is of each use of a connection: of a statement, or of a whole transaction.
pub(super) fn sqlite(read: &SqlitePool, limit: Duration) -> SqlitePool {
    let options = SqliteConnectOptions::clone(&read.connect_options());
    SqlitePoolOptions::new()
        .max_connections(REPORTS_AT_ONCE)
        .acquire_timeout(LONGEST_WAIT)
        .test_before_acquire(false)
        .after_connect(move |connection, _| Box::pin(end_after(connection, limit)))
        .before_acquire(move |connection, _| {
            Box::pin(async move {
                end_after(connection, limit).await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_lazy_with(options)
}

async fn end_after(connection: &mut SqliteConnection, limit: Duration) -> sqlx::Result<()> {
    let end = Instant::now() + limit;
    connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}
