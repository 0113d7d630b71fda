//! Refunds made at the channel's own console: an operator says what each one settles or writes it off, and until then that money
//! is not refunded a second time; on both databases.

use app::api::resident::ResidentPort;
use domain::clock::Clock;
use domain::ledger::Account;
use domain::order::Limits;
use domain::returns;
use model::approval::Decision;
use model::error::AppError;
use model::ids::{OrderId, UserId};
use model::money::{Fen, Money};
use model::order::{OrderState, Tender};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{DAY, SECOND};
use sandbox::Faults;
use services::residents::ResidentService;
use store::refunds::{self, RefundSubject};
use store::returns::{NewReturn, Return, ask as ask_return};
use store::{StoreError, console};
use story_support::refunding::{BY_HAND, colleague, refused, uuid};
use story_support::room_fixture::RoomFixture;
use story_support::rooms::Room;
use story_support::shop::Shop;
use story_support::web::{Web, location};
use story_support::{World, both};
use verify::{Figure, Rule};

/// A room with a server wallet and a purchase of 50.00 yuan.
async fn bought(w: World) -> (Shop, UserId, OrderId, String) {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 1_000).await;
    let resident = UserId(uuid(&fixture.w, "SELECT user_id FROM account_residents").await);
    let shop = Shop::of(fixture.w.clone(), Room { meter: fixture.meter, account, resident }, BY_HAND).await;
    let (order, number) = shop.paid(5_000).await;
    (shop, fixture.clerk, order, number)
}

async fn correct(shop: &Shop, by: UserId, order: OrderId, fen: i64) -> Result<Return, StoreError> {
    let key = shop.world.rng.id(shop.world.clock.now());
    let of = store::returns::ReturnSubject::Sale(order, Fen(fen));
    let new = NewReturn { key, of, reason: "渠道后台已退".into(), by, ip: String::new() };
    let (db, rng, now) = (&shop.world.db, &shop.world.rng, shop.world.clock.now());
    ask_return(db, rng, now, &returns::Rules::default(), &Limits::default(), &new).await
}

async fn clear(shop: &Shop, by: UserId, of: RefundSubject) -> Result<(), StoreError> {
    refunds::clear(&shop.world.db, &shop.world.rng, shop.world.clock.now(), &shop.who(by), of).await
}

async fn at_the_console(shop: &Shop, number: &str, refund: &str, fen: i64) {
    shop.wait(SECOND);
    let before = shop.trade(number).acknowledged;
    assert!(shop.sandbox.refund(number, refund, Fen(fen)));
    shop.until(number, |trade| trade.acknowledged > before).await;
}

both!(console_refunds_are_reported_by_each_channel, |w: World| async move {
    let shop = Shop::under(w, BY_HAND).await;
    let console = format!("http://{}/control", shop.sandbox.address());
    let give = async |number: &str, yuan: &str| {
        shop.wait(SECOND);
        let answer = shop.http.post(format!("{console}/refund/{number}")).form(&[("amount", yuan)]).send().await.unwrap();
        answer.status().as_u16()
    };
    for (tender, suspense_e4, cases) in
        [(Tender::Alipay, -300_000, 1), (Tender::WechatPay, -600_000, 2), (Tender::UnionPay, -600_000, 2)]
    {
        let (_, number) = shop.reach(tender, 5_000).await;
        assert_eq!(give(&number, "1.00").await, 409, "{tender:?} is not paid");
        assert!(shop.sandbox.pay(&number));
        shop.until(&number, |trade| trade.acknowledged == 1).await;
        let page = shop.http.get(&console).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("/control/refund/{number}")) && page.contains("50.00"), "{page}");
        for wrong in ["50.01", "0", "-1", "1,5", ""] {
            assert_eq!(give(&number, wrong).await, 409, "{tender:?} {wrong}");
        }
        assert_eq!((give(&number, "20.00").await, give(&number, "10.00").await), (303, 303));
        assert_eq!(give(&number, "20.01").await, 409, "{tender:?}: no more than was paid");
        let told = tender != Tender::UnionPay;
        shop.until(&number, |trade| !told || trade.acknowledged == 3).await;
        assert_eq!(shop.trade(&number).refunded(), Fen(3_000));
        let found = (shop.balance(&Account::Suspense).await, shop.open_cases().await);
        assert_eq!(found, (Money(suspense_e4), cases), "{tender:?}");
    }
    shop.proved().await;
});

