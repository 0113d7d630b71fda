//! The demo's past: made by the product's own functions, it is true to the last row.

use std::net::SocketAddr;

use domain::clock::{Clock, SystemClock};
use server::demo::past::DAYS;
use server::demo::seed::{self, Seed};
use server::demo::site::{self, Room};
use simulator::Load;
use sqlx::AssertSqlSafe;
use store::Db;
use story_support::shop::bank_keys;
use story_support::{World, both};

/// A few rooms of each building with all that is special.
fn rooms() -> Vec<Room> {
    let few = |room: &Room| room.number <= 9 && room.floor <= 1 || room.vacated_days_ago.is_some() || room.building > 3;
    site::rooms(1).into_iter().filter(few).collect()
}

async fn count(w: &World, sql: &str) -> i64 {
    let sql = AssertSqlSafe(sql.to_owned());
    match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    }
}

both!(three_months_of_a_site_are_true, |w: World| async move {
    let (rooms, now) = (rooms(), SystemClock.now());
    let gateways = [SocketAddr::from(([127, 0, 0, 1], 1502)); 5];
    let seed = Seed {
        rooms: &rooms,
        gateways: &gateways,
        load: &Load::Curve,
        // Who has no password is nobody yet, and approves nothing.
        password_hash: "unused",
        operator: "operator",
        supervisor: "supervisor",
        keys: bank_keys(),
    };
    assert!(seed::is_needed(&w.db, "operator").await.unwrap());
    let sandbox = seed::run(&w.db, &w.rng, now, &seed).await.unwrap();
    assert!(!seed::is_needed(&w.db, "operator").await.unwrap());
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);

    for tender in ["cash", "card", "alipay", "wechat", "unionpay", "subsidy"] {
        let of = format!("SELECT COUNT(*) FROM orders WHERE tender = '{tender}' AND state = 'credited'");
        assert!(count(&w, &of).await > 0, "{tender}");
    }
    assert_eq!(count(&w, "SELECT COUNT(*) FROM orders WHERE state <> 'credited'").await, 0);
    assert_eq!(count(&w, "SELECT COUNT(*) FROM commands WHERE state <> 'done'").await, 0);
    assert_eq!(count(&w, "SELECT COUNT(*) FROM account_closures WHERE ended_at IS NOT NULL").await, 3);
    assert!(count(&w, "SELECT COUNT(*) FROM shifts WHERE closed_at IS NOT NULL").await > 50);
    assert!(count(&w, "SELECT COUNT(*) FROM settlement_days WHERE closed_at IS NOT NULL").await > 100);
    assert_eq!(count(&w, "SELECT COUNT(*) FROM cases WHERE kind LIKE 'statement%'").await, 0, "channels and ledger agree");
    assert_eq!(count(&w, "SELECT COUNT(*) FROM price_versions").await, 3);
    assert!(!sandbox.books().is_empty());
    assert!(count(&w, "SELECT COUNT(*) FROM notifications WHERE kind = 'recharge' AND state = 'sent'").await > 0);

    // Each meter shows now what the simulated one is built with.
    for room in &rooms {
        let Some(account) = room.plan.account else { continue };
        let of = format!(
            "SELECT COUNT(*) FROM meter_latest l JOIN meters m ON m.id = l.meter_id WHERE m.serial = '{}' AND l.count = {}
             AND l.cumulative_fen = {} AND ABS(l.remaining_fen - {}) < 20",
            room.plan.serial, account.count, account.cumulative, account.remaining
        );
        assert_eq!(count(&w, &of).await, 1, "{}", room.login());
    }
    let midnights = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE r.source = 3 AND m.unit = 1";
    assert!(count(&w, midnights).await >= DAYS * 4);
    sandbox.stop().await;
});
