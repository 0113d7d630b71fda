//! Concurrent operations where the second one has read before the first one commits: a lock is held until both wait for it, which
//! is when a PostgreSQL statement sees an old version. On both databases.

use std::collections::HashMap;
use std::time::Duration;

use domain::clock::Clock;
use domain::order::Limits;
use domain::returns::Rules;
use domain::site_plan::{MeterRow, Row, SiteRows};
use estate::gateways::GatewayEdit;
use estate::site_import::ImportWay;
use estate::{gateways, meter_setup, site_import};
use model::case::CaseDetail;
use model::console::RoomName;
use model::error::AppError;
use model::ids::{AccountId, GatewayId, MeterId, UserId, Uuid};
use model::meter::Wallet;
use model::money::Fen;
use model::order::{ReturnState, Tender};
use payments::channel::QueryResponse;
use sandbox::Faults;
use store::accounts::{NewResident, OpenAccount};
use store::closings::{self, Counted};
use store::orders::{self, NewOrder, Order};
use store::payments::{Outcome, settle};
use store::refunds::{self, RefundSubject as Back};
use store::returns::{self, NewReturn, ReturnSubject};
use store::{StoreError, Tx, accounts, cases, deliveries, meters};
use story_support::closings::{CASH, advance, begin, proved, who};
use story_support::refunding::{BY_HAND, POLICY};
use story_support::shop::Shop;
use story_support::{World, bind, both};

/// Time for a task to reach the lock, where that cannot be observed.
const TO_THE_LOCK: Duration = Duration::from_millis(300);
/// PostgreSQL reports waiting backends; a busy machine needs longer.
const MOST: Duration = Duration::from_secs(10);

/// Locks a row without changing it: with a new row version, PostgreSQL would not release the waiters in their order.
async fn hold(w: &World, row: &'static str, id: Uuid) -> Tx {
    let mut held = w.db.begin().await.unwrap();
    match &mut held {
        Tx::Sqlite(_) => {}
        Tx::Postgres(tx) => {
            let sql = sqlx::AssertSqlSafe(format!("SELECT 1 FROM {row} FOR UPDATE"));
            sqlx::query(sql).bind(id).execute(&mut **tx).await.unwrap();
        }
    }
    held
}

/// Runs both until they wait for the lock, `first` before `second`, and gives their results after its release.
async fn at_once<A, B>(w: &World, held: Tx, first: A, second: B) -> (A::Output, B::Output)
where
    A: Future<Output: Send + 'static> + Send + 'static,
    B: Future<Output: Send + 'static> + Send + 'static,
{
    let first = tokio::spawn(first);
    until_waiting(w, &held, 1).await;
    let second = tokio::spawn(second);
    until_waiting(w, &held, 2).await;
    held.commit().await.unwrap();
    (first.await.unwrap(), second.await.unwrap())
}

async fn until_waiting(w: &World, held: &Tx, tasks: i64) {
    tokio::time::sleep(TO_THE_LOCK).await;
    let begun = std::time::Instant::now();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while matches!(held, Tx::Postgres(_)) && w.number(waiting).await < tasks {
        assert!(begun.elapsed() < MOST, "{tasks} should wait for what is held");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A cash sale that cannot be delivered any more, as the meter was removed.
async fn undeliverable(w: &World) -> Order {
    let (room, clerk, now) = (w.room(1).await, w.clerk().await, w.clock.now());
    let sale = NewOrder {
        key: w.rng.id(now),
        account: room.account,
        meter: room.meter,
        tender: Tender::Cash,
        amount: Fen(900),
        by: clerk,
        ip: String::new(),
    };
    let order = orders::sell(&w.db, &w.rng, now, &Limits::default(), &sale).await.unwrap();
    let id = begin(w, now, clerk, room.account, CASH).await.unwrap();
    let counted = Counted { remaining: Some(Fen(0)), total: None, reason: "表已拆".into() };
    closings::count(&w.db, &w.rng, now, &who(clerk), id, room.meter, &counted).await.unwrap();
    advance(w, now).await;
    order
}

fn give_back(w: &World, order: &Order) -> impl Future<Output = Result<returns::Return, StoreError>> + Send + 'static {
    let (w, by, of) = (w.clone(), order.created_by, ReturnSubject::Sale(order.id, order.amount));
    let new = NewReturn { key: order.id.0, of, reason: "未到表".into(), by, ip: String::new() };
    async move { returns::ask(&w.db, &w.rng, w.clock.now(), &Rules::default(), &Limits::default(), &new).await }
}

both!(a_refunded_order_is_not_reassigned_as_well, |w: World| async move {
    let order = undeliverable(&w).await;
    let neighbour = w.room(2).await;
    let held = hold(&w, "orders WHERE id = $1", order.id.0).await;
    let (there, by) = (w.clone(), who(order.created_by));
    let elsewhere =
        async move { orders::reassign(&there.db, &there.rng, there.clock.now(), &by, order.id, neighbour.account).await };
    let (back, sent) = at_once(&w, held, give_back(&w, &order), elsewhere).await;
    assert_eq!(back.unwrap().state, ReturnState::Taken);
    assert!(matches!(sent, Err(StoreError::Refused(AppError::Conflict))), "{sent:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM orders WHERE state = 'case'").await, 1);
    proved(&w).await;
});

