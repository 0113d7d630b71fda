//! A gateway that serves one connection and refuses the next for a while after its end; on both databases.

use std::time::Duration;

use meters::gateway::GatewayHealth;
use simulator::LineFault;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

/// 99 meters, unit 50 silent and then four more: each time-out on them ends the only connection, and the others are
/// read all the same.
async fn silent_meters_cost_no_other(w: World, refuse: Duration) {
    let s = Site::new(w, 1, 99).await;
    s.sim.gateway(0).unwrap().single_slot(Some(refuse));
    s.meter(0, 50).fault(LineFault::Silent, 1.0).unwrap();
    let engine = s.start().await;
    let least = "SELECT COALESCE(MIN(n), 0) FROM (SELECT COUNT(r.at) AS n FROM meters m LEFT JOIN readings r ON r.meter_id = m.id
                 WHERE m.unit NOT IN (10, 30, 50, 70, 90) GROUP BY m.id) AS each_meter";
    until(Duration::from_secs(60), "three readings of each living meter", || async { s.w.number(least).await >= 3 }).await;
    for dead in [1, 5] {
        if dead == 5 {
            for unit in [10, 30, 70, 90] {
                s.meter(0, unit).fault(LineFault::Silent, 1.0).unwrap();
            }
        }
        until(SOON, "the silent meters", || async { engine.gateways()[0].lost == dead }).await;
        let before = s.w.number(least).await;
        until(Duration::from_secs(60), "more rounds", || async { s.w.number(least).await >= before + 5 }).await;
    }
    let gateway = engine.gateways().remove(0);
    assert_eq!((gateway.health, gateway.lost), (GatewayHealth::Up, 5));
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM events WHERE gateway_id IS NOT NULL").await, 0, "the gateway was never lost");
}

both!(a_short_refusal_after_a_close_starves_no_meter, |w: World| silent_meters_cost_no_other(w, Duration::from_millis(200)));

both!(a_long_refusal_after_a_close_starves_no_meter, |w: World| silent_meters_cost_no_other(w, Duration::from_secs(2)));

both!(a_lost_meter_stays_lost_when_its_gateway_returns, |w: World| async move {
    let s = Site::new(w, 1, 6).await;
    s.meter(0, 3).fault(LineFault::Silent, 1.0).unwrap();
    let engine = s.start().await;
    until(Duration::from_secs(20), "the silent meter", || async { engine.gateways()[0].lost == 1 }).await;
    s.sim.gateway(0).unwrap().refuse(true);
    until(Duration::from_secs(20), "the loss", || async { engine.gateways()[0].health == GatewayHealth::Unreachable }).await;
    s.sim.gateway(0).unwrap().refuse(false);
    engine.retry_gateway(engine.gateways()[0].id);
    until(Duration::from_secs(20), "the return", || async { engine.gateways()[0].lost == 1 }).await;
    engine.stop().await;
    let times = "SELECT COUNT(*) FROM events e JOIN meters m ON m.id = e.meter_id WHERE e.kind = 'meter-lost' AND m.unit = 3";
    assert_eq!(s.w.number(times).await, 1, "one loss, not one for each return of the gateway");
});
