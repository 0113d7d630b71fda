//! A full disk refuses writes with a clear error, loses nothing, and works again once there is space.

use domain::clock::Clock;
use estate::places::{self, NewPlace};
use model::error::AppError;
use model::ids::PlaceId;
use store::{Db, Result};

use story_support::World;

/// One page of text.
async fn add(w: &World, sort: i64) -> Result<()> {
    let name = format!("{sort}-{}", "x".repeat(4_000));
    let mut tx = w.db.begin().await?;
    places::add(
        &mut tx,
        &NewPlace { id: PlaceId(w.rng.id(w.clock.now())), parent: None, kind: model::place::PlaceKind::Site, name: &name, sort },
    )
    .await?;
    tx.commit().await
}

#[tokio::test]
async fn writes_resume_after_a_full_disk() {
    let w = World::sqlite().await;
    let Db::Sqlite { write, .. } = &w.db else { panic!("it is SQLite") };
    let (pages,): (i64,) = sqlx::query_as("PRAGMA page_count").fetch_one(write).await.unwrap();
    // SQLite's own limit gives the same error as a disk without room; it belongs to this one connection.
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 8));
    sqlx::query(limit).fetch_one(write).await.unwrap();
    let mut written = 0;
    let error = loop {
        match add(&w, written).await {
            Ok(()) if written < 100 => written += 1,
            Ok(()) => panic!("the disk was never full"),
            Err(error) => break error,
        }
    };
    assert!(written > 0, "there was room at first");
    assert_eq!(AppError::from(error), AppError::Unavailable);
    // There is room again, on this connection or on the one that replaced it.
    sqlx::query("PRAGMA max_page_count = 1000000").fetch_one(write).await.unwrap();
    add(&w, written).await.unwrap();
    let (rows,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM places").fetch_one(write).await.unwrap();
    assert_eq!(rows, written + 1, "what was committed stayed, what was refused did not come");
}