both!(concurrent_identical_forms_make_one_correction, |w: World| async move {
    let order = undeliverable(&w).await;
    let held = hold(&w, "orders WHERE id = $1", order.id.0).await;
    let (one, other) = at_once(&w, held, give_back(&w, &order), give_back(&w, &order)).await;
    assert_eq!(one.unwrap().id, other.unwrap().id);
    assert_eq!(w.number("SELECT COUNT(*) FROM returns").await, 1);
    proved(&w).await;
});

both!(concurrent_identical_forms_make_one_refund, |w: World| async move {
    let clerk = w.clerk().await;
    let shop = Shop::under(w, BY_HAND).await;
    let (_, number) = shop.paid(3_000).await;
    let event = shop.payment(&number).await;
    let new = shop.refund_request(clerk, Back::Payment(event), 3_000);
    let ask = || {
        let (w, new) = (shop.world.clone(), new.clone());
        async move { refunds::ask(&w.db, &w.rng, w.clock.now(), &POLICY, &new).await }
    };
    let attempt = "payment_attempts WHERE id = (SELECT attempt_id FROM payment_events WHERE id = $1)";
    let (one, other) = at_once(&shop.world, hold(&shop.world, attempt, event).await, ask(), ask()).await;
    assert_eq!(one.unwrap().id, other.unwrap().id);
    assert_eq!(shop.lies().await, (0, 3_000, 3_000));
    shop.proved().await;
});

both!(no_meter_stays_in_a_closed_account, |w: World| async move {
    let (room, clerk, extra) = (w.room(1).await, w.clerk().await, w.meter(2).await);
    let beside = "UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.id = $1) WHERE unit = $2";
    bind(&w.db, beside, room.meter.0, &[2]).await;
    let held = hold(&w, "accounts WHERE id = $1", room.account.0).await;
    let (one, other) = (w.clone(), w.clone());
    let add = async move { accounts::add_meter(&one.db, &one.rng, one.clock.now(), &who(clerk), room.account, extra).await };
    let close = async move { begin(&other, other.clock.now(), clerk, room.account, CASH).await };
    let (added, closed) = at_once(&w, held, add, close).await;
    added.unwrap();
    // Where the lock is the whole database the closing has both; where it is a row it has seen one, and says so.
    let leaving = w.number("SELECT COUNT(*) FROM account_closure_meters").await;
    match closed {
        Ok(_) => assert_eq!(leaving, 2),
        Err(error) => assert!(matches!(error, StoreError::Refused(AppError::Conflict)), "{error:?}"),
    }
    assert!(leaving == 2 || w.number("SELECT COUNT(*) FROM accounts WHERE state = 'open'").await == 1);
    begin(&w, w.clock.now(), clerk, room.account, CASH).await.ok();
    assert_eq!(w.number("SELECT COUNT(*) FROM account_closure_meters").await, 2, "asked again it takes both");
    proved(&w).await;
});

