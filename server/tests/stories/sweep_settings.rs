//! Sweep intervals of a gateway, a meter, or by default parameters, changed at run time; on both databases.

use std::sync::Arc;

use domain::clock::{Clock, SystemClock};
use domain::wall_layout::{Scope, WallScope};
use estate::defaults;
use estate::intervals;
use meters::live::Live;
use model::defaults::{DefaultKind, DefaultsOf};
use model::gateway::{Sweep, SweepInterval};
use model::ids::{GatewayId, MeterId};
use model::permission::Permissions;
use model::person::{Role, Who};

use story_support::site::{SOON, Site, until};
use story_support::web::{Web, location};
use story_support::{World, both};

/// A site that is read once an hour, and whose meters have all been read.
async fn slow(w: World) -> (Site, Live) {
    let mut s = Site::new(w, 2, 3).await;
    s.config.sweep_interval_ms = 3_600_000;
    let live = Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap();
    (s, live)
}

fn who(s: &Site) -> Who {
    Who { user: s.clerk, role: Role::Admin, permissions: Permissions::of(Role::Admin), name: "clerk".into(), ip: "::1".into() }
}

async fn set(s: &Site, of: Sweep, seconds: Option<i64>) {
    let interval = seconds.and_then(SweepInterval::new);
    intervals::set(&s.w.db, SystemClock.now(), &who(s), of, interval).await.unwrap();
}

async fn readings(s: &Site, meter: MeterId) -> usize {
    store::readings::recent(&s.w.db, meter, 1_000).await.unwrap().len()
}

both!(a_changed_interval_takes_effect_without_a_restart, |w: World| async move {
    let (s, live) = slow(w).await;
    let engine = s.start_with(live.clone()).await;
    let [a, b, c] = [0, 1, 4].map(|n| s.rooms[n].meter);
    until(SOON, "a first reading of all", || async {
        readings(&s, a).await + readings(&s, b).await + readings(&s, c).await == 3
    })
    .await;

    set(&s, Sweep::Meter(a), Some(0)).await;
    engine.reload();
    until(SOON, "one meter in a hurry", || async { readings(&s, a).await >= 5 }).await;
    assert_eq!((readings(&s, b).await, readings(&s, c).await), (1, 1));

    let gateway = engine.gateways()[0].id;
    set(&s, Sweep::Meter(a), Some(3_600)).await;
    set(&s, Sweep::Gateway(gateway), Some(0)).await;
    engine.reload();
    until(SOON, "its neighbours", || async { readings(&s, b).await >= 5 }).await;
    let still = readings(&s, a).await;
    assert_eq!(readings(&s, c).await, 1, "another gateway's");

    set(&s, Sweep::Gateway(gateway), None).await;
    // By default parameters: of the room of `c`, and of that of `a`, which has an interval of its own.
    for row in store::meters::meters(&s.w.db).await.unwrap().into_iter().filter(|row| [a, c].contains(&row.id)) {
        let values = DefaultKind::ALL.into_iter().map(|kind| (kind == DefaultKind::Interval).then_some(0)).collect();
        defaults::set(&s.w.db, SystemClock.now(), &who(&s), DefaultsOf::Place(row.place_id), &values).await.unwrap();
    }
    engine.reload();
    until(SOON, "its room", || async { readings(&s, c).await >= 5 }).await;
    assert!(readings(&s, a).await <= still + 1, "the meter's own interval goes before all");
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'sweep.interval'").await, 4);
    s.prove().await;
});

both!(the_sweep_speeds_up_while_a_page_is_open, |w: World| async move {
    let (mut s, live) = slow(w).await;
    s.config.watched_interval_ms = 0;
    let engine = s.start_with(live.clone()).await;
    let meter = s.rooms[0].meter;
    until(SOON, "a first reading", || async { readings(&s, meter).await == 1 }).await;
    let mut wall = live.watch(&WallScope::new(Scope::All, ""));
    wall.next().await;
    until(SOON, "more", || async { readings(&s, meter).await >= 4 }).await;
    engine.stop().await;
});

both!(sweep_settings_follow_the_access_rules, |w: World| async move {
    let meter = w.room(1).await.meter;
    let web = Web::start(&w).await;
    let (admin, cashier) = (web.person(&w, Role::Admin, "root").await, web.person(&w, Role::Cashier, "desk").await);
    let technician = web.person(&w, Role::Technician, "tools").await;
    let limited = web.person_within(&w, Role::Admin, "limited", &Scope::Buildings(Default::default())).await;
    let gateway = store::meters::gateways(&w.db).await.unwrap()[0].id;
    let form = format!("of=gateway&id={gateway}&seconds=300");
    assert_eq!(cashier.post("/api/operator/sweep-interval", &form).await.status(), 403);
    let refused = limited.post("/api/operator/sweep-interval", &form).await;
    assert!(!location(&refused).contains("done"), "beyond their buildings: {}", location(&refused));
    let done = admin.post("/api/operator/sweep-interval", &form).await;
    assert!(location(&done).starts_with("/gateways") && location(&done).ends_with("?done=sweep"), "{}", location(&done));
    assert_eq!(w.number("SELECT sweep_interval_s FROM gateways").await, 300);
    let done = technician.post("/api/operator/sweep-interval", &format!("of=meter&id={meter}&seconds=0")).await;
    assert_eq!(location(&done), format!("/rooms/{meter}?done=sweep"));
    assert_eq!(w.number("SELECT sweep_interval_s FROM meters").await, 0);
    for bad in ["86401", "-1", "soon"].map(|seconds| format!("of=gateway&id={gateway}&seconds={seconds}")) {
        let refused = admin.post("/api/operator/sweep-interval", &bad).await;
        assert!(location(&refused).contains("e=invalid"), "{bad}");
    }
    let path = format!("/gateways/{gateway}");
    let page = admin.get(&path).await.text().await.unwrap();
    assert!(page.contains("/api/operator/sweep-interval"));
    assert!(!cashier.get(&path).await.text().await.unwrap().contains("/api/operator/sweep-interval"));
    web.stop();
});

both!(settings_for_unknown_objects_are_refused, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    for of in [Sweep::Gateway(GatewayId(uuid::Uuid::nil())), Sweep::Meter(MeterId(uuid::Uuid::nil()))] {
        assert!(intervals::set(&s.w.db, SystemClock.now(), &who(&s), of, None).await.is_err());
    }
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'sweep.interval'").await, 0);
});
