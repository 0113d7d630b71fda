//! Files that are made in the background: followed, cancelled, bounded, for one person with the rights that they have, over the
//! end of a server, for a day; on both databases.

use std::path::Path;

use domain::clock::Clock;
use model::person::Role;
use model::time::{DAY, SECOND};
use server::config::Config;
use story_support::site::{SOON, until};
use story_support::web::{PASSWORD, Person, Web, field, location};
use story_support::{World, both};
use tempfile::TempDir;

/// Of a page that goes on by itself.
const LIVE: &str = "data-live=\"1000\"";
/// A long history has more rows than are read in a second.
const LONG: i64 = 120_000;

async fn started(w: &World, files: &TempDir) -> Web {
    let mut config = Config::default();
    config.server.address.set_port(0);
    config.exports.directory = Some(files.path().join("exports"));
    Web::with(w, config, w.clock.clone()).await
}

/// Stops a server and waits until it has left its files.
async fn stopped(mut web: Web) {
    web.stop();
    (&mut web.running).await.unwrap().unwrap();
}

/// Asks for a file; gives where the form leads.
async fn ask(person: &Person<'_>, source: &str, file: &str, query: &str) -> String {
    let query = query.replace('&', "%26").replace('=', "%3D");
    let form = format!("source={source}&file={file}&query={query}&back=/audit");
    location(&person.post("/api/operator/exports/start", &form).await).to_owned()
}

