//! Account closures: every meter read, the balance returned or transferred, nothing lost by crashes; on both databases.

mod late_money;

use std::time::Duration;

use ::residents::rooms;
use domain::clock::{Clock, SystemClock};
use domain::ledger::Account;
use domain::order::Limits;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{ClosingId, MeterId, UserId};
use model::money::{Fen, Money};
use model::order::{OrderState, ReturnState, Tender};
use model::time::Timestamp;
use simulator::{BusTiming, LineFault};
use store::StoreError;
use store::accounts::{self, NewResident, OpenAccount};
use store::closings::{self, BalanceTarget, Counted, NewClosing};
use store::emergency_credits::{self, NewEmergencyCredit};
use store::orders::{self, NewOrder};
use store::returns::{self, NewReturn, ReturnSubject};
use story_support::closings::{CASH, RULES, advance, begin, owed, proved, read, seen, stocked, who};
use story_support::room_fixture::{RoomFixture, refused};
use story_support::rooms::Room;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

async fn pay(w: &World, at: Timestamp, by: UserId, closing: ClosingId) -> Result<returns::Return, StoreError> {
    let (id, _) = seen(w, closing).await.returned.unwrap();
    returns::pay_out(&w.db, &w.rng, at, &who(by), id).await
}

fn li(login: &str) -> NewResident {
    NewResident { name: login.into(), login: login.into(), password_hash: String::new() }
}

both!(a_closure_returns_the_balance_and_the_next_epoch_begins, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            let account = meter.account.as_mut().unwrap();
            // Ten yuan were used before the site was taken over.
            (account.count, account.order, account.cumulative, account.remaining) = (1, 5, 5_000, 4_000);
        }
    })
    .await;
    let engine = stocked(&s, &[4_000]).await;
    let (room, now) = (s.rooms[0], SystemClock.now());
    let new =
        NewClosing { key: s.w.rng.id(now), account: room.account, what: CASH, reason: "住户退宿".into(), who: who(s.clerk) };
    let begun = futures::future::join_all((0..4).map(|_| closings::begin(&s.w.db, &s.w.rng, now, &new))).await;
    let id = *begun[0].as_ref().unwrap();
    assert!(begun.iter().all(|one| *one.as_ref().unwrap() == id), "a form sent twice is one closing");
    assert_eq!(refused(begin(&s.w, now, s.clerk, room.account, CASH).await), Some(AppError::AccountClosing));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'close'").await, 1);
    // During the closure nothing else is credited or debited.
    let limits = Limits::default();
    let sale = NewOrder {
        key: s.w.rng.id(now),
        account: room.account,
        meter: room.meter,
        tender: Tender::Cash,
        amount: Fen(1_000),
        by: s.clerk,
        ip: String::new(),
    };
    assert_eq!(refused(orders::sell(&s.w.db, &s.w.rng, now, &limits, &sale).await), Some(AppError::AccountClosing));
    let of = ReturnSubject::Remaining { account: room.account, meter: room.meter, tender: Tender::Cash, amount: Fen(100) };
    let request = NewReturn { key: s.w.rng.id(now), of, reason: "x".into(), by: s.clerk, ip: String::new() };
    assert_eq!(refused(returns::ask(&s.w.db, &s.w.rng, now, &RULES, &limits, &request).await), Some(AppError::AccountClosing));

    read(&s, &engine, id).await;
    let view = s.view(0, 1);
    assert_eq!((view.account, view.remaining, view.relay_closed), (None, 0, false));
    let closing = seen(&s.w, id).await;
    assert_eq!((closing.meters[0].left, closing.meters[0].written_off), (Some(Fen(8_000)), Some(Money(0))));
    let (back, state) = closing.returned.unwrap();
    assert_eq!(state, ReturnState::Waiting, "much money needs two people here, too");
    assert!(rooms::of_resident(&s.w.db, room.resident).await.unwrap().is_none(), "whoever lived there sees it no more");
    assert_eq!(refused(pay(&s.w, now, s.clerk, id).await), Some(AppError::Conflict));
    assert_eq!(owed(&s.w, &Account::Carried).await, Money(800_000));
    proved(&s.w).await;

    let boss = s.w.admin("boss").await;
    returns::approve(&s.w.db, &s.w.rng, SystemClock.now(), &limits, &boss, back).await.unwrap();
    let paid = pay(&s.w, now, s.clerk, id).await.unwrap();
    assert_eq!(pay(&s.w, now, s.clerk, id).await.unwrap(), paid, "paid twice is paid once");
    assert!(seen(&s.w, id).await.ended_at.is_some());
    for account in [Account::Carried, Account::InMeter(room.account), Account::Paid(room.account)] {
        assert_eq!(owed(&s.w, &account).await, Money(0), "{account:?}");
    }
    assert_eq!(owed(&s.w, &Account::Cash).await, Money(400_000), "4000 taken, 8000 given back");
    assert_eq!(owed(&s.w, &Account::TakenOver).await, Money(-400_000), "what was used before is not ours");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM receipts").await, 2);
    proved(&s.w).await;

    // The room is free: the next account begins a new epoch in the same meter.
    let open = OpenAccount {
        number: None,
        meter: room.meter,
        also: Vec::new(),
        resident: li("next"),
        housemates: vec![li("friend")],
        first: None,
        by: s.clerk,
        ip: String::new(),
    };
    let next = accounts::open(&s.w.db, &s.w.rng, SystemClock.now(), &limits, &open).await.unwrap();
    let sale = NewOrder { account: next, key: s.w.rng.id(now), ..sale };
    orders::sell(&s.w.db, &s.w.rng, SystemClock.now(), &limits, &sale).await.unwrap();
    engine.wake();
    s.settled(SOON).await;
    let view = s.view(0, 1);
    assert_eq!((view.epoch, view.count, view.cumulative, view.remaining), (2, 1, 1_000, 1_000));
    assert_eq!(s.w.number("SELECT epoch FROM account_meters WHERE to_at IS NULL").await, 2);
    let page = queries::accounts(&s.w.db, s.clerk, &model::console::AccountQuery::default()).await.unwrap();
    assert_eq!(page.total, 2, "the closed one is still there");
    engine.stop().await;
    proved(&s.w).await;
});

