use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::*;

/// A line to a server on which connections fall silent without an end, as where a firewall forgets them.
async fn line(to: SocketAddr) -> (SocketAddr, broadcast::Sender<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (silence, _) = broadcast::channel(1);
    let silences = silence.clone();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (mut far, mut silenced) = (TcpStream::connect(to).await.unwrap(), silences.subscribe());
            tokio::spawn(async move {
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = silenced.recv() => std::future::pending().await,
                }
            });
        }
    });
    (address, silence)
}

#[tokio::test]
async fn a_connection_that_fell_silent_is_replaced_soon() {
    let server = std::env::var("DORMWATT_TEST_POSTGRES").expect("DORMWATT_TEST_POSTGRES is not set: run `make test`");
    let options = PgConnectOptions::from_str(&server).unwrap();
    let to = tokio::net::lookup_host((options.get_host(), options.get_port())).await.unwrap().next().unwrap();
    let (near, silence) = line(to).await;
    let far = format!("{}:{}", options.get_host(), options.get_port());
    let pool = Db::connect_postgres(&format!("{}/postgres", server.replace(&far, &near.to_string()))).await.unwrap();
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
    // A connection goes back to its pool a moment after its last use, and later on a busy machine.
    tokio::time::sleep(JUST_USED * 2).await;
    silence.send(()).unwrap();
    let begun = Instant::now();
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
    assert!(begun.elapsed() >= ALIVE && begun.elapsed() < ALIVE * 3, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn readers_of_sqlite_sort_in_memory_and_leave_dead_transactions() {
    let directory = tempfile::tempdir().unwrap();
    let db = Db::open(&format!("sqlite:{}", directory.path().join("d.db").display())).await.unwrap();
    let Db::Sqlite { read, write, .. } = &db else { panic!("it is SQLite") };
    for pool in [read, write] {
        let memory: i64 = sqlx::query_scalar("PRAGMA temp_store").fetch_one(pool).await.unwrap();
        assert_eq!(memory, 2);
    }
    let mut reading = db.begin_reading().await.unwrap();
    if let Tx::Sqlite(tx) = &mut reading {
        // As SQLite does by itself where it cannot go on.
        sqlx::query("ROLLBACK").execute(&mut **tx).await.unwrap();
    }
    drop(reading);
    let mut all = Vec::new();
    for _ in 0..4 {
        let mut reader = read.acquire().await.unwrap();
        assert!(!reader.is_in_transaction(), "its next transaction would be none");
        sqlx::query("SELECT 1").execute(&mut *reader).await.unwrap();
        all.push(reader);
    }
}

#[tokio::test]
async fn a_statement_of_a_report_ends_at_its_limit() {
    const LIMIT: Duration = Duration::from_millis(300);
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
    let directory = tempfile::tempdir().unwrap();
    let sqlite = Db::open(&format!("sqlite:{}", directory.path().join("d.db").display())).await.unwrap();
    let server = std::env::var("DORMWATT_TEST_POSTGRES").expect("DORMWATT_TEST_POSTGRES is not set: run `make test`");
    let pool = Db::connect_postgres(&format!("{server}/postgres")).await.unwrap();
    let postgres = Db::Postgres { reports: pool.clone(), pool, key: SealKey::none(), fence: Fence::default() };
    for mut db in [sqlite, postgres] {
        match &mut db {
            Db::Sqlite { read, reports, .. } => *reports = reports::sqlite(read, LIMIT),
            Db::Postgres { pool, reports, .. } => *reports = reports::postgres(pool, LIMIT),
        }
        let own = db.for_reports();
        // More often than there are connections.
        for _ in 0..=REPORTS_AT_ONCE {
            let begun = Instant::now();
            let ended = crate::read!(&own, |pool| sqlx::query(ENDLESS).execute(pool).await).unwrap_err();
            assert!(ended.is_overdue() && begun.elapsed() < LIMIT * 10, "{ended:?} after {:?}", begun.elapsed());
            let mut tx = own.begin_reading().await.unwrap();
            assert!(crate::on!(&mut tx, |c| sqlx::query(ENDLESS).execute(c).await).unwrap_err().is_overdue());
            drop(tx);
            // As a page that does not wait any longer.
            let given_up = async { crate::read!(&own, |pool| sqlx::query(ENDLESS).execute(pool).await) };
            assert!(timeout(LIMIT / 3, given_up).await.is_err());
            let mut tx = own.begin_reading().await.unwrap();
            crate::on!(&mut tx, |c| sqlx::query("SELECT 1").execute(c).await).unwrap();
        }
        let mut tx = db.begin_reading().await.unwrap();
        if let Tx::Postgres(tx) = &mut tx {
            let limit: String = sqlx::query_scalar("SHOW statement_timeout").fetch_one(&mut **tx).await.unwrap();
            assert_eq!(limit, "0", "what nobody waits for has none");
        }
    }
}

#[tokio::test]
async fn an_abandoned_begin_leaves_no_transaction_open() {
    let server = std::env::var("DORMWATT_TEST_POSTGRES").expect("DORMWATT_TEST_POSTGRES is not set: run `make test`");
    let options = PgConnectOptions::from_str(&format!("{server}/postgres")).unwrap();
    let pool = postgres_pool(1).connect_with(options).await.unwrap();
    let db = Db::Postgres { reports: pool.clone(), pool: pool.clone(), key: SealKey::none(), fence: Fence::default() };
    for polls in 1..=6 {
        let mut abandoned = Box::pin(db.begin_reading());
        for _ in 0..polls {
            if futures::poll!(&mut abandoned).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(abandoned);
        let read_only: String = sqlx::query_scalar("SHOW transaction_read_only").fetch_one(&pool).await.unwrap();
        assert_eq!(read_only, "off", "after {polls} polls");
    }
}
