//! The schema that the migrations create, on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests is a test, though Clippy sees no #[test] on it"
)]

mod append_only;
mod indexes;
mod lint;
mod noted;
mod rebuild;
mod same_schema;
mod sealed;
mod sites;
mod statements;
mod unsealed;

use sqlx::AssertSqlSafe;
use store::Db;

async fn sqlite() -> Db {
    Db::open("sqlite::memory:").await.unwrap()
}

async fn postgres() -> Db {
    Db::open(&empty_postgres().await).await.unwrap()
}

/// The URL of a new database on the server that `DORMWATT_TEST_POSTGRES` names.
async fn empty_postgres() -> String {
    let server =
        std::env::var("DORMWATT_TEST_POSTGRES").expect("DORMWATT_TEST_POSTGRES is not set: run `make test`, or name a server");
    let pool = sqlx::PgPool::connect(&format!("{server}/postgres")).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT 'schema_' || replace(gen_random_uuid()::text, '-', '')").fetch_one(&pool).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    format!("{server}/{name}")
}

async fn execute(db: &Db, sql: String) -> Result<(), sqlx::Error> {
    match db {
        Db::Sqlite { write, .. } => sqlx::raw_sql(AssertSqlSafe(sql)).execute(write).await.map(drop),
        Db::Postgres { pool, .. } => sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await.map(drop),
    }
}
