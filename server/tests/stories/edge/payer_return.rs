//! `/pay/return` leads the payer to their order, and tells strangers nothing.

use domain::clock::Clock;
use model::person::Role;
use payments::alipay::AlipayConfig;
use server::config::Config;
use services::auth::Passwords;
use store::Db;
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

/// A server with a payment channel, and the resident of a room.
async fn site(w: &World) -> Web {
    let room = w.room(1).await;
    let hash = Passwords::new(w.rng.clone()).unwrap().hash(PASSWORD).await.unwrap();
    let sql = "UPDATE users SET login = 'payer', password_hash = $1 WHERE id = $2";
    match &w.db {
        Db::Sqlite { write, .. } => drop(sqlx::query(sql).bind(&hash).bind(room.resident.0).execute(write).await.unwrap()),
        Db::Postgres { pool, .. } => drop(sqlx::query(sql).bind(&hash).bind(room.resident.0).execute(pool).await.unwrap()),
    }
    let mut config = Config::default();
    config.server.address.set_port(0);
    config.pay.public_url = "https://power.example".into();
    config.pay.alipay = Some(AlipayConfig {
        gateway: "https://gateway.example/gateway.do".into(),
        app_id: "2021000000000001".into(),
        seller_id: "2088000000000001".into(),
        private_key: Some(include_str!("../../../crates/payments/src/alipay/vectors/app-pkcs8.pem").into()),
        alipay_public_key: Some(include_str!("../../../crates/payments/src/alipay/vectors/gateway-public.pem").into()),
        ..AlipayConfig::default()
    });
    Web::with(w, config, w.clock.clone()).await
}

async fn top_up(w: &World, payer: &Person<'_>) -> String {
    let form = format!("own=50&channel=alipay&key={}", w.rng.id(w.clock.now()));
    let answer = payer.post("/api/resident/top-up", &form).await;
    assert!(location(&answer).starts_with("https://gateway.example/"), "{}", location(&answer));
    w.word("SELECT out_trade_no FROM payment_attempts ORDER BY created_at DESC, id DESC LIMIT 1").await
}

both!(a_payer_returns_to_the_order_and_strangers_learn_nothing, |w: World| async move {
    let web = site(&w).await;
    let mut payer = web.visitor();
    assert_eq!(location(&payer.log_in("payer", PASSWORD).await), "/home");
    let number = top_up(&w, &payer).await;
    w.clock.advance(4_000);
    let due = "SELECT CAST(next_query_at AS TEXT) FROM payment_attempts";
    let before = w.word(due).await;

    let numbers = [number.as_str(), "D1N1", "x"];
    let resident = web.person(&w, Role::Resident, "other").await;
    for one in numbers {
        let path = format!("/pay/return?out_trade_no={one}");
        let answer = web.visitor().get(&path).await;
        assert_eq!(
            (answer.status().as_u16(), location(&answer)),
            (303, &*format!("/login?next=/pay/return%3Fout_trade_no%3D{one}"))
        );
        assert_eq!(web.visitor().program().get(&path).await.status(), 401);
        let answer = resident.get(&path).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/records"), "{one}");
        // A form of the channel's page carries no session; it becomes a link to the same place.
        let answer = web.visitor().post(&format!("{path}&orderId=1"), "orderId=1").await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, path.as_str()));
    }
    // Whoever paid by a link goes back to it, whatever the number.
    let mut by_link = web.visitor();
    by_link.cookie = "__Host-dormwatt-paying=/p/aB-9/x".to_owned();
    assert_eq!(location(&by_link.get(&format!("/pay/return?out_trade_no={number}")).await), "/p/aB-9/x");
    assert_eq!(w.word(due).await, before, "a stranger's return queries nothing");
    for query in ["", "?out_trade_no=%zz", "?out_trade_no=a&out_trade_no=b", "?trade_status=TRADE_SUCCESS"] {
        assert_eq!(location(&payer.get(&format!("/pay/return{query}")).await), "/records", "{query}");
        assert_eq!(location(&web.visitor().post(&format!("/pay/return{query}"), "").await), "/pay/return", "{query}");
    }

    let answer = payer.get(&format!("/pay/return?out_trade_no={number}&trade_status=TRADE_SUCCESS")).await;
    assert!(location(&answer).starts_with("/orders/"), "{}", location(&answer));
    assert_ne!(w.word(due).await, before, "the return is a good moment to query the channel");
    assert_eq!(w.word("SELECT state FROM orders").await, "pending", "and proves no payment");
});
