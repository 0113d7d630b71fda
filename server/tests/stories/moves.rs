//! Moves to another room and meter replacements: the balance reaches the next meter once, on both databases.

use ::residents::rooms;
use domain::clock::{Clock, SystemClock};
use domain::ledger::Account;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{ClosingId, CommandId, MeterId};
use model::issue::Issue;
use model::log_in::LogInMethod;
use model::meter::{ControlMode, Wallet};
use model::money::{Fen, Money};
use model::order::{CommandState, OrderState, Tender};
use model::parameters::{Limits, Parameters, Slot, TierPeriod, Tiers};
use model::tariff;
use model::time::{DAY, Timestamp};
use people::tokens::{self, NewToken};
use simulator::LineFault;
use store::closings::{self, BalanceTarget, ClosingRequest, Counted, Device};
use store::commands::NewCommand;
use store::emergency_credits::{self, NewEmergencyCredit};
use store::sessions::{self, NewSession};
use store::{StoreError, meters, parameters, prices, wallets};
use story_support::closings::{CASH, advance, begin, owed, proved, read, seen, stocked, who};
use story_support::room_fixture::{RoomFixture, refused};
use story_support::shop::Shop;
use story_support::site::{SOON, Site, enqueue, until};
use story_support::{World, both};

/// A site whose second meter of two has no account.
async fn spare(w: World) -> Site {
    Site::with(w, 1, 2, |sim| {
        for (_, meter) in sim.estate.meters_mut().skip(1) {
            meter.account = None;
        }
    })
    .await
}

/// The second meter, as an unregistered one.
async fn device(s: &Site, unit: u8) -> Device {
    let row = meters::find(&s.w.db, s.meters[usize::from(unit) - 1]).await.unwrap().unwrap();
    let gateway = row.gateway_id;
    Device { serial: row.serial, gateway, unit, profile: row.profile, wallet: Wallet::Meter }
}

async fn install(w: &World, by: model::ids::UserId, id: ClosingId, device: &Device) -> Result<MeterId, StoreError> {
    closings::install(&w.db, &w.rng, SystemClock.now(), &who(by), id, device).await
}

both!(an_account_moves_with_its_residents_and_balance, |w: World| async move {
    let s = spare(w).await;
    let engine = stocked(&s, &[6_000]).await;
    let (room, to) = (s.rooms[0], s.meters[1]);
    let now = SystemClock.now();
    let (session, user, expires_at) = ([8; 32], room.resident, now.plus(DAY));
    let log_in = LogInMethod::Password.into();
    let open = NewSession { hash: session, user, log_in, ip: String::new(), agent: String::new(), expires: expires_at };
    sessions::open(&s.w.db, now, &open).await.unwrap();
    let token = NewToken { hash: [7; 32], session, name: "clock", reads_use: true, reads_records: false, expires_at };
    tokens::create(&s.w.db, &s.w.rng, now, &who(room.resident), &token).await.unwrap();
    // The old meter is lost; the residents can use the new room without waiting for it.
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Move { to }).await.unwrap();
    let again = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Move { to }).await;
    assert_eq!(refused(again), Some(AppError::AccountClosing));
    engine.wake();
    until(SOON, "the new account", || async { s.view(0, 2).account.is_some() }).await;
    let lives = rooms::of_resident(&s.w.db, room.resident).await.unwrap().unwrap();
    assert_eq!(lives.meter_id, to);
    let in_use = tokens::find(&s.w.db, &token.hash, SystemClock.now()).await.unwrap();
    assert!(in_use.is_some_and(|token| token.user_id == room.resident), "a token goes along");
    s.meter(0, 1).heal().unwrap();
    read(&s, &engine, id).await;
    // A crash: whatever follows uses the stored state.
    engine.abort();
    advance(&s.w, SystemClock.now()).await;
    let engine = s.start().await;
    until(SOON, "the money", || async { s.view(0, 2).remaining == 6_000 }).await;
    s.settled(SOON).await;
    assert_eq!(advance(&s.w, SystemClock.now()).await, 0);
    let done = seen(&s.w, id).await;
    assert_eq!((done.carried.unwrap().1, s.view(0, 1).account), (OrderState::Credited, None));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM orders WHERE tender = 'carried'").await, 1);
    assert_eq!(owed(&s.w, &Account::InMeter(lives.account_id)).await, Money(600_000));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'closed'").await, 1);
    assert!(tokens::find(&s.w.db, &token.hash, SystemClock.now()).await.unwrap().is_some(), "also when the old room is closed");
    engine.stop().await;
    proved(&s.w).await;
});

