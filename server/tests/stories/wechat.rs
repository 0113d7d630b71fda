//! WeChat Pay against a sandbox that speaks its protocol and injects faults, on both databases.

use domain::clock::Clock;
use domain::payment_event::EventKind;
use domain::refund::ChannelRefund;
use model::ids::OrderId;
use model::money::Fen;
use model::order::Tender;
use model::time::{MINUTE, SECOND};
use payments::Cashier;
use payments::channel::RefundResponse;
use payments::wechat::VerifyConfig;
use payments::{Config, Payer, WechatConfig};
use sandbox::{Faults, Status};
use story_support::shop::{Counts, DESK, PHONE, Shop};
use story_support::{World, both};

/// Orders by WeChat; gives the order and the number of its trade.
async fn at_the_cashier(shop: &Shop, payer: &Payer<'_>) -> (OrderId, String, Cashier) {
    let (order, cashier) = shop.paying_by(Tender::WechatPay, 5_000, payer).await;
    (order, shop.number(order).await, cashier)
}

both!(a_phone_opens_wechat_and_a_desktop_shows_a_qr_code, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number, cashier) = at_the_cashier(&shop, &PHONE).await;
    let Cashier::Address(address) = cashier else { panic!("{cashier:?}") };
    assert!(address.contains("&redirect_url=http%3A%2F%2F"), "{address}");
    let page = shop.http.get(&address).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("50.00"), "{page}");
    let back = shop.http.post(format!("{}/pay", address.split_once('?').unwrap().0)).send().await.unwrap();
    // Where a payer who is logged in is led to the order.
    let back = back.headers()["location"].to_str().unwrap();
    assert!(back.ends_with(&format!("/pay/return?out_trade_no={number}")), "{back}");
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);

    shop.wait(SECOND);
    let (order, number, cashier) = at_the_cashier(&shop, &DESK).await;
    assert!(matches!(cashier, Cashier::Scan(_)));
    // A page that is loaded again is the same attempt and the same trade.
    assert_eq!(shop.payments.reopen_cashier(order, &DESK).await.unwrap(), Some(cashier.clone()));
    assert_eq!(shop.payments.resume(order, &DESK).await.unwrap().cashier, cashier);
    assert_eq!(shop.number(order).await, number);
    assert_eq!(shop.sandbox.books().len(), 2);
});

both!(another_wechat_way_gets_another_number, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, first, _) = at_the_cashier(&shop, &PHONE).await;
    assert_eq!(shop.payments.reopen_cashier(order, &DESK).await.unwrap(), None, "WeChat would refuse the number");
    // On a desktop: another number. Back on the phone: yet another, since WeChat refuses the first.
    shop.wait(SECOND);
    assert!(matches!(shop.payments.resume(order, &DESK).await.unwrap().cashier, Cashier::Scan(_)));
    let second = shop.number(order).await;
    shop.wait(SECOND);
    assert!(matches!(shop.payments.resume(order, &PHONE).await.unwrap().cashier, Cashier::Address(_)));
    let third = shop.number(order).await;
    assert!(first != second && second != third && first != third, "{first} {second} {third}");
    assert_eq!(shop.payments.resume(order, &PHONE).await.unwrap().order.id, order);
    assert_eq!(shop.number(order).await, third, "the same way is the same number");
    // Those before are closed at WeChat, so that only one can be paid.
    assert_eq!(shop.query().await.unwrap(), "asked 2, settled 2, failed 0");
    for number in [&first, &second] {
        assert!(shop.trade(number).status == Status::TradeClosed && !shop.sandbox.pay(number), "{number}");
    }
    assert_eq!(shop.state(order).await, "pending");
    assert!(shop.sandbox.pay(&third));
    shop.until(&third, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts { events: 3, ..Counts::ONCE });
});

