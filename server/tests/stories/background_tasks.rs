//! The page of the background tasks: what fails is shown until it works again; on both databases.

use std::time::Duration;

use app::i18n::Lang;
use app::i18n::tasks::{advice, task, texts};
use model::person::Role;
use model::task::TaskKind;
use story_support::web::{Person, Web, location};
use story_support::{World, both};

/// The rows of the page, in its order, once `shown` holds for the row of that task.
async fn rows_when(person: &Person<'_>, kind: TaskKind, shown: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let mut page = String::new();
    for _ in 0..200 {
        page = person.get("/tasks").await.text().await.unwrap();
        let row = |text: &str| Some((text.split_once('"')?.0.to_owned(), text.split("</tr>").next()?.to_owned()));
        let rows: Vec<_> = page.split("id=\"task-").skip(1).filter_map(row).collect();
        if rows.iter().any(|(name, row)| name == kind.as_str() && shown(row)) {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{kind:?} is not shown so: {page}");
}

both!(a_failing_task_is_shown_until_it_recovers, |w: World| async move {
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let (t, kind) = (texts(Lang::Zh), TaskKind::AccountBatches);
    let rows = rows_when(&boss, kind, |row| row.contains(t.nothing)).await;
    let (_, row) = rows.iter().find(|(name, _)| name == kind.as_str()).unwrap();
    let words = task(kind, Lang::Zh);
    assert!(row.contains(words.name) && row.contains(words.purpose) && !row.contains("bad-text"), "{row}");
    // The task reads this table each second; nothing else does unasked.
    w.by_hand("ALTER TABLE account_batch_rooms RENAME TO account_batch_rooms_away").await.unwrap();
    let rows = rows_when(&boss, kind, |row| row.contains("bad-text")).await;
    assert_eq!(rows[0].0, kind.as_str(), "what fails comes first");
    assert!(rows[0].1.contains(t.failed) && rows[0].1.contains(advice(kind, Lang::Zh).0), "{}", rows[0].1);
    let health = web.visitor().get("/health").await;
    assert_eq!(health.status(), 200, "the rest of the server works");
    let health = health.text().await.unwrap();
    assert!(health.contains("\ntasks failing: ") && health.contains("accounts.batches"), "{health}");
    w.by_hand("ALTER TABLE account_batch_rooms_away RENAME TO account_batch_rooms").await.unwrap();
    rows_when(&boss, kind, |row| row.contains(t.nothing) && !row.contains("bad-text")).await;
    assert!(!web.visitor().get("/health").await.text().await.unwrap().contains("accounts.batches"));
});

both!(tasks_are_shown_to_whoever_runs_the_site, |w: World| async move {
    let web = Web::start(&w).await;
    assert_eq!(web.person(&w, Role::Admin, "boss").await.get("/tasks").await.status(), 200);
    for role in [Role::Manager, Role::Resident] {
        assert_eq!(web.person(&w, role, role.as_str()).await.get("/tasks").await.status(), 403, "{role:?}");
    }
    let answer = web.visitor().get("/tasks").await;
    assert_eq!((answer.status().as_u16(), location(&answer).starts_with("/login?")), (303, true));
});