both!(an_occupied_room_is_not_moved_into, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let now = SystemClock.now();
    let taken = begin(&s.w, now, s.clerk, s.rooms[0].account, ClosingRequest::Move { to: s.meters[1] }).await;
    assert_eq!(refused(taken), Some(AppError::AccountAlreadyOpen));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'open'").await, 2, "nothing changed");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands").await, 0);
    proved(&s.w).await;
});

both!(a_late_payment_follows_the_account_to_its_new_room, |w: World| async move {
    let shop = Shop::open(w).await;
    let w = shop.world.clone();
    let (clerk, to) = (w.clerk().await, w.meter(77).await);
    let (order, number) = shop.at_the_cashier(5_000).await;
    begin(&w, w.clock.now(), clerk, shop.room.account, ClosingRequest::Move { to }).await.unwrap();
    assert!(shop.sandbox.pay(&number));
    shop.until(&number, |trade| trade.acknowledged == 1).await;
    let paid = shop.order(order).await;
    assert_eq!((paid.state.as_str(), paid.meter_id), ("paid", to));
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!(owed(&w, &Account::Paid(shop.room.account)).await, Money(0));
    proved(&w).await;
});

both!(a_replaced_meters_balance_is_transferred_once, |w: World| async move {
    let s = spare(w).await;
    let engine = stocked(&s, &[5_000]).await;
    let room = s.rooms[0];
    let new = device(&s, 2).await;
    let (at, meter) = (SystemClock.now(), room.meter);
    let credit =
        NewEmergencyCredit { account: room.account, meter, amount: Fen(500), period_from: at.date(), by: room.resident, ip: "" };
    emergency_credits::take(&s.w.db, &s.w.rng, at, &credit).await.unwrap();
    // The new meter is not registered yet.
    s.w.execute("UPDATE meters SET retired_at = 1 WHERE unit = 2").await;
    engine.reload();
    let what = ClosingRequest::Replace { meter: room.meter };
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, what).await.unwrap();
    assert_eq!(refused(begin(&s.w, SystemClock.now(), s.clerk, room.account, CASH).await), Some(AppError::Conflict));
    assert_eq!(refused(install(&s.w, s.clerk, id, &new).await), Some(AppError::Conflict), "the old one is not read yet");
    read(&s, &engine, id).await;
    assert_eq!((s.view(0, 1).account, seen(&s.w, id).await.meters[0].left), (None, Some(Fen(5_000))));
    proved(&s.w).await;
    let wrong = Device { wallet: Wallet::Server, profile: "dds238".into(), ..new.clone() };
    assert_eq!(refused(install(&s.w, s.clerk, id, &wrong).await), Some(AppError::Invalid));
    let all = futures::future::join_all((0..3).map(|_| install(&s.w, s.clerk, id, &new))).await;
    let installed = install(&s.w, s.clerk, id, &new).await.unwrap();
    assert!(all.iter().all(|one| one.as_ref().is_ok_and(|meter| *meter == installed)), "one, however often: {all:?}");
    let another = Device { serial: "990000000009".into(), ..new.clone() };
    assert!(refused(install(&s.w, s.clerk, id, &another).await).is_some(), "and no other one");
    engine.abort();
    let engine = s.start().await;
    until(SOON, "the new meter", || async { s.view(0, 2).remaining == 5_000 }).await;
    s.settled(SOON).await;
    let view = s.view(0, 2);
    assert_eq!((view.epoch, view.count, view.cumulative), (1, 1, 5_000));
    let repaid = "SELECT COUNT(*) FROM emergency_credits WHERE repaid_at IS NOT NULL";
    assert_eq!(s.w.number(repaid).await, 1, "emergency credit followed to the new meter");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'open'").await, 1, "the account stayed open");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meters WHERE retired_at IS NULL").await, 1);
    let lives = rooms::of_resident(&s.w.db, room.resident).await.unwrap().unwrap();
    assert_eq!((lives.account_id, lives.meter_id == room.meter), (room.account, false));
    engine.stop().await;
    proved(&s.w).await;
});

both!(a_dead_meters_pending_credit_goes_to_the_new_meter, |w: World| async move {
    let s = spare(w).await;
    let engine = stocked(&s, &[5_000]).await;
    let room = s.rooms[0];
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    let late = s.sell(0, 300).await;
    s.w.execute("UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.unit = 1)").await;
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Replace { meter: room.meter }).await.unwrap();
    let counted = Counted { remaining: Some(Fen(4_200)), total: None, reason: "屏显".into() };
    closings::count(&s.w.db, &s.w.rng, SystemClock.now(), &who(s.clerk), id, room.meter, &counted).await.unwrap();
    advance(&s.w, SystemClock.now()).await;
    assert_eq!(s.order(&late).await.state, OrderState::Case);
    // The meter is already registered in the room and is used.
    let new = install(&s.w, s.clerk, id, &device(&s, 2).await).await.unwrap();
    assert_eq!(new, s.meters[1]);
    engine.reload();
    engine.wake();
    until(SOON, "all of it", || async { s.view(0, 2).remaining == 4_500 }).await;
    s.settled(SOON).await;
    assert_eq!(s.order(&late).await.state, OrderState::Credited);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    assert_eq!(owed(&s.w, &Account::Consumption).await, Money(80_000));
    engine.stop().await;
    proved(&s.w).await;
});

