//! Settings of gateways: the certificates trusted over TLS, and meters that a gateway cannot carry.

use domain::clock::{Clock, SystemClock};
use domain::framing::Framing;
use estate::gateways::GatewayEdit;
use model::event::EventKind;
use model::gateway::{
    ConnectFault, Dialling, GatewayHealth, GatewayName, GatewaySettings, GatewayTest, Host, TestOutcome, Trust,
};
use model::ids::{GatewayId, MeterId, Uuid};
use model::permission::Permissions;
use model::person::{Role, Who};
use store::events::{self, Subject};
use store::{console, meters, trust};

use story_support::site::{SOON, Site, until};
use story_support::web::{Web, location};
use story_support::{World, both, fingerprint};

async fn gateway(w: &World) -> GatewayId {
    meters::gateways(&w.db).await.unwrap()[0].id
}

fn who(s: &Site) -> Who {
    Who { user: s.clerk, role: Role::Admin, permissions: Permissions::of(Role::Admin), name: String::new(), ip: String::new() }
}

both!(a_gateway_is_trusted_by_its_configured_fingerprint, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| sim.estate.gateways[0].framing = Framing::ModbusTls).await;
    let engine = s.start().await;
    let health = || async { engine.gateways()[0].health };
    until(SOON, "a stranger to be refused", || async { health().await == GatewayHealth::Unreachable }).await;
    let set = async |pin: &str| {
        let trusted = Trust::parse("", pin).unwrap();
        trust::set(&s.w.db, SystemClock.now(), &who(&s), gateway(&s.w).await, &trusted).await.unwrap();
        engine.reload();
    };
    set(&fingerprint(s.sim.certificate().unwrap())).await;
    until(SOON, "the pinned one", || async { health().await == GatewayHealth::Up }).await;
    set(&"00".repeat(32)).await;
    until(SOON, "another one to be refused", || async { health().await == GatewayHealth::Unreachable }).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'gateway.trust'").await, 2);
});

both!(trust_is_set_by_permission_and_only_on_tls_gateways, |w: World| async move {
    w.meter(1).await;
    let web = Web::start(&w).await;
    let (admin, operator) = (web.person(&w, Role::Technician, "root").await, web.person(&w, Role::Cashier, "desk").await);
    let id = gateway(&w).await;
    let post = async |person: &story_support::web::Person, name: &str, pin: &str| {
        let form = format!("gateway={id}&name={name}&pin={pin}");
        location(&person.post("/api/operator/gateway-trust", &form).await).to_owned()
    };
    assert!(post(&admin, "gw", "").await.contains("e=not-found"), "Modbus TCP asks for no certificate");
    let here = format!("/gateways/{id}");
    assert!(!admin.get(&here).await.text().await.unwrap().contains("gateway-trust"));
    w.execute("UPDATE gateways SET framing = 'modbus-tls'").await;
    assert_eq!(operator.post("/api/operator/gateway-trust", &format!("gateway={id}&name=gw&pin=")).await.status(), 403);
    for (name, pin) in [("a%20b", ""), ("", "abc"), ("https://gw", "")] {
        assert!(post(&admin, name, pin).await.contains("e=invalid"), "{name} {pin}");
    }
    assert_eq!(post(&admin, "gw.example", &"AB:".repeat(32)).await, format!("{here}?done=trust"));
    let page = admin.get(&here).await.text().await.unwrap();
    assert!(page.contains("gw.example") && page.contains(&["AB"; 32].join(":")));
    assert!(!operator.get(&here).await.text().await.unwrap().contains("gateway-trust"));
    assert_eq!(w.word("SELECT tls_pin FROM gateways").await, "ab".repeat(32));
    assert_eq!(post(&admin, "", "").await, format!("{here}?done=trust"));
    assert_eq!(w.number("SELECT COUNT(*) FROM gateways WHERE tls_name IS NULL AND tls_pin IS NULL").await, 1);
    web.stop();
});

