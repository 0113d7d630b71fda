//! One server a database: a second one would deliver the same commands and read the same buses.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Result, StoreError, Tx};

/// A server that was just killed may hold its lock a moment longer.
const PATIENCE: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_millis(100);
/// How often the connection that holds PostgreSQL's lock is used: an idle one may be dropped on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often a lost lock is tried again.
const REGAIN: Duration = Duration::from_secs(1);
/// Where a lock is gone. No session of PostgreSQL has this number.
const NOBODY: i32 = 0;

/// Advisory lock of the schema: several sites may share a database.
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('dormwatt server ' || current_schema(), 0)), pg_backend_pid()";

/// Held by the server that runs on a database. Released when dropped, and by the operating system when the process ends.
#[derive(Debug, Default)]
pub struct ServerLock {
    /// SQLite: a file beside the database.
    _file: Option<File>,
    /// PostgreSQL: the task with the connection that holds the lock.
    task: Option<JoinHandle<()>>,
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
                return Ok(Self { _file: Some(file), task: None });
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
                let holder = Arc::new(Holder { session: AtomicI32::new(session), doubted: Notify::new() });
                let fence = Fence(Some(Arc::clone(&holder)));
                let task = tokio::spawn(hold(connection, pool.clone(), holder));
                return Ok((Self { _file: None, task: Some(task) }, fence));
            }
            wait(until).await?;
        }
    }
}

/// Which session of PostgreSQL holds the lock for this server. PostgreSQL releases the lock when that session ends, and another
/// server may take it before this one knows.
#[derive(Debug)]
struct Holder {
    session: AtomicI32,
    doubted: Notify,
}

/// Keeps a server that has lost its lock from sending anything to a meter. Without a lock, and on SQLite, where the operating
/// system keeps the lock as long as the process runs, it keeps nobody.
#[derive(Clone, Debug, Default)]
pub struct Fence(Option<Arc<Holder>>);

impl Fence {
    /// Checks, in the transaction that precedes what is sent, that the lock is still held.
    ///
    /// # Errors
    /// [`StoreError::LockLost`]; the lock is then tried again at once, unless another server has it.
    pub(super) async fn check(&self, tx: &mut Tx) -> Result<()> {
        let (Some(holder), Tx::Postgres(connection)) = (&self.0, tx) else { return Ok(()) };
        let held: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = $1
                            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        )
        .bind(holder.session.load(Ordering::Acquire))
        .fetch_one(&mut **connection)
        .await?;
        if held {
            return Ok(());
        }
        holder.doubted.notify_one();
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
async fn take_advisory(pool: &PgPool) -> Result<Option<(PgConnection, i32)>> {
    // Not of the pool: it is kept for as long as the server runs.
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let (taken, session): (bool, i32) = sqlx::query_as(LOCK).fetch_one(&mut connection).await?;
    Ok(taken.then_some((connection, session)))
}

/// Keeps the connection alive, and takes the lock again after the connection was lost.
async fn hold(connection: PgConnection, pool: PgPool, holder: Arc<Holder>) {
    let (mut held, mut is_elsewhere) = (Some(connection), false);
    loop {
        let pause = if held.is_some() { KEEP_ALIVE } else { REGAIN };
        // Doubted: a delivery has found that the session is gone.
        let _ = timeout(pause, holder.doubted.notified()).await;
        if let Some(connection) = &mut held {
            if matches!(timeout(KEEP_ALIVE, connection.ping()).await, Ok(Ok(()))) {
                continue;
            }
            tracing::error!("server.lock-lost: nothing is sent to meters until it is taken again");
            holder.session.store(NOBODY, Ordering::Release);
            held = None;
        }
        match timeout(KEEP_ALIVE, take_advisory(&pool)).await {
            Ok(Ok(Some((connection, session)))) => {
                tracing::warn!("server.lock-regained");
                holder.session.store(session, Ordering::Release);
                (held, is_elsewhere) = (Some(connection), false);
            }
            Ok(Ok(None)) if !is_elsewhere => {
                tracing::error!("server.second: another server runs on this database; stop one of the two");
                is_elsewhere = true;
            }
            Ok(Ok(None) | Err(_)) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_beside_the_database() {
        let path = |url: &str| lock_file(url).unwrap().map(|path| path.display().to_string());
        assert_eq!(path("sqlite:data/dormwatt.db").as_deref(), Some("data/dormwatt.db.lock"));
        assert_eq!(path("sqlite:///var/lib/d.db?mode=rwc").as_deref(), Some("/var/lib/d.db.lock"));
        assert_eq!(path("sqlite:my%20data/d.db").as_deref(), Some("my data/d.db.lock"), "as SQLite opens it");
        assert_eq!(path("sqlite::memory:"), None);
    }

    #[cfg(unix)]
    #[test]
    fn two_names_of_a_database_have_one_lock() {
        let directory = tempfile::tempdir().unwrap();
        let (database, link) = (directory.path().join("d.db"), directory.path().join("link.db"));
        std::fs::write(&database, "").unwrap();
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let of = |path: &Path| lock_file(&format!("sqlite:{}", path.display())).unwrap();
        assert_eq!(of(&database), of(&link));
    }

    #[test]
    fn a_file_is_locked_once() {
        let directory = std::env::temp_dir().join(format!("dormwatt-lock-{}", std::process::id()));
        let first = take_file(&directory).unwrap();
        assert!(first.is_some() && take_file(&directory).unwrap().is_none());
        drop(first);
        assert!(take_file(&directory).unwrap().is_some());
        std::fs::remove_file(directory).unwrap();
    }
}