both!(the_payer_sees_pending_checks_and_console_refunds, |w: World| async move {
    let shop = Shop::under(w, BY_HAND).await;
    let residents = ResidentService::new(shop.world.context().await, shop.payments.clone());
    let payer = Who { role: Role::Resident, permissions: Permissions::of(Role::Resident), ..shop.who(shop.room.resident) };
    let (order, number) = shop.at_the_cashier(5_000).await;
    let seen = async || residents.order(&payer, order).await.unwrap();
    assert!(!seen().await.held);
    shop.sandbox.set_faults(Faults { amount: Some("500.00".into()), ..Faults::default() });
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    assert!(seen().await.held, "nobody is told to pay again");
    shop.sandbox.set_faults(Faults::default());
    shop.query().await.unwrap();
    let paid = seen().await;
    assert_eq!((paid.held, paid.state, paid.refunds.len()), (false, OrderState::Paid, 0));
    at_the_console(&shop, &number, "console1", 2_000).await;
    let back: Vec<_> = seen().await.refunds.iter().map(|one| (one.amount, one.tender, one.done_at.is_some())).collect();
    assert_eq!(back, [(Fen(2_000), Tender::Alipay, true)]);
});

both!(a_console_refund_settles_a_correction_once, |w: World| async move {
    let (shop, clerk, order, number) = bought(w).await;
    at_the_console(&shop, &number, "console1", 2_000).await;
    assert_eq!(shop.balance(&Account::Suspense).await, Money(-200_000));
    let case = console::cases(&shop.world.db, clerk, shop.world.clock.now(), &Default::default()).await.unwrap().lines[0].id;
    let noted = console::close_case(&shop.world.db, shop.world.clock.now(), &shop.who(clerk), case.into(), "noted").await;
    assert_eq!(refused(noted), AppError::MoneyOpen, "a note does not clear it");
    let back = correct(&shop, clerk, order, 3_000).await.unwrap();
    // The channel could refund 30.00 more, but is not asked before an operator has cleared the 20.00.
    assert_eq!(shop.give_back().await.unwrap(), "begun 0, asked 0, ended 0, failed 0");
    assert_eq!(shop.trade(&number).refunded(), Fen(2_000));
    let both = futures::future::join_all((0..2).map(|_| clear(&shop, clerk, RefundSubject::Return(back.id)))).await;
    assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
    assert_eq!(shop.balance(&Account::Suspense).await, Money::ZERO);
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
    // The rest is refunded through its channel.
    let rest = shop.refund_request(clerk, RefundSubject::Return(back.id), 1_000);
    let more = refunds::NewRefund { amount: Fen(1_001), key: shop.world.rng.id(shop.world.clock.now()), ..rest.clone() };
    assert_eq!(refused(shop.ask(&more).await), AppError::ExceedsRefundable);
    shop.ask(&rest).await.unwrap();
    shop.give_back().await.unwrap();
    assert_eq!(shop.world.word("SELECT state FROM returns").await, "done");
    assert_eq!(
        (shop.trade(&number).refunded(), shop.balance(&Account::Paid(shop.room.account)).await),
        (Fen(3_000), Money::ZERO)
    );
    assert_eq!(shop.world.number("SELECT COUNT(*) FROM receipts WHERE return_id IS NOT NULL").await, 1);
    shop.proved().await;
});