// What was claimed before the correction would fit no meter, and be held for good.
both!(a_claim_waits_for_a_correction_of_the_books, |w: World| async move {
    let (room, clerk, now) = (w.room(1).await, w.clerk().await, w.clock.now());
    let (key, ip) = (w.rng.id(now), String::new());
    let (account, meter) = (room.account, room.meter);
    let sale = NewOrder { key, account, meter, tender: Tender::Cash, amount: Fen(900), by: clerk, ip };
    orders::sell(&w.db, &w.rng, now, &Limits::default(), &sale).await.unwrap();
    let command = deliveries::next(&w.db, meter, now).await.unwrap().unwrap();
    let mut held = w.db.begin().await.unwrap();
    let correction = "UPDATE account_meters SET count = 7 WHERE meter_id = $1";
    match &mut held {
        Tx::Sqlite(c) => drop(sqlx::query(correction).bind(meter).execute(&mut **c).await.unwrap()),
        Tx::Postgres(c) => drop(sqlx::query(correction).bind(meter).execute(&mut **c).await.unwrap()),
    }
    let there = w.clone();
    let claim = tokio::spawn(async move { deliveries::claim(&there.db, &command).await });
    tokio::time::sleep(TO_THE_LOCK).await;
    held.commit().await.unwrap();
    assert_eq!(claim.await.unwrap().unwrap().claimed().map(|claim| claim.count), Some(8));
});

/// The second opening of a case beside its closing: only PostgreSQL lets both run.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_is_closed_meanwhile_is_opened_again() {
    let w = World::postgres().await;
    let (meter, now) = (w.meter(1).await, w.clock.now());
    let clock = |off_s| CaseDetail::Clock { off_s: Some(off_s), sets: 2 };
    let follow = |off_s: i64| {
        let w = w.clone();
        async move {
            let mut tx = w.db.begin().await.unwrap();
            let is_new = cases::follow(&mut tx, &w.rng, now, meter, &clock(off_s)).await.unwrap();
            tx.commit().await.unwrap();
            is_new
        }
    };
    assert!(follow(400).await);
    let mut closing = w.db.begin().await.unwrap();
    if let Tx::Postgres(c) = &mut closing {
        sqlx::query("UPDATE cases SET closed_at = 1, resolution = 'done'").execute(&mut **c).await.unwrap();
    }
    let following = tokio::spawn(follow(500));
    until_waiting(&w, &closing, 1).await;
    closing.commit().await.unwrap();
    assert!(following.await.unwrap());
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL AND detail LIKE '%500%'").await, 1);
}

fn opening(w: &World, clerk: UserId, meters: &[MeterId]) -> impl Future<Output = Result<AccountId, StoreError>> + Send + 'static {
    let resident = NewResident { name: "李".into(), login: "li".into(), password_hash: String::new() };
    let (meter, also, housemates, ip) = (meters[0], meters[1..].to_vec(), Vec::new(), String::new());
    let new = OpenAccount { number: None, meter, also, resident, housemates, first: None, by: clerk, ip };
    let w = w.clone();
    async move { accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &new).await }
}

/// The meter of `World::meter(1)` with another wallet.
fn without_wallet() -> MeterRow {
    MeterRow {
        serial: "000000000001".parse().unwrap(),
        room: RoomName { building: String::new(), floor: String::new(), room: "1".into() },
        gateway: "127.0.0.1:1502".into(),
        unit: 1,
        profile: "rpp".into(),
        wallet: Wallet::None,
    }
}

/// A meter with the serial number of a meter.
async fn numbered(w: &World) -> MeterId {
    let meter = w.meter(1).await;
    w.execute("UPDATE meters SET serial = '000000000001'").await;
    meter
}

both!(a_meter_that_is_being_retired_gets_no_account, |w: World| async move {
    let (meter, clerk) = (w.meter(1).await, w.clerk().await);
    let held = hold(&w, "meters WHERE id = $1", meter.0).await;
    let there = w.clone();
    let retire = async move { meter_setup::retire(&there.db, there.clock.now(), &who(clerk), meter, "烧毁").await };
    let (retired, opened) = at_once(&w, held, retire, opening(&w, clerk, &[meter])).await;
    retired.unwrap();
    assert!(matches!(opened, Err(StoreError::Refused(AppError::NotFound))), "{opened:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM account_meters").await, 0);
});

