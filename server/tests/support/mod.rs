//! What the black-box tests share: a fresh database of either engine, and a macro that runs one story on both.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::sync::Arc;

use app::model::time::Timestamp;
use server::clock::TestClock;
use server::rng::Rng;
use server::store::Db;

/// A fresh, migrated database and all that a store function asks for.
#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub url: String,
    pub clock: Arc<TestClock>,
    pub rng: Rng,
    /// Holds the SQLite file; removed when dropped.
    _dir: Arc<tempfile::TempDir>,
}

impl World {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("test.db").display());
        Self::open(url, dir).await
    }

    /// A database of its own on the server that `DORMWATT_TEST_POSTGRES` names; `make test` starts one and sets it.
    pub async fn postgres() -> Self {
        let server = std::env::var("DORMWATT_TEST_POSTGRES").expect(
            "DORMWATT_TEST_POSTGRES is not set: run `make test`, or name a server, e.g. postgres://postgres@127.0.0.1:5439",
        );
        let name = format!("t{}", Rng::from_system().id(Timestamp(0)).simple());
        let pool = sqlx::PgPool::connect(&format!("{server}/postgres")).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
        pool.close().await;
        Self::open(format!("{server}/{name}"), tempfile::tempdir().unwrap()).await
    }

    async fn open(url: String, dir: tempfile::TempDir) -> Self {
        let db = Db::open(&url).await.unwrap();
        let clock = TestClock::new(Timestamp(1_795_600_000_000));
        Self { db, url, clock, rng: Rng::from_seed([7; 32]), _dir: Arc::new(dir) }
    }
}

/// `both!(name, |world| async move { ... });` runs the story once on SQLite and once on PostgreSQL.
#[macro_export]
macro_rules! both {
    ($name:ident, $story:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                let story = $story;
                let world = $crate::support::World::sqlite().await;
                // The story may keep only the fields it uses; the directory lives here.
                story(world.clone()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                let story = $story;
                let world = $crate::support::World::postgres().await;
                // The story may keep only the fields it uses; the directory lives here.
                story(world.clone()).await;
            }
        }
    };
}
