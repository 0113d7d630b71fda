//! One database, one of two engines.

mod begin;
mod reports;

use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Database, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::watch;
use tokio::time::timeout;

use super::seal::{self, SealKey, Unsealed};
use super::server_lock::{Fence, ServerLock};
use super::write_back;
use super::{Result, StoreError};

pub use reports::{REPORT_LIMIT, REPORTS_AT_ONCE};

/// The migrations of each engine.
pub static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
pub static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// Statements that a connection keeps prepared: more than there are in the program.
const PREPARED: usize = 1_000;

/// For so long an unused connection to PostgreSQL is taken to be alive.
const JUST_USED: Duration = Duration::from_secs(1);
/// How long one that was not just used may take to show that it is alive.
const ALIVE: Duration = Duration::from_secs(2);

/// The database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// Embedded: readers beside one writer, so that no write waits for a lock it cannot get.
    Sqlite {
        read: SqlitePool,
        /// The one writer.
        write: SqlitePool,
        /// Of [`write_back`].
        write_back: SqlitePool,
        /// Of [`Db::for_reports`].
        reports: SqlitePool,
        key: SealKey,
    },
    /// A PostgreSQL server.
    Postgres { pool: PgPool, reports: PgPool, key: SealKey, fence: Fence },
}

/// A transaction of either engine. Its commit seals what it wrote ([`seal`]).
pub enum Tx {
    /// `BEGIN IMMEDIATE`: the write lock is taken at the start, never upgraded to.
    Sqlite(OpenTx<Sqlite>),
    /// Read committed; rows are locked by the updates themselves.
    Postgres(OpenTx<Postgres>),
}

/// A transaction with what its commit still has to write; dereferences to its connection.
pub struct OpenTx<D: Database> {
    transaction: Transaction<'static, D>,
    unsealed: Unsealed,
}

impl<D: Database> Deref for OpenTx<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        &self.transaction
    }
}

impl<D: Database> DerefMut for OpenTx<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.transaction
    }
}

