//! Consumption is posted to the ledger once a day, from trusted readings only; subsidies reach each room once a month; on both
//! databases.

use domain::clock::Clock;
use domain::ledger::{self, Account};
use domain::order::Limits;
use domain::returns::Rules;
use model::approval::{Decision, Outcome};
use model::case::{CaseDetail, MeterPosition};
use model::ids::{PlaceId, UserId};
use model::money::{Fen, Money};
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::subsidy::{Month, Per};
use model::time::{DAY, MINUTE};
use server::tasks::Task;
use server::tasks::consumption::PostConsumption;
use server::tasks::subsidies::GiveSubsidies;
use store::accounts::{self, TakeOver};
use store::orders::{self, NewOrder};
use store::{cases, ledger as books};
use story_support::rooms::Room;
use story_support::{World, bind, both};
use uuid::Uuid;
use verify::{Figure, Rule};

/// Sells, and records the delivery.
async fn sell_and_deliver(w: &World, room: Room, count: i64, fen: i64) {
    let (now, key) = (w.clock.now(), w.rng.id(w.clock.now()));
    let (account, meter, by) = (room.account, room.meter, room.resident);
    let new = NewOrder { key, account, meter, tender: Tender::Cash, amount: Fen(fen), by, ip: String::new() };
    let order = orders::sell(&w.db, &w.rng, now, &Limits::default(), &new).await.unwrap();
    let mut tx = w.db.begin().await.unwrap();
    let delivered = ledger::delivery(order.id.0, account, Fen(fen).money());
    books::post(&mut tx, &w.rng, now, &delivered).await.unwrap();
    tx.commit().await.unwrap();
    bind(&w.db, "UPDATE orders SET state = 'credited', credited_at = $2 WHERE id = $1", order.id.0, &[now.0]).await;
    bind(&w.db, "UPDATE commands SET state = 'done' WHERE order_id = $1", order.id.0, &[]).await;
    let sql = "UPDATE account_meters SET count = $2, cumulative_fen = cumulative_fen + $3 WHERE meter_id = $1";
    bind(&w.db, sql, meter.0, &[count, fen]).await;
}

async fn post_consumption(w: &World) -> String {
    let task = PostConsumption(w.context().await);
    task.run().await.unwrap().summary
}

async fn owed(w: &World, account: &Account) -> Money {
    books::credit_balance(&w.db, account).await.unwrap()
}

async fn proved(w: &World) {
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
}

both!(consumption_is_posted_once_a_day, |w: World| async move {
    let room = w.room(1).await;
    sell_and_deliver(&w, room, 1, 10_000).await;
    w.shows(room.meter, 1, 10_000, 9_000).await;
    assert_eq!(post_consumption(&w).await, "1 of 1 posted");
    assert_eq!(post_consumption(&w).await, "0 of 0 posted", "once a day");
    let held = Account::InMeter(room.account);
    assert_eq!((owed(&w, &held).await, owed(&w, &Account::Consumption).await), (Money(900_000), Money(100_000)));

    w.clock.advance(DAY);
    assert_eq!(post_consumption(&w).await, "0 of 0 posted", "nothing was read today");
    // Money that went in meanwhile is not use.
    sell_and_deliver(&w, room, 2, 5_000).await;
    w.shows(room.meter, 2, 15_000, 13_500).await;
    assert_eq!(post_consumption(&w).await, "1 of 1 posted");
    assert_eq!((owed(&w, &held).await, owed(&w, &Account::Consumption).await), (Money(1_350_000), Money(150_000)));
    assert_eq!(w.number("SELECT COUNT(*) FROM meter_consumption").await, 2);
    proved(&w).await;

    let yesterday = w.clock.now().plus(-DAY + MINUTE);
    let then = books::balances_at(&w.db, yesterday).await.unwrap();
    let consumption = then.iter().find(|balance| balance.account == "consumption").unwrap();
    assert_eq!(consumption.credits_e4, 100_000, "the books of yesterday stay what they were");
    for at in [yesterday, w.clock.now()] {
        let sum: i64 = books::balances_at(&w.db, at).await.unwrap().iter().map(|b| b.credits_e4 - b.debits_e4).sum();
        assert_eq!(sum, 0);
    }
});

both!(untrusted_readings_are_not_posted, |w: World| async move {
    let room = w.room(1).await;
    sell_and_deliver(&w, room, 1, 10_000).await;
    w.shows(room.meter, 2, 12_000, 9_000).await;
    assert_eq!(post_consumption(&w).await, "0 of 1 posted", "the meter holds money that the ledger does not know");
    w.shows(room.meter, 1, 10_000, 9_000).await;
    let mut tx = w.db.begin().await.unwrap();
    let case = CaseDetail::MeterDiffers { ledger: MeterPosition::default(), meter: MeterPosition::default() };
    cases::open(&mut tx, &w.rng, w.clock.now(), Some(room.meter), None, &case).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(post_consumption(&w).await, "0 of 1 posted");
    w.execute("UPDATE cases SET closed_at = 1").await;
    assert_eq!(post_consumption(&w).await, "1 of 1 posted");
    // What came back comes back in the books too.
    w.clock.advance(DAY);
    w.shows(room.meter, 1, 10_000, 9_200).await;
    assert_eq!(post_consumption(&w).await, "1 of 1 posted");
    assert_eq!(owed(&w, &Account::Consumption).await, Money(80_000));
    proved(&w).await;
    // And a posting that is not what was used shows.
    w.execute(
        "INSERT INTO meter_consumption (id, meter_id, account_id, epoch, at, amount_fen) \
         SELECT id, id, (SELECT id FROM accounts), 1, 5, 700 FROM meters",
    )
    .await;
    let found = verify::verify(&w.db).await.unwrap().differences;
    assert!(
        found.iter().any(|one| one.rule == Rule::ConsumptionPosting && one.expected == Figure::Money(Money(70_000))),
        "{found:?}"
    );
});