both!(both_meters_of_one_account_close_together, |w: World| async move {
    let s = Site::with(w, 1, 4, |sim| {
        for (_, meter) in sim.estate.meters_mut().skip(1) {
            meter.account = None;
        }
    })
    .await;
    s.w.execute("UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.unit = 2) WHERE unit = 3").await;
    let (limits, now) = (Limits::default(), SystemClock.now());
    let engine = s.start().await;
    let open = |also: Vec<MeterId>| OpenAccount {
        number: None,
        meter: s.meters[1],
        also,
        resident: li("zhao"),
        housemates: vec![li("qian")],
        first: None,
        by: s.clerk,
        ip: String::new(),
    };
    let elsewhere = accounts::open(&s.w.db, &s.w.rng, now, &limits, &open(vec![s.meters[3]])).await;
    assert_eq!(refused(elsewhere), Some(AppError::Invalid), "a meter of another room");
    let account = accounts::open(&s.w.db, &s.w.rng, now, &limits, &open(vec![s.meters[2]])).await.unwrap();
    // A third one is added later.
    s.w.execute("UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.unit = 2) WHERE unit = 4").await;
    engine.wake();
    s.settled(SOON).await;
    let by = who(s.clerk);
    let add = |meter: MeterId| accounts::add_meter(&s.w.db, &s.w.rng, SystemClock.now(), &by, account, meter);
    assert_eq!(refused(add(s.meters[0]).await), Some(AppError::Invalid), "it is in another room");
    add(s.meters[3]).await.unwrap();
    assert_eq!(refused(add(s.meters[3]).await), Some(AppError::AccountAlreadyOpen));
    engine.wake();
    s.settled(SOON).await;
    // Emergency credit for one meter is repaid by a purchase into that one.
    let (at, meter) = (SystemClock.now(), s.meters[1]);
    let credit = NewEmergencyCredit { account, meter, amount: Fen(500), period_from: at.date(), by: s.clerk, ip: "" };
    emergency_credits::take(&s.w.db, &s.w.rng, at, &credit).await.unwrap();
    let repaid = "SELECT COUNT(*) FROM emergency_credits WHERE repaid_at IS NOT NULL";
    for (n, fen) in [(2, 502), (3, 203), (1, 1_001)] {
        let key = s.w.rng.id(now);
        let (meter, amount) = (s.meters[n], Fen(fen));
        let sale = NewOrder { key, account, meter, tender: Tender::Cash, amount, by: s.clerk, ip: String::new() };
        orders::sell(&s.w.db, &s.w.rng, SystemClock.now(), &limits, &sale).await.unwrap();
        engine.wake();
        s.settled(SOON).await;
        assert_eq!(s.w.number(repaid).await, i64::from(n == 1), "after a purchase into meter {n}");
    }
    let id = begin(&s.w, SystemClock.now(), s.clerk, account, CASH).await.unwrap();
    read(&s, &engine, id).await;
    assert_eq!(seen(&s.w, id).await.meters.len(), 3);
    let paid = pay(&s.w, SystemClock.now(), s.clerk, id).await.unwrap();
    assert_eq!(paid.amount, Fen(1_706));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0, "a meter that is being opened is no difference");
    engine.stop().await;
    proved(&s.w).await;
});

