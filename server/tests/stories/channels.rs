//! What every payment channel must hold, for each channel against a sandbox that injects faults, on both databases.

use model::error::AppError;
use model::order::Tender;
use model::time::{MINUTE, SECOND};
use sandbox::Faults;
use story_support::shop::{Counts, PHONE, Shop};
use story_support::{World, both};

/// All channels, with the sandbox's name of a query.
const CHANNELS: [(Tender, &str); 3] =
    [(Tender::Alipay, "alipay.trade.query"), (Tender::WechatPay, "query"), (Tender::UnionPay, "query")];

/// The counts after `n` successful payments.
fn after_success(n: i64) -> Counts {
    Counts { credits: n, payments: n, events: n, ..Counts::NONE }
}

both!(ten_concurrent_notifications_and_a_later_one_credit_once, |w: World| async move {
    let shop = Shop::open(w).await;
    for (n, (tender, _)) in (1..).zip(CHANNELS) {
        let (order, number) = shop.reach(tender, 5_000).await;
        shop.sandbox.set_faults(Faults { copies: 10, ..Faults::default() });
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 10).await;
        shop.wait(MINUTE);
        shop.query().await.unwrap();
        assert!(shop.sandbox.notify(&number));
        shop.until(&number, |trade| trade.acknowledged == 20).await;
        assert_eq!(shop.state(order).await, "paid", "{tender:?}");
        assert_eq!(shop.proved().await, after_success(n), "{tender:?}");
    }
});

both!(a_lost_notification_is_queried, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    for (n, (tender, _)) in (1..).zip(CHANNELS) {
        let (order, number) = shop.reach(tender, 5_000).await;
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.notified > 0).await;
        shop.wait(11 * SECOND);
        assert_eq!(shop.query().await.unwrap(), "asked 1, settled 1, failed 0", "{tender:?}");
        assert_eq!(shop.state(order).await, "paid");
        assert_eq!(shop.proved().await, after_success(n));
    }
});

both!(late_and_reordered_notifications_give_the_same_result, |w: World| async move {
    let shop = Shop::open(w).await;
    for (n, (tender, _)) in (1..).zip(CHANNELS) {
        shop.sandbox.set_faults(Faults { reorder: true, delay_ms: 20, ..Faults::default() });
        let (first, one) = shop.reach(tender, 5_000).await;
        shop.wait(SECOND);
        let (second, other) = shop.reach(tender, 6_000).await;
        // The first payment's notification is delayed until after the second's.
        assert!(shop.sandbox.pay(&one) && shop.sandbox.pay(&other));
        for number in [&one, &other] {
            shop.until(number, |trade| trade.acknowledged == 1).await;
        }
        assert_eq!((shop.state(first).await, shop.state(second).await), ("paid".into(), "paid".into()), "{tender:?}");
        assert_eq!(shop.proved().await, after_success(2 * n), "{tender:?}");
    }
});

both!(a_false_signature_or_a_truncated_body_changes_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    for (n, (tender, _)) in (1..).zip(CHANNELS) {
        let (order, number) = shop.reach(tender, 5_000).await;
        let before = after_success(n - 1);
        for faults in [Faults { falsify: true, ..Faults::default() }, Faults { half: true, ..Faults::default() }] {
            shop.sandbox.set_faults(faults);
            let sent = shop.trade(&number).notified;
            if !shop.sandbox.pay(&number) {
                assert!(shop.sandbox.notify(&number));
            }
            shop.until(&number, |trade| trade.notified >= sent + 3).await;
            assert_eq!(shop.trade(&number).acknowledged, 0, "{tender:?}");
            assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("pending", before.clone()), "{tender:?}");
        }
        // The payment itself was real.
        shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
        shop.wait(11 * SECOND);
        shop.query().await.unwrap();
        assert_eq!(shop.proved().await, after_success(n), "{tender:?}");
    }
});

both!(a_mismatched_payment_is_held_until_the_channel_is_queried, |w: World| async move {
    let shop = Shop::open(w).await;
    let amount = |yuan: &str| Faults { amount: Some(yuan.into()), ..Faults::default() };
    let seller = |id: &str| Faults { seller_id: Some(id.into()), ..Faults::default() };
    let currency = |word: &str| Faults { currency: Some(word.into()), ..Faults::default() };
    let mut n = 0;
    for (tender, faults) in [
        (Tender::Alipay, vec![(amount("0.01"), "amount"), (seller("2088999999999999"), "seller")]),
        (Tender::WechatPay, vec![(amount("500.00"), "amount"), (currency("USD"), "currency")]),
        (
            Tender::UnionPay,
            vec![
                (amount("500.00"), "amount"),
                (amount("0.01"), "amount"),
                (seller("777290058110099"), "seller"),
                (currency("840"), "currency"),
            ],
        ),
    ] {
        for (fault, reason) in faults {
            shop.wait(SECOND);
            let (order, number) = shop.reach(tender, 5_000).await;
            shop.sandbox.set_faults(fault);
            assert!(shop.sandbox.pay(&number));
            shop.until(&number, |trade| trade.acknowledged == 1).await;
            n += 1;
            assert_eq!(shop.state(order).await, "pending", "{tender:?} {reason}");
            let counts = Counts { events: 2 * n - 1, cases: 1, ..after_success(n - 1) };
            assert_eq!(shop.proved().await, counts, "{tender:?} {reason}");
            let detail = shop.world.word("SELECT detail FROM cases ORDER BY opened_at DESC, id DESC LIMIT 1").await;
            assert!(detail.contains(&format!("\"reason\":\"{reason}\"")), "{detail}");
            let refused = shop.payments.resume(order, &PHONE).await.unwrap_err();
            assert_eq!(refused, AppError::OrderClosed, "nobody pays again while his money is being looked for");
            shop.sandbox.set_faults(Faults::default());
            assert_eq!(shop.query().await.unwrap(), "asked 1, settled 1, failed 0", "{tender:?} {reason}");
            assert_eq!(shop.proved().await, Counts { events: 2 * n, ..after_success(n) }, "{tender:?} {reason}");
        }
    }
});