both!(a_meter_that_gets_an_account_is_not_changed, |w: World| async move {
    let (meter, clerk) = (numbered(&w).await, w.clerk().await);
    let held = hold(&w, "meters WHERE id = $1", meter.0).await;
    let there = w.clone();
    let change = async move { meter_setup::change(&there.db, there.clock.now(), &who(clerk), meter, &without_wallet()).await };
    let (opened, changed) = at_once(&w, held, opening(&w, clerk, &[meter]), change).await;
    opened.unwrap();
    assert!(matches!(changed, Err(StoreError::Refused(AppError::MeterInUse))), "{changed:?}");
});

/// The gateway of `World::meter(1)`.
async fn gateway(w: &World) -> meters::GatewayRow {
    meters::gateways(&w.db).await.unwrap().into_iter().find(|one| one.name == "127.0.0.1:1502").unwrap()
}

fn retiring(w: &World, clerk: UserId, gateway: GatewayId) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
    let w = w.clone();
    async move { gateways::retire(&w.db, w.clock.now(), &who(clerk), gateway).await }
}

both!(a_gateway_whose_meter_gets_an_account_is_not_retired, |w: World| async move {
    let (meter, gateway, clerk) = (w.meter(1).await, gateway(&w).await, w.clerk().await);
    let held = hold(&w, "meters WHERE id = $1", meter.0).await;
    let (opened, retired) = at_once(&w, held, opening(&w, clerk, &[meter]), retiring(&w, clerk, gateway.id)).await;
    opened.unwrap();
    assert!(matches!(retired, Err(StoreError::Refused(AppError::GatewayInUse))), "{retired:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM meters WHERE retired_at IS NOT NULL").await, 0);
});

both!(no_meter_is_added_behind_a_gateway_being_retired, |w: World| async move {
    let (_, gateway, clerk) = (w.meter(1).await, gateway(&w).await, w.clerk().await);
    let held = hold(&w, "gateways WHERE id = $1", gateway.id.0).await;
    let there = w.clone();
    let row = MeterRow { serial: "000000000002".parse().unwrap(), unit: 2, ..without_wallet() };
    let add = async move { meter_setup::add(&there.db, &there.rng, there.clock.now(), &who(clerk), &row).await };
    let (retired, added) = at_once(&w, held, retiring(&w, clerk, gateway.id), add).await;
    retired.unwrap();
    assert!(matches!(added, Err(StoreError::Refused(AppError::NotFound))), "{added:?}");
});

both!(no_meter_moves_behind_a_gateway_being_retired, |w: World| async move {
    let (meter, clerk) = (numbered(&w).await, w.clerk().await);
    let other = w.gateways(&[([127, 0, 0, 1], 1503).into()]).await[0];
    let held = hold(&w, "gateways WHERE id = $1", other.0).await;
    let there = w.clone();
    let row = MeterRow { gateway: "127.0.0.1:1503".into(), ..without_wallet() };
    let change = async move { meter_setup::change(&there.db, there.clock.now(), &who(clerk), meter, &row).await };
    let (retired, changed) = at_once(&w, held, retiring(&w, clerk, other), change).await;
    retired.unwrap();
    assert!(matches!(changed, Err(StoreError::Refused(AppError::NotFound))), "{changed:?}");
});

both!(a_gateway_being_retired_is_not_changed, |w: World| async move {
    let (_, gateway, clerk) = (w.meter(1).await, gateway(&w).await, w.clerk().await);
    let held = hold(&w, "gateways WHERE id = $1", gateway.id.0).await;
    let (there, settings) = (w.clone(), gateway.settings().unwrap());
    let change = async move {
        let (at, who) = (there.clock.now(), who(clerk));
        gateways::change(&there.db, at, &who, gateway.id, &settings, GatewayEdit::Change).await
    };
    let (retired, changed) = at_once(&w, held, retiring(&w, clerk, gateway.id), change).await;
    retired.unwrap();
    assert!(matches!(changed, Err(StoreError::Refused(AppError::NotFound))), "{changed:?}");
});

