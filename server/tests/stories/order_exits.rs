//! Every state of an order has an exit: by time, or by a case that is closed only when its money is settled; on both databases.

use std::time::Duration;

use domain::clock::Clock;
use domain::ledger::Account;
use model::approval::Decision;
use model::case::CaseKind;
use model::console::CaseQuery;
use model::error::AppError;
use model::ids::{OrderId, UserId};
use model::money::{Fen, Money};
use model::order::Tender;
use model::person::Role;
use model::refund::{RefundSource, RefundState};
use model::time::{HOUR, MINUTE, SECOND};
use sandbox::Faults;
use store::console;
use store::on;
use store::payments::{attempts_of, close_abandoned};
use store::refunds::{self, NewRefund, RefundSubject};
use story_support::refunding::{BY_HAND, POLICY, colleague, refused};
use story_support::shop::{Counts, DESK, PHONE, Shop};
use story_support::{World, both};

const CHANNELS: [Tender; 3] = [Tender::Alipay, Tender::WechatPay, Tender::UnionPay];

/// A small generator, so that a failing walk is named by its number.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

async fn suspense(shop: &Shop) -> Money {
    shop.balance(&Account::Suspense).await
}

both!(a_partial_refund_heard_before_its_payment_is_booked, |w: World| async move {
    let shop = Shop::under(w, BY_HAND).await;
    // Then the channel is asked, or a plain notification comes first.
    for asked in [true, false] {
        shop.wait(SECOND);
        let before = suspense(&shop).await;
        let (order, number) = shop.at_the_cashier(10_000).await;
        shop.sandbox.set_faults(Faults { mute: true, ..Faults::default() });
        assert!(shop.sandbox.pay(&number));
        assert!(shop.sandbox.refund(&number, "console1", Fen(3_000)));
        shop.sandbox.set_faults(Faults::default());
        assert!(shop.sandbox.notify(&number));
        shop.until(&number, |trade| trade.acknowledged >= 1).await;
        assert_eq!((shop.state(order).await.as_str(), suspense(&shop).await), ("pending", before), "nothing is known to be paid");
        if asked {
            shop.query().await.unwrap();
        } else {
            let acknowledged = shop.trade(&number).acknowledged;
            shop.sandbox.set_faults(Faults { hide_refunds: true, ..Faults::default() });
            assert!(shop.sandbox.notify(&number));
            shop.until(&number, |trade| trade.acknowledged > acknowledged).await;
        }
        shop.sandbox.set_faults(Faults::default());
        assert_eq!(shop.state(order).await, "paid");
        assert_eq!(suspense(&shop).await, before - Money(300_000), "what went back is booked");
        shop.proved().await;
    }
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'refund-elsewhere' AND closed_at IS NULL").await, 2);
    // The ledger has what the statement has.
    let day = shop.today();
    shop.next_day(11);
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!(shop.money(Tender::Alipay, day).await, []);
});

both!(a_payment_heard_with_its_whole_refund_ends, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    for channel in [Tender::Alipay, Tender::WechatPay] {
        shop.wait(SECOND);
        let (order, number) = shop.reach(channel, 5_000).await;
        shop.sandbox.set_faults(Faults { mute: true, ..Faults::default() });
        assert!(shop.sandbox.pay(&number) && shop.sandbox.refund(&number, "console1", Fen(5_000)));
        shop.sandbox.set_faults(Faults::default());
        assert!(shop.sandbox.notify(&number));
        shop.until(&number, |trade| trade.acknowledged >= 1).await;
        shop.query().await.unwrap();
        // It came and went: nothing is credited, nothing lies here, and the order is over.
        assert_eq!((shop.state(order).await.as_str(), suspense(&shop).await), ("closed", Money::ZERO), "{channel:?}");
        let balance = shop.balance(&Account::Clearing(channel.as_str())).await;
        assert_eq!(balance, Money::ZERO, "{channel:?}");
        assert_eq!(attempts_of(&shop.world.db, order).await.unwrap()[0].state.as_str(), "paid");
        let case =
            console::cases(&shop.world.db, clerk, shop.world.clock.now(), &CaseQuery::default()).await.unwrap().lines[0].id;
        console::close_case(&shop.world.db, shop.world.clock.now(), &shop.who(clerk), case.into(), "noted").await.unwrap();
        shop.proved().await;
    }
    let day = shop.today();
    shop.next_day(11);
    for channel in [Tender::Alipay, Tender::WechatPay] {
        shop.fetches(channel, day).await;
        assert_eq!(shop.money(channel, day).await, [], "{channel:?}");
    }
});

