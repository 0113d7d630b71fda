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

#[test]
fn the_session_of_the_lock_ends_soon_after_its_server() {
    let options = lock_options(&PgConnectOptions::new().options([("statement_timeout", "60000")]));
    let said = options.get_options().unwrap();
    for (name, value) in SESSION_ENDS {
        assert!(said.contains(&format!("-c {name}={value}")), "{said}");
    }
    assert!(said.contains("-c statement_timeout=60000"), "{said}");
}

/// A pool on the server that `DORMWATT_TEST_POSTGRES` names.
async fn pool() -> PgPool {
    let server = std::env::var("DORMWATT_TEST_POSTGRES").expect("DORMWATT_TEST_POSTGRES is not set: run `make test`");
    PgPool::connect(&format!("{server}/postgres")).await.unwrap()
}

fn fence(session: Session) -> Fence {
    Fence(Some(Arc::new(Holder { session, lost: CancellationToken::new() })))
}

#[tokio::test]
async fn the_fence_knows_its_session_and_its_lock() {
    let pool = pool().await;
    let options = pool.connect_options();
    let mut connection = PgConnection::connect_with(&lock_options(&options)).await.unwrap();
    let mut other = pool.acquire().await.unwrap();
    // A schema of its own, so that no other test has this lock.
    for connection in [&mut connection, &mut *other] {
        sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS lock_test; SET search_path = lock_test").execute(connection).await.unwrap();
    }
    let idle: String = sqlx::query_scalar("SHOW tcp_keepalives_idle").fetch_one(&mut connection).await.unwrap();
    assert_eq!(idle, "10", "a server that is gone is noticed by its session");
    let (taken, pid, began): (bool, i32, i64) = sqlx::query_as(TAKE).fetch_one(&mut connection).await.unwrap();
    assert!(taken, "another run of this test holds the lock");
    fence(Session { pid, began }).check(&mut other).await.unwrap();
    let reused = fence(Session { pid, began: began - 1 });
    assert!(matches!(reused.check(&mut other).await, Err(StoreError::LockLost)), "a later session with the same number");

    sqlx::raw_sql("SELECT pg_advisory_unlock_all(), pg_advisory_lock(7)").execute(&mut connection).await.unwrap();
    let fence = fence(Session { pid, began });
    assert!(matches!(fence.check(&mut other).await, Err(StoreError::LockLost)), "another lock of the session");
    let _: (bool, i32, i64) = sqlx::query_as(TAKE).fetch_one(&mut connection).await.unwrap();
    assert!(matches!(fence.check(&mut other).await, Err(StoreError::LockLost)), "lost once is lost for good");
}