both!(ten_concurrent_wechat_notifications_credit_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    shop.sandbox.set_faults(Faults { copies: 10, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 10).await;
    shop.wait(MINUTE);
    shop.query().await.unwrap();
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged == 20).await;
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_lost_notification_is_queried, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    shop.wait(10 * SECOND);
    assert_eq!(shop.query().await.unwrap(), "asked 1, settled 0, failed 0", "at the cashier");
    assert!(shop.sandbox.pay(&number));
    // The next query follows after twenty seconds, or up to a tenth later.
    shop.wait(25 * SECOND);
    assert_eq!(shop.query().await.unwrap(), "asked 1, settled 1, failed 0");
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_forged_probe_or_truncated_notification_changes_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    for faults in [Faults { falsify: true, ..Faults::default() }, Faults { half: true, ..Faults::default() }] {
        shop.sandbox.set_faults(faults);
        let before = shop.trade(&number).notified;
        if !shop.sandbox.pay(&number) {
            assert!(shop.sandbox.notify(&number));
        }
        shop.until(&number, |trade| trade.notified >= before + 3).await;
        assert_eq!(shop.trade(&number).acknowledged, 0);
        assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("pending", Counts::NONE));
    }
    // Answers are verified too: nothing is concluded from one that is not WeChat's.
    shop.sandbox.set_faults(Faults { falsify: true, ..Faults::default() });
    shop.wait(10 * SECOND);
    assert_eq!(shop.query().await.unwrap_err(), "none of 1 queries was answered");
    assert_eq!(shop.state(order).await, "pending");
    // The payment itself was real.
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    shop.wait(25 * SECOND);
    shop.query().await.unwrap();
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_notification_with_an_old_timestamp_is_refused, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    for minutes in [6, -12] {
        shop.world.clock.advance(minutes * MINUTE);
        let before = shop.trade(&number).notified;
        if !shop.sandbox.pay(&number) {
            assert!(shop.sandbox.notify(&number));
        }
        shop.until(&number, |trade| trade.notified > before).await;
        assert_eq!(shop.trade(&number).acknowledged, 0, "{minutes} minutes");
    }
    shop.world.clock.advance(6 * MINUTE);
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged > 0).await;
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_mismatched_notification_is_held, |w: World| async move {
    let shop = Shop::open(w).await;
    let faults = [
        (Faults { amount: Some("500.00".into()), ..Faults::default() }, "amount"),
        (Faults { seller_id: Some("1900009999".into()), ..Faults::default() }, "seller"),
        (Faults { app_id: Some("wx9999999999999999".into()), ..Faults::default() }, "app"),
    ];
    for (n, (fault, reason)) in (1..).zip(faults) {
        shop.wait(SECOND);
        let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
        shop.sandbox.set_faults(fault);
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        assert_eq!(shop.state(order).await, "pending");
        assert_eq!(shop.proved().await, Counts { events: n, cases: n, ..Counts::NONE }, "{reason}");
        let detail = shop.world.word("SELECT detail FROM cases ORDER BY opened_at DESC, id DESC LIMIT 1").await;
        assert!(detail.contains(&format!("\"reason\":\"{reason}\"")), "{detail}");
    }
});

both!(an_unpaid_wechat_trade_is_closed_by_the_server, |w: World| async move {
    let shop = Shop::open(w).await;
    let (first, one, _) = at_the_cashier(&shop, &PHONE).await;
    shop.wait(SECOND);
    let (second, other, _) = at_the_cashier(&shop, &DESK).await;
    shop.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
    shop.past_the_end().await;
    assert_eq!(shop.state(first).await, "pending", "nothing is concluded while the channel is down");
    // The close is done and its answer lost; the query tells.
    shop.sandbox.set_faults(Faults { silent_on: vec!["close".into()], ..Faults::default() });
    shop.past_the_end().await;
    for (order, number) in [(first, one), (second, other)] {
        assert_eq!((shop.state(order).await.as_str(), shop.trade(&number).status), ("closed", Status::TradeClosed));
        assert!(!shop.sandbox.pay(&number));
    }
    assert_eq!(shop.proved().await, Counts { events: 2, ..Counts::NONE });
});

both!(a_retried_start_with_a_lost_answer_is_the_same_trade, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { silent_on: vec!["prepay".into()], ..Faults::default() });
    let top_up = store::orders::NewOrder { tender: Tender::WechatPay, ..shop.top_up(5_000) };
    let refused = shop.start(&top_up, &PHONE).await.unwrap_err();
    assert_eq!(refused, model::error::AppError::ChannelUnavailable);
    shop.sandbox.set_faults(Faults::default());
    let order = shop.start(&top_up, &PHONE).await.unwrap().order.id;
    assert_eq!((shop.sandbox.books().len(), shop.world.number("SELECT COUNT(*) FROM payment_attempts").await), (1, 1));
    assert!(shop.sandbox.pay(&shop.number(order).await));
    shop.until(&shop.number(order).await, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_refund_under_one_number_pays_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, number, _) = at_the_cashier(&shop, &PHONE).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let channel = shop.payments.channel(Tender::WechatPay).unwrap();
    let refund = ChannelRefund {
        number: format!("{number}R1"),
        out_trade_no: number.clone(),
        trade_no: shop.trade(&number).trade_no,
        amount: Fen(2_000),
        paid: Fen(5_000),
        requested_at: shop.world.clock.now(),
    };
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    assert!(matches!(channel.query_refund(&refund).await.unwrap(), RefundResponse::Absent));
    for _ in 0..2 {
        assert!(matches!(channel.refund(&refund).await.unwrap(), RefundResponse::Processing));
    }
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000), "the same number again gives nothing more");
    let RefundResponse::Event(event) = channel.query_refund(&refund).await.unwrap() else { panic!("no end") };
    assert_eq!(
        (event.kind(), event.refund_no(), event.amount()),
        (EventKind::RefundSucceeded, Some(&*refund.number), Fen(2_000))
    );
    let more = ChannelRefund { number: format!("{number}R2"), amount: Fen(3_001), ..refund };
    let RefundResponse::Event(event) = channel.refund(&more).await.unwrap() else { panic!("no end") };
    assert_eq!(event.kind(), EventKind::RefundFailed, "more than was paid");
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000));
    // A refund that was not requested here is one case.
    shop.sandbox.set_faults(Faults { copies: 3, ..Faults::default() });
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 4).await;
    assert_eq!(shop.proved().await, Counts { events: 2, cases: 1, ..Counts::ONCE });
});