both!(a_held_order_ends_with_its_refund_or_its_case, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    // Another amount, by the channel's own word: the money is ours, and goes back.
    let (order, number) = shop.at_the_cashier(3_000).await;
    shop.world.execute("UPDATE payment_attempts SET amount_fen = 2999").await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    shop.query().await.unwrap();
    assert_eq!((shop.state(order).await.as_str(), suspense(&shop).await), ("pending", Money(300_000)));
    let case = console::cases(&shop.world.db, clerk, shop.world.clock.now(), &CaseQuery::default()).await.unwrap().lines[0].id;
    let closed = console::close_case(&shop.world.db, shop.world.clock.now(), &shop.who(clerk), case.into(), "noted").await;
    assert_eq!(refused(closed), AppError::MoneyOpen, "a text does not end it");
    let row = shop.ask(&shop.refund_request(clerk, RefundSubject::Payment(shop.payment(&number).await), 3_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!((shop.now(&row).await, shop.state(order).await.as_str()), (RefundState::Done, "closed"));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});

both!(an_order_nobody_takes_to_a_cashier_is_closed, |w: World| async move {
    let shop = Shop::open(w).await;
    let order = shop.payments.create_order(&shop.top_up(5_000)).await.unwrap().id;
    let close = async || close_abandoned(&shop.world.db, shop.world.clock.now()).await.unwrap();
    shop.wait(50 * MINUTE);
    assert_eq!((close().await, shop.state(order).await.as_str()), (0, "pending"));
    shop.wait(11 * MINUTE);
    assert_eq!((close().await, close().await, shop.state(order).await.as_str()), (1, 0, "closed"));
    assert_eq!(shop.proved().await, Counts::NONE);
});

both!(an_order_taken_to_a_cashier_at_the_last_moment_stays, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, _) = shop.at_the_cashier(5_000).await;
    shop.world.execute("UPDATE payment_attempts SET state = 'closed'").await;
    shop.wait(2 * HOUR);
    // As an attempt is opened: the attempts are locked, then the order.
    let mut opening = shop.world.db.begin().await.unwrap();
    for sql in ["UPDATE payment_attempts SET state = 'pending'", "UPDATE orders SET state = state"] {
        on!(&mut opening, |c| sqlx::query(sql).execute(c).await).unwrap();
    }
    let there = shop.world.clone();
    let closing = tokio::spawn(async move { close_abandoned(&there.db, there.clock.now()).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    opening.commit().await.unwrap();
    assert_eq!((closing.await.unwrap().unwrap(), shop.state(order).await.as_str()), (0, "pending"));
});

/// One order: started, paid, refunded at the console, notified, asked about, in any order and with any fault.
async fn walk(shop: &Shop, dice: &mut Dice) {
    let channel = CHANNELS[usize::try_from(dice.below(3)).unwrap()];
    shop.wait(SECOND);
    let top_up = store::orders::NewOrder { tender: channel, ..shop.top_up(3_000) };
    let order = shop.payments.create_order(&top_up).await.unwrap().id;
    for _ in 0..2 + dice.below(7) {
        let faults = match dice.below(8) {
            0 => Faults { mute: true, ..Faults::default() },
            1 => Faults { amount: Some("29.00".into()), ..Faults::default() },
            2 => Faults { hide_refunds: true, ..Faults::default() },
            3 => Faults { copies: 2, ..Faults::default() },
            4 => Faults { status: Some(502), ..Faults::default() },
            _ => Faults::default(),
        };
        shop.sandbox.set_faults(faults);
        let newest = attempts_of(&shop.world.db, order).await.unwrap().pop().map(|attempt| attempt.out_trade_no);
        let known = |number: &str| shop.sandbox.books().iter().any(|trade| trade.out_trade_no == number);
        match (dice.below(6), newest) {
            (0, Some(number)) if known(&number) => drop(shop.sandbox.pay(&number)),
            (1, Some(number)) if known(&number) => {
                let part = if dice.below(2) == 0 { 3_000 } else { 1_000 };
                let _ = shop.sandbox.refund(&number, &format!("C{}", dice.below(1_000_000)), Fen(part));
            }
            (2, Some(number)) if known(&number) => drop(shop.sandbox.notify(&number)),
            (3, _) => {
                shop.wait(i64::try_from(1 + dice.below(20)).unwrap() * MINUTE);
                let _ = shop.query().await;
            }
            (4, Some(number)) if dice.below(3) == 0 => {
                let sql = format!("UPDATE payment_attempts SET amount_fen = 2999 WHERE out_trade_no = '{number}'");
                shop.world.execute(Box::leak(sql.into_boxed_str())).await;
            }
            _ => {
                let payer = if dice.below(2) == 0 { &PHONE } else { &DESK };
                if let Ok(started) = shop.payments.resume(order, payer).await {
                    shop.sandbox.set_faults(Faults::default());
                    shop.arrive(&started.cashier).await;
                }
            }
        }
    }
    // What the sandbox repeats arrives.
    shop.sandbox.set_faults(Faults::default());
    tokio::time::sleep(Duration::from_millis(30)).await;
}

/// Does what the open cases of an order offer.
async fn settle(shop: &Shop, clerk: UserId, boss: UserId, order: OrderId) {
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    let key = rng.id(now);
    let Some(money) = queries::order_money(db, clerk, order, &POLICY.refunds, now, key).await.unwrap() else { return };
    for one in money.payments.iter().filter(|one| one.source == RefundSource::Suspense && one.left > Fen::ZERO) {
        let model::console::RefundOf::Payment(event) = one.of else { continue };
        let new = shop.refund_request(clerk, RefundSubject::Payment(event), one.left.0);
        let over_counter = (!one.by_channel).then_some(Tender::Cash);
        let Ok(mut row) = shop.ask(&NewRefund { over_counter, ..new }).await else { continue };
        if row.state == RefundState::Waiting {
            row = refunds::approve(db, now, &shop.who(boss), row.id).await.unwrap();
        }
        if row.state == RefundState::Payable {
            refunds::pay_out(db, rng, now, &shop.who(clerk), row.id).await.unwrap();
        }
    }
    if money.console_refund.is_some() {
        let lost = shop.world.by_two(&shop.who(clerk), &shop.who(boss), &Decision::WriteOff { order }).await;
        assert!(lost.is_ok(), "{lost:?}");
    }
}

both!(every_state_of_an_order_has_an_exit, |w: World| async move {
    let (clerk, boss) = (w.clerk().await, colleague(&w, Role::Admin).await);
    let shop = Shop::under(w, BY_HAND).await;
    let walks: u64 = std::env::var("DORMWATT_WALKS").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    for seed in 0..walks {
        walk(&shop, &mut Dice(seed * 7_919 + 17)).await;
    }
    // Time passes, and people do what the cases offer.
    shop.past_the_end().await;
    for round in 0..8 {
        shop.wait(if round < 4 { MINUTE } else { 2 * HOUR });
        let _ = (shop.query().await, shop.give_back().await);
        close_abandoned(&shop.world.db, shop.world.clock.now()).await.unwrap();
        let page = console::cases(&shop.world.db, boss, shop.world.clock.now(), &CaseQuery::default()).await.unwrap();
        for line in page.lines {
            if let Some((order, _)) = line.order {
                settle(&shop, clerk, boss, order).await;
            }
            if !matches!(line.detail.kind(), CaseKind::Refund) {
                // It may still be that money lies on it.
                let _ =
                    console::close_case(&shop.world.db, shop.world.clock.now(), &shop.who(boss), line.id.into(), "settled").await;
            }
        }
    }
    for (what, sql) in [
        ("orders", "SELECT COUNT(*) FROM orders WHERE state NOT IN ('paid', 'credited', 'closed', 'refunded')"),
        ("attempts", "SELECT COUNT(*) FROM payment_attempts WHERE state NOT IN ('paid', 'closed')"),
        ("cases", "SELECT COUNT(*) FROM cases WHERE closed_at IS NULL"),
        ("refunds", "SELECT COUNT(*) FROM refunds WHERE state IN ('waiting', 'sending', 'payable')"),
    ] {
        let left = shop.world.number(sql).await;
        let states = "SELECT COALESCE(MAX(o.state || ' ' || p.state || ' ' || p.channel || ' ' || p.out_trade_no), '')
                      FROM orders o JOIN payment_attempts p ON p.order_id = o.id
                      WHERE o.state NOT IN ('paid', 'credited', 'closed', 'refunded') OR p.state NOT IN ('paid', 'closed')";
        let cases = "SELECT COALESCE(MAX(kind || detail), '') FROM cases WHERE closed_at IS NULL";
        assert_eq!(left, 0, "{what}: {} {}", shop.world.word(states).await, shop.world.word(cases).await);
    }
    shop.proved().await;
});
