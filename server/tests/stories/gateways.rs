//! Settings of gateways: the certificates trusted over TLS, and meters that a gateway cannot carry.

use domain::clock::{Clock, SystemClock};
use domain::framing::Framing;
use model::gateway::{GatewayHealth, Trust};
use model::ids::{GatewayId, MeterId};
use model::permission::Permissions;
use model::person::{Role, Who};
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
    assert!(!admin.get("/meters").await.text().await.unwrap().contains("gateway-trust"));
    w.execute("UPDATE gateways SET framing = 'modbus-tls'").await;
    assert_eq!(operator.post("/api/operator/gateway-trust", &format!("gateway={id}&name=gw&pin=")).await.status(), 403);
    for (name, pin) in [("a%20b", ""), ("", "abc"), ("https://gw", "")] {
        assert!(post(&admin, name, pin).await.contains("e=invalid"), "{name} {pin}");
    }
    assert_eq!(post(&admin, "gw.example", &"AB:".repeat(32)).await, "/meters?done=trust");
    let page = admin.get("/meters").await.text().await.unwrap();
    assert!(page.contains("gw.example") && page.contains(&["AB"; 32].join(":")));
    assert!(!operator.get("/meters").await.text().await.unwrap().contains("gateway-trust"));
    assert_eq!(w.word("SELECT tls_pin FROM gateways").await, "ab".repeat(32));
    assert_eq!(post(&admin, "", "").await, "/meters?done=trust");
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
