//! Refunds through the channel: once, under one number, never more than was paid, whatever the channel does; on both databases.

use domain::clock::Clock;
use domain::ledger::Account;
use model::error::AppError;
use model::money::{Fen, Money};
use model::order::Tender;
use model::person::Role;
use model::refund::RefundState;
use model::time::{DAY, HOUR, MINUTE, SECOND};
use sandbox::Faults;
use store::refunds::{self, NewRefund, RefundSubject};
use story_support::refunding::{BY_HAND, colleague, refused};
use story_support::shop::{DESK, Shop};
use story_support::{World, both};

both!(a_double_payment_is_refunded_automatically_once, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, first, second) = shop.paid_twice(5_000).await;
    assert_eq!(shop.lies().await, (5_000, 0, 10_000));
    for _ in 0..3 {
        shop.give_back().await.unwrap();
        shop.wait(10 * SECOND);
    }
    let (kept, back) = (shop.trade(&first), shop.trade(&second));
    assert_eq!((kept.refunded(), back.refunded(), back.refunds.len()), (Fen(0), Fen(5_000), 1));
    assert_eq!(shop.lies().await, (0, 0, 5_000));
    assert_eq!(shop.state(order).await, "paid", "the first is delivered");
    assert_eq!(shop.open_cases().await, 0);
    // The channel notifies it several times; it is not mistaken for a console refund.
    shop.until(&second, |trade| trade.acknowledged == 2).await;
    assert!(shop.sandbox.notify(&second) && shop.sandbox.notify(&second));
    shop.until(&second, |trade| trade.acknowledged == 4).await;
    let counts = shop.proved().await;
    assert_eq!((counts.credits, counts.cases, counts.suspense_fen), (1, 0, 5_000));
    let number = shop.world.word("SELECT refund_no FROM refunds").await;
    assert!((8..=32).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric()), "{number}");
});

both!(a_refund_without_funds_says_so_and_is_retried, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    for channel in [Tender::Alipay, Tender::WechatPay] {
        shop.wait(SECOND);
        let (order, number) = shop.reach(channel, 3_000).await;
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        let of = RefundSubject::Payment(shop.payment(&number).await);
        let row = shop.ask(&shop.refund_request(clerk, of, 3_000)).await.unwrap();
        shop.sandbox.set_faults(Faults { refund_not_enough: true, ..Faults::default() });
        assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 1, ended 0, failed 0");
        let obstacle = "SELECT COUNT(*) FROM refunds WHERE state = 'sending' AND obstacle = 'no-funds'";
        let case = "SELECT COUNT(*) FROM cases WHERE kind = 'refund' AND closed_at IS NULL AND detail LIKE '%no-funds%'";
        assert_eq!((shop.world.number(obstacle).await, shop.world.number(case).await), (1, 1), "at once");
        assert_eq!(refunds::held_up_of(&shop.world.db, order).await.unwrap(), [row.id]);
        // Again, and still: one case. Then there is money.
        shop.wait(11 * SECOND);
        assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 1, ended 0, failed 0");
        assert_eq!((shop.world.number(obstacle).await, shop.world.number(case).await), (1, 1));
        shop.sandbox.set_faults(Faults::default());
        for _ in 0..3 {
            shop.wait(MINUTE);
            shop.give_back().await.unwrap();
        }
        assert_eq!((shop.now(&row).await, shop.trade(&number).refunds.len()), (RefundState::Done, 1));
        assert_eq!((shop.world.number(obstacle).await, shop.open_cases().await), (0, 0));
        shop.proved().await;
    }
});

