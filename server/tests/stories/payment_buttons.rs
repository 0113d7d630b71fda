//! What the cases and pages of payments offer: asking the channel, crediting after all, finding an order by any of its numbers,
//! another channel, and a receipt; on both databases.

use app::api::resident::ResidentPort;
use domain::clock::Clock;
use domain::ledger::Account;
use domain::order::Limits;
use model::error::AppError;
use model::log_in::LogInMethod;
use model::money::{Fen, Money};
use model::order::{OrderState, Tender};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{HOUR, SECOND};
use payments::{Config, Payments, WechatConfig};
use sandbox::Faults;
use services::auth::hash;
use services::residents::ResidentService;
use store::orders::{self, NewOrder};
use store::refunds;
use store::sessions::{self, NewSession};
use story_support::refunding::{BY_HAND, refused};
use story_support::shop::{Counts, DESK, PHONE, Shop};
use story_support::web::{Web, location};
use story_support::{World, both};

/// A server whose channels are those of the shop.
pub async fn web(shop: &Shop) -> Web {
    let mut config = server::config::Config::default();
    config.server.address.set_port(0);
    config.pay = Config {
        public_url: format!("http://{}", shop.address),
        alipay: Some(shop.sandbox.product_config("127.0.0.1")),
        wechat: Some(shop.sandbox.wechat_config("127.0.0.1")),
        ..Config::default()
    };
    Web::with(&shop.world, config, shop.world.clock.clone()).await
}

both!(an_operator_credits_another_amount_after_all, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.at_the_cashier(3_000).await;
    shop.world.execute("UPDATE payment_attempts SET amount_fen = 2999").await;
    shop.world.execute("UPDATE orders SET amount_fen = 2999").await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    shop.query().await.unwrap();
    assert_eq!(shop.balance(&Account::Suspense).await, Money(300_000));
    let (db, rng, at, who) = (&shop.world.db, &shop.world.rng, shop.world.clock.now(), shop.who(clerk));
    let event = shop.payment(&number).await;
    let both = futures::future::join_all((0..2).map(|_| refunds::credit_after_all(db, rng, at, &who, event))).await;
    assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
    assert_eq!(refused(refunds::credit_after_all(db, rng, at, &who, event).await), AppError::Conflict);
    let credited = shop.order(order).await;
    assert_eq!((credited.state, credited.amount, shop.open_cases().await), (OrderState::Paid, Fen(3_000), 0));
    assert_eq!(shop.balance(&Account::Suspense).await, Money::ZERO);
    assert_eq!(shop.balance(&Account::Clearing("alipay")).await, Money(-300_000), "once");
    shop.proved().await;
    // The statement agrees.
    let day = shop.today();
    shop.next_day(11);
    shop.fetches(Tender::Alipay, day).await;
    assert_eq!(shop.money(Tender::Alipay, day).await, []);
});