both!(a_console_refund_ends_an_undelivered_order, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (order, number) = shop.paid(3_000).await;
    let of = RefundSubject::Payment(shop.payment(&number).await);
    assert_eq!(refused(clear(&shop, clerk, of).await), AppError::ExceedsRefundable, "nothing went back");
    at_the_console(&shop, &number, "console1", 3_000).await;
    shop.world.execute("UPDATE commands SET state = 'sending', attempts = 1").await;
    assert_eq!(refused(clear(&shop, clerk, of).await), AppError::InTheMeter);
    shop.world.execute("UPDATE commands SET state = 'queued', attempts = 0").await;
    clear(&shop, clerk, of).await.unwrap();
    assert_eq!(shop.state(order).await, "refunded");
    assert_eq!(
        (shop.balance(&Account::Suspense).await, shop.balance(&Account::Paid(shop.room.account)).await),
        (Money::ZERO, Money::ZERO)
    );
    assert_eq!(shop.open_cases().await, 0);
    assert_eq!(refused(clear(&shop, clerk, of).await), AppError::ExceedsRefundable);
    shop.proved().await;
});

both!(a_console_refund_can_settle_a_return_of_the_account, |w: World| async move {
    let (shop, clerk, order, number) = bought(w).await;
    let offered = async |later| {
        let (db, now) = (&shop.world.db, shop.world.clock.now().plus(later));
        let sales = queries::by_channel(db, clerk, shop.room.meter, &BY_HAND, now).await.unwrap();
        sales.into_iter().map(|sale| (sale.order, sale.left)).collect::<Vec<_>>()
    };
    assert_eq!(offered(0).await, [(order, Fen(5_000))]);
    assert_eq!(offered(BY_HAND.alipay_days * DAY).await, [], "the channel gives it back no more");
    correct(&shop, clerk, order, 3_000).await.unwrap();
    assert_eq!(offered(0).await, [(order, Fen(2_000))], "what was not taken back before");
    at_the_console(&shop, &number, "console1", 1_000).await;
    assert_eq!(offered(0).await, [], "nobody has said what went back at the console");
    let rest = correct(&shop, clerk, order, 1_000).await.unwrap();
    clear(&shop, clerk, RefundSubject::Return(rest.id)).await.unwrap();
    assert_eq!(offered(0).await, [(order, Fen(1_000))]);
    let w = &shop.world;
    w.execute("INSERT INTO places (id, kind, name, sort) SELECT id, 'building', 'elsewhere', 9 FROM accounts").await;
    w.execute(
        "INSERT INTO operator_buildings (user_id, place_id) SELECT u.id, p.id FROM users u, places p WHERE p.name = 'elsewhere'",
    )
    .await;
    w.execute("UPDATE users SET all_buildings = FALSE").await;
    assert_eq!(offered(0).await, [], "whoever may not see the building");
});

/// Asks as one person and approves as another.
async fn lose(shop: &Shop, order: OrderId, by: UserId, approver: UserId) -> Result<(), StoreError> {
    shop.world.by_two(&shop.who(by), &shop.who(approver), &Decision::WriteOff { order }).await
}

both!(only_a_second_person_writes_off_consumed_credit, |w: World| async move {
    let (shop, clerk, order, number) = bought(w).await;
    let second = colleague(&shop.world, Role::Admin).await;
    at_the_console(&shop, &number, "console1", 2_000).await;
    assert_eq!(refused(lose(&shop, order, clerk, clerk).await), AppError::SecondPerson);
    assert_eq!(refused(lose(&shop, order, second, second).await), AppError::Conflict, "one waits already");
    lose(&shop, order, clerk, second).await.unwrap();
    assert_eq!(refused(lose(&shop, order, clerk, second).await), AppError::Conflict);
    assert_eq!((shop.balance(&Account::Suspense).await, shop.balance(&Account::WriteOff).await), (Money::ZERO, Money(-200_000)));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});

