//! SQLite's log is written back into the database beside the writer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps tests is a test, though Clippy sees no #[test] on it")]

use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use estate::places::{self, NewPlace};
use model::ids::PlaceId;
use model::place::PlaceKind;
use store::Db;

#[tokio::test]
async fn commits_reach_the_file_without_the_writer() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("t.db");
    let db = Db::open(&format!("sqlite:{}", file.display())).await.unwrap();
    let size = || std::fs::metadata(&file).unwrap().len();
    // What the migrations wrote may be on its way.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = size();
    let (rng, now) = (Rng::from_seed([1; 32]), SystemClock.now());
    let mut tx = db.begin().await.unwrap();
    for n in 0..2_000 {
        let (id, name) = (PlaceId(rng.id(now)), format!("{n:0200}"));
        places::add(&mut tx, &NewPlace { id, parent: None, kind: PlaceKind::Site, name: &name, sort: n }).await.unwrap();
    }
    tx.commit().await.unwrap();
    // Far fewer pages than after which the writer writes back.
    for _ in 0..100 {
        if size() > before + 200 * 2_000 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{before} bytes before, {} ten seconds after the commit", size());
}
