//! One server a database: a second one would deliver the same commands and read the same buses.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{Result, StoreError};

/// A server that was just killed may hold its lock a moment longer.
const PATIENCE: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_millis(100);
/// How often the connection that holds PostgreSQL's lock is used: an idle one may be dropped on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Advisory lock of the schema: several sites may share a database.
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('dormwatt server ' || current_schema(), 0))";

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
    pub(super) async fn of_postgres(pool: &PgPool) -> Result<Self> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(held) = take_advisory(pool).await? {
                return Ok(Self { _file: None, task: Some(tokio::spawn(hold(held, pool.clone()))) });
            }
            wait(until).await?;
        }
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

/// `None` while another session holds it.
async fn take_advisory(pool: &PgPool) -> Result<Option<PgConnection>> {
    // Not of the pool: it is kept for as long as the server runs.
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let (taken,): (bool,) = sqlx::query_as(LOCK).fetch_one(&mut connection).await?;
    Ok(taken.then_some(connection))
}

/// Keeps the connection alive, and takes the lock again after the database was away.
async fn hold(connection: PgConnection, pool: PgPool) {
    let mut held = Some(connection);
    loop {
        sleep(KEEP_ALIVE).await;
        held = match held.take() {
            Some(mut connection) => connection.ping().await.is_ok().then_some(connection),
            None => match take_advisory(&pool).await {
                Ok(None) => {
                    tracing::error!("server.second: another server runs on this database");
                    None
                }
                Ok(taken) => taken,
                Err(_) => None,
            },
        };
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