both!(a_lost_meter_blocks_its_closure_until_read_or_counted, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    let engine = stocked(&s, &[3_000, 2_000, 100]).await;
    for unit in [1, 2] {
        s.meter(0, unit).fault(LineFault::Silent, 1.0).unwrap();
    }
    let lost = "SELECT COUNT(*) FROM meter_latest WHERE lost_since IS NOT NULL";
    until(SOON, "both to be lost", || async { s.w.number(lost).await == 2 }).await;
    // One purchase was paid and is not in the meter.
    let late = s.sell(1, 700).await;
    let now = SystemClock.now();
    let (first, second) = (
        begin(&s.w, now, s.clerk, s.rooms[0].account, CASH).await.unwrap(),
        begin(&s.w, now, s.clerk, s.rooms[1].account, CASH).await.unwrap(),
    );
    advance(&s.w, now).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'closing'").await, 2);
    assert_eq!(advance(&s.w, now).await, 0, "and then it waits");
    // It answers again: the closing goes on by itself.
    s.meter(0, 1).heal().unwrap();
    read(&s, &engine, first).await;
    assert_eq!(seen(&s.w, first).await.meters[0].left, Some(Fen(3_000)));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'closing' AND closed_at IS NULL").await, 1);

    // The other one never answers again.
    let meter = s.rooms[1].meter;
    let count = |fen: i64| {
        let counted = Counted { remaining: Some(Fen(fen)), total: None, reason: "表已烧毁，按上次抄读".into() };
        let (w, by) = (s.w.clone(), who(s.clerk));
        async move { closings::count(&w.db, &w.rng, SystemClock.now(), &by, second, meter, &counted).await }
    };
    assert_eq!(refused(count(2_001).await), Some(AppError::ExceedsRemaining), "more than was put in");
    count(1_500).await.unwrap();
    assert_eq!(refused(count(1_500).await), Some(AppError::Conflict), "once");
    advance(&s.w, SystemClock.now()).await;
    proved(&s.w).await;
    pay(&s.w, SystemClock.now(), s.clerk, second).await.unwrap();
    assert_eq!(owed(&s.w, &Account::Consumption).await, Money(50_000), "the rest was used");
    // The pending credit is a case, and an operator reassigns it to another room.
    assert_eq!(s.order(&late).await.state, OrderState::Case);
    proved(&s.w).await;
    let neighbour = s.rooms[2].account;
    let by = who(s.clerk);
    let reassign = || orders::reassign(&s.w.db, &s.w.rng, SystemClock.now(), &by, late.id, neighbour);
    reassign().await.unwrap();
    assert_eq!(refused(reassign().await), Some(AppError::Conflict));
    engine.wake();
    until(SOON, "the neighbour's meter", || async { s.view(0, 3).remaining == 800 }).await;
    s.settled(SOON).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    engine.stop().await;
    proved(&s.w).await;
});

both!(an_unapproved_return_does_not_block_another, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let engine = stocked(&s, &[9_000, 100]).await;
    let (room, other): (Room, Room) = (s.rooms[0], s.rooms[1]);
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, CASH).await.unwrap();
    let early = closings::decide(&s.w.db, SystemClock.now(), &who(s.clerk), id, BalanceTarget::Account(other.account)).await;
    assert_eq!(refused(early), Some(AppError::Conflict), "the meter was not read yet");
    read(&s, &engine, id).await;
    let (back, _) = seen(&s.w, id).await.returned.unwrap();
    let boss = s.w.admin("boss").await;
    returns::reject(&s.w.db, SystemClock.now(), &boss, back, "转到新室友").await.unwrap();
    advance(&s.w, SystemClock.now()).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'closing' AND closed_at IS NULL").await, 1);
    assert_eq!(advance(&s.w, SystemClock.now()).await, 0);
    let own = closings::decide(&s.w.db, SystemClock.now(), &who(s.clerk), id, BalanceTarget::Account(room.account)).await;
    assert_eq!(refused(own), Some(AppError::Invalid));
    closings::decide(&s.w.db, SystemClock.now(), &who(s.clerk), id, BalanceTarget::Account(other.account)).await.unwrap();
    advance(&s.w, SystemClock.now()).await;
    engine.wake();
    until(SOON, "the other meter", || async { s.view(0, 2).remaining == 9_100 }).await;
    s.settled(SOON).await;
    let done = seen(&s.w, id).await;
    assert_eq!((done.carried.unwrap().1, done.ended_at.is_some()), (OrderState::Credited, true));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    engine.stop().await;
    proved(&s.w).await;
});

