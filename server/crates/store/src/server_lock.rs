//! One server a database: a second one would deliver the same commands and read the same buses.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Result, StoreError};

/// A server that was just killed may hold its lock a moment longer.
const PATIENCE: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_millis(100);
/// How often the connection that holds PostgreSQL's lock is used: an idle one may be dropped on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// How long it may take to answer.
const ANSWER: Duration = Duration::from_secs(15);

/// PostgreSQL ends the session of a server that is gone without a word after half a minute, and with it the lock, instead
/// of after the hours that its system waits.
const SESSION_ENDS: [(&str, &str); 4] = [
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25000"),
];

/// The advisory lock of a schema: several sites may share a database.
macro_rules! lock_key {
    () => {
        "hashtextextended('dormwatt server ' || current_schema(), 0)"
    };
}

/// Takes the lock, unless another session has it, and gives the session: its number, and when it began, in microseconds.
const TAKE: &str = concat!(
    "SELECT pg_try_advisory_lock(",
    lock_key!(),
    "), a.pid, (EXTRACT(EPOCH FROM a.backend_start) * 1000000)::bigint FROM pg_stat_get_activity(pg_backend_pid()) AS a"
);

/// Whether a session has the lock. Its number may be that of another by now, so it must have begun at the same instant.
const HELD: &str = concat!(
    "SELECT EXISTS (SELECT FROM pg_stat_get_activity($1) AS a JOIN pg_locks AS l ON l.pid = a.pid
                    WHERE (EXTRACT(EPOCH FROM a.backend_start) * 1000000)::bigint = $2
                      AND a.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND l.locktype = 'advisory' AND l.granted AND l.database = a.datid AND l.objsubid = 1
                      AND (l.classid::bigint << 32) | l.objid::bigint = ",
    lock_key!(),
    ")"
);

/// Held by the server that runs on a database. Released when dropped, and by the operating system when the process ends.
#[derive(Debug, Default)]
pub struct ServerLock {
    /// SQLite: a file beside the database.
    _file: Option<File>,
    /// PostgreSQL: the task with the connection that holds the lock.
    task: Option<JoinHandle<()>>,
    lost: CancellationToken,
}

impl ServerLock {
    /// Takes the lock of an SQLite database, before it is opened.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where another server runs on it.
    pub(super) async fn of_sqlite(url: &str) -> Result<Self> {
        // A database in memory belongs to this process.
        let Some(path) = lock_file(url)? else { return Ok(Self::default()) };
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(file) = take_file(&path)? {
                return Ok(Self { _file: Some(file), task: None, lost: CancellationToken::new() });
            }
            wait(until).await?;
        }
    }

    /// Takes the lock of a PostgreSQL database, before its schema is touched.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where another server runs on it.
    pub(super) async fn of_postgres(pool: &PgPool) -> Result<(Self, Fence)> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some((connection, session)) = take_advisory(pool).await? {
                let lost = CancellationToken::new();
                let fence = Fence(Some(Arc::new(Holder { session, lost: lost.clone() })));
                let task = tokio::spawn(hold(connection, lost.clone()));
                return Ok((Self { _file: None, task: Some(task), lost }, fence));
            }
            wait(until).await?;
        }
    }
}

/// A session of PostgreSQL.
#[derive(Clone, Copy, Debug)]
struct Session {
    pid: i32,
    /// Microseconds since the epoch.
    began: i64,
}

/// The session that holds the lock for this server. PostgreSQL releases the lock when that session ends, and another server may
/// take it before this one knows.
#[derive(Debug)]
struct Holder {
    session: Session,
    lost: CancellationToken,
}

/// Keeps a server that has lost its lock from sending anything to a meter and from storing what it read. Without a lock, and on
/// SQLite, where the operating system keeps the lock as long as the process runs, it keeps nobody.
#[derive(Clone, Debug, Default)]
pub struct Fence(Option<Arc<Holder>>);

impl Fence {
    /// Checks that the lock is still held, in the transaction that only its holder may make.
    ///
    /// # Errors
    /// [`StoreError::LockLost`], from then on always: another server may have held the lock meanwhile, and what this one knows of
    /// the meters is old.
    pub(super) async fn check(&self, connection: &mut PgConnection) -> Result<()> {
        let Some(holder) = &self.0 else { return Ok(()) };
        if holder.lost.is_cancelled() {
            return Err(StoreError::LockLost);
        }
        let Session { pid, began } = holder.session;
        let held: bool = sqlx::query_scalar(HELD).bind(pid).bind(began).fetch_one(connection).await?;
        if held {
            return Ok(());
        }
        holder.lost.cancel();
        Err(StoreError::LockLost)
    }
}

/// A pause before the lock is tried again.
async fn wait(until: Instant) -> Result<()> {
    if Instant::now() >= until {
        return Err(StoreError::InUse);
    }
    sleep(RETRY).await;
    Ok(())
}

impl ServerLock {
    /// Cancelled when the lock is lost, which only PostgreSQL does: the server must end.
    #[must_use]
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The lock file of an SQLite database: the path that SQLite opens, with `.lock`, and with links followed, so that two names of a
/// database have one lock; `None` in memory.
fn lock_file(url: &str) -> Result<Option<PathBuf>> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Ok(None);
    }
    let options = SqliteConnectOptions::from_str(url)?;
    let name = options.get_filename();
    let mut path = std::fs::canonicalize(name).unwrap_or_else(|_| name.to_owned()).into_os_string();
    path.push(".lock");
    Ok(Some(path.into()))
}

/// `None` while another process holds it.
fn take_file(path: &Path) -> Result<Option<File>> {
    let failed = |error: std::io::Error| StoreError::Sql(sqlx::Error::Io(error));
    let file = File::options().create(true).write(true).truncate(false).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// The connection and its session; `None` while another session holds the lock.
async fn take_advisory(pool: &PgPool) -> Result<Option<(PgConnection, Session)>> {
    // Not of the pool: it is kept for as long as the server runs.
    let mut connection = PgConnection::connect_with(&lock_options(&pool.connect_options())).await?;
    let (taken, pid, began): (bool, i32, i64) = sqlx::query_as(TAKE).fetch_one(&mut connection).await?;
    Ok(taken.then_some((connection, Session { pid, began })))
}

fn lock_options(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options(SESSION_ENDS)
}

/// Keeps the connection alive, and tells when it is lost.
async fn hold(mut connection: PgConnection, lost: CancellationToken) {
    loop {
        tokio::select! {
            // A transaction has found that the session is gone.
            () = lost.cancelled() => return,
            () = sleep(KEEP_ALIVE) => {}
        }
        if !matches!(timeout(ANSWER, connection.ping()).await, Ok(Ok(()))) {
            return lost.cancel();
        }
    }
}

#[cfg(test)]
mod tests;
