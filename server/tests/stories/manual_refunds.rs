//! Refunds that operators request: whole orders, partial corrections, approval by a second person, cash for old payments; on both
//! databases.

use domain::clock::Clock;
use domain::ledger::Account;
use domain::order::Limits;
use domain::returns;
use model::error::AppError;
use model::ids::UserId;
use model::money::{Fen, Money};
use model::order::Tender;
use model::person::Role;
use model::refund::RefundState;
use model::time::{DAY, HOUR};
use sandbox::Faults;
use store::closings::{self, ClosingRequest, Counted};
use store::console;
use store::refunds::{self, NewRefund, RefundSubject};
use store::returns::{NewReturn, ask as ask_return};
use story_support::closings::begin;
use story_support::refunding::{BY_HAND, colleague, refused, uuid};
use story_support::room_fixture::RoomFixture;
use story_support::rooms::Room;
use story_support::shop::{Counts, Shop};
use story_support::web::{Web, location};
use story_support::{World, both};

both!(an_operator_refunds_a_double_payment, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, first, second) = shop.paid_twice(5_000).await;
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0");
    let who = shop.who(clerk);
    let line = console::cases(&shop.world.db, clerk, shop.world.clock.now(), &Default::default()).await.unwrap().lines[0].clone();
    assert!(!line.closable, "no form offers to close it");
    let case = line.id;
    let closing = console::close_case(&shop.world.db, shop.world.clock.now(), &who, case.into(), "done").await;
    assert_eq!(refused(closing), AppError::MoneyOpen, "money still lies there");

    let new = shop.refund_request(clerk, RefundSubject::Payment(shop.payment(&second).await), 3_000);
    let row = shop.ask(&new).await.unwrap();
    assert_eq!(row, shop.ask(&new).await.unwrap(), "a form sent twice is one refund");
    assert_eq!(refused(shop.ask(&NewRefund { amount: Fen(1), ..new.clone() }).await), AppError::Conflict);
    assert_eq!(shop.lies().await, (2_000, 3_000, 10_000), "set apart before the channel hears of it");
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, new.of, 2_001)).await), AppError::ExceedsRefundable);
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, new.of, 0)).await), AppError::ExceedsRefundable);
    assert_eq!(
        refused(
            shop.ask(&shop.refund_request(clerk, RefundSubject::Payment(shop.world.rng.id(shop.world.clock.now())), 1)).await
        ),
        AppError::NotFound
    );
    shop.give_back().await.unwrap();
    assert_eq!(shop.now(&row).await, RefundState::Done);
    assert_eq!(shop.open_cases().await, 1, "a part still lies there");
    shop.ask(&shop.refund_request(clerk, new.of, 2_000)).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!((shop.trade(&second).refunded(), shop.trade(&first).refunded()), (Fen(5_000), Fen(0)));
    assert_eq!((shop.lies().await, shop.open_cases().await), ((0, 0, 5_000), 0));
    shop.proved().await;
});

both!(an_order_is_refunded_whole_and_only_before_delivery, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.paid(3_000).await;
    let of = RefundSubject::Payment(shop.payment(&number).await);
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, of, 2_999)).await), AppError::AmountOutOfRange);
    // A frame may be on its way, so the money is not refunded as well.
    shop.world.execute("UPDATE commands SET state = 'sending', attempts = 1").await;
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, of, 3_000)).await), AppError::InTheMeter);
    shop.world.execute("UPDATE commands SET state = 'queued', attempts = 0").await;
    shop.ask(&shop.refund_request(clerk, of, 3_000)).await.unwrap();
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, of, 3_000)).await), AppError::Conflict);
    shop.give_back().await.unwrap();
    assert_eq!((shop.state(order).await, shop.trade(&number).refunded()), ("refunded".into(), Fen(3_000)));
    assert_eq!(shop.balance(&Account::Paid(shop.room.account)).await, Money::ZERO);
    shop.until(&number, |trade| trade.acknowledged == 2).await;
    assert_eq!(shop.proved().await, Counts { events: 3, credits: 1, ..Counts::ONCE });
});