both!(a_crash_at_any_point_closes_an_account_once, |w: World| async move {
    let s = Site::with(w, 1, 4, |sim| sim.bus = Some(BusTiming::at(19_200))).await;
    let engine = stocked(&s, &[4_000, 3_000, 2_000, 1_000]).await;
    engine.stop().await;
    let mut ids = Vec::new();
    for room in 0..4 {
        // The last purchase is still on its way when the account closes.
        s.sell(room, 177).await;
        ids.push(begin(&s.w, SystemClock.now(), s.clerk, s.rooms[room].account, CASH).await.unwrap());
    }
    for n in 0..20 {
        let engine = s.start().await;
        tokio::time::sleep(Duration::from_millis(40 + 29 * (n % 11))).await;
        engine.abort();
        if n % 3 == 0 {
            advance(&s.w, SystemClock.now()).await;
        }
    }
    let (engine, boss) = (s.start().await, s.w.admin("boss").await);
    let limits = Limits::default();
    for (n, &id) in ids.iter().enumerate() {
        read(&s, &engine, id).await;
        assert_eq!(seen(&s.w, id).await.meters[0].left, Some(Fen(4_177 - 1_000 * n as i64)));
        // Together they are above the limit of a day.
        let (back, state) = seen(&s.w, id).await.returned.unwrap();
        if state == ReturnState::Waiting {
            returns::approve(&s.w.db, &s.w.rng, SystemClock.now(), &limits, &boss, back).await.unwrap();
        }
        pay(&s.w, SystemClock.now(), s.clerk, id).await.unwrap();
    }
    engine.stop().await;
    assert_eq!(owed(&s.w, &Account::Cash).await, Money(0), "everything went back");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'closed'").await, 4);
    assert!(s.sim.meters().iter().all(|meter| meter.view().unwrap().account.is_none()));
    proved(&s.w).await;
});

both!(a_server_wallet_is_closed_to_the_ten_thousandth, |w: World| async move {
    // 0.5017 yuan a kWh; 1.234 kWh cost 0.6190978.
    let (fixture, account) = RoomFixture::supplied(w, 5_017, 5_000).await;
    let w = fixture.w.clone();
    fixture.record(vec![fixture.reading(30, 2_000)]).await;
    w.clock.advance(31 * 60_000);
    let id = begin(&w, w.clock.now(), fixture.clerk, account, CASH).await.unwrap();
    assert_eq!(advance(&w, w.clock.now()).await, 0, "the last reading is older than the closing");
    fixture.record(vec![fixture.reading(32, 2_234)]).await;
    w.clock.advance(2 * 60_000);
    assert_eq!(advance(&w, w.clock.now()).await, 1);
    let closing = seen(&w, id).await;
    assert_eq!(closing.meters[0].total, Some(Energy(2_234)));
    assert_eq!((closing.meters[0].left, closing.meters[0].written_off), (Some(Fen(4_938)), Some(Money(10))));
    assert!(!fixture.relay().await, "the power is off");
    pay(&w, w.clock.now(), fixture.clerk, id).await.unwrap();
    assert_eq!(owed(&w, &Account::WriteOff).await, Money(10));
    assert_eq!(owed(&w, &Account::Wallet(account)).await, Money(0));
    // Energy from now on belongs to no account.
    fixture.record(vec![fixture.reading(60, 3_000)]).await;
    fixture.prove().await;
    // The next account begins with its own first reading.
    w.clock.advance(60 * 60_000);
    let resident = li("next");
    let new = OpenAccount {
        number: None,
        meter: fixture.meter,
        also: Vec::new(),
        resident,
        housemates: Vec::new(),
        first: None,
        by: fixture.clerk,
        ip: String::new(),
    };
    let next = accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &new).await.unwrap();
    fixture.record(vec![fixture.reading(100, 3_500), fixture.reading(130, 3_600)]).await;
    assert!(owed(&w, &Account::Wallet(next)).await < Money(0));
    // Overdrawn and never paid: written off.
    w.clock.advance(60 * 60_000);
    let id = begin(&w, w.clock.now(), fixture.clerk, next, CASH).await.unwrap();
    let counted = Counted { remaining: None, total: Some(Energy(3_700)), reason: "抄表".into() };
    let lower = Counted { total: Some(Energy(3_599)), ..counted.clone() };
    let count = |counted: Counted| {
        let (w, by, meter) = (w.clone(), who(fixture.clerk), fixture.meter);
        async move { closings::count(&w.db, &w.rng, w.clock.now(), &by, id, meter, &counted).await }
    };
    assert_eq!(refused(count(lower).await), Some(AppError::Invalid));
    count(counted).await.unwrap();
    advance(&w, w.clock.now()).await;
    let closing = seen(&w, id).await;
    assert!(closing.ended_at.is_some() && closing.meters[0].written_off.unwrap() < Money(0), "{closing:?}");
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0);
    fixture.prove().await;
});