async fn page(person: &Person<'_>) -> String {
    let answer = person.get("/exports").await;
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// The newest file on the page, by the buttons of its row.
async fn newest(person: &Person<'_>) -> String {
    field(&page(person).await, "export").to_owned()
}

async fn download(person: &Person<'_>, id: &str) -> reqwest::Response {
    person.get(&format!("/export-file?export={id}")).await
}

async fn is_in(w: &World, state: &'static str) -> bool {
    w.word("SELECT MAX(state) FROM exports WHERE asked_at = (SELECT MAX(asked_at) FROM exports)").await == state
}

async fn ends_in(w: &World, state: &'static str) {
    until(SOON, state, || is_in(w, state)).await;
}

/// The file is being written: some rows are in it, and more will come.
async fn is_written(w: &World) {
    let running = || async { w.number("SELECT COUNT(*) FROM exports WHERE state = 'running' AND row_count > 0").await == 1 };
    until(SOON, "the first rows", running).await;
}

/// The files of finished exports.
fn files(directory: &TempDir) -> usize {
    count(&directory.path().join("exports"))
}

fn count(directory: &Path) -> usize {
    std::fs::read_dir(directory).map_or(0, |entries| entries.filter(|one| one.as_ref().unwrap().file_name() != "owner").count())
}

/// A meter with a long history; gives the choice of all of it.
async fn long_history(w: &World) -> String {
    let meter = w.meter(1).await;
    let begin = w.clock.now().date().plus(-20).start().0;
    w.by_hand(&format!(
        "WITH RECURSIVE n(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < {LONG} - 1)
         INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
         SELECT m.id, {begin} + n.n * {}, 0, 0, 0, n.n, 5000 FROM meters m CROSS JOIN n",
        10 * SECOND
    ))
    .await
    .unwrap();
    let (from, until) = (w.clock.now().date().plus(-20), w.clock.now().date());
    format!("meter={meter}&kind=readings&from={from}&until={until}")
}

both!(a_file_is_made_offered_for_a_day_and_its_owners_alone, |w: World| async move {
    let directory = tempfile::tempdir().unwrap();
    w.room(1).await;
    let web = started(&w, &directory).await;
    let mut boss = web.person(&w, Role::Admin, "boss").await;
    let other = web.person(&w, Role::Admin, "other").await;
    let offered = boss.get("/audit?q=boss").await.text().await.unwrap();
    assert!(offered.contains("/api/operator/exports/start") && offered.contains("value=\"q=boss\""), "{offered}");
    assert_eq!(ask(&boss, "audit", "csv", "").await, "/exports");
    ends_in(&w, "ready").await;
    let shown = page(&boss).await;
    assert!(shown.contains("可下载") && shown.contains("export-file") && !shown.contains(LIVE), "{shown}");
    let audit = newest(&boss).await;
    let file = download(&boss, &audit).await;
    assert_eq!((file.status().as_u16(), file.content_length().is_some()), (200, true));
    assert!(file.headers()["content-disposition"].to_str().unwrap().contains(".csv"));
    assert_eq!(file.text().await.unwrap(), boss.get("/audit.csv").await.text().await.unwrap());
    // A report, as a workbook.
    w.clock.advance(SECOND);
    let (from, until_day) = (w.clock.now().date().plus(-7), w.clock.now().date());
    assert_eq!(ask(&boss, "reports/alarms", "xlsx", &format!("from={from}&until={until_day}&by=day")).await, "/exports");
    ends_in(&w, "ready").await;
    let report = newest(&boss).await;
    assert!(page(&boss).await.contains(&from.to_string()));
    assert!(download(&boss, &report).await.bytes().await.unwrap().starts_with(b"PK"));

    // Nobody else sees, has or ends it.
    assert!(!page(&other).await.contains("export-file"));
    assert_eq!(download(&other, &audit).await.status(), 404);
    for function in ["cancel", "remove"] {
        let refused = other.post(&format!("/api/operator/exports/{function}"), &format!("export={audit}")).await;
        assert_eq!(location(&refused), "/exports?e=conflict", "{function}");
    }
    assert!(web.visitor().get(&format!("/export-file?export={audit}")).await.status().is_redirection());

    // What the person may not have any more, they do not get either.
    w.execute("UPDATE users SET role = 'cashier' WHERE login = 'boss'").await;
    assert_eq!(download(&boss, &audit).await.status(), 403);
    assert_eq!(ask(&boss, "audit", "csv", "").await, "/audit?e=forbidden");
    assert_eq!(download(&boss, &report).await.status(), 200);
    w.limit("boss").await;
    assert_eq!(download(&boss, &report).await.status(), 403, "it is about buildings that were taken away");
    w.execute("UPDATE users SET role = 'admin', all_buildings = TRUE WHERE login = 'boss'").await;
    assert_eq!(download(&boss, &audit).await.status(), 200);

    // After a day it is gone, and the list says so.
    let removed = boss.post("/api/operator/exports/remove", &format!("export={report}")).await;
    assert_eq!((location(&removed), files(&directory)), ("/exports", 1));
    w.clock.advance(DAY);
    boss.log_in("boss", PASSWORD).await;
    assert_eq!(download(&boss, &audit).await.status(), 410);
    ends_in(&w, "expired").await;
    until(SOON, "an empty directory", || async { files(&directory) == 0 }).await;
    assert!(page(&boss).await.contains("已过期删除"));
});

both!(a_long_file_is_followed_and_cancelled, |w: World| async move {
    let directory = tempfile::tempdir().unwrap();
    let query = long_history(&w).await;
    let web = started(&w, &directory).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    for file in ["csv", "xlsx"] {
        w.clock.advance(SECOND);
        assert_eq!(ask(&boss, "readings", file, &query).await, "/exports");
        is_written(&w).await;
        let shown = page(&boss).await;
        assert!(shown.contains("生成中") && shown.contains(LIVE) && !shown.contains("export-file"), "{shown}");
        let id = newest(&boss).await;
        assert_eq!(download(&boss, &id).await.status(), 404, "it is not complete");
        let cancelled = boss.post("/api/operator/exports/cancel", &format!("export={id}")).await;
        assert_eq!(location(&cancelled), "/exports");
        until(SOON, "the end of the file", || async { files(&directory) == 0 }).await;
        let rows = w.number("SELECT MIN(row_count) FROM exports WHERE state = 'cancelled'").await;
        assert!(rows < LONG, "{rows}");
    }
    // A person has a few at once.
    for _ in 0..3 {
        w.clock.advance(SECOND);
        assert_eq!(ask(&boss, "readings", "csv", &query).await, "/exports");
    }
    assert_eq!(ask(&boss, "audit", "csv", "").await, "/audit?e=too-many-exports");
    is_begun(&w).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM exports WHERE state = 'waiting'").await, 1, "and the process makes two");
    // Rights end a file in the middle, and those that wait before they are begun.
    w.execute("UPDATE users SET disabled_at = 1 WHERE login = 'boss'").await;
    let failed = || async { w.number("SELECT COUNT(*) FROM exports WHERE trouble = 'not_allowed'").await == 3 };
    until(SOON, "the end of all", failed).await;
    until(SOON, "an empty directory", || async { files(&directory) == 0 }).await;
});

async fn is_begun(w: &World) {
    let running = || async { w.number("SELECT COUNT(*) FROM exports WHERE state = 'running'").await == 2 };
    until(SOON, "two files", running).await;
}

both!(a_file_is_begun_again_after_the_end_of_a_server, |w: World| async move {
    let directory = tempfile::tempdir().unwrap();
    let query = long_history(&w).await;
    let web = started(&w, &directory).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    ask(&boss, "readings", "csv", &query).await;
    is_written(&w).await;
    drop(boss);
    stopped(web).await;
    assert!(is_in(&w, "running").await, "the next server finds it so");

    let web = started(&w, &directory).await;
    ends_in(&w, "ready").await;
    let mut boss = web.visitor();
    boss.log_in("boss", PASSWORD).await;
    let file = download(&boss, &newest(&boss).await).await.text().await.unwrap();
    assert_eq!(file.lines().count() as i64, 1 + LONG);
    assert_eq!(w.number("SELECT starts FROM exports").await, 2);
    // A server with another directory does not have it, and says so.
    let (elsewhere, id) = (tempfile::tempdir().unwrap(), newest(&boss).await);
    drop(boss);
    stopped(web).await;
    let web = started(&w, &elsewhere).await;
    let mut boss = web.visitor();
    boss.log_in("boss", PASSWORD).await;
    assert_eq!(download(&boss, &id).await.status(), 409);
    assert!(page(&boss).await.contains("另一个服务进程"));
    drop(boss);
    stopped(web).await;

    // What was begun too often has failed, and its file goes.
    w.execute("UPDATE exports SET state = 'running'").await;
    let web = started(&w, &directory).await;
    ends_in(&w, "failed").await;
    assert_eq!(w.word("SELECT trouble FROM exports").await, "interrupted");
    until(SOON, "an empty directory", || async { files(&directory) == 0 }).await;
    stopped(web).await;
    // So has what a process was making that does not come back.
    w.execute("UPDATE exports SET state = 'running', starts = 0, trouble = NULL").await;
    w.clock.advance(DAY / 2);
    let web = started(&w, &elsewhere).await;
    ends_in(&w, "failed").await;
    stopped(web).await;
});