both!(a_large_refund_needs_two_people, |w: World| async move {
    let (clerk, second) = (w.clerk().await, colleague(&w, Role::Admin).await);
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.paid(5_000).await;
    let of = RefundSubject::Payment(shop.payment(&number).await);
    let row = shop.ask(&shop.refund_request(clerk, of, 5_000)).await.unwrap();
    assert_eq!((shop.now(&row).await, shop.state(order).await), (RefundState::Waiting, "refunding".into()));
    shop.give_back().await.unwrap();
    assert_eq!(shop.trade(&number).refunded(), Fen(0));
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    assert_eq!(refused(refunds::approve(db, now, &shop.who(clerk), row.id).await), AppError::SecondPerson);
    refunds::reject(db, rng, now, &shop.who(second), row.id, "不退").await.unwrap();
    assert_eq!((shop.now(&row).await, shop.state(order).await), (RefundState::Rejected, "case".into()));
    assert_eq!(shop.open_cases().await, 1, "and a person says what becomes of it");
    assert_eq!(refused(refunds::approve(db, now, &shop.who(second), row.id).await), AppError::Conflict);
    shop.proved().await;
    // It is delivered after all.
    refunds::deliver_again(db, now, &shop.who(clerk), order).await.unwrap();
    assert_eq!((shop.state(order).await, shop.open_cases().await), ("paid".into(), 0));
    assert_eq!(shop.world.word("SELECT state FROM commands").await, "queued");
    assert_eq!(refused(refunds::deliver_again(db, now, &shop.who(clerk), order).await), AppError::Conflict);
    shop.proved().await;

    // Not into a meter whose account closes: the close command follows the earlier commands, and nothing follows it.
    let row = shop.ask(&shop.refund_request(clerk, of, 5_000)).await.unwrap();
    refunds::reject(db, rng, now, &shop.who(second), row.id, "不退").await.unwrap();
    let replace = ClosingRequest::Replace { meter: shop.room.meter };
    let closing = begin(&shop.world, now, clerk, shop.room.account, replace).await.unwrap();
    assert_eq!(refused(refunds::deliver_again(db, now, &shop.who(clerk), order).await), AppError::AccountNotOpen);
    assert_eq!((shop.state(order).await, shop.open_cases().await), ("case".into(), 1), "it still waits for a person");
    let counted = Counted { remaining: Some(Fen(0)), total: None, reason: "表已拆".into() };
    closings::count(db, rng, now, &shop.who(clerk), closing, shop.room.meter, &counted).await.unwrap();
    assert_eq!(refused(refunds::deliver_again(db, now, &shop.who(clerk), order).await), AppError::AccountNotOpen);
    shop.proved().await;

    let row = shop.ask(&shop.refund_request(clerk, of, 5_000)).await.unwrap();
    shop.wait(25 * HOUR);
    let late = refunds::approve(db, shop.world.clock.now(), &shop.who(second), row.id).await;
    assert_eq!(refused(late), AppError::Conflict, "nobody approves what is over");
    assert_eq!(refunds::expire(db, rng, shop.world.clock.now()).await.unwrap(), 1);
    let row = shop.ask(&shop.refund_request(clerk, of, 5_000)).await.unwrap();
    refunds::cancel(db, rng, shop.world.clock.now(), &shop.who(clerk), row.id).await.unwrap();
    let row = shop.ask(&shop.refund_request(clerk, of, 5_000)).await.unwrap();
    refunds::approve(db, shop.world.clock.now(), &shop.who(second), row.id).await.unwrap();
    assert_eq!(refused(refunds::cancel(db, rng, now, &shop.who(clerk), row.id).await), AppError::Conflict);
    shop.give_back().await.unwrap();
    assert_eq!((shop.state(order).await, shop.trade(&number).refunded()), ("refunded".into(), Fen(5_000)));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});

