//! Meters are polled over TCP, told apart and stored, and none delays the others; on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::reading_quality::open_case;
use domain::clock::{Clock, SystemClock};
use meters::gateway::GatewayHealth;
use meters::live::Live;
use model::console::Gap;
use model::ids::MeterId;
use model::meter::SupplyState;
use model::permission::Permissions;
use model::person::{Role, Who};
use simulator::{Defect, LineFault, OneTimeFault};
use store::{counters, readings};
use story_support::site::{SOON, Site, until};
use story_support::{World, bind, both};
use tokio::io::AsyncReadExt;

async fn hub(s: &Site) -> Live {
    Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap()
}

fn state(live: &Live, meter: MeterId) -> SupplyState {
    live.get(meter).map_or(SupplyState::Lost, |latest| latest.state())
}

both!(every_meter_is_read_and_stored, |w: World| async move {
    let s = Site::new(w, 2, 10).await;
    for meter in s.sim.meters() {
        meter.draw(Some(2_000)).await.unwrap();
    }
    s.sell(0, 5_000).await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { s.rooms.iter().all(|room| state(&live, room.meter) != SupplyState::Lost) }).await;
    let seen = live.get(s.rooms[3].meter).unwrap();
    assert_eq!((seen.epoch, seen.state()), (1, SupplyState::Arrears));
    assert!(seen.clock_offset_s.unwrap().abs() < 5);
    until(SOON, "the credit", || async { state(&live, s.rooms[0].meter) == SupplyState::Open }).await;
    let read_back = "SELECT COUNT(*) FROM readings WHERE source = 2";
    until(SOON, "the reading after the command", || async { s.w.number(read_back).await >= 1 }).await;
    let gateways = engine.gateways();
    assert!(gateways.iter().all(|g| g.health == GatewayHealth::Up && g.meters == 10 && g.lost == 0), "{gateways:?}");
    engine.stop().await;
    assert!(s.w.number("SELECT COUNT(*) FROM readings").await >= 20);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings WHERE quality > 1").await, 0);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meter_latest").await, 20);
    let newest = readings::recent(&s.w.db, s.rooms[3].meter, 2).await.unwrap();
    assert_eq!(newest[0].at, live.get(s.rooms[3].meter).unwrap().observed_at.unwrap());
    s.prove().await;
});

both!(dead_meters_are_lost_and_recover_without_delaying_others, |w: World| async move {
    let mut s = Site::new(w, 1, 10).await;
    s.config.sweep_interval_ms = 200;
    for (unit, fault) in [(2, LineFault::Silent), (5, LineFault::NoAnswer), (8, LineFault::Garbage)] {
        s.meter(0, unit).fault(fault, 1.0).unwrap();
    }
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    let lost = || live_states(&s, &live);
    until(SOON, "three lost", || async { engine.gateways()[0].lost == 3 }).await;
    assert_eq!(lost(), [2, 5, 8]);
    let states = [1, 4, 7].map(|n: usize| state(&live, s.rooms[n].meter));
    assert_eq!(states, [SupplyState::Lost, SupplyState::Lost, SupplyState::Unreadable], "garbage is no silence");
    until(Duration::from_secs(4), "four readings of each other meter", || async {
        readings_by_unit(&s).await.iter().filter(|(_, n)| *n >= 4).count() == 7
    })
    .await;
    assert_eq!(readings_by_unit(&s).await.len(), 7);
    let at = live.get(s.rooms[1].meter).unwrap();
    assert!(at.lost_since.is_some() && at.observed_at.is_none());
    for unit in [2, 5, 8] {
        s.meter(0, unit).heal().unwrap();
    }
    until(SOON, "all found", || async { lost().is_empty() }).await;
    until(SOON, "none counted lost", || async { engine.gateways()[0].lost == 0 }).await;
    engine.stop().await;
});

// It accepts connections all the time, so that nothing but the schedule keeps the attempts apart.
both!(a_gateway_that_never_answers_is_tried_now_and_then, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    bind(&s.w.db, "UPDATE gateways SET port = $2 WHERE id <> $1", s.clerk.0, &[port.into()]).await;
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                while stream.read(&mut [0; 64]).await.is_ok_and(|bytes| bytes > 0) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let engine = s.start().await;
    until(SOON, "a silent gateway", || async { engine.gateways()[0].health == GatewayHealth::Silent }).await;
    let before = tries.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let tried = tries.load(Ordering::Relaxed) - before;
    assert!((1..=3).contains(&tried), "{tried} attempts in 4 s, three seconds apart");
    engine.stop().await;
});

both!(a_lost_gateway_is_distinguished_from_lost_meters, |w: World| async move {
    let s = Site::new(w, 2, 6).await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { live_states(&s, &live).is_empty() }).await;
    s.sim.gateway(0).unwrap().refuse(true);
    let health = |name: &str| engine.gateways().into_iter().find(|g| g.name == name).unwrap();
    until(SOON, "the loss", || async { health("g0").health == GatewayHealth::Unreachable }).await;
    until(SOON, "its meters", || async { live_states(&s, &live) == [1, 2, 3, 4, 5, 6] }).await;
    assert_eq!(health("g1").health, GatewayHealth::Up);
    s.sim.gateway(0).unwrap().refuse(false);
    engine.retry_gateway(health("g0").id);
    until(SOON, "all back", || async { live_states(&s, &live).is_empty() && health("g0").health == GatewayHealth::Up }).await;

    s.sim.gateway(1).unwrap().fault(LineFault::Silent, 1.0);
    until(SOON, "silence", || async { health("g1").health == GatewayHealth::Silent }).await;
    assert_eq!(health("g1").lost, 6);
    s.sim.gateway(1).unwrap().heal();
    until(SOON, "all back", || async { live_states(&s, &live).is_empty() && health("g1").health == GatewayHealth::Up }).await;
    engine.stop().await;
});