both!(an_unpaid_order_closes_only_on_the_channels_answer, |w: World| async move {
    let shop = Shop::open(w).await;
    for (tender, query) in CHANNELS {
        let (order, number) = shop.reach(tender, 5_000).await;
        // Down, then silent, then forged answers: nothing may be concluded.
        let silent = Faults { silent_on: vec![query.into()], ..Faults::default() };
        let liar =
            Faults { falsify: tender != Tender::Alipay, status: (tender == Tender::Alipay).then_some(500), ..Faults::default() };
        for faults in [Faults { status: Some(502), ..Faults::default() }, silent, liar] {
            shop.sandbox.set_faults(faults);
            for _ in 0..8 {
                shop.wait(MINUTE);
                let _ = shop.query().await;
            }
            assert_eq!(shop.state(order).await, "pending", "{tender:?}");
        }
        shop.sandbox.set_faults(Faults::default());
        shop.past_the_end().await;
        for _ in 0..60 {
            shop.wait(MINUTE);
            shop.query().await.unwrap();
        }
        assert_eq!(shop.state(order).await, "closed", "{tender:?}");
        assert!(!shop.sandbox.pay(&number));
        let refused = shop.payments.resume(order, &PHONE).await.unwrap_err();
        assert_eq!(refused, AppError::OrderClosed);
    }
    let counts = shop.proved().await;
    assert_eq!((counts.credits, counts.payments, counts.cases), (0, 0, 0));
});

both!(a_payment_after_the_order_closed_is_credited, |w: World| async move {
    let shop = Shop::open(w).await;
    // WeChat closes what we close; on the others a trade can still be paid if our clock is ahead of theirs.
    for (n, tender) in (1..).zip([Tender::Alipay, Tender::UnionPay]) {
        let (order, cashier) = shop.paying_by(tender, 5_000, &PHONE).await;
        for _ in 0..25 {
            shop.world.clock.advance(MINUTE);
            shop.query().await.unwrap();
        }
        assert_eq!(shop.state(order).await, "closed", "{tender:?}");
        shop.arrive(&cashier).await;
        let number = shop.number(order).await;
        assert!(shop.sandbox.pay(&number), "{tender:?}");
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        assert_eq!(shop.state(order).await, "paid", "{tender:?}");
        assert_eq!(shop.proved().await, after_success(n));
        shop.wait(25 * MINUTE);
        shop.world.clock.advance(-25 * MINUTE);
    }
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM payment_events WHERE outcome = 'credited-late'").await, 2);
});

both!(an_order_paid_twice_is_credited_once_and_rest_suspended, |w: World| async move {
    let shop = Shop::open(w).await;
    for (n, tender) in (1..).zip([Tender::Alipay, Tender::UnionPay]) {
        let (order, first) = shop.reach(tender, 5_000).await;
        // The first attempt has expired by the product's clock; the channel still accepts it.
        shop.world.clock.advance(16 * MINUTE);
        shop.arrive(&shop.another_attempt(order).await.cashier).await;
        let second = shop.number(order).await;
        assert_ne!(first, second);
        assert!(shop.sandbox.pay(&first) && shop.sandbox.pay(&second));
        for number in [&first, &second] {
            shop.until(number, |trade| trade.acknowledged == 1).await;
        }
        assert_eq!(shop.state(order).await, "paid");
        let counts = Counts { events: 2 * n, suspense_fen: 5_000 * n, cases: n, ..after_success(n) };
        assert_eq!(shop.proved().await, counts, "{tender:?}");
        assert!(shop.sandbox.notify(&first) && shop.sandbox.notify(&second));
        for number in [&first, &second] {
            shop.until(number, |trade| trade.acknowledged == 2).await;
        }
        assert_eq!(shop.proved().await, counts, "{tender:?}");
        shop.bank_clock.advance(16 * MINUTE);
    }
});

both!(malformed_requests_and_other_methods_are_refused, |w: World| async move {
    let shop = Shop::open(w).await;
    for (tender, _) in CHANNELS {
        let channel = tender.as_str();
        for body in ["", "{}", "a=1&a=2", "%zz=1", "\u{0}", "<xml><a/></xml>", "signature=AAAA&version=5.1.0&signMethod=01"] {
            assert_eq!(shop.post_notify_to(channel, body).await.0, 400, "{channel} {body}");
        }
        assert_eq!(shop.post_notify_to(channel, vec![0xff, b'=', 0xfe]).await.0, 400, "{channel}");
        assert_eq!(shop.post_notify_to(channel, vec![b'a'; 64 * 1024 + 1]).await.0, 413, "{channel}");
        let address = format!("http://{}/pay/{channel}/notify", shop.address);
        assert_eq!(shop.http.get(&address).send().await.unwrap().status(), 405, "{channel}");
        assert_eq!(shop.http.put(&address).send().await.unwrap().status(), 405, "{channel}");
    }
    assert_eq!(shop.proved().await, Counts::NONE);
});
