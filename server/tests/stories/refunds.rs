//! Money that goes back: once, under one number, never more than came, whatever the channel does, on both databases.

use crate::support::World;
use crate::support::flat::Flat;
use crate::support::rooms::Room;
use crate::support::shop::{Counts, DESK, Shop};
use app::error::AppError;
use app::model::ids::{OrderId, UserId, Uuid};
use app::model::money::{Fen, Money};
use app::model::order::Tender;
use app::model::refund::RefundState;
use app::model::time::{DAY, HOUR, MINUTE, SECOND};
use app::ports::{Role, Who};
use server::clock::Clock;
use server::domain::ledger::Account;
use server::domain::order::Limits;
use server::domain::refund::Rules;
use server::domain::returns;
use server::pay::sandbox::Faults;
use server::store::console;
use server::store::refunds::{self, NewRefund, Of, Policy, Refund};
use server::store::returns::{NewReturn, ask as ask_return};
use server::store::users::{self, NewUser};
use server::store::{StoreError, ledger};

/// Two people above 40.00.
const POLICY: Policy = Policy {
    refunds: Rules { automatic: false, alipay_days: 90, wechat_days: 365, unionpay_days: 90 },
    counter: returns::Rules { approve_above_fen: 4_000, approval_hours: 24 },
};
const BY_HAND: Rules = POLICY.refunds;

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AppError {
    match result {
        Err(StoreError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

impl Shop {
    /// Two payments for one order; gives the order and both numbers.
    async fn paid_twice(&self, fen: i64) -> (OrderId, String, String) {
        let (order, first) = self.at_the_cashier(fen).await;
        // The product's clock says that the first form is over; the channel still takes it.
        self.world.clock.advance(16 * MINUTE);
        let second = self.visit(&self.another_attempt(order).await.cashier).await;
        for number in [&first, &second] {
            assert!(self.sandbox.pay(number));
            self.until(number, |trade| trade.acknowledged == 1).await;
        }
        (order, first, second)
    }

    /// Paid and told.
    async fn paid(&self, fen: i64) -> (OrderId, String) {
        let (order, number) = self.at_the_cashier(fen).await;
        assert!(self.sandbox.pay(&number));
        self.until(&number, |trade| trade.acknowledged == 1).await;
        (order, number)
    }

    /// The event of an attempt's payment.
    async fn payment(&self, number: &str) -> Uuid {
        let sql = "SELECT e.id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
                   WHERE p.out_trade_no = $1 AND e.kind = 'paid'";
        match &self.world.db {
            server::store::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(number).fetch_one(read).await.unwrap(),
            server::store::Db::Postgres(pool) => sqlx::query_scalar(sql).bind(number).fetch_one(pool).await.unwrap(),
        }
    }

    fn wish(&self, by: UserId, of: Of, fen: i64) -> NewRefund {
        NewRefund {
            key: self.world.rng.id(self.world.clock.now()),
            of,
            over_counter: None,
            amount: Fen(fen),
            reason: "付错".into(),
            by: Some(by),
            ip: "10.0.0.9".into(),
        }
    }

    async fn ask(&self, new: &NewRefund) -> Result<Refund, StoreError> {
        refunds::ask(&self.world.db, &self.world.rng, self.world.clock.now(), &POLICY, new).await
    }

    async fn now(&self, row: &Refund) -> RefundState {
        refunds::find(&self.world.db, row.id()).await.unwrap().unwrap().state().unwrap()
    }

    async fn balance(&self, account: &Account) -> Money {
        ledger::credit_balance(&self.world.db, account).await.unwrap()
    }

    /// What lies in suspense, what is on its way, and what Alipay holds for us, fen.
    async fn lies(&self) -> (i64, i64, i64) {
        let mut all = [0; 3];
        for (fen, account) in all.iter_mut().zip([Account::Suspense, Account::Refunding, Account::Clearing("alipay")]) {
            *fen = self.balance(&account).await.0 / 100;
        }
        (all[0], all[1], -all[2])
    }

    fn who(&self, user: UserId) -> Who {
        Who { user, role: Role::Operator, name: String::new(), ip: "10.0.0.9".into() }
    }

    async fn open_cases(&self) -> i64 {
        self.world.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await
    }
}

async fn colleague(w: &World, role: Role) -> UserId {
    let user = NewUser { role, login: "second", name: "second", password_hash: "" };
    users::create(&w.db, &w.rng, w.clock.now(), &user, "test").await.unwrap()
}

both!(what_was_paid_twice_goes_back_by_itself_once, |w: World| async move {
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
    // The channel tells of it, several times: nobody takes it for somebody else's.
    shop.until(&second, |trade| trade.acknowledged == 2).await;
    assert!(shop.sandbox.notify(&second) && shop.sandbox.notify(&second));
    shop.until(&second, |trade| trade.acknowledged == 4).await;
    let counts = shop.proved().await;
    assert_eq!((counts.credits, counts.cases, counts.suspense_fen), (1, 0, 5_000));
    let number = shop.world.word("SELECT refund_no FROM refunds").await;
    assert!((8..=32).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric()), "{number}");
});

both!(by_hand_a_person_gives_back_what_was_paid_twice, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, first, second) = shop.paid_twice(5_000).await;
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0");
    let who = shop.who(clerk);
    let case = console::cases(&shop.world.db, clerk, Default::default()).await.unwrap().lines[0].id;
    let closing = console::close_case(&shop.world.db, shop.world.clock.now(), &who, case, "done").await;
    assert_eq!(refused(closing), AppError::Conflict, "money still lies there");

    let new = shop.wish(clerk, Of::Payment(shop.payment(&second).await), 3_000);
    let row = shop.ask(&new).await.unwrap();
    assert_eq!(row, shop.ask(&new).await.unwrap(), "a form sent twice is one refund");
    assert_eq!(refused(shop.ask(&NewRefund { amount: Fen(1), ..new.clone() }).await), AppError::Conflict);
    assert_eq!(shop.lies().await, (2_000, 3_000, 10_000), "set apart before the channel hears of it");
    assert_eq!(refused(shop.ask(&shop.wish(clerk, new.of, 2_001)).await), AppError::ExceedsRefundable);
    assert_eq!(refused(shop.ask(&shop.wish(clerk, new.of, 0)).await), AppError::ExceedsRefundable);
    assert_eq!(refused(shop.ask(&shop.wish(clerk, Of::Payment(order_id(&shop).await), 1)).await), AppError::NotFound);
    shop.give_back().await.unwrap();
    assert_eq!(shop.now(&row).await, RefundState::Done);
    assert_eq!(shop.open_cases().await, 1, "a part still lies there");
    shop.ask(&shop.wish(clerk, new.of, 2_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!((shop.trade(&second).refunded(), shop.trade(&first).refunded()), (Fen(5_000), Fen(0)));
    assert_eq!((shop.lies().await, shop.open_cases().await), ((0, 0, 5_000), 0));
    shop.proved().await;
});

async fn order_id(shop: &Shop) -> Uuid {
    shop.world.rng.id(shop.world.clock.now())
}

both!(many_at_once_never_take_more_than_was_paid, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    let of = Of::Payment(shop.payment(&second).await);
    let wishes: Vec<_> = (0..12).map(|_| shop.wish(clerk, of, 1_200)).collect();
    let all = futures::future::join_all(wishes.iter().map(|new| shop.ask(new))).await;
    assert_eq!(all.iter().filter(|asked| asked.is_ok()).count(), 4, "{all:?}");
    assert_eq!(shop.lies().await, (200, 4_800, 10_000));
    shop.give_back().await.unwrap();
    assert_eq!(shop.trade(&second).refunded(), Fen(4_800));
    shop.proved().await;
});

both!(a_lost_answer_is_asked_about_under_the_same_number, |w: World| async move {
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    let silent = Faults { silent_on: vec!["alipay.trade.refund".into()], lose: true, ..Faults::default() };
    shop.sandbox.set_faults(silent);
    assert_eq!(shop.give_back().await.unwrap_err(), "none of 1 refunds could be asked for");
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

both!(a_request_that_was_lost_is_made_again, |w: World| async move {
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

both!(what_the_channel_refuses_is_for_a_person, |w: World| async move {
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

    // Again, under a number of its own; refused again; then over the counter.
    let of = Of::Payment(shop.payment(&second).await);
    let again = shop.ask(&shop.wish(clerk, of, 4_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!(shop.now(&again).await, RefundState::Failed);
    let cash = NewRefund { over_counter: Some(Tender::Cash), ..shop.wish(clerk, of, 4_000) };
    let cash = shop.ask(&cash).await.unwrap();
    assert_eq!((shop.now(&cash).await, shop.lies().await), (RefundState::Payable, (1_000, 4_000, 10_000)));
    let who = shop.who(clerk);
    let pay = || refunds::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, cash.id());
    let paid = pay().await.unwrap();
    assert_eq!(pay().await.unwrap(), paid, "paid twice is paid once");
    assert_eq!((shop.lies().await, shop.balance(&Account::Cash).await), ((1_000, 0, 10_000), Money(400_000)));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM receipts WHERE refund_id IS NOT NULL").await, 1);
    assert_eq!(shop.trade(&second).refunded(), Fen(0));

    shop.sandbox.set_faults(Faults::default());
    shop.ask(&shop.wish(clerk, of, 1_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!((shop.lies().await, shop.open_cases().await), ((0, 0, 9_000), 0), "what is left goes by the channel again");
    shop.proved().await;
});

both!(a_slow_refund_is_shown_and_never_given_up, |w: World| async move {
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

both!(a_refund_ends_by_a_notification_that_fits_and_by_no_other, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, _) = shop.paying_by(Tender::WechatPay, 3_000, &DESK).await;
    let number = shop.number(order).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let row = shop.ask(&shop.wish(clerk, Of::Payment(shop.payment(&number).await), 3_000)).await.unwrap();
    assert_eq!(shop.state(order).await, "refunding");
    assert_eq!(shop.world.word("SELECT note FROM commands").await, "refund", "nothing is sent to the meter any more");

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

both!(an_order_goes_back_whole_and_only_before_its_meter_may_have_it, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.paid(3_000).await;
    let of = Of::Payment(shop.payment(&number).await);
    assert_eq!(refused(shop.ask(&shop.wish(clerk, of, 2_999)).await), AppError::AmountOutOfRange);
    // A frame may be on its way: nobody gives the money back as well.
    shop.world.execute("UPDATE commands SET state = 'sending', attempts = 1").await;
    assert_eq!(refused(shop.ask(&shop.wish(clerk, of, 3_000)).await), AppError::InTheMeter);
    shop.world.execute("UPDATE commands SET state = 'queued', attempts = 0").await;
    shop.ask(&shop.wish(clerk, of, 3_000)).await.unwrap();
    assert_eq!(refused(shop.ask(&shop.wish(clerk, of, 3_000)).await), AppError::Conflict);
    shop.give_back().await.unwrap();
    assert_eq!((shop.state(order).await, shop.trade(&number).refunded()), ("refunded".into(), Fen(3_000)));
    assert_eq!(shop.balance(&Account::Paid(shop.room.account)).await, Money::ZERO);
    shop.until(&number, |trade| trade.acknowledged == 2).await;
    assert_eq!(shop.proved().await, Counts { events: 3, credits: 1, ..Counts::ONCE });
});

both!(paid_for_a_closed_account_goes_back_by_itself, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    shop.world.execute("UPDATE account_meters SET to_at = from_at + 1").await;
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

both!(much_money_goes_back_only_by_two_people, |w: World| async move {
    let (clerk, second) = (w.clerk().await, colleague(&w, Role::Admin).await);
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.paid(5_000).await;
    let of = Of::Payment(shop.payment(&number).await);
    let row = shop.ask(&shop.wish(clerk, of, 5_000)).await.unwrap();
    assert_eq!((shop.now(&row).await, shop.state(order).await), (RefundState::Waiting, "refunding".into()));
    shop.give_back().await.unwrap();
    assert_eq!(shop.trade(&number).refunded(), Fen(0));
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    assert_eq!(refused(refunds::approve(db, now, &shop.who(clerk), row.id()).await), AppError::SecondPerson);
    refunds::reject(db, rng, now, &shop.who(second), row.id(), "不退").await.unwrap();
    assert_eq!((shop.now(&row).await, shop.state(order).await), (RefundState::Rejected, "case".into()));
    assert_eq!(shop.open_cases().await, 1, "and a person says what becomes of it");
    assert_eq!(refused(refunds::approve(db, now, &shop.who(second), row.id()).await), AppError::Conflict);
    shop.proved().await;
    // It is delivered after all.
    refunds::deliver_again(db, now, &shop.who(clerk), order).await.unwrap();
    assert_eq!((shop.state(order).await, shop.open_cases().await), ("paid".into(), 0));
    assert_eq!(shop.world.word("SELECT state FROM commands").await, "queued");
    assert_eq!(refused(refunds::deliver_again(db, now, &shop.who(clerk), order).await), AppError::Conflict);
    shop.proved().await;

    let row = shop.ask(&shop.wish(clerk, of, 5_000)).await.unwrap();
    shop.wait(25 * HOUR);
    let late = refunds::approve(db, shop.world.clock.now(), &shop.who(second), row.id()).await;
    assert_eq!(refused(late), AppError::Conflict, "nobody approves what is over");
    assert_eq!(refunds::expire(db, rng, shop.world.clock.now()).await.unwrap(), 1);
    let row = shop.ask(&shop.wish(clerk, of, 5_000)).await.unwrap();
    refunds::cancel(db, rng, shop.world.clock.now(), &shop.who(clerk), row.id()).await.unwrap();
    let row = shop.ask(&shop.wish(clerk, of, 5_000)).await.unwrap();
    refunds::approve(db, shop.world.clock.now(), &shop.who(second), row.id()).await.unwrap();
    assert_eq!(refused(refunds::cancel(db, rng, now, &shop.who(clerk), row.id()).await), AppError::Conflict);
    shop.give_back().await.unwrap();
    assert_eq!((shop.state(order).await, shop.trade(&number).refunded()), ("refunded".into(), Fen(5_000)));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});

both!(what_is_too_old_for_the_channel_goes_over_the_counter, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(3_000).await;
    let of = Of::Payment(shop.payment(&second).await);
    let transfer = |shop: &Shop| NewRefund { over_counter: Some(Tender::Transfer), ..shop.wish(clerk, of, 3_000) };
    assert_eq!(refused(shop.ask(&transfer(&shop)).await), AppError::RefundByChannel, "nobody turns a card into cash");
    shop.wait(90 * DAY);
    assert_eq!(refused(shop.ask(&shop.wish(clerk, of, 3_000)).await), AppError::RefundTooOld);
    shop.give_back().await.unwrap();
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'refund'").await, 1, "nor by itself");
    let row = shop.ask(&transfer(&shop)).await.unwrap();
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0");
    let who = shop.who(clerk);
    refunds::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, row.id()).await.unwrap();
    assert_eq!((shop.lies().await, shop.balance(&Account::Bank).await), ((0, 0, 6_000), Money(300_000)));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});

both!(what_goes_back_at_the_channels_console_is_booked_and_counts, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, _, second) = shop.paid_twice(5_000).await;
    assert!(shop.sandbox.refund(&second, "console1", Fen(1_000)));
    shop.until(&second, |trade| trade.acknowledged == 2).await;
    assert_eq!(shop.lies().await, (4_000, 0, 9_000));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'refund-elsewhere'").await, 1);
    let of = Of::Payment(shop.payment(&second).await);
    assert_eq!(refused(shop.ask(&shop.wish(clerk, of, 4_001)).await), AppError::ExceedsRefundable);
    shop.ask(&shop.wish(clerk, of, 4_000)).await.unwrap();
    shop.give_back().await.unwrap();
    shop.until(&second, |trade| trade.acknowledged == 3).await;
    assert_eq!((shop.lies().await, shop.trade(&second).refunded()), ((0, 0, 5_000), Fen(5_000)));
    shop.proved().await;
});

both!(a_sale_through_a_channel_is_corrected_in_parts_and_goes_back_by_it, |w: World| async move {
    let (flat, account) = Flat::supplied(w, 10_000, 1_000).await;
    let clerk = flat.clerk;
    let resident = UserId(uuid(&flat.w, "SELECT user_id FROM account_residents").await);
    let shop = Shop::of(flat.w.clone(), Room { meter: flat.meter, account, resident }, BY_HAND).await;
    let (order, number) = shop.paid(5_000).await;
    assert_eq!(shop.state(order).await, "credited");
    let correct = async |fen| {
        let key = shop.world.rng.id(shop.world.clock.now());
        let of = server::store::returns::Of::Sale(order, Fen(fen));
        let new = NewReturn { key, of, reason: "充错房间".into(), by: clerk, ip: String::new() };
        let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
        ask_return(db, rng, now, &returns::Rules::default(), &Limits::default(), &new).await
    };
    let first = correct(2_000).await.unwrap();
    let who = shop.who(clerk);
    let cash = server::store::returns::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, first.id()).await;
    assert_eq!(refused(cash), AppError::Conflict, "it goes back the way it came");
    assert_eq!(refused(correct(3_001).await), AppError::AmountOutOfRange);
    shop.give_back().await.unwrap();
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000));
    let second = correct(3_000).await.unwrap();
    shop.sandbox.set_faults(Faults { refund_refused: true, ..Faults::default() });
    shop.give_back().await.unwrap();
    assert_eq!(shop.open_cases().await, 1);
    assert_eq!(shop.balance(&Account::Paid(account)).await, Money(300_000), "out of the wallet, and not lost");
    shop.proved().await;
    shop.sandbox.set_faults(Faults::default());
    shop.ask(&shop.wish(clerk, Of::Return(second.id()), 1_000)).await.unwrap();
    assert_eq!(refused(shop.ask(&shop.wish(clerk, Of::Return(second.id()), 2_001)).await), AppError::ExceedsRefundable);
    shop.give_back().await.unwrap();
    let cash = NewRefund { over_counter: Some(Tender::Cash), ..shop.wish(clerk, Of::Return(second.id()), 2_000) };
    let cash = shop.ask(&cash).await.unwrap();
    refunds::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, cash.id()).await.unwrap();
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM returns WHERE state = 'done'").await, 2);
    assert_eq!((shop.trade(&number).refunded(), shop.open_cases().await), (Fen(3_000), 0));
    assert_eq!(refused(correct(1).await), AppError::NotCorrectable, "all of it was taken back");
    assert_eq!(shop.balance(&Account::Paid(account)).await, Money::ZERO);
    shop.proved().await;
});

async fn uuid(w: &World, sql: &'static str) -> Uuid {
    match &w.db {
        server::store::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        server::store::Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    }
}