impl Db {
    /// Opens `sqlite:PATH`, `sqlite::memory:` or `postgres://...` and brings the schema up to date. Seals have no key.
    ///
    /// # Errors
    /// Where the database cannot be opened or migrated.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with_key(url, SealKey::none()).await
    }

    /// The same with the key of audit lines and seals.
    ///
    /// # Errors
    /// Where the database cannot be opened or migrated.
    pub async fn open_with_key(url: &str, key: SealKey) -> Result<Self> {
        if !url.starts_with("postgres") {
            return Self::open_sqlite(url, key).await;
        }
        let pool = Self::connect_postgres(url).await?;
        POSTGRES.run(&pool).await?;
        Ok(Self::Postgres { reports: reports::postgres(&pool, REPORT_LIMIT), pool, key, fence: Fence::default() })
    }

    /// As [`Self::open_with_key`], for the server, which runs as long as it holds the lock: one on an SQLite database, and one
    /// that polls meters on a PostgreSQL database.
    ///
    /// # Errors
    /// As [`Self::open`]; [`StoreError::InUse`] where another server runs on it: then nothing was changed.
    pub async fn open_for_server(url: &str, key: SealKey, polls: bool) -> Result<(Self, ServerLock)> {
        if !url.starts_with("postgres") {
            let lock = ServerLock::of_sqlite(url).await?;
            return Ok((Self::open_sqlite(url, key).await?, lock));
        }
        let pool = Self::connect_postgres(url).await?;
        let (lock, fence) = if polls { ServerLock::of_postgres(&pool).await? } else { Default::default() };
        POSTGRES.run(&pool).await?;
        Ok((Self::Postgres { reports: reports::postgres(&pool, REPORT_LIMIT), pool, key, fence }, lock))
    }

    async fn connect_postgres(url: &str) -> Result<PgPool> {
        let options = PgConnectOptions::from_str(url)?
            .options([("statement_timeout", "60000"), (seal::SETTING, "")])
            .statement_cache_capacity(PREPARED);
        Ok(postgres_pool(16).connect_with(options).await?)
    }

    async fn open_sqlite(url: &str, key: SealKey) -> Result<Self> {
        // FULL: with NORMAL a power cut loses acknowledged commits, and money is written here.
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .statement_cache_capacity(PREPARED)
            .busy_timeout(Duration::from_secs(5))
            // A report that sorts must not fail because the disk is full.
            .pragma("temp_store", "memory");
        // A connection to a file is not lost on the way, so none is tried before it is used: that was one trip in fifteen to its
        // thread.
        let pool = |size: u32| {
            SqlitePoolOptions::new().max_connections(size).acquire_timeout(Duration::from_secs(10)).test_before_acquire(false)
        };
        let migrated = Arc::new(AtomicBool::new(false));
        let watches = Arc::clone(&migrated);
        let (committed, commits) = watch::channel(());
        let write = pool(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .before_acquire(outside_transaction)
            .after_connect(move |connection, _| {
                let watches = watches.load(Ordering::Acquire);
                let committed = committed.clone();
                Box::pin(async move {
                    connection.lock_handle().await?.set_commit_hook(move || {
                        committed.send_replace(());
                        true
                    });
                    if watches { seal::watch(connection).await } else { Ok(()) }
                })
            })
            .connect_with(options.clone().pragma("wal_autocheckpoint", write_back::WRITER_PAGES))
            .await?;
        SQLITE.run(&write).await?;
        // Only now: a migration may drop a table and create it again.
        migrated.store(true, Ordering::Release);
        seal::watch(&mut *write.acquire().await?).await?;
        // A database in memory belongs to its one connection.
        if url.contains(":memory:") {
            return Ok(Self::Sqlite { read: write.clone(), write_back: write.clone(), reports: write.clone(), write, key });
        }
        let write_back = pool(1).connect_lazy_with(options.clone());
        tokio::spawn(write_back::run(commits, write_back.clone()));
        let read = pool(4).before_acquire(outside_transaction).connect_with(options.read_only(true)).await?;
        Ok(Self::Sqlite { reports: reports::sqlite(&read, REPORT_LIMIT), read, write, write_back, key })
    }

    /// The same database through a few connections for reports that somebody waits for. They only read, and the database ends
    /// what takes longer than [`REPORT_LIMIT`], also where nobody waits for it any more.
    #[must_use]
    pub fn for_reports(&self) -> Self {
        let mut own = self.clone();
        match &mut own {
            Self::Sqlite { read, reports, .. } => read.clone_from(reports),
            Self::Postgres { pool, reports, .. } => pool.clone_from(reports),
        }
        own
    }

    /// Begins a transaction that will write.
    ///
    /// # Errors
    /// Where no connection is free in time.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { write, key, .. } => {
                Tx::Sqlite(OpenTx { transaction: write.begin_with(seal::BEGIN).await?, unsealed: Unsealed::new(key) })
            }
            Self::Postgres { pool, key, .. } => {
                Tx::Postgres(OpenTx { transaction: begin::begin(pool, "BEGIN").await?, unsealed: Unsealed::new(key) })
            }
        })
    }

    /// Begins a transaction that only the one server with the lock may make: it precedes what is sent to a meter, or
    /// stores what was read.
    ///
    /// # Errors
    /// As [`Self::begin`]; [`StoreError::LockLost`] where the lock is lost.
    pub async fn begin_fenced(&self) -> Result<Tx> {
        let mut tx = self.begin().await?;
        if let (Self::Postgres { fence, .. }, Tx::Postgres(connection)) = (self, &mut tx) {
            fence.check(&mut *connection).await?;
        }
        Ok(tx)
    }

    /// Whether this server may send to meters and store readings, outside a transaction.
    ///
    /// # Errors
    /// [`StoreError::LockLost`] where the lock is lost, or where the database fails.
    pub(super) async fn check_fence(&self) -> Result<()> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Postgres { pool, fence, .. } => fence.check(&mut *pool.acquire().await?).await,
        }
    }

    /// Begins a transaction that reads one state of the database, whatever is written meanwhile, for as long as it
    /// takes, but for [`Self::for_reports`]. It is not committed.
    ///
    /// # Errors
    /// Where no connection is free in time.
    pub async fn begin_reading(&self) -> Result<Tx> {
        match self {
            Self::Sqlite { read, key, .. } => {
                Ok(Tx::Sqlite(OpenTx { transaction: read.begin().await?, unsealed: Unsealed::new(key) }))
            }
            Self::Postgres { pool, key, .. } => {
                let mut transaction = begin::begin(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                sqlx::query(reports::NO_LIMIT_BUT_FOR_REPORTS).execute(&mut *transaction).await?;
                Ok(Tx::Postgres(OpenTx { transaction, unsealed: Unsealed::new(key) }))
            }
        }
    }

    /// A key for one purpose, from the secret that audit lines and seals are hashed with; `None` where there is no secret.
    #[must_use]
    pub fn derived_key(&self, purpose: &str) -> Option<[u8; 32]> {
        let (Self::Sqlite { key, .. } | Self::Postgres { key, .. }) = self;
        key.is_given().then(|| key.hash("derived", &[purpose.as_bytes()]))
    }

    /// Whether commits of SQLite wait until they are on the disk. A power cut takes those that do not, so it is only for a
    /// database that is made anew then.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn wait_for_disk(&self, wait: bool) -> Result<()> {
        if let Self::Sqlite { write, .. } = self {
            let text = if wait { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = OFF" };
            sqlx::query(text).execute(write).await?;
        }
        Ok(())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<()> {
        crate::read!(self, |pool| sqlx::query("SELECT 1").execute(pool).await)?;
        Ok(())
    }

    /// Finishes what is open and closes the pools.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write, write_back, reports, .. } => {
                write_back.close().await;
                reports.close().await;
                read.close().await;
                write.close().await;
            }
            Self::Postgres { pool, reports, .. } => {
                reports.close().await;
                pool.close().await;
            }
        }
    }
}

