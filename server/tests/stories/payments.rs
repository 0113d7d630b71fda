//! Payments through a sandbox that speaks the real protocol over HTTP and injects faults, on both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use model::error::AppError;
use model::money::Fen;
use model::order::{CommandState, OrderState, Tender};
use model::time::{MINUTE, SECOND};
use payments::{Cashier, Channel};
use sandbox::{Faults, Status};
use store::payments::AttemptState;
use store::{Db, order_lists};
use story_support::shop::{Counts, PHONE, Shop};
use story_support::{World, both};

both!(a_payment_is_credited_once_with_its_order, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    assert_eq!(shop.state(order).await, "pending");
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.order(order).await.state, OrderState::Paid);
    assert_eq!(shop.proved().await, Counts::ONCE);
    let progress = order_lists::progress(&shop.world.db, order).await.unwrap().unwrap();
    let states = (progress.attempt_state, progress.command_state);
    assert_eq!(states, (Some(AttemptState::Paid), Some(CommandState::Queued)));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM audit WHERE action = 'payment.credited'").await, 1);
});

both!(a_repeated_form_is_one_order_and_one_trade, |w: World| async move {
    let shop = Shop::open(w).await;
    let top_up = shop.top_up(5_000);
    let all = futures::future::join_all((0..6).map(|_| shop.start(&top_up, &PHONE))).await;
    let forms: Vec<_> = all.into_iter().map(|started| started.unwrap().cashier).collect();
    let mut numbers = Vec::new();
    for form in &forms {
        numbers.push(shop.visit(form).await);
    }
    numbers.dedup();
    assert_eq!(numbers.len(), 1);
    // A redirect leads the payer to the same cashier.
    let cashier = shop.follow(&forms[0]).await;
    assert_eq!(cashier, format!("/cashier/{}", shop.trade(&numbers[0]).token));
    // A changed digit is rejected.
    let Cashier::Address(address) = &forms[0] else { panic!("{:?}", forms[0]) };
    let answer = shop.http.get(address.replace("50.00", "0.01")).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("isv.invalid-signature"), "{answer}");
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM payment_attempts").await, 1);
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM orders").await, 1);
});

both!(ten_concurrent_notifications_credit_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    shop.sandbox.set_faults(Faults { copies: 10, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 10).await;
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);

    // An old notification again, later, and after the query job asked as well.
    shop.wait(MINUTE);
    shop.query().await.unwrap();
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged == 20).await;
    assert_eq!(shop.proved().await, Counts::ONCE);
});

/// PostgreSQL settles each payment alone; on SQLite they queue for the one writer until it is released.
#[tokio::test(flavor = "multi_thread")]
async fn queued_payments_settle_together_despite_one_failure() {
    let shop = Shop::open(World::sqlite().await).await;
    let Db::Sqlite { write, .. } = &shop.world.db else { panic!("it is SQLite") };
    let mut all = Vec::new();
    for _ in 0..12 {
        all.push(shop.at_the_cashier(1_000).await);
    }
    let (broken, lost) = all.pop().unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "CREATE TRIGGER broken BEFORE UPDATE OF paid_at ON orders WHEN hex(NEW.id) = '{}' \
         BEGIN SELECT RAISE(ABORT, 'broken'); END",
        broken.0.simple().to_string().to_uppercase()
    )))
    .execute(write)
    .await
    .unwrap();
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    write.acquire().await.unwrap().lock_handle().await.unwrap().set_commit_hook(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        true
    });
    let pay_all = async |numbers: &mut dyn Iterator<Item = &String>| {
        let held = shop.world.db.begin().await.unwrap();
        numbers.for_each(|number| assert!(shop.sandbox.pay(number)));
        // Shorter than the channel's own time-out.
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(held);
    };
    let settled = async |number: &str| shop.until(number, |trade| trade.acknowledged > 0).await;

    let (first, second) = all.split_at(6);
    pay_all(&mut first.iter().map(|(_, number)| number)).await;
    for (_, number) in first {
        settled(number).await;
    }
    assert!(commits.load(Ordering::Relaxed) <= 2, "the first to come, and all others with the next");

    pay_all(&mut second.iter().map(|(_, number)| number).chain([&lost])).await;
    for (order, number) in &all {
        settled(number).await;
        assert_eq!(shop.state(*order).await, "paid");
    }
    assert_eq!((shop.trade(&lost).acknowledged, &*shop.state(broken).await), (0, "pending"), "nobody is told that it is stored");
    sqlx::raw_sql("DROP TRIGGER broken").execute(write).await.unwrap();
    assert!(shop.sandbox.notify(&lost));
    settled(&lost).await;
    let Counts { credits, payments, events, .. } = shop.proved().await;
    assert_eq!((credits, payments, events), (12, 12, 12));
}