fn importing(w: &World, clerk: UserId, row: MeterRow) -> impl Future<Output = Result<bool, StoreError>> + Send + 'static {
    let w = w.clone();
    async move {
        let rows = SiteRows { meters: vec![Row { number: 1, value: row }], ..SiteRows::default() };
        let (password_hashes, limits, who) = (HashMap::new(), Limits::default(), who(clerk));
        let import = site_import::Import {
            rows: &rows,
            files: &[],
            site: "园区",
            password_hashes: &password_hashes,
            who: &who,
            way: ImportWay::CommandLine,
            limits: &limits,
            progress: &|_| {},
        };
        site_import::apply(&w.db, &w.rng, w.clock.now(), &import).await.map(|done| done.is_ok())
    }
}

both!(no_meter_is_imported_behind_a_gateway_being_retired, |w: World| async move {
    let (_, gateway, clerk) = (w.meter(1).await, gateway(&w).await, w.clerk().await);
    let held = hold(&w, "gateways WHERE id = $1", gateway.id.0).await;
    let row = MeterRow { serial: "000000000002".parse().unwrap(), unit: 2, ..without_wallet() };
    let (retired, imported) = at_once(&w, held, retiring(&w, clerk, gateway.id), importing(&w, clerk, row)).await;
    retired.unwrap();
    assert!(!imported.unwrap(), "the gateway is none any more");
});

both!(a_meter_that_gets_an_account_is_not_imported_anew, |w: World| async move {
    let (meter, clerk) = (numbered(&w).await, w.clerk().await);
    let held = hold(&w, "meters WHERE id = $1", meter.0).await;
    let import = importing(&w, clerk, without_wallet());
    let (opened, imported) = at_once(&w, held, opening(&w, clerk, &[meter]), import).await;
    opened.unwrap();
    assert!(!imported.unwrap(), "it conflicts with what the site has");
    assert_eq!(w.number("SELECT COUNT(*) FROM meters WHERE wallet = 'meter'").await, 1);
});

// Both lock meters before the row of the site, from which the account has its number.
both!(an_opening_on_two_meters_waits_for_an_import, |w: World| async move {
    let (imported, clerk) = (numbered(&w).await, w.clerk().await);
    let meter = w.meter_at(gateway(&w).await.id, 2, "000000000002").await;
    let beside = "UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.id = $1) WHERE unit = $2";
    bind(&w.db, beside, imported.0, &[2]).await;
    let held = hold(&w, "meters WHERE id = $1", imported.0).await;
    let import = importing(&w, clerk, without_wallet());
    let (done, opened) = at_once(&w, held, import, opening(&w, clerk, &[meter, imported])).await;
    assert!(done.unwrap());
    assert!(matches!(opened, Err(StoreError::Refused(AppError::Invalid))), "{opened:?}: it sells nothing any more");
    assert_eq!(w.number("SELECT COUNT(*) FROM accounts").await, 0);
});

/// Only PostgreSQL lets others write while one waits for a row.
#[tokio::test(flavor = "multi_thread")]
async fn a_meter_that_came_while_a_payment_waited_is_locked() {
    let shop = Shop::open(World::postgres().await).await;
    let w = shop.world.clone();
    shop.sandbox.set_faults(Faults { lose: true, ..Faults::default() });
    let (order, number) = shop.at_the_cashier(3_000).await;
    assert!(shop.sandbox.pay(&number));
    let attempt = shop.payments.attempt(&number).await.unwrap().unwrap();
    let answer = shop.payments.channel(Tender::Alipay).unwrap().query(&attempt).await.unwrap();
    let QueryResponse::Event(event) = answer else { panic!("it is paid") };

    w.execute("UPDATE account_meters SET to_at = 1").await;
    let held = hold(&w, "orders WHERE id = $1", order.0).await;
    let there = w.clone();
    let settling = tokio::spawn(async move { settle(&there.db, &there.rng, there.clock.now(), &[&event]).await });
    until_waiting(&w, &held, 1).await;
    w.execute("UPDATE account_meters SET to_at = NULL").await;
    // It leaves again before the payment is settled.
    let mut leaving = w.db.begin().await.unwrap();
    if let Tx::Postgres(c) = &mut leaving {
        sqlx::query("UPDATE account_meters SET to_at = 2").execute(&mut **c).await.unwrap();
    }
    held.commit().await.unwrap();
    until_waiting(&w, &leaving, 1).await;
    leaving.commit().await.unwrap();
    assert_eq!(settling.await.unwrap().unwrap(), [Outcome::Undeliverable]);
    assert_eq!(shop.state(order).await, "case");
}