both!(a_meter_its_gateway_cannot_carry_is_a_case_until_fixed, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        let gateway = &mut sim.estate.gateways[0];
        gateway.framing = Framing::Transparent;
        gateway.meters[1] = gateway.meters[1].clone().plain("dlt645");
    })
    .await;
    s.w.execute("UPDATE gateways SET framing = 'modbus-tcp'").await;
    let engine = s.start().await;
    let open = "SELECT COUNT(*) FROM cases WHERE kind = 'unusable' AND closed_at IS NULL";
    until(SOON, "the case", || async { s.w.number(open).await == 1 }).await;
    let cases = console::cases_of(&s.w.db, s.clerk, MeterId(s.meters[1].0)).await.unwrap();
    let model::case::CaseDetail::Unusable(case) = &cases[0].detail else { panic!("{cases:?}") };
    let said = app::i18n::cases::unusable(case, model::language::Lang::En);
    assert!(said.contains("Set the gateway to transparent"), "{said}");
    engine.reload();
    s.w.execute("UPDATE gateways SET framing = 'transparent'").await;
    engine.reload();
    until(SOON, "its end", || async { s.w.number(open).await == 0 }).await;
    let read = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.profile = 'dlt645'";
    until(SOON, "a reading", || async { s.w.number(read).await > 0 }).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'unusable'").await, 1, "one, however often it was found");
    assert_eq!(s.w.word("SELECT resolution FROM cases WHERE kind = 'unusable'").await, "mended");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'case.close'").await, 1);
});

/// The fields of the form.
fn form(fields: &[(&str, &str)]) -> String {
    let usual = [
        ("name", "G9"),
        ("transport", "dialled"),
        ("host", "10.0.0.9"),
        ("port", "502"),
        ("framing", "modbus-tcp"),
        ("baud", ""),
    ];
    let all = usual.iter().filter(|(name, _)| fields.iter().all(|(other, _)| other != name)).chain(fields);
    all.map(|(name, value)| format!("&form%5B{name}%5D={}", value.replace(' ', "%20"))).collect()
}

both!(a_gateway_is_added_changed_and_replaced_by_form, |w: World| async move {
    w.meter(1).await;
    let web = Web::start(&w).await;
    let (admin, operator) = (web.person(&w, Role::Admin, "root").await, web.person(&w, Role::Cashier, "desk").await);
    let add = |key: &str, fields: &[(&str, &str)]| format!("key={key}{}", form(fields));
    let key = "018f0000000070008000000000000009";
    // Twice the same form adds one.
    for _ in 0..2 {
        let added =
            admin.post("/api/operator/gateways/add", &add(key, &[("code", "7"), ("baud", "2400"), ("gap_ms", "40")])).await;
        assert_eq!(location(&added), format!("/gateways/{key}?done=added"));
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM gateways WHERE host = '10.0.0.9' AND baud = 2400 AND gap_ms = 40").await, 1);
    let other = "018f000000007000800000000000000a";
    for (fields, wrong) in [
        (&[("host", "10.0.0.256")][..], "wrong=host"),
        (&[("port", "0")], "wrong=port"),
        (&[("name", "")], "wrong=name"),
        (&[("request_timeout_ms", "1")], "wrong=request_timeout_ms"),
        (&[("name", "G9")], "e=gateway-name-taken"),
        (&[("name", "G10"), ("code", "7")], "e=gateway-name-taken"),
    ] {
        let refused = admin.post("/api/operator/gateways/add", &add(other, fields)).await;
        assert!(
            location(&refused).contains(wrong) && location(&refused).contains("framing=modbus-tcp"),
            "{}",
            location(&refused)
        );
    }
    // What was typed is in the form again, with the wrong field marked.
    let page = admin.get("/gateways/new?transport=dialled&name=G10&host=10.0.0.256&wrong=host").await.text().await.unwrap();
    assert!(page.contains("10.0.0.256") && page.contains("aria-invalid=\"true\"") && page.contains("G10"));

    let change = |fields: &[(&str, &str)], more: &str| format!("gateway={key}{}{more}", form(fields));
    let changed = admin.post("/api/operator/gateways/change", &change(&[("host", "gw.example")], "")).await;
    assert_eq!(location(&changed), format!("/gateways/{key}?done=changed"));
    let refused = admin.post("/api/operator/gateways/change", &change(&[], "&edit=replace&reason=")).await;
    assert!(location(&refused).contains("e=invalid"), "a replacement has a reason");
    let dial_in = [("transport", "dial-in"), ("registration", "GW-9"), ("heartbeat", "hex:FE"), ("framing", "transparent")];
    let replaced = admin.post("/api/operator/gateways/change", &change(&dial_in, "&edit=replace&reason=burnt")).await;
    assert_eq!(location(&replaced), format!("/gateways/{key}?done=replaced"));
    assert_eq!(w.word("SELECT registration FROM gateways WHERE host IS NULL").await, hex::encode("GW-9"));
    let clash = [("name", "G11"), ("transport", "dial-in"), ("registration", "GW-91")];
    let refused = admin.post("/api/operator/gateways/add", &add(other, &clash)).await;
    assert!(location(&refused).contains("e=registration-taken"), "{}", location(&refused));
    let history = estate::gateways::changes(&w.db, key.parse().unwrap()).await.unwrap();
    let actions: Vec<_> = history.iter().map(|change| (change.by.as_str(), change.action.as_str())).collect();
    let by = w.word("SELECT name FROM users WHERE login = 'root'").await;
    let wanted = ["gateway.replace", "gateway.change", "gateway.create"].map(|action| (by.as_str(), action));
    assert_eq!(actions, wanted, "a history names people");
    let page = admin.get(&format!("/gateways/{key}")).await.text().await.unwrap();
    assert!(page.contains("burnt") && page.contains("GW-9") && page.contains("gw.example:502"), "the history names it");
    assert!(admin.get("/gateways").await.text().await.unwrap().contains("/gateways/new"));

    assert_eq!(operator.get("/gateways/new").await.status(), 403);
    assert_eq!(operator.post("/api/operator/gateways/add", &add(other, &[])).await.status(), 403);
    assert_eq!(operator.post("/api/operator/gateways/retire", &format!("gateway={key}")).await.status(), 403);
    assert!(!operator.get("/gateways").await.text().await.unwrap().contains("/gateways/new"));
    for action in ["create", "change", "replace"] {
        let sql: &'static str = match action {
            "create" => "SELECT COUNT(*) FROM audit WHERE action = 'gateway.create'",
            "change" => "SELECT COUNT(*) FROM audit WHERE action = 'gateway.change'",
            _ => "SELECT COUNT(*) FROM audit WHERE action = 'gateway.replace'",
        };
        assert_eq!(w.number(sql).await, 1, "{action}");
    }
    web.stop();
});