both!(a_lost_notification_is_found_by_a_query, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    let (order, number) = shop.at_the_cashier(5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.notified > 0).await;
    assert_eq!(shop.query().await.unwrap(), "asked 0, settled 0, failed 0", "not before ten seconds");
    shop.wait(10 * SECOND);
    assert_eq!(shop.query().await.unwrap(), "asked 1, settled 1, failed 0");
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
    assert_eq!(shop.query().await.unwrap(), "asked 0, settled 0, failed 0", "nobody asks about what is paid");
});

both!(a_payer_who_gives_up_returns_to_the_order, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    let cancel = format!("http://{}/cashier/{}/cancel", shop.sandbox.address(), shop.trade(&number).token);
    let quit = shop.http.post(cancel).send().await.unwrap();
    let back = format!("http://{}/pay/return?out_trade_no={number}", shop.address);
    assert_eq!(quit.headers()["location"].to_str().unwrap(), back);
    assert_eq!(shop.state(order).await, "pending", "it can still be paid");
    let again = shop.payments.resume(order, &PHONE).await.unwrap();
    assert_eq!(shop.visit(&again.cashier).await, number, "as the same trade");
});

both!(a_forged_notification_changes_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { falsify: true, ..Faults::default() });
    let (order, number) = shop.at_the_cashier(5_000).await;
    assert!(shop.sandbox.pay(&number));
    let trade = shop.until(&number, |trade| trade.notified >= 3).await;
    assert_eq!(trade.acknowledged, 0, "refused each time");
    assert_eq!(shop.state(order).await, "pending");
    assert_eq!(shop.proved().await, Counts::NONE);
    // The payment itself was real.
    shop.wait(10 * SECOND);
    shop.query().await.unwrap();
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_payment_without_an_order_opens_a_case, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    // As if the database had been restored to an hour ago.
    shop.world.execute("DELETE FROM payment_attempts").await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "pending");
    assert_eq!(shop.proved().await, Counts { events: 1, cases: 1, ..Counts::NONE });
});

both!(an_unpaid_order_closes_only_on_the_channels_answer, |w: World| async move {
    let shop = Shop::open(w).await;
    let (visited, number) = shop.at_the_cashier(5_000).await;
    let unvisited = shop.start(&shop.top_up(6_000), &PHONE).await.unwrap().order.id;
    // The channel is down all the while: nothing may be concluded.
    shop.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
    shop.past_the_end().await;
    assert!(shop.query().await.is_ok());
    assert_eq!((shop.state(visited).await, shop.state(unvisited).await), ("pending".into(), "pending".into()));
    // It is up again and reports that.
    shop.sandbox.set_faults(Faults::default());
    shop.past_the_end().await;
    assert_eq!((shop.state(visited).await, shop.state(unvisited).await), ("closed".into(), "closed".into()));
    assert_eq!(shop.trade(&number).status, Status::TradeClosed);
    assert!(!shop.sandbox.pay(&number));
    assert_eq!(shop.payments.resume(visited, &PHONE).await.unwrap_err(), AppError::OrderClosed);
    let counts = shop.proved().await;
    assert_eq!((counts.credits, counts.cases), (0, 0));
});

