//! The live stream of the meter wall over HTTP: for operators, within their buildings, and closed when the server stops.

use std::time::Duration;

use domain::clock::Clock;
use model::meter::{Latest, StatusWord};
use model::money::Fen;
use model::person::Role;
use model::wall::{Delta, Snapshot};
use store::Tx;
use story_support::site::SOON;
use story_support::web::Web;
use story_support::{World, both};
use tokio::time::timeout;

/// Reads until the buffer holds a whole event of that name; gives its data.
async fn event(answer: &mut reqwest::Response, buffer: &mut String, name: &str) -> String {
    loop {
        while let Some((event, rest)) = buffer.split_once("\n\n") {
            let (event, rest) = (event.to_owned(), rest.to_owned());
            *buffer = rest;
            if event.contains(&format!("event: {name}\n")) {
                return event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap().to_owned();
            }
        }
        let chunk = timeout(SOON, answer.chunk()).await.expect("an event in time").unwrap().expect("more");
        buffer.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

both!(an_operator_receives_changes_live, |w: World| async move {
    let room = w.room(1).await;
    let web = Web::start(&w).await;
    let operator = web.person(&w, Role::Manager, "op").await;
    let mut answer = operator.get("/live").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(answer.headers().get("content-encoding").is_none(), "compression would hold events back");

    let mut buffer = String::new();
    let snapshot: Snapshot = serde_json::from_str(&event(&mut answer, &mut buffer, "snapshot").await).unwrap();
    assert_eq!(snapshot.buildings[0].floors[0].rooms[0].1, room.meter);

    let seen = Latest {
        observed_at: Some(w.clock.now()),
        status: StatusWord(0b11),
        remaining: Fen(4_321),
        ..Latest::unseen(room.meter)
    };
    web.live().publish(seen);
    let delta: Delta = serde_json::from_str(&event(&mut answer, &mut buffer, "delta").await).unwrap();
    assert!(delta.revision > snapshot.revision);
    assert_eq!(delta.tiles[..3], [0, 0, 4_321]);

    // The wall of a profile: what the page shows, and what its stream brings.
    let other = w.meter(2).await;
    w.execute("UPDATE meters SET profile = 'hiking-dds238', wallet = 'server' WHERE unit = 2").await;
    web.live().reload(&w.db).await.unwrap();
    let page = async |query: &str| operator.get(&format!("/wall{query}")).await.text().await.unwrap();
    let picture = page("?profile=hiking-dds238").await;
    for part in ["仅限表型 hiking-dds238 的电表。", "显示全部表型", "/commands/new?place=profile%3Ahiking-dds238"] {
        assert!(picture.contains(part), "{part}");
    }
    let [row, other_row] = [room.meter, other].map(|meter| format!("data-meter=\"{meter}\""));
    let table = page("?view=table&profile=hiking-dds238").await;
    assert!(table.contains(&other_row) && !table.contains(&row));
    let unknown = page("?view=table&profile=%3Cb%3E").await;
    assert!(!unknown.contains("data-meter=") && unknown.contains("仅限表型 &lt;b&gt; 的电表。"), "{unknown}");
    let mut stream = operator.get("/live?view=table&profile=hiking-dds238").await;
    let snapshot: Snapshot = serde_json::from_str(&event(&mut stream, &mut String::new(), "snapshot").await).unwrap();
    assert_eq!((snapshot.buildings.len(), snapshot.buildings[0].floors[0].rooms[0].1), (1, other));

    web.stop();
    let ended = timeout(SOON, async { while let Ok(Some(_)) = answer.chunk().await {} }).await;
    assert!(ended.is_ok(), "a stop ends the stream, or the server would wait for it");
});

/// Reads on until the server ends the stream; fails where that takes much longer than a second.
async fn ended(mut answer: reqwest::Response, why: &str) {
    let end = timeout(Duration::from_millis(1_500), async { while let Ok(Some(_)) = answer.chunk().await {} }).await;
    assert!(end.is_ok(), "still open after {why}");
}

both!(a_live_stream_ends_within_a_second_of_its_right, |w: World| async move {
    let web = Web::start(&w).await;
    w.room(1).await;
    let mut operator = web.person(&w, Role::Manager, "op").await;
    let open = async |operator: &story_support::web::Person<'_>| {
        let mut answer = operator.get("/live").await;
        assert_eq!(answer.status(), 200);
        event(&mut answer, &mut String::new(), "snapshot").await;
        answer
    };
    let stays = open(&operator).await;
    let mut other = web.visitor();
    other.log_in("op", story_support::web::PASSWORD).await;
    let stream = open(&other).await;
    other.post("/api/auth/log-out", "").await;
    ended(stream, "a log-out").await;

    // Lost buildings: the browser reconnects, and sees less.
    let place = "INSERT INTO places (id, kind, name, sort) SELECT id, 'building', '9号楼', 9 FROM users WHERE login = 'op'";
    w.execute(place).await;
    w.execute("INSERT INTO operator_buildings (user_id, place_id) SELECT id, id FROM users WHERE login = 'op'").await;
    w.limit("op").await;
    ended(stays, "a lost building").await;

    let stream = open(&operator).await;
    let other_role = "UPDATE users SET role = 'own', own_role_id = (SELECT id FROM roles) WHERE login = 'op'";
    w.execute("INSERT INTO roles (id, name, created_at) SELECT id, 'books', 1 FROM users WHERE login = 'op'").await;
    w.execute("INSERT INTO role_permissions (role_id, permission) SELECT id, 'watch' FROM roles").await;
    w.execute(other_role).await;
    assert_eq!(operator.get("/wall").await.status(), 200, "the role may watch");
    w.execute("UPDATE role_permissions SET permission = 'audit'").await;
    assert_eq!(operator.get("/wall").await.status(), 403, "on the next request");
    assert_eq!(operator.get("/audit").await.status(), 200);
    ended(stream, "a permission that was taken away").await;
    w.execute("UPDATE role_permissions SET permission = 'watch'").await;

    let stream = open(&operator).await;
    w.execute("UPDATE users SET disabled_at = 1 WHERE login = 'op'").await;
    ended(stream, "disabling").await;
    assert_eq!(operator.clone().program().get("/live").await.status(), 401);
    w.execute("UPDATE users SET disabled_at = NULL WHERE login = 'op'").await;

    operator.log_in("op", story_support::web::PASSWORD).await;
    let stream = open(&operator).await;
    w.execute("DELETE FROM sessions").await;
    ended(stream, "the end of its session").await;
});

both!(a_live_stream_goes_on_while_the_database_hangs, |w: World| async move {
    let room = w.room(1).await;
    let web = Web::start(&w).await;
    let operator = web.person(&w, Role::Manager, "op").await;
    let mut answer = operator.get("/live").await;
    let mut buffer = String::new();
    event(&mut answer, &mut buffer, "snapshot").await;
    // On PostgreSQL nobody can read the sessions; SQLite's readers never wait, so there its writer is taken.
    let mut tx = w.db.begin().await.unwrap();
    let held = match &mut tx {
        Tx::Sqlite(tx) => sqlx::query("DELETE FROM sessions").execute(&mut **tx).await.map(drop),
        Tx::Postgres(tx) => sqlx::query("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").execute(&mut **tx).await.map(drop),
    };
    held.unwrap();
    // Longer than between two looks at the sessions.
    for remaining in 1..=6 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let seen = Latest {
            observed_at: Some(w.clock.now()),
            status: StatusWord(0b11),
            remaining: Fen(remaining),
            ..Latest::unseen(room.meter)
        };
        web.live().publish(seen);
        let sent = timeout(Duration::from_secs(2), event(&mut answer, &mut buffer, "delta")).await;
        let delta: Delta = serde_json::from_str(&sent.expect("changes arrive all the same")).unwrap();
        assert_eq!(delta.tiles[2], remaining);
    }
    // Given up, it ends nothing; done, it ends the stream.
    drop(tx);
    w.execute("DELETE FROM sessions").await;
    ended(answer, "the end of its session").await;
});

both!(others_are_denied_the_live_stream, |w: World| async move {
    let web = Web::start(&w).await;
    assert_eq!(web.visitor().program().get("/live").await.status(), 401);
    assert_eq!(web.person(&w, Role::Resident, "res").await.program().get("/live").await.status(), 403);
});