both!(an_abandoned_replacement_closes_the_account, |w: World| async move {
    let s = spare(w).await;
    let engine = stocked(&s, &[500]).await;
    let room = s.rooms[0];
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Replace { meter: room.meter }).await.unwrap();
    read(&s, &engine, id).await;
    closings::decide(&s.w.db, SystemClock.now(), &who(s.clerk), id, BalanceTarget::Counter(Tender::Cash)).await.unwrap();
    advance(&s.w, SystemClock.now()).await;
    advance(&s.w, SystemClock.now()).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'closed'").await, 1);
    assert_eq!(refused(install(&s.w, s.clerk, id, &device(&s, 2).await).await), Some(AppError::Conflict));
    engine.stop().await;
    proved(&s.w).await;
});

both!(a_new_meter_gets_the_old_meters_settings, |w: World| async move {
    let s = spare(w).await;
    let engine = stocked(&s, &[5_000]).await;
    let room = s.rooms[0];
    let limits = Limits { alarm1: 2_500, alarm2: 800, overdraft: 100, hoarding: 90_000, overload_w: 1_500 };
    let tiers = Tiers { period: TierPeriod::Month, thresholds: [20_000, 40_000], surcharges: [500, 3_000] };
    let (at, slots) = (Timestamp(1_900_000_000_000), vec![Slot { rate: 4, hour: 0, minute: 0 }]);
    for issue in [
        Issue::Limits(limits),
        Issue::Prices([9_000, 7_000, 5_383, 3_000]),
        Issue::Tiers(tiers),
        Issue::DayTable { table: 2, slots: slots.clone() },
        Issue::Mode(ControlMode::Guaranteed),
        Issue::Standby { prices: [9_500, 7_500, 5_500, 3_500], at },
    ] {
        s.command(room.meter, issue).await;
    }
    s.settled(SOON).await;
    let known = |meter: MeterId| {
        let db = s.w.db.clone();
        async move { parameters::find(&db, meter).await.unwrap().map(|(found, _)| found) }
    };
    until(SOON, "the old meter's parameters", || async {
        known(room.meter).await.is_some_and(|one| one.switch_over == Some(at))
    })
    .await;
    // It fails before it receives new prices.
    s.meter(0, 1).fault(LineFault::Silent, 1.0).unwrap();
    let prices = [9_900, 7_700, 5_500, 3_300];
    s.command(room.meter, Issue::Prices(prices)).await;
    // The server has raised the overdraft limit for a night, and has not brought the change to the meter yet.
    s.w.execute(
        "INSERT INTO meter_overdrafts (meter_id, before_fen, before_at, base_fen, limit_fen, since)
         SELECT id, 40, 1, 40, 100, 1 FROM meters WHERE unit = 1",
    )
    .await;
    let (now, raised) = (SystemClock.now(), Issue::Limits(limits).into());
    let raised = NewCommand::setting(CommandId(s.w.rng.id(now)), room.meter, raised, None);
    enqueue(&s.w, now, &raised, None).await;
    let id = begin(&s.w, SystemClock.now(), s.clerk, room.account, ClosingRequest::Replace { meter: room.meter }).await.unwrap();
    let counted = Counted { remaining: Some(Fen(5_000)), total: None, reason: "屏显".into() };
    closings::count(&s.w.db, &s.w.rng, SystemClock.now(), &who(s.clerk), id, room.meter, &counted).await.unwrap();
    advance(&s.w, SystemClock.now()).await;
    let found = known(room.meter).await.unwrap();
    assert_eq!(found.limits, limits);
    let limits = Limits { overdraft: 40, ..limits };
    let wanted = Parameters { prices, limits, ..found };
    s.w.execute("UPDATE meters SET place_id = (SELECT m.place_id FROM meters m WHERE m.unit = 1)").await;
    let new = install(&s.w, s.clerk, id, &device(&s, 2).await).await.unwrap();
    let told = seen(&s.w, id).await.settings;
    assert_eq!(told.len(), 8, "limits, prices, tiers, two tables, the plan, what is planned, the mode: {told:?}");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meter_overdrafts").await, 0);
    engine.reload();
    engine.wake();
    // Each setting was sent and read back; the new meter then reports the settings of the old one.
    until(SOON, "the new meter's parameters", || async { known(new).await.is_some_and(|found| found == wanted) }).await;
    until(SOON, "the commands", || async { seen(&s.w, id).await.settings.iter().all(|one| one.state == CommandState::Done) })
        .await;
    until(SOON, "the money", || async { s.view(0, 2).remaining == 5_000 }).await;
    assert_eq!(s.view(0, 2).mode, ControlMode::Guaranteed);
    assert_eq!((wanted.tiers, &wanted.day_tables[1]), (tiers, &slots));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'parameters'").await, 0, "all of it was ours");
    engine.stop().await;
    proved(&s.w).await;
});