both!(a_trade_unknown_to_the_channel_stays_open_until_expiry, |w: World| async move {
    let shop = Shop::open(w).await;
    let started = shop.start(&shop.top_up(5_000), &PHONE).await.unwrap();
    // Fourteen minutes in the payer has not pressed the button; each query says: no such trade.
    for _ in 0..14 {
        shop.wait(MINUTE);
        shop.query().await.unwrap();
    }
    assert_eq!(shop.state(started.order.id).await, "pending");
    let number = shop.visit(&started.cashier).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(a_payment_after_the_order_closed_is_credited, |w: World| async move {
    let shop = Shop::open(w).await;
    let started = shop.start(&shop.top_up(5_000), &PHONE).await.unwrap();
    // Our clock runs ahead of the channel's: we close what it still lets the payer pay.
    for _ in 0..25 {
        shop.world.clock.advance(MINUTE);
        shop.query().await.unwrap();
    }
    assert_eq!(shop.state(started.order.id).await, "closed");
    let number = shop.visit(&started.cashier).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(started.order.id).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
    assert_eq!(shop.world.word("SELECT outcome FROM payment_events").await, "credited-late");
});

both!(an_order_paid_twice_is_credited_once_and_rest_suspended, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, first) = shop.at_the_cashier(5_000).await;
    // The first attempt has expired by the product's clock; the channel still accepts it.
    shop.world.clock.advance(16 * MINUTE);
    let second = shop.visit(&shop.another_attempt(order).await.cashier).await;
    assert_ne!(first, second);
    assert!(shop.sandbox.pay(&first) && shop.sandbox.pay(&second));
    for number in [&first, &second] {
        shop.until(number, |trade| trade.acknowledged == 1).await;
    }
    assert_eq!(shop.state(order).await, "paid");
    let counts = Counts { events: 2, suspense_fen: 5_000, cases: 1, ..Counts::ONCE };
    assert_eq!(shop.proved().await, counts);
    assert_eq!(shop.world.word("SELECT kind FROM cases").await, "paid-twice");
    // And both again.
    assert!(shop.sandbox.notify(&first) && shop.sandbox.notify(&second));
    for number in [&first, &second] {
        shop.until(number, |trade| trade.acknowledged == 2).await;
    }
    assert_eq!(shop.proved().await, counts);
});

both!(a_channel_refund_never_credits, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert!(shop.sandbox.refund(&number, "r1", Fen(1_000)));
    shop.until(&number, |trade| trade.acknowledged == 2).await;
    assert_eq!(shop.state(order).await, "paid");
    let counts = Counts { events: 2, cases: 1, ..Counts::ONCE };
    assert_eq!(shop.proved().await, counts, "told with TRADE_SUCCESS, and still no second credit");

    // The payment was never notified; the first notification is its refund.
    shop.wait(SECOND);
    let (order, number) = shop.at_the_cashier(6_000).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.notified >= 8).await;
    shop.sandbox.set_faults(Faults::default());
    assert!(shop.sandbox.refund(&number, "r2", Fen(6_000)));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!(shop.state(order).await, "pending");
    assert_eq!(shop.proved().await, Counts { events: 3, cases: 2, ..counts });
});

both!(a_close_with_a_lost_answer_is_settled_by_a_query, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    // Only the product's clock: the trade is still open at the channel, so our close ends it.
    shop.world.clock.advance(16 * MINUTE + 30 * SECOND);
    let silent_on = |method: &str| Faults { silent_on: vec![method.into()], ..Faults::default() };
    shop.sandbox.set_faults(silent_on("alipay.trade.query"));
    assert_eq!(shop.query().await.unwrap_err(), "none of 1 queries was answered");
    assert_eq!(shop.state(order).await, "pending", "silence concludes nothing");
    shop.world.clock.advance(5 * MINUTE);
    shop.sandbox.set_faults(silent_on("alipay.trade.close"));
    assert_eq!(shop.query().await.unwrap(), "asked 1, settled 1, failed 0");
    assert_eq!(shop.trade(&number).status, Status::TradeClosed);
    assert_eq!(shop.state(order).await, "closed");
    assert_eq!(shop.proved().await, Counts { events: 1, ..Counts::NONE });
});

