//! Statements of a sandbox that speaks the channels' protocols, compared with the ledger and the meters, on both databases.

mod closing;
mod edges;
mod meters;
mod pages;
mod statements;

use domain::ledger::Account;
use model::case::{CaseDetail, DeliveryCase, HoldReason};
use model::money::{Fen, Money};
use model::order::Tender;
use model::time::{DAY, HOUR};
use payments::reconcile::FetchOutcome;
use reconciliation::Imported;
use sandbox::{Faults, StatementFaults};
use store::ledger::credit_balance;
use story_support::shop::Shop;
use story_support::statements::CHANNELS;
use story_support::{World, both};
use verify::Rule;

both!(a_day_without_differences_on_both_channels, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    shop.pays(Tender::Alipay, 5_000).await;
    shop.pays(Tender::Alipay, 10_000).await;
    shop.pays(Tender::WechatPay, 3_333).await;
    assert_eq!(shop.reconciles().await.unwrap(), "fetched 0, waiting 0, failed 0, compared 0", "the day is not over");
    shop.next_day(9);
    assert_eq!(shop.reconciles().await.unwrap(), "fetched 0, waiting 0, failed 0, compared 0", "nor are the statements ready");
    shop.wait(2 * HOUR);
    assert_eq!(shop.reconciles().await.unwrap(), "fetched 2, waiting 0, failed 0, compared 0");
    for (channel, fen, fees, lines) in [(Tender::Alipay, 15_000, 9_000, 2), (Tender::WechatPay, 3_333, 2_000, 1)] {
        assert_eq!(shop.listed(channel, day).await, []);
        let row = shop.day(channel, day).await;
        assert_eq!((row.statement, row.ledger, row.fees), (Fen(fen), Fen(fen), Money(fees)));
        assert_eq!((row.equal_lines, row.purchases, row.problem), (lines, lines, None));
        // The channel holds what came, less what it keeps.
        let clearing = Account::Clearing(channel.as_str());
        assert_eq!(credit_balance(&shop.world.db, &clearing).await.unwrap(), Money(fees - fen * 100));
        assert_eq!(credit_balance(&shop.world.db, &Account::Fees(channel.as_str())).await.unwrap(), Money(-fees));
    }
    // Again, by the task and by a person: the same.
    let before = counts(&shop).await;
    shop.reconciles().await.unwrap();
    for channel in CHANNELS {
        assert!(matches!(shop.fetches(channel, day).await, FetchOutcome::Compared(Imported::Known, _)));
    }
    assert_eq!(counts(&shop).await, before);
    // The channel's total is one yuan more than its lines.
    shop.world.execute("UPDATE settlement_days SET statement_fen = statement_fen + 100").await;
    let found = verify::verify(&shop.world.db).await.unwrap().differences;
    assert!(!found.is_empty() && found.iter().all(|one| one.rule == Rule::DayTotal), "{found:?}");
});

/// Counts that a repeated import must not change.
async fn counts(shop: &Shop) -> [i64; 5] {
    let w = &shop.world;
    [
        w.number("SELECT COUNT(*) FROM statements").await,
        w.number("SELECT COUNT(*) FROM statement_lines").await,
        w.number("SELECT COUNT(*) FROM ledger_transfers").await,
        w.number("SELECT COUNT(*) FROM cases").await,
        w.number("SELECT COUNT(*) FROM audit").await,
    ]
}

both!(every_difference_class_is_found_and_closes_when_resolved, |w: World| async move {
    let shop = Shop::open(w).await;
    for (n, channel) in CHANNELS.into_iter().enumerate() {
        let day = shop.today();
        let (_, number) = shop.pays(channel, 5_000).await;
        shop.pays(channel, 7_000).await;
        shop.next_day(11);
        let faults = [
            (StatementFaults { missing: Some(number.clone()), ..StatementFaults::default() }, "ledger-only", -5_000, "credited"),
            (StatementFaults { extra: Some("12.34".into()), ..StatementFaults::default() }, "channel-only", 1_234, "unknown"),
            (
                StatementFaults { amounts: [(number.clone(), "49.00".into())].into(), ..StatementFaults::default() },
                "amount",
                -100,
                "credited",
            ),
            (
                StatementFaults { refunded: Some(number.clone()), ..StatementFaults::default() },
                "channel-only",
                -5_000,
                "unbooked",
            ),
        ];
        let each = faults.len();
        for (turn, (fault, class, gap, why)) in faults.into_iter().enumerate() {
            shop.statement_faults(fault);
            shop.fetches(channel, day).await;
            let expected = vec![(class.to_owned(), Fen(gap), why.to_owned())];
            assert_eq!(shop.classes(channel, day).await, expected);
            // Run again, nothing comes and nothing goes.
            let before = counts(&shop).await;
            shop.fetches(channel, day).await;
            assert_eq!((counts(&shop).await, shop.classes(channel, day).await), (before, expected));
            assert_eq!(shop.statement_cases().await, 1);
            shop.statement_faults(StatementFaults::default());
            shop.fetches(channel, day).await;
            assert_eq!((shop.classes(channel, day).await, shop.statement_cases().await), (vec![], 0));
            let mended = shop.world.number("SELECT COUNT(*) FROM cases WHERE resolution = 'mended'").await;
            assert_eq!(usize::try_from(mended).unwrap(), n * each + turn + 1);
        }
    }
});

