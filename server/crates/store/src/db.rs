//! One database, one of two engines.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use super::server_lock::ServerLock;
use super::{Result, StoreError};

static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The database. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// Embedded: readers beside one writer, so that no write waits for a lock it cannot get.
    Sqlite {
        read: SqlitePool,
        /// The one writer.
        write: SqlitePool,
    },
    /// A PostgreSQL server.
    Postgres(PgPool),
}

/// A transaction of either engine.
pub enum Tx {
    /// `BEGIN IMMEDIATE`: the write lock is taken at the start, never upgraded to.
    Sqlite(Transaction<'static, Sqlite>),
    /// Read committed; rows are locked by the updates themselves.
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens `sqlite:PATH`, `sqlite::memory:` or `postgres://...` and brings the schema up to date.
    ///
    /// # Errors
    /// Where the database cannot be opened or migrated.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Self::connect(url).await?;
        db.migrate().await?;
        Ok(db)
    }

    /// As [`Self::open`], for the server, which runs as long as it holds the lock: one on an SQLite database, and one that polls
    /// meters on a PostgreSQL database.
    ///
    /// # Errors
    /// As [`Self::open`]; [`StoreError::InUse`] where another server runs on it: then nothing was changed.
    pub async fn open_for_server(url: &str, polls: bool) -> Result<(Self, ServerLock)> {
        let db = Self::connect(url).await?;
        let lock = match &db {
            Self::Postgres(_) if !polls => ServerLock::default(),
            _ => ServerLock::take(url, &db).await?,
        };
        db.migrate().await?;
        Ok((db, lock))
    }

    async fn migrate(&self) -> Result<()> {
        match self {
            Self::Sqlite { write, .. } => SQLITE.run(write).await?,
            Self::Postgres(pool) => POSTGRES.run(pool).await?,
        }
        Ok(())
    }

    async fn connect(url: &str) -> Result<Self> {
        if url.starts_with("postgres") {
            let options = PgConnectOptions::from_str(url)?.options([("statement_timeout", "60000")]);
            let pool = PgPoolOptions::new().max_connections(16).acquire_timeout(Duration::from_secs(10));
            return Ok(Self::Postgres(pool.connect_with(options).await?));
        }
        // FULL: with NORMAL a power cut loses acknowledged commits, and money is written here.
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        // A connection to a file is not lost on the way, so none is tried before it is used: that was one trip in fifteen to its
        // thread.
        let pool = |size: u32| {
            SqlitePoolOptions::new().max_connections(size).acquire_timeout(Duration::from_secs(10)).test_before_acquire(false)
        };
        // A full disk makes SQLite end a transaction by itself: sqlx still counts it as open and would refuse every later one.
        // Such a connection is closed, and the next write opens another.
        let write = pool(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        // A database in memory belongs to its one connection.
        let read = if url.contains(":memory:") { write.clone() } else { pool(4).connect_with(options.read_only(true)).await? };
        Ok(Self::Sqlite { read, write })
    }

    /// Begins a transaction that will write.
    ///
    /// # Errors
    /// Where no connection is free in time.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<()> {
        read!(self, |pool| sqlx::query("SELECT 1").execute(pool).await)?;
        Ok(())
    }

    /// Finishes what is open and closes the pools.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes it durable.
    ///
    /// # Errors
    /// Where the engine cannot; then nothing was written.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(tx) => tx.commit().await.map_err(StoreError::from),
            Self::Postgres(tx) => tx.commit().await.map_err(StoreError::from),
        }
    }
}

/// Runs one query on a transaction: `on!(tx, |c| sqlx::query("...").bind(x).execute(c).await)?`. Gives a `Result<_, StoreError>`.
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
macro_rules! read {
    ($db:expr, |$c:ident| $query:expr) => {
        match $db {
            $crate::Db::Sqlite { read: $c, .. } => $crate::db_result($query),
            $crate::Db::Postgres($c) => $crate::db_result($query),
        }
    };
}

/// A list of columns for a `SELECT` or `RETURNING`, each after the same prefix: `columns!("o.", id, number)` is
/// `" o.id, o.number "`.
macro_rules! columns {
    ($of:literal, $first:ident $(, $more:ident)*) => {
        concat!(" ", $of, stringify!($first) $(, ", ", $of, stringify!($more))*, " ")
    };
}

pub(crate) use {columns, on, read};