both!(a_payment_during_the_close_is_paid, |w: World| async move {
    let shop = Shop::open(w).await;
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    let (order, number) = shop.at_the_cashier(5_000).await;
    shop.world.clock.advance(16 * MINUTE + 30 * SECOND);
    shop.world.execute("UPDATE payment_attempts SET state = 'closing'").await;
    assert!(shop.sandbox.pay(&number));
    shop.query().await.unwrap();
    assert_eq!(shop.state(order).await, "paid");
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(bad_requests_get_a_clear_error_and_change_nothing, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, number) = shop.at_the_cashier(5_000).await;
    assert_eq!(shop.post_notify(vec![b'a'; 64 * 1024 + 1]).await.0, 413);
    for body in [
        String::new(),
        format!("out_trade_no={number}&trade_status=TRADE_SUCCESS&total_amount=50.00&sign=AAAA&sign_type=RSA2"),
        format!("out_trade_no={number}&out_trade_no={number}&sign=AAAA&sign_type=RSA2"),
        format!("out_trade_no={number}&trade_stat"),
        "%zz=1".into(),
        "\u{0}".into(),
        "<xml><a/></xml>".into(),
    ] {
        assert_eq!(shop.post_notify(body.clone()).await, (400, "failure".into()), "{body}");
    }
    assert_eq!(shop.post_notify(vec![0xff, b'=', 0xfe]).await, (400, "failure".into()));
    let address = format!("http://{}/pay/alipay/notify", shop.address);
    assert_eq!(shop.http.get(&address).send().await.unwrap().status(), 405);
    assert_eq!(shop.http.put(&address).send().await.unwrap().status(), 405);
    assert_eq!(shop.proved().await, Counts::NONE);
});

both!(notifications_are_rate_limited_and_nothing_else, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    // A browser sent by another site: its cookies are ignored and none are set.
    let address = format!("http://{}/pay/alipay/notify", shop.address);
    let knock = || {
        shop.http
            .post(&address)
            .header("origin", "https://elsewhere.example")
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/x-www-form-urlencoded")
    };
    let answer = knock().header("cookie", "__Host-dormwatt=x").body("a=b").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (400, None));
    let mut turned_away = 0;
    for _ in 0..220 {
        turned_away += u32::from(knock().body("a=b").send().await.unwrap().status() == 429);
    }
    assert!((1..=220 - 199).contains(&turned_away), "{turned_away}");
    let looked_at = || shop.payments.any_merchant(Tender::Alipay).unwrap().health().report().forged;
    assert!(looked_at() <= 200, "what is refused is not verified");
    // A second later the channel's repeated notification is accepted.
    shop.world.clock.advance(SECOND);
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("paid", Counts::ONCE));
    // From where the channel's own notifications come, forged ones do not hold them up.
    for _ in 0..250 {
        assert_eq!(knock().body("a=b").send().await.unwrap().status(), 400);
    }
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged == 2).await;
    assert_eq!(shop.proved().await, Counts::ONCE);
});

both!(concurrent_queries_ask_once_and_keep_the_agreed_rate, |w: World| async move {
    let shop = Shop::open(w).await;
    for _ in 0..25 {
        shop.start(&shop.top_up(100), &PHONE).await.unwrap();
    }
    shop.wait(12 * SECOND);
    let count = |said: &str| -> u32 { said.split([' ', ',']).nth(1).unwrap().parse().unwrap() };
    let asked = async || count(&shop.query().await.unwrap());
    let (one, other) = tokio::join!(asked(), asked());
    assert!(one <= 20 && other <= 20, "so many in a second: {one} {other}");
    assert_eq!(one + other + asked().await, 25);
    assert_eq!(asked().await, 0, "each has its next time");
    assert_eq!(shop.world.number("SELECT CAST(SUM(queries) AS BIGINT) FROM payment_attempts").await, 25);
});