both!(an_unnotified_payment_differs_until_queried, |w: World| async move {
    let shop = Shop::open(w).await;
    for channel in CHANNELS {
        let day = shop.today();
        shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
        let (_, number) = shop.ordered(channel, 5_000).await;
        assert!(shop.sandbox.pay(&number));
        shop.next_day(11);
        shop.fetches(channel, day).await;
        assert_eq!(shop.classes(channel, day).await, [("state".into(), Fen(5_000), "pending".into())]);
        // The query job finds it: posted today, in yesterday's statement.
        shop.query().await.unwrap();
        shop.reconciles().await.unwrap();
        assert_eq!(shop.classes(channel, day).await, [("edge".into(), Fen(5_000), "other-day".into())]);
        let open = "SELECT COUNT(*) FROM cases WHERE kind = 'statement-state' AND closed_at IS NULL";
        assert_eq!(shop.world.number(open).await, 0);
        shop.next_day(11);
    }
});

both!(a_late_payment_of_a_closed_order_reconciles_normally, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    let started = shop.start(&shop.top_up(5_000), &story_support::shop::PHONE).await.unwrap();
    for _ in 0..25 {
        shop.world.clock.advance(60_000);
        shop.query().await.unwrap();
    }
    assert_eq!(shop.state(started.order.id).await, "closed");
    let number = shop.visit(&started.cashier).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    shop.next_day(11);
    shop.reconciles().await.unwrap();
    assert_eq!(shop.classes(Tender::Alipay, day).await, []);
    assert_eq!(shop.day(Tender::Alipay, day).await.equal_lines, 1);
});

both!(an_order_undelivered_after_a_day_is_a_difference, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    let (order, _) = shop.pays(Tender::Alipay, 5_000).await;
    shop.next_day(11);
    shop.reconciles().await.unwrap();
    assert_eq!(shop.classes(Tender::Alipay, day).await, []);
    shop.wait(DAY);
    shop.reconciles().await.unwrap();
    let expected = [("meter".to_owned(), Fen(0), "not-delivered".to_owned())];
    assert_eq!(shop.classes(Tender::Alipay, day).await, expected);
    assert_eq!((shop.state(order).await.as_str(), shop.statement_cases().await), ("paid", 1));
    // A case about the meter itself says what to do; two would only confuse.
    let meter = shop.room.meter;
    let mut tx = shop.world.db.begin().await.unwrap();
    let (at, rng) = (domain::clock::Clock::now(&*shop.world.clock), &shop.world.rng);
    let case = CaseDetail::Delivery(Box::new(DeliveryCase::new(HoldReason::Count)));
    store::cases::open(&mut tx, rng, at, Some(meter), None, &case).await.unwrap();
    tx.commit().await.unwrap();
    shop.reconciles().await.unwrap();
    assert_eq!((shop.classes(Tender::Alipay, day).await, shop.statement_cases().await), (vec![], 0));
});

both!(fees_are_corrected_by_the_difference, |w: World| async move {
    let shop = Shop::open(w).await;
    let day = shop.today();
    shop.pays(Tender::WechatPay, 5_000).await;
    shop.next_day(11);
    let fees = Account::Fees("wechat");
    // A statement, another one, and the first again: the account follows.
    for (more, expected) in [(0, 3_000), (7, 3_700), (0, 3_000)] {
        shop.statement_faults(StatementFaults { fee_fen: more, ..StatementFaults::default() });
        assert!(matches!(shop.fetches(Tender::WechatPay, day).await, FetchOutcome::Compared(Imported::New, _)));
        assert_eq!(shop.classes(Tender::WechatPay, day).await, []);
        assert_eq!(credit_balance(&shop.world.db, &fees).await.unwrap(), Money(-expected));
        assert_eq!(shop.day(Tender::WechatPay, day).await.fees, Money(expected));
    }
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM statements").await, 2);
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM ledger_transfers WHERE operation = 'fees'").await, 3);
});

both!(missed_days_are_caught_up, |w: World| async move {
    let shop = Shop::open(w).await;
    let first = shop.today();
    for _ in 0..12 {
        shop.pays(Tender::Alipay, 5_000).await;
        shop.next_day(12);
    }
    assert_eq!(shop.reconciles().await.unwrap(), "fetched 10, waiting 0, failed 0, compared 0", "a bounded number at once");
    assert!(shop.reconciles().await.unwrap().starts_with("fetched 2,"));
    for n in 0..12 {
        assert_eq!(shop.day(Tender::Alipay, first.plus(n)).await.equal_lines, 1);
    }
});
