//! One server a database; on both databases.

use std::error::Error;
use std::time::Duration;

use domain::clock::Clock;
use domain::order::Limits;
use domain::secret::Secret;
use metering::clock_steps;
use model::energy::Energy;
use model::money::Fen;
use model::order::Tender;
use model::reading::{ReadingQuality, ReadingSource};
use model::time::MINUTE;
use server::config::{Config, Keys};
use server::startup::{Application, StartError};
use sqlx::{Connection, PgConnection};
use store::orders::{self, NewOrder};
use store::readings::{self, Reading};
use store::seal::SealKey;
use store::{Db, StoreError, commands, deliveries};
use story_support::{World, both};
use tokio::time::timeout;

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
    first.run_until(async {}).await.unwrap();
    let next = Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
    drop(next);
    Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
});

/// Ends the session that holds the lock, as PostgreSQL does where the connection is gone, and takes the lock as another server.
async fn take_lock(w: &World) -> PgConnection {
    let mut other = PgConnection::connect(&w.url).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert!(sqlx::query_scalar::<_, bool>(end).fetch_one(&mut other).await.unwrap());
    let lock = "SELECT pg_try_advisory_lock(hashtextextended('dormwatt server ' || current_schema(), 0))";
    assert!(sqlx::query_scalar::<_, bool>(lock).fetch_one(&mut other).await.unwrap(), "another server takes it");
    other
}

/// PostgreSQL gives the lock away with the connection that held it, and says nothing to the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_its_lock_sends_and_stores_nothing() {
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
    let (db, lock) = Db::open_for_server(&w.url, SealKey::none(), true).await.unwrap();
    let now = w.clock.now();
    let command = commands::due(&db, now, 1).await.unwrap().remove(0);
    let claims = async || deliveries::claim(&db, &command).await;
    let sends = async || deliveries::begin_send(&db, now, &command).await;
    let looks = async || deliveries::due(&db, now, 1).await;
    let reading = |minute: i64| Reading {
        meter_id: room.meter,
        at: now.plus(minute * MINUTE),
        quality: ReadingQuality::Good,
        source: ReadingSource::Sweep,
        status: 0,
        total_wh: Energy(minute),
        reverse_wh: None,
        remaining_fen: Fen(0),
        power_w: None,
        voltage_dv: None,
        current_ca: None,
        power_factor: None,
        spike_wh: None,
        peak_wh: None,
        flat_wh: None,
        valley_wh: None,
        sequence: Some(minute),
    };
    let stores = async |minute| {
        let batch = readings::Batch { readings: vec![reading(minute)], ..readings::Batch::default() };
        readings::write(&db, &w.rng, now, &batch).await
    };
    let steps = async || clock_steps::follow(&db, &w.rng, now, -MINUTE).await;
    assert!(claims().await.unwrap().claimed().is_some() && sends().await.unwrap().is_some());
    assert_eq!(looks().await.unwrap(), [room.meter]);
    stores(1).await.unwrap();

    let other = take_lock(&w).await;
    for round in 0..2 {
        assert!(matches!(sends().await, Err(StoreError::LockLost)));
        assert!(matches!(claims().await, Err(StoreError::LockLost)));
        assert!(matches!(looks().await, Err(StoreError::LockLost)), "no meter is read for a command that cannot be sent");
        assert!(matches!(stores(2 + round).await, Err(StoreError::LockLost)), "two servers would charge twice");
        assert!(matches!(steps().await, Err(StoreError::LockLost)));
    }
    assert!(lock.lost().is_cancelled());
    assert_eq!(w.number("SELECT attempts FROM commands").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings").await, 1);
    other.close().await.unwrap();
    assert!(matches!(stores(4).await, Err(StoreError::LockLost)), "what the other one has read is not known here");
    let (again, _lock) = Db::open_for_server(&w.url, SealKey::none(), true).await.unwrap();
    assert!(deliveries::begin_send(&again, now, &command).await.unwrap().is_some(), "one that begins now has the lock");
}

/// Also where there is nothing to send and nothing to store: the connection is tried from time to time.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_its_lock_ends() {
    let w = World::postgres().await;
    let application = Application::build(&config(&w), w.clock.clone(), w.rng.clone()).await.unwrap();
    let meters = application.meters().unwrap().clone();
    let running = tokio::spawn(application.run_until(std::future::pending()));
    let _other = take_lock(&w).await;
    let ended = timeout(Duration::from_secs(60), running).await.expect("it ends").unwrap();
    assert!(matches!(ended, Err(StartError::Database(StoreError::LockLost))));
    assert!(!meters.is_polling());
}
