//! How often a payment makes the server wait for PostgreSQL: each trip costs what the network costs, whatever the machine.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::clock::Clock;
use model::ids::AttemptId;
use model::order::PaymentWay;
use model::time::{HOUR, MINUTE};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use store::Db;
use store::payments::{self, Attempt, Terms, attempts_of};
use story_support::World;
use story_support::shop::{Counts, Shop};
use story_support::site::{SOON, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Passes what a client says on to PostgreSQL and counts what the client waits for: `Sync` and `Query`.
async fn count_trips(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, trips: Arc<AtomicUsize>) -> std::io::Result<()> {
    let mut started = false;
    loop {
        // The first messages have no type.
        let mut message = if started { vec![from.read_u8().await?] } else { Vec::new() };
        let length = from.read_u32().await?;
        message.extend(length.to_be_bytes());
        let header = message.len();
        message.resize(header + usize::try_from(length).unwrap() - 4, 0);
        from.read_exact(&mut message[header..]).await?;
        if started && matches!(message[0], b'S' | b'Q') {
            trips.fetch_add(1, Ordering::Relaxed);
        }
        // The request for TLS, which the server refuses, comes before the start.
        started = started || length != 8;
        to.write_all(&message).await?;
    }
}

/// The address of a database through a counter.
async fn through_a_counter(url: &str) -> (String, Arc<AtomicUsize>) {
    let options = PgConnectOptions::from_str(url).unwrap();
    let server = (options.get_host().to_owned(), options.get_port());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options.host("127.0.0.1").port(listener.local_addr().unwrap().port());
    let trips = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&trips);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut answers, questions) = TcpStream::connect(&server).await.unwrap().into_split();
            let (from, mut back) = client.into_split();
            tokio::spawn(count_trips(from, questions, Arc::clone(&counted)));
            tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
        }
    });
    (options.to_url_lossy().to_string(), trips)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_waits_for_six_trips() {
    let mut world = World::postgres().await;
    let (url, trips) = through_a_counter(&world.url).await;
    world.db = Db::open(&url).await.unwrap();
    let shop = Shop::open(world).await;
    let mut fewest = usize::MAX;
    // The first ones prepare their statements, each connection for itself.
    for _ in 0..8 {
        let (_, number) = shop.at_the_cashier(1_000).await;
        let before = trips.load(Ordering::Relaxed);
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        fewest = fewest.min(trips.load(Ordering::Relaxed) - before);
    }
    // Begin; attempt, order and meter locked; all that is written; what changed; seals and head; commit. Then the pool tries the
    // connection, for which nobody waits.
    assert!(fewest <= 7, "{fewest}");
    assert_eq!(shop.proved().await, Counts { credits: 8, payments: 8, events: 8, ..Counts::NONE });
}

/// Another transaction takes the locks in another order: PostgreSQL ends one of the two, and nobody is told to come again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlocked_notification_is_settled_again() {
    let shop = Shop::open(World::postgres().await).await;
    let (_, number) = shop.at_the_cashier(1_000).await;
    let Db::Postgres { pool, .. } = &shop.world.db else { unreachable!() };
    let mut other = pool.begin().await.unwrap();
    // The notification finds the deadlock.
    for sql in ["SET LOCAL deadlock_timeout = '20s'", "SELECT FROM account_meters FOR UPDATE"] {
        sqlx::query(sql).execute(&mut *other).await.unwrap();
    }
    assert!(shop.sandbox.pay(&number));
    tokio::time::sleep(Duration::from_millis(300)).await;
    sqlx::query("SELECT FROM payment_attempts FOR UPDATE").execute(&mut *other).await.unwrap();
    other.commit().await.unwrap();
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.trade(&number).notified, 1, "the channel sent it once");
    assert_eq!(shop.proved().await, Counts::ONCE);
}

/// Whoever needs several attempts of an order waits for the first of them by id while it holds none of the others.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_of_an_order_are_locked_by_their_ids() {
    let shop = Shop::open(World::postgres().await).await;
    let (order, _) = shop.at_the_cashier(1_000).await;
    let (w, at) = (&shop.world, shop.world.clock.now().plus(MINUTE));
    let Db::Postgres { pool, .. } = &w.db else { unreachable!() };
    let Attempt { channel, app_id, .. } = attempts_of(&w.db, order).await.unwrap().remove(0);
    let again = move |w: World, app_id: String| async move {
        let (lifetime, way) = (HOUR, PaymentWay::Form);
        let terms = Terms { channel, app_id: &app_id, seller_id: "another", lifetime, way, payer: None };
        payments::open_attempt(&w.db, &w.rng, at, order, &terms).await.unwrap();
    };
    again(w.clone(), app_id.clone()).await;
    let mut ids: Vec<AttemptId> = attempts_of(&w.db, order).await.unwrap().iter().map(|attempt| attempt.id).collect();
    ids.sort_unstable();
    let [first, second] = ids[..] else { panic!("two attempts: {ids:?}") };
    // The second is due earlier, and lies before the first.
    for (due, id) in [(1, second), (2, first)] {
        w.by_hand(&format!("UPDATE payment_attempts SET next_query_at = {due} WHERE id = '{}'", id.0)).await.unwrap();
    }
    for locker in 0..3 {
        let mut held = pool.begin().await.unwrap();
        let lock = "SELECT FROM payment_attempts WHERE id = $1 FOR UPDATE NOWAIT";
        sqlx::query(lock).bind(first.0).execute(&mut *held).await.unwrap();
        let (there, app_id) = (w.clone(), app_id.clone());
        let waits = tokio::spawn(async move {
            match locker {
                0 => again(there, app_id).await,
                1 => {
                    payments::nudge(&there.db, at, order).await.unwrap();
                }
                _ => {
                    payments::claim_due(&there.db, at, 10, |_| at).await.unwrap();
                }
            }
        });
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until(SOON, "the lock", || async { w.number(waiting).await == 1 }).await;
        let free = sqlx::query(lock).bind(second.0).execute(&mut *held).await;
        assert!(free.is_ok(), "{locker}: {free:?}");
        held.commit().await.unwrap();
        waits.await.unwrap();
    }
}