both!(a_gateway_in_use_is_not_retired_and_says_why, |w: World| async move {
    let room = w.room(1).await;
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "root").await;
    let id = gateway(&w).await;
    let page = admin.get(&format!("/gateways/{id}?do=retire")).await.text().await.unwrap();
    assert!(page.contains(&format!("/rooms/{}", room.meter)) && !page.contains("/api/operator/gateways/retire"));
    let retire = async || location(&admin.post("/api/operator/gateways/retire", &format!("gateway={id}")).await).to_owned();
    assert!(retire().await.contains("e=gateway-in-use"));
    w.execute("UPDATE account_meters SET to_at = 2000000000000").await;
    w.execute(
        "INSERT INTO commands (id, meter_id, kind, args, money, priority, state, next_at, decided_at)
         SELECT id, id, 'read', '{}', TRUE, 1, 'queued', 1, 1 FROM meters",
    )
    .await;
    assert!(retire().await.contains("e=gateway-in-use"), "money waits to be delivered");
    w.execute("UPDATE commands SET money = FALSE").await;
    // Lost, and the meter with it; its overload waits for a gateway that never comes back.
    let mut tx = w.db.begin().await.unwrap();
    let (meter, of_gateway) = (Subject::Meter(room.meter), Subject::Gateway(id));
    for (kind, subject) in [(EventKind::MeterLost, meter), (EventKind::GatewayLost, of_gateway), (EventKind::Overload, meter)] {
        events::raise(&mut tx, &w.rng, kind, subject, w.clock.now(), "{}").await.unwrap();
    }
    tx.commit().await.unwrap();
    assert_eq!(retire().await, format!("/gateways/{id}?done=retired"));
    assert_eq!(w.number("SELECT COUNT(*) FROM meters WHERE retired_at IS NULL").await, 0);
    assert_eq!(w.word("SELECT state FROM commands").await, "superseded", "what waited is dropped");
    let open = "SELECT (SELECT COUNT(*) FROM events WHERE until_at IS NULL) + (SELECT COUNT(*) FROM alarm_waits)";
    assert_eq!(w.number(open).await, 0, "what was the matter with it is over");
    // Its history stays, nothing can be changed any more, and its name is free.
    let page = admin.get(&format!("/gateways/{id}?done=retired")).await.text().await.unwrap();
    assert!(!page.contains("/edit") && !page.contains("gateways/test"));
    assert!(admin.get("/gateways").await.text().await.unwrap().contains(&format!("/gateways/{id}")));
    assert!(retire().await.contains("e=not-found"));
    web.stop();
});

