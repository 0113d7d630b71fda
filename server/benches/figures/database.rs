//! The database that a site is measured on.

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use model::ids::MeterId;
use store::Db;
use uuid::Uuid;

use crate::Outcome;

/// The server that `make bench` starts for PostgreSQL.
const SERVER: &str = "DORMWATT_TEST_POSTGRES";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// Those that can be measured here; prints which cannot.
    pub fn at_hand() -> Vec<Self> {
        if std::env::var_os(SERVER).is_some() {
            return vec![Self::Sqlite, Self::Postgres];
        }
        eprintln!("{SERVER} names no server: PostgreSQL is left out");
        vec![Self::Sqlite]
    }

    /// The suffix of its figures.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    /// The URL of a new database, or of a new file in `directory`.
    pub async fn url(self, directory: &std::path::Path) -> Outcome<String> {
        if self == Self::Sqlite {
            return Ok(format!("sqlite:{}", directory.join("bench.db").display()));
        }
        let server = std::env::var(SERVER)?;
        let name = format!("b{}", Rng::from_system().id(SystemClock.now()).simple());
        let pool = sqlx::PgPool::connect(&format!("{server}/postgres")).await?;
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await?;
        pool.close().await;
        Ok(format!("{server}/{name}"))
    }
}

pub async fn number(db: &Db, sql: &'static str) -> Outcome<i64> {
    Ok(match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await?,
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await?,
    })
}

/// One column of ids.
pub async fn ids(db: &Db, sql: &'static str) -> Outcome<Vec<Uuid>> {
    Ok(match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await?,
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_all(pool).await?,
    })
}

/// Carries out a statement, with `{id}` as a new id and `{bytes}` as some bytes of no meaning.
pub async fn execute(db: &Db, sql: &str) -> Outcome<()> {
    let said = |id, bytes| sqlx::AssertSqlSafe(sql.replace("{id}", id).replace("{bytes}", bytes));
    match db {
        Db::Sqlite { write, .. } => sqlx::query(said("randomblob(16)", "X'00'")).execute(write).await.map(drop)?,
        Db::Postgres { pool, .. } => sqlx::query(said("gen_random_uuid()", "'\\x00'::bytea")).execute(pool).await.map(drop)?,
    }
    Ok(())
}

/// One column of texts.
pub async fn texts(db: &Db, sql: &'static str) -> Outcome<Vec<String>> {
    Ok(match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await?,
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_all(pool).await?,
    })
}

/// The instant of the first reading of a meter from then on with that power, epoch ms.
pub async fn first_with_power(db: &Db, meter: MeterId, watts: i64, from: i64) -> Outcome<Option<i64>> {
    let sql = "SELECT MIN(at) FROM readings WHERE meter_id = $1 AND power_w = $2 AND at >= $3";
    Ok(match db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(meter.0).bind(watts).bind(from).fetch_one(read).await?,
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).bind(meter.0).bind(watts).bind(from).fetch_one(pool).await?,
    })
}

/// Meter and instant of each reading in an interval.
pub async fn readings(db: &Db, from: i64, until: i64) -> Outcome<Vec<(Uuid, i64)>> {
    let sql = "SELECT meter_id, at FROM readings WHERE at >= $1 AND at < $2 ORDER BY meter_id, at";
    Ok(match db {
        Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(from).bind(until).fetch_all(read).await?,
        Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(from).bind(until).fetch_all(pool).await?,
    })
}
