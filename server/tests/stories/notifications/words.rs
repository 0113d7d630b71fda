//! The site's own texts, contact number and signature, in a warning of the evening.

use domain::clock::Clock;
use estate::places::{self, NewPlace};
use model::ids::PlaceId;
use model::parameters::Parameters;
use model::person::Role;
use model::place::PlaceKind;
use model::time::{DAY, HOUR};
use payments::{Config as PayConfig, Payments};
use server::tasks::Task;
use server::tasks::warn_tonight::WarnTonight;
use services::residents::ResidentService;
use simulator::notify_provider::SimulatedProvider;
use std::sync::Arc;
use store::parameters;
use story_support::web::Person;
use story_support::{World, bind, both};

use super::pages::{post, started, text};
use super::*;

/// A site above the room.
async fn site(w: &World) -> PlaceId {
    let id = PlaceId(w.rng.id(w.clock.now()));
    let mut tx = w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id, parent: None, kind: PlaceKind::Site, name: "Campus", sort: 1 }).await.unwrap();
    tx.commit().await.unwrap();
    w.execute("UPDATE places SET parent_id = (SELECT id FROM places WHERE kind = 'site') WHERE kind = 'room'").await;
    id
}

async fn set_text(person: &Person<'_>, version: u8, text: &str) -> String {
    let form = format!("kind=empty-tonight&language=zh-CN&version={version}&text={text}");
    post(person, "/api/operator/message-texts/set", &form).await
}

async fn evening(w: &World) -> WarnTonight {
    let context = w.context().await;
    let (db, clock, rng) = (w.db.clone(), w.clock.clone(), w.rng.clone());
    let payments = Payments::new(&PayConfig::default(), db, clock, rng, Arc::new(|| {})).unwrap();
    WarnTonight::new(context.clone(), ResidentService::new(context, payments))
}

both!(a_dry_room_is_warned_in_the_words_of_the_site, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    let site = site(&w).await;
    let web = started(&w, &provider).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let office = web.person(&w, Role::Manager, "office").await;

    let page = "/messages/texts/empty-tonight?language=zh-CN";
    assert!(text(&boss, "/messages/texts").await.contains("系统文本"));
    let written = "%7Broom%7D+runs+dry%3A+%7Bbalance%7D";
    assert_eq!(office.post("/api/operator/message-texts/set", "kind=test&language=en&version=0&text=x").await.status(), 403);
    for wrong in ["%7Brooom%7D", "%7BRoom%7D", "+"] {
        assert!(set_text(&boss, 0, wrong).await.contains("e=invalid"), "{wrong}");
    }
    assert!(text(&boss, &format!("{page}&text=%7Brooom%7D")).await.contains("第 1 个字符"), "the mistake with its place");
    let form = format!("kind=empty-tonight&language=zh-CN&text={written}");
    let preview = post(&boss, "/api/operator/message-texts/preview", &form).await;
    assert!(text(&boss, &preview).await.contains("3号楼 301 runs dry: 63.20"), "{preview}");
    assert_eq!(w.number("SELECT COUNT(*) FROM notification_texts").await, 0, "a preview stores nothing");
    assert_eq!(set_text(&boss, 0, written).await, format!("{page}&done=saved"));
    assert!(set_text(&boss, 0, "other").await.contains("e=conflict"), "somebody was faster");
    assert_eq!(set_text(&boss, 1, "other").await, format!("{page}&done=saved"));
    let reset = "kind=empty-tonight&language=zh-CN&version=2";
    assert!(post(&boss, "/api/operator/message-texts/reset", reset).await.ends_with("done=saved"));
    assert_eq!(set_text(&boss, 3, written).await, format!("{page}&done=saved"));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'notification.text'").await, 4);

    let contact = "/api/operator/settings/contact";
    assert!(post(&boss, contact, &format!("of={site}&contact=abc&signature=")).await.contains("e=invalid"));
    assert!(post(&boss, contact, &format!("of={site}&contact=&signature=%E3%80%90")).await.contains("e=invalid"));
    let set = post(&boss, contact, &format!("of={site}&contact=010-6277&signature=Qinghe")).await;
    assert_eq!(set, format!("/settings?of={site}&done=contact"));
    let set = post(&boss, contact, &format!("of={}&contact=010-1&signature=", room_place(&w).await)).await;
    assert!(!set.contains("&e="), "{set}");
    web.stop();

    // Eight days of 100 W, and half a yuan at 0.50 yuan/kWh in the evening.
    w.clock.advance(w.clock.now().date().start().plus(8 * DAY + 17 * HOUR).since(w.clock.now()));
    let (now, flat) = (w.clock.now(), Parameters { prices: [5_000; 4], ..Parameters::default() });
    parameters::store(&w.db, &w.rng, now, room.meter, 1, &flat).await.unwrap();
    for day in 1..8 {
        let sql = "INSERT INTO energy_daily (meter_id, day, wh) VALUES ($1, $2, $3)";
        bind(&w.db, sql, room.meter.0, &[now.date().0 - day, 2_400]).await;
    }
    w.shows(room.meter, 1, 10_000, 50).await;
    let task = evening(&w).await;
    assert_eq!(task.run().await.unwrap().summary, "1 warned");
    assert_eq!(task.run().await.unwrap().summary, "nothing to look at now");
    w.clock.advance(HOUR);
    assert_eq!(evening(&w).await.run().await.unwrap().summary, "0 warned", "once in an evening");
    send(&service, SMS).await;
    let warned = "【Qinghe】Campus 1 runs dry: 0.50咨询电话 010-1。";
    assert_eq!(texts(&provider), [("empty-tonight".to_owned(), warned.to_owned())]);
    w.clock.advance(15 * HOUR);
    assert_eq!(evening(&w).await.run().await.unwrap().summary, "nothing to look at now", "in the morning");
    // Enough for the night.
    w.clock.advance(9 * HOUR);
    w.shows(room.meter, 1, 10_000, 5_000).await;
    assert_eq!(evening(&w).await.run().await.unwrap().summary, "0 warned");
});

async fn room_place(w: &World) -> PlaceId {
    let sql = "SELECT id FROM places WHERE kind = 'room'";
    PlaceId(match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    })
}