both!(malformed_requests_and_other_methods_are_refused, |w: World| async move {
    let shop = Shop::open(w).await;
    for body in ["", "{}", "<xml/>", "\u{0}"] {
        let (status, answer) = shop.post_notify_to("wechat", body).await;
        assert_eq!((status, answer.contains("FAIL")), (400, true), "{body}");
    }
    assert_eq!(shop.post_notify_to("wechat", vec![b'a'; 64 * 1024 + 1]).await.0, 413);
    for nobody in ["cash", "unionpays", "x"] {
        assert_eq!(shop.post_notify_to(nobody, "a=b").await.0, 404, "{nobody}");
    }
    let address = format!("http://{}/pay/wechat/notify", shop.address);
    assert_eq!(shop.http.get(&address).send().await.unwrap().status(), 405);
    let mut refused = 0;
    for _ in 0..250 {
        refused += usize::from(shop.post_notify_to("wechat", "").await.0 == 429);
    }
    assert!(refused > 0, "the clock stands still, so all of it is one second");
    assert_eq!(shop.proved().await, Counts::NONE);
});

both!(a_new_platform_certificate_is_fetched_for_wechat_only, |w: World| async move {
    let shop = with_one_certificate(w, 300).await;
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    // A sender names an unknown key, plausible or not: one certificate request, and nothing is accepted.
    shop.sandbox.set_faults(Faults { silent_on: vec!["certificates".into()], falsify: true, ..Faults::default() });
    shop.sandbox.sign_wechat_with_certificate(0x6666).unwrap();
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.notified >= 3).await;
    assert_eq!((shop.trade(&number).acknowledged, shop.state(order).await.as_str()), (0, "pending"));
    // WeChat switches to a published certificate, which is fetched when a notification or an answer names it.
    shop.sandbox.set_faults(Faults::default());
    shop.wait(11 * MINUTE);
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 1).await;
    assert_eq!(shop.state(order).await, "paid");
    shop.sandbox.sign_wechat_with_certificate(0x7777).unwrap();
    shop.wait(11 * MINUTE);
    let (_, number, _) = at_the_cashier(&shop, &PHONE).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged >= 1).await;
    assert_eq!(shop.proved().await, Counts { credits: 2, payments: 2, events: 2, ..Counts::NONE });
});

/// A shop that knows one certificate of WeChat Pay and must fetch any other.
async fn with_one_certificate(w: World, timeout_ms: u64) -> Shop {
    let shop = Shop::open(w).await;
    let first = shop.sandbox.sign_wechat_with_certificate(0x5157).unwrap();
    let verify = vec![VerifyConfig { certificate: Some(first), ..VerifyConfig::default() }];
    let wechat = Some(WechatConfig { verify, timeout_ms, ..shop.sandbox.wechat_config("127.0.0.1") });
    shop.with(Config { wechat, ..Config::default() }).await
}

both!(a_stranger_who_goes_away_does_not_stop_a_key_refresh, |w: World| async move {
    let shop = with_one_certificate(w, 5_000).await;
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    shop.sandbox.sign_wechat_with_certificate(0x6666).unwrap();
    shop.sandbox.set_faults(Faults { answer_delay_ms: 400, lose: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    // Names a serial number that nobody knows, and goes away while the certificates are fetched.
    let stranger =
        shop.http.post(format!("http://{}/pay/wechat/notify", shop.address)).header("content-type", "application/json");
    let stranger = ["timestamp", "nonce", "serial", "signature"]
        .iter()
        .fold(stranger, |request, name| request.header(format!("wechatpay-{name}"), "1795600000"));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), stranger.body("{}").send()).await.is_err());
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    // WeChat's own message is accepted at once: the clock stands still.
    shop.sandbox.set_faults(Faults::default());
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 1).await;
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("paid", Counts::ONCE));
});

both!(a_failed_key_refresh_is_repeated_after_half_a_minute, |w: World| async move {
    let shop = with_one_certificate(w, 300).await;
    let (order, number, _) = at_the_cashier(&shop, &PHONE).await;
    shop.sandbox.sign_wechat_with_certificate(0x6666).unwrap();
    shop.sandbox.set_faults(Faults { silent_on: vec!["certificates".into()], ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.notified >= 3).await;
    assert_eq!(shop.trade(&number).acknowledged, 0);
    shop.sandbox.set_faults(Faults::default());
    // A clock that is set back does not put the next attempt off.
    shop.world.clock.set(-MINUTE);
    shop.wait(31 * SECOND);
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 1).await;
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("paid", Counts::ONCE));
});
