//! Payments with a mismatched notification: held, queried, and credited once or suspended; on both databases.

use model::error::AppError;
use model::time::{MINUTE, SECOND};
use sandbox::{Faults, Status};

use story_support::shop::{Counts, PHONE, Shop};
use story_support::{World, both};

both!(a_held_payment_is_credited_once_by_the_channels_answer, |w: World| async move {
    let shop = Shop::open(w).await;
    let faults = [
        (Faults { amount: Some("500.00".into()), ..Faults::default() }, "amount"),
        (Faults { amount: Some("0.01".into()), ..Faults::default() }, "amount"),
        (Faults { seller_id: Some("2088999999999999".into()), ..Faults::default() }, "seller"),
        (Faults { app_id: Some("2021999999999999".into()), ..Faults::default() }, "app"),
    ];
    let mut orders = Vec::new();
    for (n, (fault, reason)) in (1..).zip(faults) {
        shop.wait(SECOND);
        let (order, number) = shop.at_the_cashier(5_000).await;
        shop.sandbox.set_faults(fault);
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        assert_eq!(shop.state(order).await, "pending");
        assert_eq!(shop.proved().await, Counts { events: n, cases: n, ..Counts::NONE }, "{reason}: books nothing");
        let detail = shop.world.word("SELECT detail FROM cases ORDER BY opened_at DESC, id DESC LIMIT 1").await;
        let detail: serde_json::Value = serde_json::from_str(&detail).unwrap();
        assert_eq!((detail["reason"].as_str(), detail["expected_fen"].as_i64()), (Some(reason), Some(5_000)));
        let refused = shop.payments.resume(order, &PHONE).await.unwrap_err();
        assert_eq!(refused, AppError::OrderClosed, "nobody pays again while his money is being looked for");
        orders.push((order, number));
    }
    // Repeated: no change. The channel does not answer: nothing is concluded.
    let (_, last) = &orders[3];
    assert!(shop.sandbox.notify(last));
    shop.until(last, |trade| trade.acknowledged == 2).await;
    shop.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
    assert_eq!(shop.query().await.unwrap_err(), "none of 4 queries was answered");
    assert_eq!(shop.proved().await, Counts { events: 4, cases: 4, ..Counts::NONE });
    // A query returns what was paid.
    shop.sandbox.set_faults(Faults::default());
    shop.past_the_end().await;
    let credited = Counts { credits: 4, payments: 4, events: 8, ..Counts::NONE };
    assert_eq!(shop.proved().await, credited);
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE resolution = 'answered'").await, 4);
    for (order, number) in &orders {
        assert_eq!(shop.state(*order).await, "paid");
        let before = shop.trade(number).acknowledged;
        assert!(shop.sandbox.notify(number));
        shop.until(number, |trade| trade.acknowledged > before).await;
    }
    shop.past_the_end().await;
    assert_eq!(shop.proved().await, credited, "whatever is told again");
});

both!(a_matching_notification_credits_a_held_payment, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    shop.sandbox.set_faults(Faults { amount: Some("500.00".into()), ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    shop.sandbox.set_faults(Faults { copies: 5, ..Faults::default() });
    let told = async {
        assert!(shop.sandbox.notify(&number));
        shop.until(&number, |trade| trade.acknowledged == 6).await
    };
    // While the channel is asked as well.
    let (_, asked) = tokio::join!(told, shop.query());
    asked.unwrap();
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts { events: 2, ..Counts::ONCE });
});

both!(a_mismatch_confirmed_by_the_channel_is_suspended_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    // The channel took another amount than requested, and reports it in every message.
    shop.world.execute("UPDATE payment_attempts SET amount_fen = 4999").await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.query().await.unwrap(), "asked 1, settled 1, failed 0");
    let apart = Counts { events: 2, suspense_fen: 5_000, cases: 1, ..Counts::NONE };
    assert_eq!(shop.proved().await, apart);
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged == 2).await;
    shop.wait(MINUTE);
    assert_eq!(shop.query().await.unwrap(), "asked 0, settled 0, failed 0", "a person decides now");
    shop.past_the_end().await;
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("pending", apart));
    assert_eq!(shop.world.word("SELECT state FROM payment_attempts").await, "held");
});

both!(a_notified_but_unpaid_order_closes_and_keeps_its_case, |w: World| async move {
    let shop = Shop::open(w).await;
    // For a trade that the channel knows, and for one that it does not know.
    let (visited, number) = shop.at_the_cashier(5_000).await;
    let unvisited = shop.start(&shop.top_up(6_000), &PHONE).await.unwrap().order.id;
    shop.world.execute("UPDATE payment_attempts SET state = 'held'").await;
    shop.past_the_end().await;
    assert_eq!(shop.trade(&number).status, Status::TradeClosed);
    assert_eq!((shop.state(visited).await, shop.state(unvisited).await), ("closed".into(), "closed".into()));
    // Notified after the expiry.
    shop.world.execute("UPDATE payment_attempts SET state = 'held'").await;
    shop.past_the_end().await;
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM payment_attempts WHERE state = 'closed'").await, 2);
    assert_eq!(shop.proved().await.credits, 0);
});
