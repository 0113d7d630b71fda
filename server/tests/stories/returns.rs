//! Returns and corrections: the meter is debited before money is paid, a second person approves large amounts, and each happens
//! once; on both databases.

mod corrections;

use std::time::{Duration, Instant};

use domain::clock::{Clock, SystemClock};
use domain::ledger::Account;
use domain::order::Limits;
use domain::returns::Rules;
use domain::wall_layout::Scope;
use model::error::AppError;
use model::ids::{ReturnId, UserId, Uuid};
use model::money::{Fen, Money};
use model::order::{ReturnState, Tender};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{HOUR, Timestamp};
use simulator::{BusTiming, LineFault};
use store::returns::{self, NewReturn, Return, ReturnSubject};
use store::users::{self, NewUser};
use store::{Db, StoreError, Tx, commands, deliveries, ledger, money_operations, on};
use story_support::rooms::Room;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

/// A second person approves above this amount.
const RULES: Rules = Rules { approve_above_fen: 5_000, approval_hours: 24 };

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AppError {
    match result {
        Err(StoreError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Sells and delivers this amount, and waits for readings that show it.
async fn stocked(w: World, meters: u8, fen: i64) -> (Site, meters::GatewayHandle) {
    let s = Site::new(w, 1, meters).await;
    for room in 0..usize::from(meters) {
        s.sell(room, fen).await;
    }
    let engine = s.start().await;
    s.settled(SOON).await;
    until_read(&s).await;
    (s, engine)
}

/// Waits until a reading shows credit in every meter.
async fn until_read(s: &Site) {
    let held = "SELECT COUNT(*) FROM meter_latest WHERE observed_at IS NOT NULL AND remaining_fen > 0";
    until(SOON, "the readings", || async { s.w.number(held).await == s.rooms.len() as i64 }).await;
}

fn return_request(s: &Site, of: ReturnSubject) -> NewReturn {
    let key = s.w.rng.id(SystemClock.now());
    NewReturn { key, of, reason: "住户退宿".into(), by: s.clerk, ip: "127.0.0.1".into() }
}

fn part(s: &Site, room: usize, fen: i64) -> ReturnSubject {
    let Room { account, meter, .. } = s.rooms[room];
    ReturnSubject::Remaining { account, meter, tender: Tender::Cash, amount: Fen(fen) }
}

async fn ask(s: &Site, new: &NewReturn) -> Result<Return, StoreError> {
    returns::ask(&s.w.db, &s.w.rng, SystemClock.now(), &RULES, &Limits::default(), new).await
}

async fn state(s: &Site, row: &Return) -> ReturnState {
    returns::find(&s.w.db, row.id).await.unwrap().unwrap().state
}

async fn until_state(s: &Site, row: &Return, expected: ReturnState) {
    until(SOON, &format!("{expected:?}"), || async { state(s, row).await == expected }).await;
}

async fn pay(s: &Site, row: &Return) -> Result<Return, StoreError> {
    let who = who(s.clerk);
    returns::pay_out(&s.w.db, &s.w.rng, SystemClock.now(), &who, row.id).await
}

fn who(user: UserId) -> Who {
    Who { user, role: Role::Cashier, permissions: Permissions::of(Role::Cashier), name: String::new(), ip: "10.0.0.9".into() }
}

async fn balance(s: &Site, account: &Account) -> Money {
    ledger::credit_balance(&s.w.db, account).await.unwrap()
}

async fn colleague(w: &World, login: &str, role: Role) -> UserId {
    let user = NewUser { role, login, name: login, password_hash: "x", buildings: &Scope::All };
    users::create(&w.db, &w.rng, SystemClock.now(), &user, "test").await.unwrap()
}

both!(a_return_is_paid_only_after_the_meter_confirmed, |w: World| async move {
    let (s, engine) = stocked(w, 1, 8_000).await;
    let new = return_request(&s, part(&s, 0, 3_000));
    let row = ask(&s, &new).await.unwrap();
    assert_eq!(row.state, ReturnState::Taking);
    assert_eq!(ask(&s, &new).await.unwrap().id, row.id, "a form sent twice is one return");
    assert_eq!(refused(ask(&s, &NewReturn { of: part(&s, 0, 2_000), ..new }).await), AppError::Conflict);
    assert_eq!(refused(pay(&s, &row).await), AppError::Conflict, "nothing before the meter was read back");
    assert_eq!(balance(&s, &Account::Cash).await, Money(-800_000));

    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;
    let view = s.view(0, 1);
    assert_eq!((view.count, view.cumulative, view.remaining), (2, 5_000, 5_000));
    assert_eq!(balance(&s, &Account::Paid(s.rooms[0].account)).await, Money(300_000), "owed to the resident until it is paid");

    let paid = pay(&s, &row).await.unwrap();
    assert_eq!(pay(&s, &row).await.unwrap(), paid, "paid twice is paid once");
    assert_eq!(balance(&s, &Account::Cash).await, Money(-500_000));
    assert_eq!(balance(&s, &Account::Paid(s.rooms[0].account)).await, Money(0));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action LIKE 'return.%'").await, 2);
    // The sale and the return, without a gap.
    assert_eq!(s.w.number("SELECT COUNT(*) FROM receipts").await, 2);
    assert_eq!(s.w.number("SELECT MAX(number) FROM receipts").await, 2);
    engine.stop().await;
    s.prove().await;
});

both!(of_two_returns_confirmed_at_once_one_is_asked_again, |w: World| async move {
    let (s, engine) = stocked(w, 1, 8_000).await;
    let Room { account, meter, .. } = s.rooms[0];
    let seen = money_operations::count(&s.w.db, account, meter).await.unwrap();
    let confirm = |new: NewReturn| {
        let (db, rng) = (&s.w.db, &s.w.rng);
        async move { returns::ask_as_seen(db, rng, SystemClock.now(), (&RULES, &Limits::default()), &new, seen).await }
    };
    let (mine, theirs) = (return_request(&s, part(&s, 0, 3_000)), return_request(&s, part(&s, 0, 3_000)));
    let (one, other) = tokio::join!(confirm(mine.clone()), confirm(theirs.clone()));
    let (done, again) = if one.is_ok() { (one, other) } else { (other, one) };
    assert_eq!(refused(again), AppError::MoneyMoved, "both saw 80.00 yuan and meant the same 30.00");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM returns").await, 1);

    // The same form, twice.
    let repeated = [confirm(mine).await, confirm(theirs).await];
    assert_eq!(repeated.iter().flatten().map(|asked| asked.row.id).collect::<Vec<_>>(), [done.unwrap().row.id]);

    // A sale in between moves the amount, too.
    let seen_now = seen + 1;
    s.sell(0, 1_000).await;
    let late = return_request(&s, part(&s, 0, 1_000));
    let (now, limits) = (SystemClock.now(), Limits::default());
    let late = returns::ask_as_seen(&s.w.db, &s.w.rng, now, (&RULES, &limits), &late, seen_now).await;
    assert_eq!(refused(late), AppError::MoneyMoved);
    engine.stop().await;
});

both!(a_correction_locks_its_sale_before_the_meter, |w: World| async move {
    let (s, engine) = stocked(w, 1, 8_000).await;
    let sold = s.sell(0, 1_000).await;
    engine.wake();
    until(SOON, "the sale", || async { s.order(&sold).await.credited_at.is_some() }).await;
    engine.stop().await;
    let Room { account, meter, .. } = s.rooms[0];
    let seen = money_operations::count(&s.w.db, account, meter).await.unwrap();
    let new = return_request(&s, ReturnSubject::Sale(sold.id, Fen(500)));
    // As a settlement: the order first, then its meter.
    let mut settlement = s.w.db.begin().await.unwrap();
    let sql = "UPDATE orders SET state = state WHERE id = $1";
    on!(&mut settlement, |c| sqlx::query(sql).bind(sold.id).execute(c).await).unwrap();
    let limits = Limits::default();
    let asked = returns::ask_as_seen(&s.w.db, &s.w.rng, SystemClock.now(), (&RULES, &limits), &new, seen);
    let settled = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // SQLite has one writer.
        if let Tx::Postgres(connection) = &mut settlement {
            let sql = "SELECT FROM account_meters WHERE account_id = $1 AND meter_id = $2 FOR NO KEY UPDATE";
            sqlx::query(sql).bind(account).bind(meter).execute(&mut **connection).await.unwrap();
        }
        settlement.commit().await.unwrap();
    };
    let (asked, ()) = tokio::join!(asked, settled);
    assert!(asked.unwrap().is_new, "neither waits for the other for ever");
});

both!(a_return_above_the_meters_balance_is_not_paid, |w: World| async move {
    let (s, engine) = stocked(w, 1, 4_000).await;
    assert_eq!(refused(ask(&s, &return_request(&s, part(&s, 0, 4_001))).await), AppError::ExceedsRemaining);
    let (first, second) = (return_request(&s, part(&s, 0, 2_500)), return_request(&s, part(&s, 0, 2_500)));
    ask(&s, &first).await.unwrap();
    assert_eq!(refused(ask(&s, &second).await), AppError::ExceedsRemaining, "what is on its way out is not there twice");
    engine.wake();
    s.settled(SOON).await;

    // The book has not heard yet that the meter holds less: the meter itself is read before it is told.
    engine.stop().await;
    s.w.execute("UPDATE meter_latest SET remaining_fen = 9000").await;
    let Room { account, meter, .. } = s.rooms[0];
    let more = ReturnSubject::Remaining { account, meter, tender: Tender::Transfer, amount: Fen(2_400) };
    let row = ask(&s, &return_request(&s, more)).await.unwrap();
    let engine = s.start().await;
    until_state(&s, &row, ReturnState::Refused).await;
    assert_eq!(refused(pay(&s, &row).await), AppError::Conflict);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'delivery'").await, 0, "nothing waits for it");
    // And the meter takes the next purchase.
    let sold = s.sell(0, 1_000).await;
    engine.wake();
    until(SOON, "the sale", || async { s.order(&sold).await.credited_at.is_some() }).await;
    engine.stop().await;
    s.prove().await;
});

both!(a_return_from_a_lost_meter_can_be_withdrawn, |w: World| async move {
    let (s, engine) = stocked(w, 2, 4_000).await;
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    let (row, other) = (
        ask(&s, &return_request(&s, part(&s, 0, 1_000))).await.unwrap(),
        ask(&s, &return_request(&s, part(&s, 0, 500))).await.unwrap(),
    );
    engine.wake();
    until(SOON, "the note", || async { s.w.number("SELECT COUNT(*) FROM commands WHERE reason = 'lost'").await > 0 }).await;
    assert_eq!(refused(pay(&s, &row).await), AppError::Conflict);
    let who = who(s.clerk);
    returns::cancel(&s.w.db, SystemClock.now(), &who, row.id).await.unwrap();
    assert_eq!(refused(returns::cancel(&s.w.db, SystemClock.now(), &who, row.id).await), AppError::Conflict);
    s.meter(0, 1).heal().unwrap();
    until_state(&s, &other, ReturnState::Taken).await;
    assert_eq!(refused(returns::cancel(&s.w.db, SystemClock.now(), &who, other.id).await), AppError::Conflict);
    s.settled(SOON).await;
    assert_eq!((state(&s, &row).await, s.view(0, 1).count), (ReturnState::Cancelled, 2), "one of them was debited");
    engine.stop().await;
    s.prove().await;
});

both!(a_return_above_the_limit_needs_a_second_person, |w: World| async move {
    let (s, engine) = stocked(w, 1, 20_000).await;
    let row = ask(&s, &return_request(&s, part(&s, 0, 5_001))).await.unwrap();
    assert_eq!((row.state, row.command_id), (ReturnState::Waiting, None), "nothing was told to the meter");
    let approve = |user: UserId, at: Timestamp| {
        let (db, rng, who, id) = (s.w.db.clone(), s.w.rng.clone(), who(user), row.id);
        async move { returns::approve(&db, &rng, at, &Limits::default(), &who, id).await }
    };
    let now = SystemClock.now();
    let (novice, boss) = (colleague(&s.w, "novice", Role::Cashier).await, colleague(&s.w, "boss", Role::Admin).await);
    assert_eq!(refused(approve(novice, now).await), AppError::SecondPerson);
    // Also one who may approve never approves their own.
    s.w.execute("UPDATE users SET role = 'manager' WHERE login = 'clerk'").await;
    assert_eq!(refused(approve(s.clerk, now).await), AppError::SecondPerson);
    assert_eq!(refused(approve(boss, now.plus(25 * HOUR)).await), AppError::Conflict, "too late");
    approve(boss, now).await.unwrap();
    assert_eq!(refused(approve(boss, now).await), AppError::Conflict, "once");
    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;

    let no = ask(&s, &return_request(&s, part(&s, 0, 6_000))).await.unwrap();
    s.w.execute("UPDATE users SET role = 'manager' WHERE login = 'novice'").await;
    returns::reject(&s.w.db, now, &who(novice), no.id, "金额不对").await.unwrap();
    let late = ask(&s, &return_request(&s, part(&s, 0, 6_000))).await.unwrap();
    assert_eq!(returns::expire(&s.w.db, now.plus(24 * HOUR + HOUR)).await.unwrap(), 1);
    assert_eq!((state(&s, &no).await, state(&s, &late).await), (ReturnState::Rejected, ReturnState::Expired));
    let said = "SELECT subject FROM audit WHERE action = 'return.expire' AND actor = 'system'";
    assert_eq!(s.w.word(said).await, format!("return:{}", late.id));
    assert_eq!(s.view(0, 1).count, 2);
    engine.stop().await;
    s.prove().await;
});

both!(concurrent_decisions_take_effect_once, |w: World| async move {
    let (s, engine) = stocked(w, 1, 20_000).await;
    let new = return_request(&s, part(&s, 0, 6_000));
    let asked = futures::future::join_all((0..6).map(|_| ask(&s, &new))).await;
    let row = asked[0].as_ref().unwrap().clone();
    assert!(asked.iter().all(|one| one.as_ref().unwrap().id == row.id));
    let mut bosses = Vec::new();
    for login in ["boss1", "boss2", "boss3", "boss4"] {
        bosses.push(who(colleague(&s.w, login, Role::Admin).await));
    }
    let now = SystemClock.now();
    let limits = Limits::default();
    let approved =
        futures::future::join_all(bosses.iter().map(|who| returns::approve(&s.w.db, &s.w.rng, now, &limits, who, row.id))).await;
    assert_eq!(approved.iter().filter(|one| one.is_ok()).count(), 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'debit'").await, 1);
    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;
    let paid = futures::future::join_all((0..4).map(|_| pay(&s, &row))).await;
    assert!(paid.iter().all(Result::is_ok));
    assert_eq!(balance(&s, &Account::Cash).await, Money(-1_400_000));
    // Two corrections of one sale, and the count of the drawer beside them.
    let wrong = s.sell(0, 1_000).await;
    engine.wake();
    s.settled(SOON).await;
    let nothing = return_request(&s, ReturnSubject::Sale(wrong.id, Fen::ZERO));
    assert_eq!(refused(ask(&s, &nothing).await), AppError::AmountOutOfRange);
    let both = [
        return_request(&s, ReturnSubject::Sale(wrong.id, Fen(1_000))),
        return_request(&s, ReturnSubject::Sale(wrong.id, Fen(900))),
    ];
    let asked = futures::future::join_all(both.iter().map(|new| ask(&s, new))).await;
    assert_eq!(asked.iter().filter(|one| one.is_ok()).count(), 1);
    s.settled(SOON).await;
    engine.stop().await;
    s.prove().await;
});

both!(an_uncertain_debit_waits_for_a_decision_and_is_not_paid, |w: World| async move {
    let (s, engine) = stocked(w, 1, 4_000).await;
    engine.stop().await;
    s.w.execute("UPDATE account_meters SET count = 7").await;
    let row = ask(&s, &return_request(&s, part(&s, 0, 1_000))).await.unwrap();
    let engine = s.start().await;
    until_state(&s, &row, ReturnState::Case).await;
    assert_eq!(refused(pay(&s, &row).await), AppError::Conflict);
    s.w.execute("UPDATE account_meters SET count = 1").await;
    s.w.execute("UPDATE commands SET count = 2 WHERE kind = 'debit'").await;
    let decision = deliveries::Decision { by: s.clerk, ip: "", at: SystemClock.now(), seen: None };
    deliveries::try_again(&s.w.db, s.held_command().await, &decision).await.unwrap();
    assert_eq!(state(&s, &row).await, ReturnState::Taking);
    engine.wake();
    until_state(&s, &row, ReturnState::Taken).await;
    pay(&s, &row).await.unwrap();
    engine.stop().await;
    s.prove().await;
});

both!(a_crash_at_any_point_debits_once, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| sim.bus = Some(BusTiming::at(19_200))).await;
    for room in 0..2 {
        s.sell(room, 9_000).await;
    }
    let engine = s.start().await;
    s.settled(SOON).await;
    until_read(&s).await;
    engine.stop().await;
    let mut rows = Vec::new();
    for n in 0..6 {
        rows.push(ask(&s, &return_request(&s, part(&s, n % 2, 500 + n as i64))).await.unwrap());
    }
    for n in 0..24 {
        let engine = s.start().await;
        tokio::time::sleep(Duration::from_millis(35 + 23 * (n % 13))).await;
        engine.abort();
    }
    let engine = s.start().await;
    s.settled(SOON).await;
    engine.stop().await;
    for row in &rows {
        assert_eq!(state(&s, row).await, ReturnState::Taken);
        pay(&s, row).await.unwrap();
    }
    let taken: i64 = rows.iter().map(|row| row.amount.0).sum();
    assert_eq!(balance(&s, &Account::Cash).await, Money((taken - 18_000) * 100));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert!(commands::due(&s.w.db, SystemClock.now(), 10).await.unwrap().is_empty());
    s.prove().await;
});

/// More at once than the pool has connections: pay-outs that took a second one inside their transactions stalled for 9.6 s.
#[tokio::test(flavor = "multi_thread")]
async fn pay_outs_at_once_do_not_wait_for_connections() {
    let w = World::postgres().await;
    w.room(1).await;
    let clerk = w.clerk().await;
    story_support::bind(
        &w.db,
        "INSERT INTO returns (id, number, key, kind, account_id, meter_id, tender, amount_fen, reason, state, asked_by, asked_at)
         SELECT gen_random_uuid(), n, gen_random_uuid(), 'return', m.account_id, m.meter_id, 'transfer', 100, 'x', 'taken', $1, 1
         FROM account_meters m, generate_series(1, 24) AS n",
        clerk.0,
        &[],
    )
    .await;
    let Db::Postgres { pool, .. } = &w.db else { unreachable!() };
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM returns").fetch_all(pool).await.unwrap();
    let who = who(clerk);
    let begun = Instant::now();
    let paid = ids.into_iter().map(|id| returns::pay_out(&w.db, &w.rng, w.clock.now(), &who, ReturnId(id)));
    for one in futures::future::join_all(paid).await {
        assert_eq!(one.unwrap().state, ReturnState::Done);
    }
    println!("24 pay-outs at once: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(w.number("SELECT COUNT(*) FROM receipts").await, 24);
}