both!(a_finished_trade_offers_no_channel_refund, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    // Finished with the payment, with a later notification, and by the refund's refusal.
    for turn in 0..3 {
        shop.wait(SECOND);
        let (_, number) = shop.at_the_cashier(3_000).await;
        shop.sandbox.set_faults(Faults { finished: turn == 0, ..Faults::default() });
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        shop.sandbox.set_faults(Faults { finished: true, ..Faults::default() });
        let of = RefundSubject::Payment(shop.payment(&number).await);
        if turn == 1 {
            assert!(shop.sandbox.notify(&number));
            shop.until(&number, |trade| trade.acknowledged == 2).await;
        }
        if turn == 2 {
            let row = shop.ask(&shop.refund_request(clerk, of, 3_000)).await.unwrap();
            shop.give_back().await.unwrap();
            assert_eq!(shop.now(&row).await, RefundState::Failed);
        }
        let again = shop.ask(&shop.refund_request(clerk, of, 3_000)).await;
        assert_eq!(refused(again), AppError::RefundTooOld, "{turn}");
        let counter = NewRefund { over_counter: Some(Tender::Cash), ..shop.refund_request(clerk, of, 3_000) };
        assert_eq!(shop.ask(&counter).await.unwrap().state, RefundState::Waiting, "as cash, with a second person: {turn}");
        shop.sandbox.set_faults(Faults::default());
    }
    shop.proved().await;
});

both!(concurrent_refunds_never_exceed_the_payment, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    let of = RefundSubject::Payment(shop.payment(&second).await);
    let requests: Vec<_> = (0..12).map(|_| shop.refund_request(clerk, of, 1_200)).collect();
    let all = futures::future::join_all(requests.iter().map(|new| shop.ask(new))).await;
    assert_eq!(all.iter().filter(|asked| asked.is_ok()).count(), 4, "{all:?}");
    assert_eq!(shop.lies().await, (200, 4_800, 10_000));
    shop.give_back().await.unwrap();
    assert_eq!(shop.trade(&second).refunded(), Fen(4_800));
    shop.proved().await;
});

both!(a_lost_refund_answer_is_queried_under_the_same_number, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    let silent = Faults { silent_on: vec!["alipay.trade.refund".into()], lose: true, ..Faults::default() };
    shop.sandbox.set_faults(silent);
    assert_eq!(shop.give_back().await.unwrap_err(), "none of 1 refunds could be requested");
    assert_eq!(shop.trade(&second).refunded(), Fen(5_000), "it did it, and never said so");
    assert_eq!(shop.lies().await, (0, 5_000, 10_000), "nothing is concluded from silence");
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0", "not at once");
    shop.wait(11 * SECOND);
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 1, ended 1, failed 0");
    let back = shop.trade(&second);
    assert_eq!((back.refunded(), back.refunds.len()), (Fen(5_000), 1));
    assert_eq!((shop.lies().await, shop.open_cases().await), ((0, 0, 5_000), 0));
    shop.proved().await;
});

both!(a_lost_refund_request_is_resent, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    shop.sandbox.set_faults(Faults { status: Some(502), ..Faults::default() });
    for _ in 0..4 {
        let _ = shop.give_back().await;
        shop.wait(MINUTE);
    }
    assert_eq!((shop.trade(&second).refunded(), shop.lies().await), (Fen(0), (0, 5_000, 10_000)));
    shop.sandbox.set_faults(Faults::default());
    shop.wait(10 * MINUTE);
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 1, ended 1, failed 0", "the query says that it is not known");
    assert_eq!((shop.trade(&second).refunds.len(), shop.lies().await), (1, (0, 0, 5_000)));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM refunds").await, 1);
    shop.proved().await;
});