/// A connection that was just used is not tried before it is used again: that was one trip in eight of a payment.
fn postgres_pool(size: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| Box::pin(require_alive(connection, meta.idle_for)))
}

/// An error closes the connection without a word to the other end, which may not be there any more.
async fn require_alive(connection: &mut PgConnection, idle_for: Duration) -> sqlx::Result<bool> {
    if idle_for >= JUST_USED {
        timeout(ALIVE, connection.ping()).await.map_err(|late| sqlx::Error::Io(late.into()))??;
    }
    Ok(true)
}

/// A full disk makes SQLite end a transaction by itself: sqlx still counts it as open, and would refuse every later one. Such a
/// connection is closed, and another one opened.
fn outside_transaction(connection: &mut SqliteConnection, _: PoolConnectionMetadata) -> BoxFuture<'_, sqlx::Result<bool>> {
    Box::pin(async move { Ok(!connection.is_in_transaction()) })
}

impl Tx {
    /// Seals what was written and makes it durable.
    ///
    /// # Errors
    /// Where the engine cannot; then nothing was written.
    pub async fn commit(mut self) -> Result<()> {
        seal::seal(&mut self).await?;
        match self {
            Self::Sqlite(tx) => tx.transaction.commit().await.map_err(StoreError::from),
            Self::Postgres(tx) => tx.transaction.commit().await.map_err(StoreError::from),
        }
    }

    /// Seals what a long transaction has written so far, where nobody waits for it, so that its end takes little memory.
    ///
    /// # Errors
    /// Where the engine cannot.
    pub async fn seal_early(&mut self) -> Result<()> {
        seal::seal_early(self).await
    }

    pub(super) fn unsealed(&mut self) -> &mut Unsealed {
        match self {
            Self::Sqlite(tx) => &mut tx.unsealed,
            Self::Postgres(tx) => &mut tx.unsealed,
        }
    }
}

/// Runs one query on a transaction: `on!(tx, |c| sqlx::query("...").bind(x).execute(c).await)?`. Gives a `Result<_, StoreError>`.
#[macro_export]
macro_rules! on {
    ($tx:expr, |$c:ident| $query:expr) => {
        match &mut *$tx {
            $crate::Tx::Sqlite(tx) => {
                let $c = &mut **tx;
                $crate::db_result($query)
            }
            $crate::Tx::Postgres(tx) => {
                let $c = &mut **tx;
                $crate::db_result($query)
            }
        }
    };
}

/// Runs one reading query on the pool: `read!(db, |pool| sqlx::query_as::<_, Row>("...").fetch_all(pool).await)?`.
#[macro_export]
macro_rules! read {
    ($db:expr, |$c:ident| $query:expr) => {
        match $db {
            $crate::Db::Sqlite { read: $c, .. } => $crate::db_result($query),
            $crate::Db::Postgres { pool: $c, .. } => $crate::db_result($query),
        }
    };
}

/// A list of columns for a `SELECT` or `RETURNING`, each after the same prefix: `columns!("o.", id, number)` is
/// `" o.id, o.number "`.
#[macro_export]
macro_rules! columns {
    ($of:literal, $first:ident $(, $more:ident)*) => {
        concat!(" ", $of, stringify!($first) $(, ", ", $of, stringify!($more))*, " ")
    };
}

#[cfg(test)]
mod tests;
