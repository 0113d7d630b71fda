//! The history of a meter and the files of it, on both databases.

use domain::clock::Clock;
use domain::rollup::Parts;
use model::console::HistoryKind;
use model::energy::Energy;
use model::ids::MeterId;
use model::money::Fen;
use model::person::Role;
use model::reading::{ReadingQuality, ReadingSource};
use model::time::{HOUR, MINUTE, Timestamp};
use reqwest::header::CONTENT_TYPE;
use store::energy::{Day, Hour};
use store::readings::{self, Batch, Reading};
use story_support::web::{Person, Web};
use story_support::{World, both};
use uuid::Uuid;

/// Two days of readings, every ten minutes 0.1 kWh, up to midnight of today.
async fn read(w: &World, meter: MeterId) -> Timestamp {
    let end = w.clock.now().date().start();
    let begin = end.plus(-48 * HOUR);
    let mut batch = Batch::default();
    for n in 0..288 {
        batch.readings.push(Reading {
            meter_id: meter,
            at: begin.plus(n * 10 * MINUTE),
            quality: ReadingQuality::Good,
            source: ReadingSource::Sweep,
            status: 3,
            total_wh: Energy(1_000 + n * 100),
            reverse_wh: None,
            remaining_fen: Fen(5_000 - n),
            power_w: Some(600 + n),
            voltage_dv: Some(2_301),
            current_ca: Some(261),
            power_factor: None,
            spike_wh: None,
            peak_wh: None,
            flat_wh: None,
            valley_wh: None,
            sequence: Some(n + 1),
        });
    }
    for n in 0..48 {
        batch.hours.push(Hour { meter, hour: begin.0 / HOUR + n, energy: Energy(600) });
    }
    for day in [begin.date(), begin.date().plus(1)] {
        batch.days.push(Day { meter, day, energy: Energy(14_400), parts: Parts::default() });
    }
    // Once more, as after a commit whose answer was lost.
    for _ in 0..2 {
        readings::write(&w.db, &w.rng, w.clock.now(), &batch).await.unwrap();
    }
    begin
}

async fn text(person: &Person<'_>, path: &str) -> String {
    let answer = person.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

both!(a_history_is_shown_and_downloaded, |w: World| async move {
    let meter = w.meter(1).await;
    let begin = read(&w, meter).await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let (from, until) = (begin.date(), begin.date().plus(1));
    let range = |kind: HistoryKind| format!("kind={}&from={from}&until={until}", kind.as_str());
    let page = |kind| format!("/meters/{meter}/readings?{}", range(kind));
    let file = |ending: &str, kind| format!("/readings.{ending}?meter={meter}&{}", range(kind));

    let days = text(&boss, &page(HistoryKind::Days)).await;
    assert!(days.contains("28.80") && days.contains("<svg"), "the total of both days");
    let hours = text(&boss, &page(HistoryKind::Hours)).await;
    assert_eq!(hours.matches(">0.60<").count(), 48);
    let shown = text(&boss, &page(HistoryKind::Readings)).await;
    assert!(shown.contains("887 W") && shown.contains("288"), "the highest power of the range, and the number of readings");
    let last = text(&boss, &format!("{}&page=6", page(HistoryKind::Readings))).await;
    assert!(last.contains(&format!("datetime=\"{}T{}+08:00\"", begin.date(), begin.clock_seconds())), "the first reading");

    let csv = text(&boss, &file("csv", HistoryKind::Days)).await;
    assert_eq!(csv.lines().skip(1).collect::<Vec<_>>(), [format!("{from},14.40,*"), format!("{until},14.40,≈*")]);
    assert_eq!(text(&boss, &file("csv", HistoryKind::Hours)).await.lines().count(), 1 + 48);
    let csv = text(&boss, &file("csv", HistoryKind::Readings)).await;
    assert_eq!(csv.lines().count(), 1 + 288);
    assert!(csv.lines().last().unwrap().starts_with(&format!("{begin},1.00,,50.00,600,230.1,2.61,")), "{csv}");
    for kind in HistoryKind::ALL {
        let answer = boss.get(&file("xlsx", kind)).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()[CONTENT_TYPE].to_str().unwrap().contains("spreadsheetml"));
        assert!(answer.bytes().await.unwrap().starts_with(b"PK"));
    }
    // A range that is too long or no range is said, and no file is made of it.
    let long = text(&boss, &format!("/meters/{meter}/readings?kind=hours&from=2026-01-01&until=2026-11-01")).await;
    assert!(long.contains("31") && long.contains("notice bad"), "{long}");
    let refused = boss.get(&format!("/readings.csv?meter={meter}&kind=hours&from=2026-01-01&until=2026-11-01")).await;
    assert_eq!(refused.status(), 422);
});

both!(a_retired_meter_keeps_its_history, |w: World| async move {
    let meter = w.meter(1).await;
    read(&w, meter).await;
    w.execute("UPDATE meters SET retired_at = 1795600000000").await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    assert!(text(&boss, &format!("/meters/{meter}/readings?kind=days")).await.contains("14.40"));
    assert_eq!(boss.get(&format!("/meters/{}/readings", Uuid::nil().simple())).await.status(), 404);
});

both!(the_state_of_all_meters_is_a_file, |w: World| async move {
    let room = w.room(1).await;
    w.meter(2).await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let csv = text(&boss, "/meters.csv").await;
    assert_eq!(csv.lines().count(), 1 + 2, "{csv}");
    let number = w.word("SELECT number FROM accounts").await;
    assert!(csv.contains(&format!(",'{number},")), "an account number keeps its zeros: {csv}");
    let lost = text(&boss, "/meters.csv?state=0").await;
    assert_eq!(lost.lines().count(), 1, "no meter has been read");
    let file = boss.get("/meters.xlsx").await;
    assert!(file.bytes().await.unwrap().starts_with(b"PK"));
    assert_ne!(room.meter, MeterId(Uuid::nil()));
});
