//! Payments around midnight, and refunds on other days than their payments.

use super::*;
use model::time::MINUTE;

/// Both clocks a few minutes before midnight.
fn late_evening(shop: &Shop) {
    let midnight = shop.today().plus(1).start();
    shop.wait(midnight.plus(-5 * MINUTE).since(domain::clock::Clock::now(&*shop.world.clock)));
}

both!(a_notification_after_midnight_is_no_difference, |w: World| async move {
    let shop = Shop::open(w).await;
    late_evening(&shop);
    let day = shop.today();
    let (_, number) = shop.ordered(Tender::Alipay, 5_000).await;
    // Only ours: the channel takes the payment yesterday, by its own clock.
    shop.world.clock.advance(6 * MINUTE);
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    shop.wait(10 * HOUR);
    shop.pays(Tender::Alipay, 3_000).await;
    shop.wait(HOUR);
    shop.reconciles().await.unwrap();
    let edge = |gap, why: &str| [("edge".to_owned(), Fen(gap), why.to_owned())];
    assert_eq!(shop.money(Tender::Alipay, day).await, edge(5_000, "other-day"));
    shop.next_day(11);
    shop.reconciles().await.unwrap();
    assert_eq!(shop.money(Tender::Alipay, day.plus(1)).await, edge(-5_000, "other-statement"));
    let cases = shop.world.number("SELECT COUNT(*) FROM cases WHERE kind LIKE 'statement-%' AND kind <> 'statement-meter'").await;
    assert_eq!((shop.day(Tender::Alipay, day.plus(1)).await.equal_lines, cases), (1, 0));
});

both!(a_booking_before_midnight_waits_for_the_next_statement, |w: World| async move {
    let shop = Shop::open(w).await;
    for forgotten in [false, true] {
        shop.pays(Tender::Alipay, 2_000).await;
        late_evening(&shop);
        let day = shop.today();
        let (_, number) = shop.ordered(Tender::Alipay, 5_000).await;
        // The channel's clock is ahead of ours: for it, tomorrow has begun.
        shop.bank_clock.advance(6 * MINUTE);
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        shop.bank_clock.advance(-6 * MINUTE);
        shop.next_day(11);
        shop.pays(Tender::Alipay, 3_000).await;
        shop.fetches(Tender::Alipay, day).await;
        assert_eq!(shop.money(Tender::Alipay, day).await, [("edge".into(), Fen(-5_000), "statement-to-come".into())]);
        shop.next_day(1);
        let missing = forgotten.then(|| number.clone());
        shop.statement_faults(StatementFaults { missing, ..StatementFaults::default() });
        shop.fetches(Tender::Alipay, day.plus(1)).await;
        let expected = if forgotten { ("ledger-only", "credited") } else { ("edge", "other-statement") };
        let money = shop.money(Tender::Alipay, day).await;
        assert_eq!(money, [(expected.0.into(), Fen(-5_000), expected.1.into())]);
        shop.statement_faults(StatementFaults::default());
        shop.next_day(1);
    }
});

both!(a_refund_is_in_the_statement_of_its_own_day, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    // Paid twice: the second goes back by itself, on the next day.
    let (order, first) = shop.at_the_cashier(5_000).await;
    shop.world.clock.advance(16 * MINUTE);
    let second = shop.visit(&shop.another_attempt(order).await.cashier).await;
    for number in [&first, &second] {
        assert!(shop.sandbox.pay(number));
        shop.until(number, |trade| trade.acknowledged == 1).await;
    }
    shop.next_day(12);
    for _ in 0..3 {
        shop.give_back().await.unwrap();
        shop.wait(10_000);
    }
    shop.next_day(11);
    shop.reconciles().await.unwrap();
    // The first waits for its meter, which is another matter.
    assert_eq!(shop.classes(Tender::Alipay, day).await, [("meter".into(), Fen(0), "not-delivered".into())]);
    assert_eq!(shop.day(Tender::Alipay, day).await.equal_lines, 2);
    assert_eq!(shop.classes(Tender::Alipay, day.plus(1)).await, []);
    let row = shop.day(Tender::Alipay, day.plus(1)).await;
    assert_eq!((row.statement, row.ledger, row.equal_lines), (Fen(-5_000), Fen(-5_000), 1));
});

both!(a_console_refund_is_in_statement_and_ledger, |w: World| async move {
    let shop = Shop::open(w).await;
    for (n, channel) in CHANNELS.into_iter().enumerate() {
        let day = shop.today();
        let (_, number) = shop.pays(channel, 5_000).await;
        shop.wait(MINUTE);
        assert!(shop.sandbox.refund(&number, &format!("CONSOLE{n}"), Fen(1_000)));
        shop.until(&number, |trade| trade.acknowledged == 2).await;
        shop.next_day(11);
        shop.fetches(channel, day).await;
        assert_eq!(shop.classes(channel, day).await, []);
        let row = shop.day(channel, day).await;
        assert_eq!((row.statement, row.ledger, row.equal_lines), (Fen(4_000), Fen(4_000), 2));
    }
});

both!(a_refund_with_a_lost_answer_differs_until_queried, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    let (order, first) = shop.at_the_cashier(5_000).await;
    shop.world.clock.advance(16 * MINUTE);
    let second = shop.visit(&shop.another_attempt(order).await.cashier).await;
    for number in [&first, &second] {
        assert!(shop.sandbox.pay(number));
        shop.until(number, |trade| trade.acknowledged == 1).await;
    }
    let silent_on = vec!["alipay.trade.refund".to_owned()];
    shop.sandbox.set_faults(Faults { lose: true, silent_on, ..Faults::default() });
    for _ in 0..3 {
        if shop.trade(&second).refunds.is_empty() {
            let _ = shop.give_back().await;
            shop.wait(1_000);
        }
    }
    // Done there, and nobody tells us.
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    shop.next_day(11);
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!(shop.money(Tender::Alipay, day).await, [("state".into(), Fen(-5_000), "sending".into())]);
    shop.give_back().await.unwrap();
    shop.reconciles().await.unwrap();
    assert_eq!(shop.money(Tender::Alipay, day).await, [("edge".into(), Fen(-5_000), "other-day".into())]);
});