both!(each_console_refund_after_a_write_off_is_written_off_once, |w: World| async move {
    let (shop, clerk, order, number) = bought(w).await;
    let boss = colleague(&shop.world, Role::Admin).await;
    let lose = async || lose(&shop, order, clerk, boss).await;
    let lost = async || (shop.balance(&Account::Suspense).await, shop.balance(&Account::WriteOff).await);
    // Two that were not cleared in between are one write-off.
    at_the_console(&shop, &number, "console1", 1_000).await;
    at_the_console(&shop, &number, "console2", 500).await;
    lose().await.unwrap();
    assert_eq!(lost().await, (Money::ZERO, Money(-150_000)));
    // The next one opens a new case and is written off once, despite two concurrent requests.
    at_the_console(&shop, &number, "console3", 700).await;
    assert_eq!((lost().await, shop.open_cases().await), ((Money(-70_000), Money(-150_000)), 1));
    shop.proved().await;
    let both = futures::future::join_all((0..2).map(|_| lose())).await;
    assert_eq!(both.iter().filter(|one| one.is_ok()).count(), 1, "{both:?}");
    assert_eq!((lost().await, shop.open_cases().await), ((Money::ZERO, Money(-220_000)), 0));
    // Of a third, a part settles a return and the rest is written off.
    at_the_console(&shop, &number, "console4", 2_000).await;
    let back = correct(&shop, clerk, order, 1_200).await.unwrap();
    clear(&shop, clerk, RefundSubject::Return(back.id)).await.unwrap();
    assert_eq!(shop.open_cases().await, 1);
    lose().await.unwrap();
    assert_eq!(refused(lose().await), AppError::Conflict);
    assert_eq!((lost().await, shop.open_cases().await), ((Money::ZERO, Money(-300_000)), 0));
    shop.proved().await;
    // The write-off exceeds the refund.
    shop.world
        .execute(
            "INSERT INTO ledger_transfers (id, operation, reference, debit, credit, amount_e4, at)
             SELECT id, 'refund-lost', id, 'write-off', 'suspense', 100, received_at
             FROM payment_events WHERE kind = 'refund-total' AND refund_total_fen = 1000",
        )
        .await;
    let differences = verify::verify(&shop.world.db).await.unwrap().differences;
    let found = differences.iter().find(|one| one.rule == Rule::ConsoleRefunds).unwrap();
    assert_eq!((found.expected, found.found), (Figure::Money(Money(420_000)), Figure::Money(Money(420_100))));
});

both!(an_operator_clears_a_console_refund_on_its_page, |w: World| async move {
    let (shop, clerk, order, number) = bought(w).await;
    at_the_console(&shop, &number, "console1", 2_000).await;
    let web = Web::start(&shop.world).await;
    let boss = web.person(&shop.world, Role::Admin, "boss").await;
    let page = format!("/refunds/of/{order}");
    let text = boss.get("/cases").await.text().await.unwrap();
    assert!(text.contains(&page), "{text}");
    let case = text.split("href=\"/cases/").nth(1).unwrap().split('"').next().unwrap();
    let text = boss.get(&format!("/cases/{case}")).await.text().await.unwrap();
    assert!(text.contains(&page) && text.contains("已退回 20.00"), "{text}");
    let text = boss.get(&page).await.text().await.unwrap();
    assert!(text.contains("渠道后台已退") && text.contains(&format!("/corrections/{order}")) && text.contains("20.00"), "{text}");
    let back = correct(&shop, clerk, order, 2_000).await.unwrap();
    let text = boss.get(&page).await.text().await.unwrap();
    assert!(text.contains("/api/operator/clear-refund") && text.contains(&back.id.to_string()), "{text}");
    let wrong = boss.post("/api/operator/clear-refund", &format!("order={order}&payment=&back={order}")).await;
    assert_eq!(location(&wrong), format!("{page}?e=not-found"));
    let done = boss.post("/api/operator/clear-refund", &format!("order={order}&payment=&back={}", back.id)).await;
    assert_eq!(location(&done), page);
    assert!(!boss.get(&page).await.text().await.unwrap().contains("渠道后台已退"));
    assert_eq!(shop.open_cases().await, 0);
    shop.proved().await;
});