both!(a_refund_the_channel_refuses_opens_a_case, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    shop.sandbox.set_faults(Faults { refund_refused: true, ..Faults::default() });
    shop.give_back().await.unwrap();
    assert_eq!(shop.world.word("SELECT state FROM refunds").await, "failed");
    assert_eq!(shop.lies().await, (5_000, 0, 10_000), "it lies where it lay");
    assert_eq!(shop.open_cases().await, 2);
    shop.wait(DAY);
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0", "nobody insists by himself");
    shop.proved().await;

    // Retried under a new number and refused again; then paid in cash.
    let of = RefundSubject::Payment(shop.payment(&second).await);
    let again = shop.ask(&shop.refund_request(clerk, of, 4_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!(shop.now(&again).await, RefundState::Failed);
    let cash = NewRefund { over_counter: Some(Tender::Cash), ..shop.refund_request(clerk, of, 4_000) };
    let cash = shop.ask(&cash).await.unwrap();
    assert_eq!((shop.now(&cash).await, shop.lies().await), (RefundState::Waiting, (1_000, 4_000, 10_000)));
    let second_person = shop.who(colleague(&shop.world, Role::Admin).await);
    refunds::approve(&shop.world.db, shop.world.clock.now(), &second_person, cash.id).await.unwrap();
    let who = shop.who(clerk);
    let pay = || refunds::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, cash.id);
    let paid = pay().await.unwrap();
    assert_eq!(pay().await.unwrap(), paid, "paid twice is paid once");
    assert_eq!((shop.lies().await, shop.balance(&Account::Cash).await), ((1_000, 0, 10_000), Money(400_000)));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM receipts WHERE refund_id IS NOT NULL").await, 1);
    assert_eq!(shop.trade(&second).refunded(), Fen(0));

    shop.sandbox.set_faults(Faults::default());
    shop.ask(&shop.refund_request(clerk, of, 1_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!((shop.lies().await, shop.open_cases().await), ((0, 0, 9_000), 0), "what is left goes by the channel again");
    shop.proved().await;
});

both!(a_slow_refund_is_shown_and_never_abandoned, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    shop.sandbox.set_faults(Faults { refund_slow: true, ..Faults::default() });
    for _ in 0..30 {
        shop.give_back().await.unwrap();
        shop.wait(6 * HOUR);
    }
    assert_eq!(shop.world.word("SELECT state FROM refunds").await, "sending");
    assert_eq!(shop.open_cases().await, 2, "a person is told");
    shop.sandbox.set_faults(Faults::default());
    shop.wait(7 * HOUR);
    shop.give_back().await.unwrap();
    assert_eq!((shop.lies().await, shop.open_cases().await), ((0, 0, 5_000), 0));
    assert_eq!(shop.trade(&second).refunds.len(), 1);
    shop.proved().await;
});

both!(only_a_matching_notification_ends_a_refund, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, _) = shop.paying_by(Tender::WechatPay, 3_000, &DESK).await;
    let number = shop.number(order).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let row = shop.ask(&shop.refund_request(clerk, RefundSubject::Payment(shop.payment(&number).await), 3_000)).await.unwrap();
    assert_eq!(shop.state(order).await, "refunding");
    assert_eq!(shop.world.word("SELECT reason FROM commands").await, "refund", "nothing is sent to the meter any more");

    shop.sandbox.set_faults(Faults { falsify: true, ..Faults::default() });
    let _ = shop.give_back().await;
    shop.until(&number, |trade| trade.notified >= 3).await;
    assert_eq!(shop.now(&row).await, RefundState::Sending, "not by a signature that is not the channel's");
    shop.sandbox.set_faults(Faults { refund_amount: Some("29.99".into()), ..Faults::default() });
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 2).await;
    assert_eq!(shop.now(&row).await, RefundState::Sending, "not by another amount");
    assert_eq!(shop.open_cases().await, 1);
    shop.sandbox.set_faults(Faults { copies: 8, ..Faults::default() });
    assert!(shop.sandbox.notify(&number));
    shop.until(&number, |trade| trade.acknowledged >= 10).await;
    assert_eq!((shop.now(&row).await, shop.state(order).await), (RefundState::Done, "refunded".into()));
    assert_eq!(shop.open_cases().await, 0);
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM ledger_transfers WHERE operation = 'refund'").await, 1);
    assert_eq!(shop.balance(&Account::Clearing("wechat")).await, Money::ZERO);
    shop.proved().await;
});