both!(a_payment_too_old_for_the_channel_is_refunded_in_cash, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::open(w).await;
    let (_, _, second) = shop.paid_twice(3_000).await;
    let of = RefundSubject::Payment(shop.payment(&second).await);
    let transfer = |shop: &Shop| NewRefund { over_counter: Some(Tender::Transfer), ..shop.refund_request(clerk, of, 3_000) };
    assert_eq!(refused(shop.ask(&transfer(&shop)).await), AppError::RefundByChannel, "nobody turns a card into cash");
    shop.wait(90 * DAY);
    assert_eq!(refused(shop.ask(&shop.refund_request(clerk, of, 3_000)).await), AppError::RefundTooOld);
    shop.give_back().await.unwrap();
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM cases WHERE kind = 'refund'").await, 1, "nor by itself");
    // As cash it takes a second person, whatever the amount.
    let cash = NewRefund { over_counter: Some(Tender::Cash), ..shop.refund_request(clerk, of, 100) };
    let cash = shop.ask(&cash).await.unwrap();
    assert_eq!(cash.state, RefundState::Waiting);
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    refunds::cancel(db, rng, now, &shop.who(clerk), cash.id).await.unwrap();
    let row = shop.ask(&transfer(&shop)).await.unwrap();
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0");
    let who = shop.who(clerk);
    refunds::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, row.id).await.unwrap();
    assert_eq!((shop.lies().await, shop.balance(&Account::Bank).await), ((0, 0, 6_000), Money(300_000)));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});

both!(a_channel_sale_is_corrected_and_refunded_in_parts, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 1_000).await;
    let clerk = fixture.clerk;
    let resident = UserId(uuid(&fixture.w, "SELECT user_id FROM account_residents").await);
    let shop = Shop::of(fixture.w.clone(), Room { meter: fixture.meter, account, resident }, BY_HAND).await;
    let (order, number) = shop.paid(5_000).await;
    assert_eq!(shop.state(order).await, "credited");
    let correct = async |fen| {
        let key = shop.world.rng.id(shop.world.clock.now());
        let of = store::returns::ReturnSubject::Sale(order, Fen(fen));
        let new = NewReturn { key, of, reason: "充错房间".into(), by: clerk, ip: String::new() };
        let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
        ask_return(db, rng, now, &returns::Rules::default(), &Limits::default(), &new).await
    };
    let first = correct(2_000).await.unwrap();
    let who = shop.who(clerk);
    let cash = store::returns::pay_out(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &who, first.id).await;
    assert_eq!(refused(cash), AppError::Conflict, "it goes back the way it came");
    assert_eq!(refused(correct(3_001).await), AppError::ExceedsCorrectable);
    let offered = queries::original(&shop.world.db, clerk, order.0).await.unwrap().unwrap();
    assert_eq!((offered.amount, offered.left), (Fen(5_000), Fen(3_000)), "the form offers what the request may take");
    shop.give_back().await.unwrap();
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000));
    let second = correct(3_000).await.unwrap();
    shop.sandbox.set_faults(Faults { refund_refused: true, ..Faults::default() });
    shop.give_back().await.unwrap();
    assert_eq!(shop.open_cases().await, 1);
    assert_eq!(shop.balance(&Account::Paid(account)).await, Money(300_000), "out of the wallet, and not lost");
    shop.proved().await;
    shop.sandbox.set_faults(Faults::default());
    shop.ask(&shop.refund_request(clerk, RefundSubject::Return(second.id), 1_000)).await.unwrap();
    assert_eq!(
        refused(shop.ask(&shop.refund_request(clerk, RefundSubject::Return(second.id), 2_001)).await),
        AppError::ExceedsRefundable
    );
    shop.give_back().await.unwrap();
    let cash =
        NewRefund { over_counter: Some(Tender::Cash), ..shop.refund_request(clerk, RefundSubject::Return(second.id), 2_000) };
    let cash = shop.ask(&cash).await.unwrap();
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    let alone = refunds::pay_out(db, rng, now, &who, cash.id).await;
    assert_eq!(refused(alone), AppError::Conflict, "it came through a channel: a second person approves");
    let second = colleague(&shop.world, Role::Admin).await;
    refunds::approve(db, now, &shop.who(second), cash.id).await.unwrap();
    refunds::pay_out(db, rng, now, &who, cash.id).await.unwrap();
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM returns WHERE state = 'done'").await, 2);
    assert_eq!((shop.trade(&number).refunded(), shop.open_cases().await), (Fen(3_000), 0));
    assert_eq!(refused(correct(1).await), AppError::NotCorrectable, "all of it was taken back");
    assert_eq!(shop.balance(&Account::Paid(account)).await, Money::ZERO);
    shop.proved().await;
});