both!(consumption_before_the_take_over_is_no_income, |w: World| async move {
    let meter = w.meter(9).await;
    let (number, opened_at) = ("2611230000000009".to_owned(), w.clock.now());
    let one = TakeOver { meter, number, opened_at, epoch: 1, count: 4, cumulative: Fen(40_000), resident: None };
    accounts::take_over(&w.db, &w.rng, opened_at, &[one]).await.unwrap();
    w.shows(meter, 4, 40_000, 15_000).await;
    assert_eq!(post_consumption(&w).await, "1 of 1 posted");
    assert_eq!((owed(&w, &Account::Consumption).await, owed(&w, &Account::TakenOver).await), (Money(0), Money(-1_500_000)));
    w.clock.advance(DAY);
    w.shows(meter, 4, 40_000, 14_000).await;
    post_consumption(&w).await;
    assert_eq!(owed(&w, &Account::Consumption).await, Money(100_000));
    proved(&w).await;
});

/// Grants the due subsidies, concurrently and repeatedly.
async fn grant_subsidies(w: &World) -> String {
    let task = GiveSubsidies { context: w.context().await, limits: Limits::default() };
    task.run().await.unwrap().summary
}

async fn place(w: &World, sql: &'static str) -> PlaceId {
    PlaceId(match &w.db {
        store::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        store::Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    })
}

async fn decide(w: &World, by: UserId, place: PlaceId, per: Per, fen: i64) {
    let who =
        Who { user: by, role: Role::Admin, permissions: Permissions::of(Role::Admin), name: String::new(), ip: String::new() };
    let decision = Decision::Subsidy { place, from: Month::of(w.clock.now()), per, amount: Fen(fen) };
    let rules = Rules { approve_above_fen: 1_000_000, ..Rules::default() };
    assert_eq!(w.request(&who, &rules, &decision, None).await.unwrap(), Outcome::Done);
}

both!(a_subsidy_reaches_each_room_once_a_month, |w: World| async move {
    let (rooms, clerk) = ([w.room(1).await, w.room(2).await, w.room(3).await], w.clerk().await);
    let site: Uuid = w.rng.id(w.clock.now());
    bind(&w.db, "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'site', 'site', 1)", site, &[]).await;
    bind(&w.db, "UPDATE places SET parent_id = $1 WHERE kind = 'room'", site, &[]).await;
    assert!(grant_subsidies(&w).await.contains("0 given"), "nothing was decided");

    decide(&w, clerk, PlaceId(site), Per::Room, 2_000).await;
    let second = place(&w, "SELECT place_id FROM meters WHERE unit = 2").await;
    decide(&w, clerk, second, Per::Head, 1_500).await;
    w.shows(rooms[2].meter, 0, 0, 499_000).await;
    let said = futures::future::join_all((0..4).map(|_| grant_subsidies(&w))).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM subsidies").await, 2, "{said:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit' AND state = 'queued'").await, 2);
    assert!(said.iter().any(|said| said.contains("1 refused")), "the third meter may not hold it: {said:?}");
    assert_eq!(owed(&w, &Account::Subsidies).await, Money(-350_000));
    assert_eq!(w.number("SELECT COUNT(*) FROM receipts").await, 0, "nobody paid, nobody gets a receipt");

    // There is room again: it comes later in the month, once.
    w.execute("UPDATE meter_latest SET remaining_fen = 100").await;
    assert!(grant_subsidies(&w).await.contains("1 given"));
    w.clock.advance(40 * DAY);
    decide(&w, clerk, second, Per::Head, 0).await;
    assert!(grant_subsidies(&w).await.contains("2 given, 0 refused"), "the second room's has ended");
    assert!(grant_subsidies(&w).await.contains("0 given"));
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE tender = 'subsidy'").await, 5);
    proved(&w).await;
});

both!(a_subsidy_refused_to_one_room_holds_up_no_other, |w: World| async move {
    let (mut rooms, clerk) = ([w.room(1).await, w.room(2).await], w.clerk().await);
    // In the order in which the task takes them.
    rooms.sort_unstable_by_key(|room| room.account);
    let site: Uuid = w.rng.id(w.clock.now());
    bind(&w.db, "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'site', 'site', 1)", site, &[]).await;
    bind(&w.db, "UPDATE places SET parent_id = $1 WHERE kind = 'room'", site, &[]).await;
    decide(&w, clerk, PlaceId(site), Per::Room, 2_000).await;
    let position = |account: &str| MeterPosition { account: Some(account.into()), ..MeterPosition::default() };
    let case = CaseDetail::MeterChanged { expected: position("1"), found: position("2") };
    let mut tx = w.db.begin().await.unwrap();
    cases::open(&mut tx, &w.rng, w.clock.now(), Some(rooms[0].meter), None, &case).await.unwrap();
    tx.commit().await.unwrap();
    assert!(grant_subsidies(&w).await.contains("1 given, 1 refused"), "another account in the first meter");
    w.execute("UPDATE cases SET closed_at = 1").await;
    assert!(grant_subsidies(&w).await.contains("1 given, 0 refused"));
    proved(&w).await;
});