both!(a_payment_for_a_closed_account_is_refunded_automatically, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    shop.world.execute("UPDATE account_meters SET to_at = from_at + 1").await;
    shop.world.execute("UPDATE account_residents SET to_at = from_at + 1").await;
    shop.world.execute("UPDATE accounts SET state = 'closed', closed_at = opened_at + 1").await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert_eq!((shop.state(order).await, shop.open_cases().await), ("case".into(), 1));
    assert_eq!(shop.proved().await.credits, 0, "no command for a meter that takes nothing");
    shop.give_back().await.unwrap();
    assert_eq!((shop.state(order).await, shop.open_cases().await), ("refunded".into(), 0));
    assert_eq!((shop.trade(&number).refunded(), shop.lies().await), (Fen(5_000), (0, 0, 0)));
    shop.proved().await;
});

both!(a_refund_at_the_channels_console_is_booked_and_counts, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    assert!(shop.sandbox.refund(&second, "console1", Fen(1_000)));
    shop.until(&second, |trade| trade.acknowledged == 2).await;
    assert_eq!(shop.lies().await, (4_000, 0, 9_000));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'refund-elsewhere'").await, 1);
    let of = RefundSubject::Payment(shop.payment(&second).await);
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, of, 4_001)).await), AppError::ExceedsRefundable);
    shop.ask(&shop.refund_request(clerk, of, 4_000)).await.unwrap();
    shop.give_back().await.unwrap();
    shop.until(&second, |trade| trade.acknowledged == 3).await;
    assert_eq!((shop.lies().await, shop.trade(&second).refunded()), ((0, 0, 5_000), Fen(5_000)));
    shop.proved().await;
});

both!(a_refund_mistaken_for_ours_is_booked_when_ours_fails, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, _, second) = shop.paid_twice(4_000).await;
    let row = shop.ask(&shop.refund_request(clerk, RefundSubject::Payment(shop.payment(&second).await), 4_000)).await.unwrap();
    // A refund at the channel's console came first. The reported sum may be ours, so nothing is concluded from it.
    assert!(shop.sandbox.refund(&second, "console1", Fen(4_000)));
    shop.until(&second, |trade| trade.acknowledged == 2).await;
    assert_eq!((shop.now(&row).await, shop.lies().await), (RefundState::Sending, (0, 4_000, 8_000)));
    shop.give_back().await.unwrap();
    assert_eq!((shop.now(&row).await, shop.lies().await), (RefundState::Failed, (0, 0, 4_000)));
    assert_eq!(shop.trade(&second).refunded(), Fen(4_000));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'refund-elsewhere' AND closed_at IS NULL").await, 1);
    assert!(shop.sandbox.notify(&second));
    shop.until(&second, |trade| trade.acknowledged == 3).await;
    assert_eq!(shop.lies().await, (0, 0, 4_000), "told again it is booked once");
    shop.proved().await;
});

both!(unionpay_confirms_a_refund_later, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.reach(Tender::UnionPay, 3_000).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let refund = shop.ask(&shop.refund_request(clerk, RefundSubject::Payment(shop.payment(&number).await), 3_000)).await.unwrap();
    // Without a notification: the acceptance is not final, and the next query is.
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 1, ended 0, failed 0");
    assert_eq!((shop.now(&refund).await, shop.balance(&Account::Refunding).await), (RefundState::Sending, Money(300_000)));
    shop.wait(12 * SECOND);
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 1, ended 1, failed 0");
    let back = shop.trade(&number);
    assert_eq!((back.refunded(), back.refunds.len(), shop.now(&refund).await), (Fen(3_000), 1, RefundState::Done));
    assert_eq!(
        (shop.balance(&Account::Refunding).await, shop.balance(&Account::Clearing("unionpay")).await),
        (Money(0), Money(0))
    );
    assert_eq!(shop.state(order).await, "refunded");
    shop.proved().await;
});