both!(a_refund_is_requested_and_followed_in_the_console, |w: World| async move {
    let shop = Shop::under(w, BY_HAND).await;
    let (order, _, second) = shop.paid_twice(5_000).await;
    let mut config = server::config::Config::default();
    config.server.address.set_port(0);
    config.pay.public_url = format!("http://{}", shop.address);
    config.pay.alipay = Some(shop.sandbox.product_config("127.0.0.1"));
    config.pay.refunds = BY_HAND;
    let web = Web::with(&shop.world, config, shop.world.clock.clone()).await;
    let boss = web.person(&shop.world, Role::Admin, "boss").await;
    let page = format!("/refunds/of/{order}");
    assert!(text(boss.get("/cases").await).await.contains(&page), "the case leads there");
    let event = shop.payment(&second).await;
    assert!(text(boss.get(&page).await).await.contains(&event.as_simple().to_string()));

    let key = shop.world.rng.id(shop.world.clock.now());
    let form =
        |amount: &str, way: &str| format!("order={order}&payment={event}&back=&way={way}&amount={amount}&reason=x&key={key}");
    for (form, code) in [
        (form("30.001", ""), "invalid-amount"),
        (form("50.01", ""), "exceeds-refundable"),
        (form("30", "alipay"), "invalid"),
        (form("30", "cash"), "refund-by-channel"),
        (form("30", "").replace(&event.to_string(), &key.to_string()), "not-found"),
    ] {
        let answer = boss.post("/api/operator/refund", &form).await;
        assert_eq!(location(&answer), format!("{page}?e={code}"));
    }
    let asked = boss.post("/api/operator/refund", &form("30", "")).await;
    let refund = location(&asked).to_owned();
    assert!(refund.starts_with("/refunds/") && location(&boss.post("/api/operator/refund", &form("30", "")).await) == refund);
    // The server's own task does the rest.
    shop.until(&second, |trade| trade.refunded() == Fen(3_000)).await;
    for _ in 0..500 {
        if shop.world.word("SELECT state FROM refunds").await == "done" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let number = shop.world.word("SELECT refund_no FROM refunds").await;
    let done = text(boss.get(&refund).await).await;
    assert!(done.contains("已退到") && done.contains(&number));
    assert!(text(boss.get("/refunds?state=done&tender=alipay").await).await.contains(&number));
    assert!(!text(boss.get("/refunds?state=failed").await).await.contains(&number));
    let file = text(boss.get("/register.csv?kind=refund").await).await;
    assert!(file.lines().any(|line| line.contains("30.00") && line.contains("已退到")), "{file}");

    // Operators of other buildings see no refund and request none.
    let other = web.person(&shop.world, Role::Manager, "other").await;
    shop.world
        .execute(
            "INSERT INTO places (id, kind, name, sort) SELECT id, 'building', 'elsewhere', 9 FROM users WHERE login = 'boss'",
        )
        .await;
    shop.world
        .execute(
            "INSERT INTO operator_buildings (user_id, place_id) SELECT u.id, b.id FROM users u, users b \
             WHERE b.login = 'boss' AND u.login = 'other'",
        )
        .await;
    shop.world.limit("other").await;
    for path in [&page, &refund] {
        assert_eq!(other.get(path).await.status(), 404, "{path}");
    }
    assert!(!text(other.get("/refunds").await).await.contains(&number));
    let theirs = other.post("/api/operator/refund", &form("1", "").replace(&key.to_string(), &event.to_string())).await;
    assert_eq!(location(&theirs), format!("{page}?e=not-found"));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM refunds").await, 1);
    shop.proved().await;
});

async fn text(answer: reqwest::Response) -> String {
    assert_eq!(answer.status(), 200, "{}", answer.url());
    answer.text().await.unwrap()
}