both!(a_serial_mismatch_is_a_case_and_is_never_recorded, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    s.w.execute("UPDATE meters SET serial = '999999999999' WHERE unit = 2").await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "the case", || async { s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'identity'").await == 1 }).await;
    until(SOON, "the others", || async { live_states(&s, &live) == [2] }).await;
    let order = s.sell(1, 1_000).await;
    engine.wake();
    tokio::time::sleep(Duration::from_millis(700)).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.unit = 2").await, 0);
    assert_eq!((s.view(0, 2).count, s.order(&order).await.credited_at), (0, None), "no money into a stranger");
    let unreadable = "SELECT COUNT(*) FROM events WHERE kind = 'meter-unreadable' AND until_at IS NULL";
    assert_eq!(s.w.number(unreadable).await, 0, "one fault is reported once");
});

both!(shifted_answers_are_never_attributed_to_another_meter, |w: World| async move {
    let s = Site::with(w, 1, 8, |sim| {
        for (n, (_, meter)) in sim.estate.meters_mut().enumerate() {
            meter.energy = 1_000_000 * (n as u32 + 1);
        }
    })
    .await;
    s.sim.gateway(0).unwrap().fault(LineFault::ShiftedAnswer, 0.2);
    s.sim.gateway(0).unwrap().fault(LineFault::LateAnswer { ms: 300 }, 0.1);
    let engine = s.start().await;
    until(SOON, "sixty readings", || async { s.w.number("SELECT COUNT(*) FROM readings").await >= 60 }).await;
    engine.stop().await;
    // Each meter's counter has its own million.
    let strayed = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id
                   WHERE r.total_wh / 10000000 <> m.unit";
    assert_eq!(s.w.number(strayed).await, 0);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});

both!(a_zeroed_counter_is_held_until_an_operator_accepts_it, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            meter.energy = 500_000;
        }
    })
    .await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { live_states(&s, &live).is_empty() }).await;
    s.meter(0, 1).inject(OneTimeFault::CounterZeroed).await.unwrap();
    s.meter(0, 2).defect(Defect::CoverOpen, true).await.unwrap();
    until(SOON, "the case", || async { s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'reading'").await == 1 }).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'reading'").await, 1, "once a stretch");
    assert!(s.w.number("SELECT COUNT(*) FROM readings WHERE quality IN (2, 5)").await >= 2, "kept, not dropped");
    assert_eq!(live.get(s.rooms[0].meter).unwrap().total.0, 5_000_000, "people see the last that counted");
    until(SOON, "the cover", || async { live.get(s.rooms[1].meter).unwrap().status.cover_open() }).await;
    let case = open_case(&s.w).await;
    let who = Who {
        user: s.clerk,
        role: Role::Cashier,
        permissions: Permissions::of(Role::Cashier),
        name: "clerk".into(),
        ip: "10.0.0.5".into(),
    };
    counters::settle(&s.w.db, &s.w.rng, SystemClock.now(), &who, case.into(), Gap::Accept, "meter was reset").await.unwrap();
    until(SOON, "counting again", || async { live.get(s.rooms[0].meter).unwrap().total.0 == 0 }).await;
    engine.stop().await;
});

both!(meters_added_at_run_time_are_read, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    s.w.execute("UPDATE meters SET retired_at = 1 WHERE unit = 3").await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "the first two", || async { live_states(&s, &live) == [3] }).await;
    s.w.execute("UPDATE meters SET retired_at = NULL WHERE unit = 3").await;
    engine.reload();
    until(SOON, "the third", || async { live.get(s.rooms[2].meter).is_some_and(|latest| latest.observed_at.is_some()) }).await;
    s.w.execute("UPDATE gateways SET retired_at = 1").await;
    engine.reload();
    until(SOON, "the gateway to go", || async { engine.gateways().is_empty() }).await;
    engine.stop().await;
});

both!(an_on_demand_read_is_served_during_a_slow_sweep, |w: World| async move {
    let mut s = Site::new(w, 1, 3).await;
    s.config.sweep_interval_ms = 3_600_000;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { live_states(&s, &live).is_empty() }).await;
    let before = live.get(s.rooms[1].meter).unwrap().observed_at;
    engine.read_now(s.rooms[1].meter);
    until(SOON, "the reading", || async { live.get(s.rooms[1].meter).unwrap().observed_at > before }).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings WHERE source = 1").await, 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings").await, 4);
});

/// The places in the estate, from 1, of the meters that are shown as lost or unreadable.
fn live_states(s: &Site, live: &Live) -> Vec<usize> {
    let lost = |(n, room): (usize, &story_support::rooms::Room)| state(live, room.meter).is_unread().then_some(n + 1);
    s.rooms.iter().enumerate().filter_map(lost).collect()
}

async fn readings_by_unit(s: &Site) -> Vec<(i64, i64)> {
    let sql = "SELECT m.unit, COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id GROUP BY m.unit";
    match &s.w.db {
        store::Db::Sqlite { read, .. } => sqlx::query_as(sql).fetch_all(read).await.unwrap(),
        store::Db::Postgres { pool, .. } => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
    }
}
