//! Pages and files of reports over HTTP.

use domain::clock::Clock;
use estate::places::{self, NewPlace};
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::person::Role;
use model::place::PlaceKind;
use model::report::ReportKind;
use reqwest::header::CONTENT_TYPE;
use store::meters::{self, NewMeter};
use story_support::web::{Person, Web, location};
use story_support::{World, both};

async fn text(person: &Person<'_>, path: &str) -> String {
    let answer = person.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

both!(a_report_is_a_page_and_two_files, |w: World| async move {
    let room = w.room(1).await;
    w.shows(room.meter, 0, 0, 90_000).await;
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    for _ in 0..3 {
        let key = w.rng.id(model::time::Timestamp(1));
        boss.post("/api/operator/sell", &format!("meter={}&amount=50&tender=cash&key={key}", room.meter)).await;
    }
    let list = text(&boss, "/reports").await;
    assert!(list.contains("/reports/sales") && list.contains("/reports/energy"));
    let page = text(&boss, "/reports/sales").await;
    assert!(page.contains("150.00") && page.contains("<svg") && page.contains("全部一致"), "{page}");
    assert!(page.contains("签") || page.contains("复核"), "lines for signatures");
    let csv = text(&boss, "/reports/sales.csv").await;
    assert!(csv.lines().any(|line| line.starts_with("合计,150.00,0.00,")), "{csv}");
    let number = w.word("SELECT number FROM accounts").await;
    for kind in ReportKind::ALL {
        let room = if kind.is_of_one_account() { number.as_str() } else { "" };
        let path = format!("/reports/{}.xlsx?room={room}", kind.as_str());
        let file = boss.get(&path).await;
        assert_eq!(file.status(), 200, "{path}");
        assert!(file.headers()[CONTENT_TYPE].to_str().unwrap().contains("spreadsheetml"));
        assert!(file.bytes().await.unwrap().starts_with(b"PK"));
    }
    let statement = text(&boss, &format!("/reports/statement?room={number}")).await;
    assert!(statement.contains("150.00") && statement.contains("购电") && statement.contains("全部一致"), "{statement}");
    let room = text(&boss, &format!("/rooms/{}", room.meter)).await;
    assert!(room.contains(&format!("/reports/statement?room={number}")), "the room's page leads to it");
    let held = text(&boss, "/reports/liability.csv").await;
    assert!(held.lines().any(|line| line.starts_with("合计,") && line.contains(",150.00,")), "{held}");
    let open = text(&boss, "/reports/statement").await;
    assert!(open.contains("请输入房间或户号") && !open.contains("notice bad"), "{open}");
    let energy = text(&boss, "/reports/energy?from=2026-11-01&until=2026-11-02&by=hour").await;
    assert!(energy.contains("没有数据"));
});

both!(a_choice_that_makes_no_report_is_explained, |w: World| async move {
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    for (path, words) in [
        ("/reports/sales?from=1976-01-01&until=2026-11-01", "400"),
        ("/reports/sales?from=2026-11-02&until=2026-11-01", "早于"),
        ("/reports/energy?from=2026-02-30", "不存在"),
        ("/reports/energy?place=nowhere", "不在您的楼栋范围"),
        ("/reports/energy?room=999", "没有这个房间"),
        ("/reports/statement?room=9999999999999999", "没有这个房间或户号"),
        ("/reports/statement?room=301&from=2020-01-01&until=2026-11-01", "400"),
        ("/reports/liability?until=2026-02-30", "不存在"),
        ("/reports/liability?place=nowhere", "不在您的楼栋范围"),
        ("/reports/open-cases?age=week", "3660"),
        ("/reports/energy?by=hour&from=2026-01-01&until=2026-11-01", "31"),
        ("/reports/load-curve?from=2026-11-02&until=2026-11-01", "早于"),
        ("/reports/abnormal-use?place=nowhere", "不在您的楼栋范围"),
        ("/reports/missing-readings?from=1976-01-01&until=2026-11-01", "400"),
    ] {
        let page = text(&boss, path).await;
        assert!(page.contains("notice bad") && page.contains(words), "{path}");
        let (report, choice) = path.split_once('?').unwrap();
        let file = boss.get(&format!("{report}.csv?{choice}")).await;
        assert_eq!(file.status(), 422, "{path}");
        assert!(file.text().await.unwrap().contains(words), "{path}");
    }
});

both!(too_many_meters_are_explained, |w: World| async move {
    let gateway = w.gateways(&[([127, 0, 0, 1], 1502).into()]).await[0];
    let [building, one, other] = [0; 3].map(|_| PlaceId(w.rng.id(w.clock.now())));
    let mut tx = w.db.begin().await.unwrap();
    let floors = [(building, None, PlaceKind::Building, "1"), (one, Some(building), PlaceKind::Unit, "1F")];
    for (id, parent, kind, name) in floors.into_iter().chain([(other, Some(building), PlaceKind::Unit, "2F")]) {
        places::add(&mut tx, &NewPlace { id, parent, kind, name, sort: 1 }).await.unwrap();
    }
    for (unit, floor, serial) in [(1, one, "101"), (2, other, "201")] {
        let (place, id) = (PlaceId(w.rng.id(w.clock.now())), MeterId(w.rng.id(w.clock.now())));
        let room = NewPlace { id: place, parent: Some(floor), kind: PlaceKind::Room, name: serial, sort: 1 };
        places::add(&mut tx, &room).await.unwrap();
        let new = NewMeter { id, place, gateway, unit, serial: serial.into(), profile: "rpp".into(), wallet: Wallet::Meter };
        meters::add_meter(&mut tx, w.clock.now(), &new).await.unwrap();
    }
    tx.commit().await.unwrap();
    // The second floor had 300 meters more; the one of the first is read each second.
    let id = if matches!(w.db, store::Db::Sqlite { .. }) { "randomblob(16)" } else { "gen_random_uuid()" };
    w.by_hand(&format!(
        "INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, created_at, retired_at)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300)
         SELECT {id}, place_id, gateway_id, unit, serial, profile, 0, 1 FROM numbers, meters WHERE serial = '201';
         UPDATE meters SET created_at = 0, sweep_interval_s = 1 WHERE serial = '101'"
    ))
    .await
    .unwrap();
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    // Abnormal use of a floor reads its building.
    for (report, place, meters, days) in
        [("abnormal-use", one, 302, 341), ("load-curve", building, 302, 397), ("missing-readings", one, 1, 46)]
    {
        let page = text(&boss, &format!("/reports/{report}?place={place}&from=2025-10-25&until=2026-11-28")).await;
        assert!(page.contains("notice bad"), "{report}");
        assert!(page.contains(&format!("{meters} 块电表")) && page.contains(&format!("{days} 天")), "{report}: {page}");
    }
    assert!(
        !text(&boss, &format!("/reports/load-curve?place={one}&from=2025-10-25&until=2026-11-28")).await.contains("notice bad")
    );
});

both!(the_co2_factor_is_a_setting_of_the_site, |w: World| async move {
    let id = PlaceId(w.rng.id(w.clock.now()));
    let mut tx = w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id, parent: None, kind: PlaceKind::Site, name: "Campus", sort: 1 }).await.unwrap();
    tx.commit().await.unwrap();
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let set = async |text: &str| {
        let answer = boss.post("/api/operator/settings/co2", &format!("co2_factor={text}")).await;
        location(&answer).to_owned()
    };
    assert!(text(&boss, "/reports/energy").await.contains("0.5306 kg/kWh"));
    assert!(text(&boss, "/settings").await.contains("生态环境部"));
    assert_eq!(set("0.61").await, "/settings?done=co2");
    assert!(text(&boss, "/reports/energy").await.contains("0.6100 kg/kWh"));
    assert!(text(&boss, "/settings").await.contains("value=\"0.6100\""));
    for wrong in ["2.1", "-1", "x", "0.53061"] {
        assert!(set(wrong).await.contains("e=invalid"), "{wrong}");
    }
    for _ in 0..2 {
        assert_eq!(set("").await, "/settings?done=co2", "the second time nothing changes");
    }
    assert!(text(&boss, "/reports/energy").await.contains("0.5306 kg/kWh"));
    let audited = "SELECT detail FROM audit WHERE action = 'site.co2-factor' ORDER BY seq LIMIT 1";
    let detail = w.word(audited).await;
    assert!(detail.contains(r#""after":"0.6100""#) && detail.contains(r#""before":null"#), "{detail}");
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'site.co2-factor'").await, 2);
    let clerk = web.person(&w, Role::Cashier, "clerk").await;
    assert_eq!(clerk.post("/api/operator/settings/co2", "co2_factor=1").await.status(), 403);
    // It is the whole site's: whoever sees some buildings only may not set it, whatever else they may do.
    w.limit("boss").await;
    assert!(set("1").await.contains("e=forbidden"));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'site.co2-factor'").await, 2);
});

both!(a_report_is_for_whoever_may_see_its_figures, |w: World| async move {
    let web = Web::start(&w).await;
    let technician = web.person(&w, Role::Technician, "technician").await;
    assert!(!text(&technician, "/reports").await.contains("/reports/sales"));
    for ending in ["", ".csv", ".xlsx"] {
        assert_eq!(technician.get(&format!("/reports/sales{ending}")).await.status(), 403, "{ending}");
        for report in ["statement", "building-statement", "liability", "subsidies"] {
            assert_eq!(technician.get(&format!("/reports/{report}{ending}")).await.status(), 403, "{report}{ending}");
        }
        for report in ["energy", "prices", "open-cases"] {
            assert_eq!(technician.get(&format!("/reports/{report}{ending}")).await.status(), 200, "{report}{ending}");
        }
    }
});
