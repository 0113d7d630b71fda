//! One server a database; on both databases.

use std::error::Error;
use std::time::Duration;

use domain::clock::Clock;
use domain::order::Limits;
use domain::secret::Secret;
use model::money::Fen;
use model::order::Tender;
use server::config::{Config, Keys};
use server::startup::Application;
use sqlx::{Connection, PgConnection};
use store::orders::{self, NewOrder};
use store::seal::SealKey;
use store::{Db, StoreError, commands, deliveries};
use story_support::site::{SOON, until};
use story_support::{World, both};

fn config(w: &World) -> Config {
    let mut config = Config::default();
    config.server.address.set_port(0);
    config.database.url = Secret::from(w.url.as_str());
    let key = |digit: char, length: usize| Secret::from(digit.to_string().repeat(length).as_str());
    config.keys = Keys { enc: key('1', 32), mac: key('2', 32), aes: key('3', 64) };
    config
}

/// The error and its causes of a server that does not start.
async fn refusal(w: &World) -> String {
    let Err(error) = Application::build(&config(w), w.clock.clone(), w.rng.clone()).await else { panic!("it starts") };
    let (mut said, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        said += &error.to_string();
        cause = error.source();
    }
    said
}

both!(a_second_server_on_one_database_is_refused, |w: World| async move {
    let first = Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
    let said = refusal(&w).await;
    assert!(said.contains("another server runs on this database"), "{said}");
    // What only looks at the database is not a server.
    Db::open(&w.url).await.unwrap().close().await;
    first.run_until(async {}).await;
    let next = Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
    drop(next);
    Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
});

/// PostgreSQL gives the lock away with the connection that held it, and says nothing to the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_its_lock_sends_nothing() {
    let w = World::postgres().await;
    let room = w.room(1).await;
    let new = NewOrder {
        key: w.rng.id(w.clock.now()),
        account: room.account,
        meter: room.meter,
        tender: Tender::Cash,
        amount: Fen(5_000),
        by: w.clerk().await,
        ip: String::new(),
    };
    orders::sell(&w.db, &w.rng, w.clock.now(), &Limits::default(), &new).await.unwrap();
    let (db, _lock) = Db::open_for_server(&w.url, SealKey::none(), true).await.unwrap();
    let command = commands::due(&db, w.clock.now(), 1).await.unwrap().remove(0);
    let claims = async || deliveries::claim(&db, &command).await;
    let sends = async || deliveries::begin_send(&db, w.clock.now(), &command).await;
    assert!(claims().await.unwrap().claimed().is_some() && sends().await.unwrap().is_some());

    let mut other = PgConnection::connect(&w.url).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert!(sqlx::query_scalar::<_, bool>(end).fetch_one(&mut other).await.unwrap());
    let lock = "SELECT pg_try_advisory_lock(hashtextextended('dormwatt server ' || current_schema(), 0))";
    assert!(sqlx::query_scalar::<_, bool>(lock).fetch_one(&mut other).await.unwrap(), "another server takes it");
    for _ in 0..3 {
        assert!(matches!(sends().await, Err(StoreError::LockLost)));
        assert!(matches!(claims().await, Err(StoreError::LockLost)));
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(w.number("SELECT attempts FROM commands").await, 1);
    other.close().await.unwrap();
    until(SOON, "the lock again", || async { sends().await.is_ok() }).await;
}