both!(changed_settings_reach_the_running_engine, |w: World| async move {
    let s = Site::new(w, 2, 1).await;
    let engine = s.start().await;
    let all_up = || async { engine.gateways().iter().all(|one| one.health == GatewayHealth::Up) };
    until(SOON, "both", all_up).await;
    let rows = meters::gateways(&s.w.db).await.unwrap();
    let mut settings = rows[0].settings().unwrap();
    let right = settings.reach.clone();
    let (host, port) = (Host::parse("127.0.0.1").unwrap(), std::num::NonZeroU16::new(1).unwrap());
    settings.reach = Dialling::Dialled { host, port };
    let at = SystemClock.now();
    estate::gateways::change(&s.w.db, at, &who(&s), rows[0].id, &settings, GatewayEdit::Change).await.unwrap();
    engine.reload();
    let health = || async { engine.gateways().iter().find(|one| one.id == rows[0].id).unwrap().health };
    until(SOON, "the loss", || async { health().await == GatewayHealth::Unreachable }).await;
    let found = engine.test_gateway(rows[0].id, &s.w.rng).await.unwrap();
    assert_eq!(found, GatewayTest::unreachable(ConnectFault::Refused));
    // One that was added a moment ago is waited for.
    let (host, port) = (Host::parse("127.0.0.1").unwrap(), std::num::NonZeroU16::new(2).unwrap());
    let new =
        GatewaySettings { name: GatewayName::parse("new").unwrap(), reach: Dialling::Dialled { host, port }, ..settings.clone() };
    let added = estate::gateways::create(&s.w.db, at, &who(&s), Uuid::from_u128(1), &new).await.unwrap();
    engine.reload();
    assert_eq!(engine.test_gateway(added, &s.w.rng).await.unwrap(), GatewayTest::unreachable(ConnectFault::Refused));
    settings.reach = right;
    estate::gateways::change(&s.w.db, at, &who(&s), rows[0].id, &settings, GatewayEdit::Replace("new")).await.unwrap();
    engine.reload();
    until(SOON, "its return", || async { health().await == GatewayHealth::Up }).await;
    assert_eq!(engine.test_gateway(rows[0].id, &s.w.rng).await.unwrap(), GatewayTest::of(TestOutcome::Answered, Some(1)));
    engine.stop().await;
});

both!(a_test_says_what_is_wrong, |w: World| async move {
    let s = Site::with(w, 2, 1, |sim| sim.estate.gateways[1].framing = Framing::ModbusTls).await;
    let engine = s.start().await;
    let rows = meters::gateways(&s.w.db).await.unwrap();
    let test = async |n: usize| engine.test_gateway(rows[n].id, &s.w.rng).await.unwrap();
    assert_eq!(test(0).await, GatewayTest::of(TestOutcome::Answered, Some(1)));
    assert_eq!(test(1).await, GatewayTest::unreachable(ConnectFault::TlsIssuer));
    trust::set(&s.w.db, SystemClock.now(), &who(&s), rows[1].id, &Trust::parse("", &"00".repeat(32)).unwrap()).await.unwrap();
    engine.reload();
    until(SOON, "the pin", || async { test(1).await == GatewayTest::unreachable(ConnectFault::TlsPin) }).await;
    s.w.execute("UPDATE gateways SET framing = 'modbus-tls' WHERE name = 'g0'").await;
    engine.reload();
    until(SOON, "no TLS", || async { test(0).await.outcome == TestOutcome::Unreachable }).await;
    s.w.execute("UPDATE gateways SET framing = 'transparent' WHERE name = 'g0'").await;
    engine.reload();
    until(SOON, "the other framing", || async { test(0).await.outcome == TestOutcome::OtherFraming }).await;
    s.w.execute("UPDATE gateways SET framing = 'modbus-tcp' WHERE name = 'g0'").await;
    engine.reload();
    until(SOON, "an answer", || async { test(0).await.outcome == TestOutcome::Answered }).await;
    s.w.execute("UPDATE meters SET serial = '999999999999' WHERE unit = 1 AND serial LIKE '%0001'").await;
    engine.reload();
    until(SOON, "another meter", || async { test(0).await.outcome == TestOutcome::OtherMeter }).await;
    engine.stop().await;
});

both!(a_gateway_without_meters_is_back_when_it_is_connected, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.w.execute("UPDATE meters SET retired_at = 1").await;
    let row = meters::gateways(&s.w.db).await.unwrap().remove(0);
    s.w.execute("UPDATE gateways SET port = 1").await;
    let engine = s.start().await;
    until(SOON, "the loss", || async { engine.gateways()[0].health == GatewayHealth::Unreachable }).await;
    assert_eq!(engine.gateways()[0].round_ms, None, "it takes no time for a round");
    let lost = "SELECT COUNT(*) FROM events WHERE kind = 'gateway-lost' AND until_at IS NULL";
    until(SOON, "its alarm", || async { s.w.number(lost).await == 1 }).await;
    let (at, settings) = (SystemClock.now(), row.settings().unwrap());
    estate::gateways::change(&s.w.db, at, &who(&s), row.id, &settings, GatewayEdit::Change).await.unwrap();
    engine.reload();
    until(SOON, "the end of its alarm", || async { s.w.number(lost).await == 0 }).await;
    assert!(!engine.gateways()[0].health.is_lost());
    engine.stop().await;
});