both!(a_server_wallet_continues_at_its_tier_on_the_new_meter, |w: World| async move {
    let fixture = RoomFixture::new(w).await;
    let w = fixture.w.clone();
    // 0.5 yuan a kWh, above 2 kWh a year twice that.
    let tiers = tariff::Tiers { period: TierPeriod::Year, thresholds: [2_000, 90_000], surcharges: [5_000, 9_000] };
    let plan = fixture.publish(None, tariff::Prices { tiers, ..tariff::Prices::flat(5_000) }).await.unwrap();
    prices::assign(&w.db, w.clock.now(), Some(&fixture.who()), fixture.building, plan).await.unwrap();
    let account = fixture.open().await.unwrap();
    fixture.record(vec![fixture.reading(0, 1_000), fixture.reading(30, 3_000)]).await;
    fixture.sell(account, 5_000).await.unwrap();
    w.clock.advance(31 * 60_000);
    let id = begin(&w, w.clock.now(), fixture.clerk, account, ClosingRequest::Replace { meter: fixture.meter }).await.unwrap();
    let counted = Counted { remaining: None, total: Some(Energy(3_500)), reason: "屏显".into() };
    w.clock.advance(60_000);
    closings::count(&w.db, &w.rng, w.clock.now(), &who(fixture.clerk), id, fixture.meter, &counted).await.unwrap();
    advance(&w, w.clock.now()).await;
    w.execute("UPDATE wallets SET overload_w = 900").await;
    let device = Device {
        serial: "000000000002".into(),
        gateway: fixture.gateway,
        unit: 1,
        profile: "dds238".into(),
        wallet: Wallet::Server,
    };
    let new = closings::install(&w.db, &w.rng, w.clock.now(), &who(fixture.clerk), id, &device).await.unwrap();
    let view = wallets::view(&w.db, new).await.unwrap().unwrap();
    assert_eq!((view.tier_wh.0, view.overload_w), (2_500, 900));
    // 2 kWh at 0.5 yuan and 0.5 kWh at 1 yuan were consumed; the account keeps the rest, whichever meter it has.
    assert_eq!(owed(&w, &Account::Wallet(account)).await, Money(500_000 - 15_000));
    let fixture = RoomFixture { meter: new, ..fixture };
    fixture.record(vec![fixture.reading(40, 10), fixture.reading(70, 1_010)]).await;
    assert_eq!(owed(&w, &Account::Wallet(account)).await, Money(500_000 - 25_000), "the second tier from the first kWh on");
    let (first, last) = (fixture.start.date(), w.clock.now().date().plus(1));
    let cost = people::month_cost::of_account(&w.db, account, first, last).await.unwrap();
    assert_eq!(cost, Some(Fen(250)), "on both meters");
    assert!(seen(&w, id).await.ended_at.is_some());
    fixture.prove().await;
});

both!(a_meter_without_an_account_is_replaced, |w: World| async move {
    let s = spare(w).await;
    let now = SystemClock.now();
    let swap = |old: MeterId, device: Device| {
        let (w, by) = (s.w.clone(), who(s.clerk));
        async move { closings::swap(&w.db, &w.rng, now, &by, old, &device, "坏表").await }
    };
    let new = Device { serial: "990000000001".into(), ..device(&s, 2).await };
    assert_eq!(refused(swap(s.meters[0], new.clone()).await), Some(AppError::AccountAlreadyOpen));
    let taken = Device { serial: device(&s, 1).await.serial, ..new.clone() };
    assert_eq!(refused(swap(s.meters[1], taken).await), Some(AppError::SerialTaken));
    let id = swap(s.meters[1], new.clone()).await.unwrap();
    assert_eq!(meters::find(&s.w.db, id).await.unwrap().unwrap().serial, new.serial);
    assert_eq!(refused(swap(s.meters[1], new).await), Some(AppError::NotFound));
    proved(&s.w).await;
});