both!(an_operator_finds_an_order_and_asks_its_channel, |w: World| async move {
    let shop = Shop::open(w).await;
    let (order, number) = shop.at_the_cashier(5_000).await;
    shop.sandbox.set_faults(Faults { mute: true, ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    let web = web(&shop).await;
    let person = web.person(&shop.world, Role::Manager, "boss").await;
    let (sale, page) = (format!("/sales/{order}"), format!("/refunds/of/{order}"));
    // By our number; and by the channel's once it told it.
    assert_eq!(location(&person.get(&format!("/search?q={number}")).await), sale);
    assert!(person.get(&sale).await.text().await.unwrap().contains(&page));
    let text = person.get(&page).await.text().await.unwrap();
    assert!(text.contains("/api/operator/ask-channel") && text.contains("立即查单"), "{text}");
    let asked = format!("{page}?done=asked");
    assert_eq!(location(&person.post("/api/operator/ask-channel", &format!("order={order}")).await), asked);
    assert!(person.get(&asked).await.text().await.unwrap().contains("已查单"));
    assert_eq!((shop.state(order).await.as_str(), shop.proved().await), ("paid", Counts::ONCE));
    let trade_no = shop.trade(&number).trade_no;
    assert_eq!(location(&person.get(&format!("/search?q={trade_no}")).await), sale);
    // What was paid at the cash desk has no channel.
    let (db, rng, at) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    let (account, meter, by) = (shop.room.account, shop.room.meter, shop.world.clerk().await);
    let new = NewOrder { key: rng.id(at), account, meter, tender: Tender::Cash, amount: Fen(1_000), by, ip: String::new() };
    let cash = orders::sell(db, rng, at, &Limits::default(), &new).await.unwrap();
    let text = person.get(&format!("/refunds/of/{}", cash.id)).await.text().await.unwrap();
    assert!(text.contains("现金") && !text.contains("/api/operator/ask-channel"), "{text}");
    // Twice, while the first question may go on; another order is another question.
    let (other, _) = shop.at_the_cashier(5_000).await;
    let answer = person.post("/api/operator/ask-channel", &format!("order={other}")).await;
    assert_eq!(location(&answer), format!("/refunds/of/{other}?done=asked"));
    let again = person.post("/api/operator/ask-channel", &format!("order={order}")).await;
    assert_eq!(location(&again), format!("{page}?e=asked-just-now"));
    let unknown = shop.world.rng.id(shop.world.clock.now());
    let answer = person.post("/api/operator/ask-channel", &format!("order={unknown}")).await;
    assert!(location(&answer).ends_with("?e=not-found"), "{answer:?}");
});

both!(a_payer_takes_another_channel_and_gets_a_receipt, |w: World| async move {
    let shop = Shop::open(w).await;
    let residents = ResidentService::new(shop.world.context().await, shop.payments.clone());
    let who = Who { role: Role::Resident, permissions: Permissions::of(Role::Resident), ..shop.who(shop.room.resident) };
    let (first, number) = shop.at_the_cashier(5_000).await;
    let view = residents.order(&who, first).await.unwrap();
    assert_eq!(view.other_channels, [Tender::WechatPay, Tender::UnionPay]);
    let refused = residents.change_channel(&who, first, Tender::Alipay).await.unwrap_err();
    assert_eq!(refused, AppError::ChannelUnavailable);
    let second = residents.change_channel(&who, first, Tender::WechatPay).await.unwrap();
    assert_eq!(residents.change_channel(&who, first, Tender::WechatPay).await.unwrap(), second, "pressed twice");
    // The first is closed at its channel, so that it cannot be paid as well.
    shop.wait(SECOND);
    shop.query().await.unwrap();
    assert_eq!((shop.state(first).await.as_str(), shop.sandbox.pay(&number)), ("closed", false));
    assert_eq!(residents.change_channel(&who, first, Tender::UnionPay).await.unwrap_err(), AppError::OrderClosed);
    assert_eq!(residents.change_channel(&who, first, Tender::WechatPay).await.unwrap(), second, "sent again after its end");
    let cashier = shop.payments.resume(second, &PHONE).await.unwrap().cashier;
    shop.arrive(&cashier).await;
    let web = web(&shop).await;
    let now = shop.world.clock.now();
    let (user, ip, agent) = (shop.room.resident, "127.0.0.1".to_owned(), String::new());
    let log_in = LogInMethod::Password.into();
    let session = NewSession { hash: hash("one"), user, log_in, ip, agent, expires: now.plus(HOUR) };
    sessions::open(&shop.world.db, now, &session).await.unwrap();
    let receipt = async || {
        let request = web.client.get(format!("{}/orders/{second}/receipt", web.base)).header("accept", "text/html");
        request.header("cookie", "__Host-dormwatt=one").send().await.unwrap()
    };
    assert_eq!(receipt().await.status(), 404, "nothing is paid");
    let number = shop.number(second).await;
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let trade_no = shop.trade(&number).trade_no;
    assert_eq!(residents.order(&who, second).await.unwrap().trade_no.as_deref(), Some(trade_no.as_str()));
    let text = receipt().await.text().await.unwrap();
    let number = format!("E{}-000001", now.date().ymd().0);
    for word in [trade_no.as_str(), "50.00", "伍拾元整", "在线充值收据", "电子收据", "微信", &number] {
        assert!(text.contains(word), "{word} in {text}");
    }
    assert!(!text.contains("副本"), "what a resident saves is no copy of a print");
    let file = async |cookie: &str| {
        let request = web.client.get(format!("{}/own-receipt.pdf?order={second}", web.base)).header("cookie", cookie.to_owned());
        request.send().await.unwrap()
    };
    let saved = file("__Host-dormwatt=one").await;
    assert!(saved.status() == 200 && saved.bytes().await.unwrap().starts_with(b"%PDF"));
    // Nobody else's: not another resident's, and an operator's only on the page of receipts.
    let stranger = shop.world.room(9).await.resident;
    let session = NewSession { hash: hash("two"), user: stranger, ip: "127.0.0.1".into(), agent: String::new(), ..session };
    sessions::open(&shop.world.db, now, &session).await.unwrap();
    assert_eq!(file("__Host-dormwatt=two").await.status(), 404);
    let boss = web.person(&shop.world, Role::Manager, "boss").await;
    assert!(boss.get(&format!("/sales/{second}")).await.text().await.unwrap().contains(&format!("/receipts/{number}")));
    assert!(boss.get(&format!("/receipts/{number}")).await.text().await.unwrap().contains(&trade_no));
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM receipts").await, 1, "heard of twice, paid once");
    assert_eq!(shop.proved().await, Counts { events: 2, ..Counts::ONCE });
    // If somebody of another room had paid, the receipt would be theirs.
    shop.world.execute("UPDATE orders SET created_by = (SELECT id FROM users WHERE login = 'resident9')").await;
    assert_eq!(receipt().await.status(), 404);
    let saved = file("__Host-dormwatt=two").await;
    assert!(saved.status() == 200 && saved.bytes().await.unwrap().starts_with(b"%PDF"));
});

both!(another_channel_is_taken_at_the_limit_of_waiting_orders, |w: World| async move {
    let shop = Shop::open(w).await;
    // The limit is of a server of its own; the shop has none.
    let limits = Limits { max_pending: 2, ..Limits::default() };
    let pay = Config {
        public_url: format!("http://{}", shop.address),
        limits,
        alipay: Some(shop.sandbox.product_config("127.0.0.1")),
        wechat: Some(shop.sandbox.wechat_config("127.0.0.1")),
        ..Config::default()
    };
    let (db, clock, rng) = (shop.world.db.clone(), shop.world.clock.clone(), shop.world.rng.clone());
    let payments = Payments::new(&pay, db, clock, rng, std::sync::Arc::new(|| {})).unwrap();
    let residents = ResidentService::new(shop.world.context().await, payments.clone());
    let who = Who { role: Role::Resident, permissions: Permissions::of(Role::Resident), ..shop.who(shop.room.resident) };
    let (first, number) = shop.at_the_cashier(5_000).await;
    shop.wait(SECOND);
    shop.at_the_cashier(6_000).await;
    assert_eq!(payments.create_order(&shop.top_up(7_000)).await.unwrap_err(), AppError::TooManyPending);
    let second = residents.change_channel(&who, first, Tender::WechatPay).await.unwrap();
    assert_eq!(residents.change_channel(&who, first, Tender::WechatPay).await.unwrap(), second, "pressed twice");
    let waiting = "SELECT COUNT(*) FROM orders WHERE state = 'pending'";
    assert_eq!(shop.world.number(waiting).await, 3, "the first one until its channel has closed it");
    // What is refused gives nothing up.
    assert_eq!(residents.change_channel(&who, second, Tender::Alipay).await.unwrap_err(), AppError::TooManyPending);
    shop.wait(SECOND);
    shop.query().await.unwrap();
    assert_eq!((shop.state(first).await.as_str(), shop.sandbox.pay(&number)), ("closed", false));
    assert_eq!((shop.state(second).await.as_str(), shop.world.number(waiting).await), ("pending", 2));
    residents.change_channel(&who, second, Tender::Alipay).await.unwrap();
    shop.proved().await;
});

both!(an_order_without_attempt_ends_with_its_replacement, |w: World| async move {
    let shop = Shop::open(w).await;
    let residents = ResidentService::new(shop.world.context().await, shop.payments.clone());
    let who = Who { role: Role::Resident, permissions: Permissions::of(Role::Resident), ..shop.who(shop.room.resident) };
    // Inside WeChat an order through Alipay gets no attempt: its page says to open a browser.
    let first = shop.payments.create_order(&shop.top_up(5_000)).await.unwrap().id;
    let choose = || residents.change_channel(&who, first, Tender::WechatPay);
    let (one, other) = tokio::join!(choose(), choose());
    assert_eq!(one.unwrap(), other.unwrap(), "pressed twice at once");
    assert_eq!(shop.state(first).await, "closed", "no channel has to close anything");
    assert_eq!(shop.payments.resume(first, &PHONE).await.unwrap_err(), AppError::OrderClosed);
    let said = "SELECT detail FROM audit WHERE action = 'order.close'";
    assert_eq!(shop.world.word(said).await, r#"{"reason":"other_channel"}"#);
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM orders WHERE state = 'pending'").await, 1);
    shop.proved().await;
});

both!(attempts_of_an_order_are_asked_about_together, |w: World| async move {
    let shop = Shop::open(w).await;
    let wechat = Some(WechatConfig { timeout_ms: 3_000, ..shop.sandbox.wechat_config("127.0.0.1") });
    let shop = shop.with(Config { wechat, ..Config::default() }).await;
    let (order, _) = shop.paying_by(Tender::WechatPay, 5_000, &PHONE).await;
    for payer in [&DESK, &PHONE] {
        shop.wait(SECOND);
        shop.payments.resume(order, payer).await.unwrap();
    }
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM payment_attempts").await, 3);
    shop.sandbox.set_faults(Faults { silent_on: vec!["query".into()], ..Faults::default() });
    let begun = std::time::Instant::now();
    assert_eq!(shop.payments.query_now(order).await.unwrap_err(), AppError::ChannelUnavailable);
    assert!(begun.elapsed() < std::time::Duration::from_secs(8), "one after the other takes nine: {:?}", begun.elapsed());
    shop.sandbox.set_faults(Faults::default());
    shop.payments.query_now(order).await.unwrap();
    assert_eq!(shop.state(order).await, "pending");
});
