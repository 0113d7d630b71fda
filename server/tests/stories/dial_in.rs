//! Gateways that dial in: readings and sales through them, however their connections end.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroU16;
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::framing::Framing;
use estate::gateways;
use model::gateway::{BytePattern, GatewayHealth, Heartbeat, PortState};
use model::permission::Permissions;
use model::person::{Role, Who};
use simulator::{DialIn, LineFault};

use story_support::site::{SOON, Site, until};
use story_support::{World, both};

fn pattern(text: &str) -> BytePattern {
    BytePattern::parse(text).unwrap()
}

/// A site whose gateways dial in, with an answered heartbeat every 40 ms.
async fn site(w: World, framing: Framing, meters: u8) -> Site {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = free.local_addr().unwrap();
    drop(free);
    let mut s = Site::with(w, 1, meters, |sim| {
        sim.estate.gateways[0].framing = framing;
        let heartbeat = Some(Heartbeat { pattern: pattern("hex:FE FE 00"), answer: Some(pattern("K")) });
        let (heartbeat_every, redial_after) = (Duration::from_millis(40), Duration::from_millis(20));
        sim.dial_in = Some(DialIn { heartbeat, heartbeat_every, redial_after, ..DialIn::to(address.to_string()) });
    })
    .await;
    s.config.dial_in.listen = vec![address];
    s.config.dial_in.replace_after_ms = 50;
    s.config.late_ms = 30;
    s.config.connect_timeout_ms = 2_000;
    s
}

both!(meters_are_read_and_credited_through_a_dial_in, |w: World| async move {
    let mut s = site(w, Framing::Transparent, 3).await;
    s.config.sweep_interval_ms = 200;
    let engine = s.start().await;
    until(SOON, "readings", || async { s.w.number("SELECT COUNT(DISTINCT meter_id) FROM readings").await == 3 }).await;
    let orders = [s.sell(0, 1_000).await, s.sell(1, 2_000).await];
    engine.wake();
    s.settled(SOON).await;
    for order in &orders {
        assert_eq!(s.order(order).await.count, Some(1));
    }
    assert_eq!(engine.gateways()[0].health, GatewayHealth::Up);
    let id = engine.gateways()[0].id;
    let connections = engine.connections(id);
    assert!(connections.len() == 1 && connections[0].until.is_none(), "heartbeats disturb nothing: {connections:?}");
    engine.stop().await;
    s.prove().await;
});

async fn credited_once_over_reconnects(w: World, framing: Framing) {
    let s = site(w, framing, 2).await;
    let gateway = s.sim.gateway(0).unwrap();
    gateway.fault(LineFault::LostAnswer, 0.1);
    gateway.fault(LineFault::LateAnswer { ms: 20 }, 0.1);
    let engine = s.start().await;
    until(SOON, "readings", || async { s.w.number("SELECT COUNT(DISTINCT meter_id) FROM readings").await == 2 }).await;
    for n in 0..8 {
        s.sell(n % 2, 1_000 + n as i64).await;
        engine.wake();
        // In the middle of the delivery, at another point each time.
        tokio::time::sleep(Duration::from_millis(7 * n as u64)).await;
        if n % 2 == 0 { gateway.hang_up() } else { gateway.go_half_open() }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    gateway.heal();
    s.settled(SOON).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM orders WHERE state = 'credited'").await, 8);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind <> 'reading'").await, 0);
    assert_eq!((s.view(0, 1).count, s.view(0, 2).count), (4, 4));
    assert!(engine.connections(engine.gateways()[0].id).len() > 4);
    engine.stop().await;
    s.prove().await;
}

both!(a_delivery_survives_redials_over_modbus_tcp, |w: World| credited_once_over_reconnects(w, Framing::ModbusTcp));

both!(a_delivery_survives_redials_on_a_bare_bus, |w: World| credited_once_over_reconnects(w, Framing::Transparent));

both!(a_half_open_connection_is_replaced, |w: World| async move {
    let s = site(w, Framing::Transparent, 1).await;
    let gateway = s.sim.gateway(0).unwrap();
    let engine = s.start().await;
    let id = engine.gateways()[0].id;
    until(SOON, "the first connection", || async { engine.connections(id).len() == 1 }).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    gateway.go_half_open();
    until(SOON, "the second", || async { engine.connections(id).len() >= 2 && engine.connections(id)[0].until.is_none() }).await;
    let before = s.w.number("SELECT COUNT(*) FROM readings").await;
    until(SOON, "readings over it", || async { s.w.number("SELECT COUNT(*) FROM readings").await > before }).await;
    engine.stop().await;
    s.prove().await;
});

both!(a_wrong_registration_is_refused_until_it_is_known, |w: World| async move {
    let s = site(w, Framing::Transparent, 1).await;
    let gateway = s.sim.gateway(0).unwrap();
    gateway.register_as(Some(pattern("hex:00 FF 07")));
    gateway.hang_up();
    let engine = s.start().await;
    until(SOON, "the unknown caller", || async {
        engine.unknown_callers().iter().any(|one| one.received.starts_with(&[0, 0xff, 7]))
    })
    .await;
    until(SOON, "the loss", || async { engine.gateways()[0].health == GatewayHealth::Unreachable }).await;
    s.w.execute("UPDATE gateways SET registration = '00ff07'").await;
    engine.reload();
    until(SOON, "the gateway", || async { engine.gateways()[0].health == GatewayHealth::Up }).await;
    until(SOON, "no unknown caller", || async { engine.unknown_callers().is_empty() }).await;
    engine.stop().await;
    s.prove().await;
});

both!(the_port_of_the_site_is_listened_at_without_a_restart, |w: World| async move {
    let mut s = site(w, Framing::ModbusTcp, 1).await;
    let [address] = std::mem::take(&mut s.config.dial_in.listen)[..] else { panic!("one address") };
    let engine = s.start().await;
    until(SOON, "the loss", || async { engine.gateways()[0].health == GatewayHealth::Unreachable }).await;
    let who = Who {
        user: s.clerk,
        role: Role::Admin,
        permissions: Permissions::of(Role::Admin),
        name: String::new(),
        ip: String::new(),
    };
    let set = async |port: u16| {
        gateways::set_dial_in_port(&s.w.db, SystemClock.now(), &who, NonZeroU16::new(port)).await.unwrap();
        engine.reload();
    };
    set(address.port()).await;
    until(SOON, "the gateway", || async { engine.gateways()[0].health == GatewayHealth::Up }).await;
    assert_eq!(engine.port_state(address.port()), PortState::Listening);
    set(0).await;
    until(SOON, "nobody listens", || async { engine.port_state(address.port()) == PortState::Starting }).await;
    s.sim.gateway(0).unwrap().hang_up();
    until(SOON, "the end", || async { engine.gateways()[0].health == GatewayHealth::Unreachable }).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'gateway.port'").await, 2);
    engine.stop().await;
});
