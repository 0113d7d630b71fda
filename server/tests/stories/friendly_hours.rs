//! Friendly hours and emergency credit, wherever the credit lives, on both databases.

use std::sync::Arc;

use app::api::resident::ResidentPort;
use domain::clock::{Clock, SystemClock};
use domain::friendly_limit::STRAGGLES_AFTER;
use estate::friendly_limits::{keep_meters, keep_wallets, never_read, stragglers};
use estate::{defaults, friendly_hours};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::friendly::{CalendarDay, CreditPeriod, DayKind, EmergencyCredit, FriendlyHours, MinuteOfDay, Night};
use model::ids::{BatchId, UserId};
use model::issue::Issue;
use model::money::Fen;
use model::parameters::Limits;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{DAY, Date, HOUR, MINUTE, Timestamp};
use payments::Payments;
use services::Context;
use services::residents::ResidentService;
use simulator::LineFault;
use store::batches::{self, NewBatch, PricesFrom};
use store::emergency_credits::{self, NewEmergencyCredit};
use store::{Db, parameters};
use story_support::refunding::refused;
use story_support::room_fixture::RoomFixture;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

/// A night from an hour before an instant until so many minutes after it.
fn around(at: Timestamp, minutes: i64) -> FriendlyHours {
    let civil = at.civil();
    let now = i64::from(civil.hour) * 60 + i64::from(civil.minute);
    let minute = |minute: i64| MinuteOfDay::new(minute.rem_euclid(24 * 60)).unwrap();
    let night = Night { from: minute(now - 60), until: minute(now + minutes) };
    FriendlyHours { night: Some(night), ..FriendlyHours::default() }
}

async fn resident(w: &World) -> UserId {
    let sql = "SELECT user_id FROM account_residents";
    UserId(match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    })
}

both!(an_empty_server_wallet_stays_on_until_morning, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 500).await;
    let (db, rng, start) = (&fixture.w.db, &fixture.w.rng, fixture.start);
    fixture
        .w
        .execute(
            "INSERT INTO alert_preferences (user_id, language, is_off, alarm1, alarm2, tonight, recharge, quiet_from, quiet_until)
             SELECT user_id, 'en', FALSE, FALSE, FALSE, FALSE, FALSE, 22, 7 FROM account_residents",
        )
        .await;
    fixture
        .w
        .execute(
            "INSERT INTO alert_addresses (user_id, channel, address, verified_at)
             SELECT user_id, 'sms', '13800138000', 1 FROM account_residents",
        )
        .await;
    let hours = around(start, 600);
    friendly_hours::set(db, start, &fixture.who(), DefaultsOf::Place(fixture.building), Some(&hours)).await.unwrap();
    assert_eq!(keep_wallets(db, rng, start).await.unwrap(), 1);
    assert_eq!(keep_wallets(db, rng, start).await.unwrap(), 0, "a restart changes nothing");
    // 7 yuan of 5 are used up, and used further.
    fixture.record(vec![fixture.reading(60, 8_000), fixture.reading(90, 8_100)]).await;
    assert!(fixture.relay().await, "nobody is tripped in friendly hours");
    assert_eq!(fixture.latest().remaining, Fen(-210), "what passed is owed");
    assert!(!fixture.latest().status.tripped_arrears());
    let told = "SELECT COUNT(*) FROM notifications WHERE kind = 'stays-on'";
    assert_eq!(fixture.w.number(told).await, 1, "until when is told once");
    // Another process at the same instant; then the end.
    assert_eq!(keep_wallets(db, rng, start.plus(9 * HOUR)).await.unwrap(), 0);
    fixture.w.clock.advance(11 * HOUR);
    assert_eq!(keep_wallets(db, rng, fixture.w.clock.now()).await.unwrap(), 1);
    assert!(!fixture.relay().await, "tripped when friendly hours are over");
    fixture.record(vec![fixture.reading(661, 8_100)]).await;
    assert!(fixture.latest().status.tripped_arrears());
    assert_eq!(fixture.reconcile().await, (1, r#"{"relay":{"closed":false}}"#.into()));
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'arrears'").await, 1);
    fixture.sell(account, 1_000).await.unwrap();
    assert!(fixture.relay().await);
    public_days_are_replaced(db, fixture.w.clock.now(), fixture.who().user).await;
    fixture.prove().await;
});

/// A file replaces the days from its first to its last; a year is removed whole.
async fn public_days_are_replaced(db: &Db, at: Timestamp, user: UserId) {
    let date = |year, month, day| Date::from_ymd(year, month, day).unwrap();
    let off = |day| CalendarDay { day, kind: DayKind::DayOff, name: "元旦".into() };
    let stored = async || {
        let days = friendly_hours::days(db, date(2026, 1, 1), date(2027, 12, 31)).await.unwrap();
        days.into_iter().map(|one| one.day).collect::<Vec<_>>()
    };
    let all = [date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2), date(2027, 10, 1)];
    friendly_hours::import(db, at, (user, ""), &all.map(off)).await.unwrap();
    friendly_hours::import(db, at, (user, ""), &[date(2027, 1, 1), date(2027, 1, 3)].map(off)).await.unwrap();
    assert_eq!(stored().await, [all[0], all[1], date(2027, 1, 3), all[3]]);
    friendly_hours::remove_year(db, at, (user, ""), 2027).await.unwrap();
    assert_eq!(stored().await, [all[0]], "the year before stays");
    assert_eq!(refused(friendly_hours::remove_year(db, at, (user, ""), 12_027).await), AppError::Invalid);
}

both!(a_meter_gets_the_friendly_limit_and_loses_it, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let (db, rng, meter) = (&s.w.db, &s.w.rng, s.rooms[0].meter);
    s.sell(0, 500).await;
    let boss = Who {
        user: s.clerk,
        role: Role::Admin,
        permissions: Permissions::of(Role::Admin),
        name: String::new(),
        ip: String::new(),
    };
    let (now, room) = (SystemClock.now(), defaults::room_of(db, meter).await.unwrap().unwrap());
    let unread = || async { never_read(db, &friendly_hours::tree(db).await.unwrap()).await.unwrap() };
    let hours = FriendlyHours { overdraft: Fen(2_000), ..around(now, 120) };
    friendly_hours::set(db, now, &boss, DefaultsOf::Place(room), Some(&hours)).await.unwrap();
    assert_eq!(unread().await, 1, "its limits are still to be read");
    friendly_hours::set(db, now, &boss, DefaultsOf::Place(room), None).await.unwrap();
    let engine = s.start().await;
    s.settled(SOON).await;
    let shown = || async { parameters::find(db, meter).await.unwrap().map(|(found, _)| found.limits.overdraft) };
    until(SOON, "the parameters", || async { shown().await.is_some() }).await;
    let base = shown().await.unwrap();
    let now = SystemClock.now();
    let hours = FriendlyHours { overdraft: Fen(i64::from(base) + 2_000), ..around(now, 120) };
    let raised = base + 2_000;
    friendly_hours::set(db, now, &boss, DefaultsOf::Place(room), Some(&hours)).await.unwrap();
    assert_eq!(unread().await, 0);
    s.sim.gateway(0).unwrap().fault(LineFault::LostAnswer, 0.5);
    assert_eq!(keep_meters(db, rng, now, None).await.unwrap(), 1);
    assert_eq!(keep_meters(db, rng, now, None).await.unwrap(), 0, "a restart in the middle changes nothing");
    engine.wake();
    // Until the command is sent: parameters that cannot be read are read again only after half a minute.
    let sent = "SELECT COUNT(*) FROM commands WHERE kind = 'limits' AND attempts > 0";
    until(SOON, "the command", || async { s.w.number(sent).await == 1 }).await;
    s.sim.gateway(0).unwrap().heal();
    until(SOON, "the raised limit", || async { shown().await == Some(raised) }).await;
    s.settled(SOON).await;
    let compared = defaults::limits_of(db, meter).await.unwrap().unwrap();
    assert_eq!(compared.overdraft, base, "it does not differ from its default parameters");
    assert_eq!(keep_meters(db, rng, now.plus(3 * MINUTE), None).await.unwrap(), 0);
    engine.stop().await;
    // The end of the night, while no engine runs.
    let later = now.plus(3 * HOUR);
    assert_eq!(keep_meters(db, rng, later, None).await.unwrap(), 1);
    assert_eq!(stragglers(db, later).await.unwrap(), []);
    let missed = stragglers(db, later.plus(STRAGGLES_AFTER)).await.unwrap();
    assert_eq!(missed.iter().map(|one| (one.meter, one.wanted.0)).collect::<Vec<_>>(), [(meter, base.into())]);
    // What an operator issues meanwhile holds, whatever the server sends before and after it, until it is cancelled.
    let (found, _) = parameters::find(db, meter).await.unwrap().unwrap();
    let alarm1 = |args: &str| args.split_once("\"alarm1\":").unwrap().1.split_once(',').unwrap().0.parse::<u32>().unwrap();
    let newest = "SELECT args FROM commands WHERE kind = 'limits' ORDER BY decided_at DESC, id DESC LIMIT 1";
    let issued = Limits { alarm1: found.limits.alarm1 + 100, overdraft: base + 300, ..found.limits };
    let batch = NewBatch { id: BatchId(rng.id(later)), issue: &Issue::Limits(issued), meters: &[meter] };
    batches::create(db, rng, later.plus(MINUTE), &boss, &batch, PricesFrom::Plan).await.unwrap();
    assert_eq!(keep_meters(db, rng, later.plus(2 * MINUTE), None).await.unwrap(), 0, "it is what the meter should have");
    let wanted = stragglers(db, later.plus(2 * MINUTE + STRAGGLES_AFTER)).await.unwrap();
    assert_eq!(wanted.iter().map(|one| one.wanted.0).collect::<Vec<_>>(), [i64::from(base) + 300]);
    let tonight = now.plus(DAY);
    assert_eq!(keep_meters(db, rng, tonight, None).await.unwrap(), 1);
    assert_eq!(alarm1(&s.w.word(newest).await), issued.alarm1);
    assert_eq!(batches::cancel(db, tonight.plus(MINUTE), &boss, batch.id, &[meter]).await.unwrap(), 1);
    assert_eq!(keep_meters(db, rng, tonight.plus(2 * MINUTE), None).await.unwrap(), 1);
    assert_eq!(alarm1(&s.w.word(newest).await), found.limits.alarm1);
    assert_eq!(keep_meters(db, rng, tonight.plus(3 * HOUR), None).await.unwrap(), 1);
    let engine = s.start().await;
    until(SOON, "the limit of before", || async { shown().await == Some(base) }).await;
    s.settled(SOON).await;
    assert_eq!(keep_meters(db, rng, later.plus(3 * MINUTE), None).await.unwrap(), 0);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM meter_overdrafts").await, 0, "nothing is left of it");
    // Emergency credit is a limit too, until a purchase repays it.
    friendly_hours::set(db, now, &boss, DefaultsOf::Place(room), None).await.unwrap();
    let (at, room) = (SystemClock.now(), s.rooms[0]);
    let new =
        NewEmergencyCredit { account: room.account, meter, amount: Fen(500), period_from: at.date(), by: room.resident, ip: "" };
    emergency_credits::take(db, rng, at, &new).await.unwrap();
    assert_eq!(keep_meters(db, rng, at, Some(meter)).await.unwrap(), 1);
    engine.wake();
    until(SOON, "the emergency credit", || async { shown().await == Some(base + 500) }).await;
    s.sell(0, 5_000).await;
    engine.wake();
    let repaid = "SELECT COUNT(*) FROM emergency_credits WHERE repaid_at IS NOT NULL";
    until(SOON, "the repayment", || async { s.w.number(repaid).await == 1 }).await;
    assert_eq!(keep_meters(db, rng, SystemClock.now(), None).await.unwrap(), 1);
    engine.wake();
    until(SOON, "the limit of before", || async { shown().await == Some(base) }).await;
    engine.stop().await;
    s.prove().await;
});

both!(emergency_credit_at_two_taps_is_one_and_is_repaid, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 500).await;
    let (db, start) = (&fixture.w.db, fixture.start);
    let hours = FriendlyHours { emergency: Fen(300), ..FriendlyHours::default() };
    friendly_hours::set(db, start, &fixture.who(), DefaultsOf::Place(fixture.building), Some(&hours)).await.unwrap();
    fixture.record(vec![fixture.reading(60, 6_500)]).await;
    assert!(!fixture.relay().await, "50 fen are owed");
    let config = payments::Config { public_url: "https://power.example".into(), ..payments::Config::default() };
    let (clock, rng) = (fixture.w.clock.clone(), fixture.w.rng.clone());
    let payments = Payments::new(&config, db.clone(), clock, rng, Arc::new(|| {})).unwrap();
    let context = Context { live: fixture.live.clone(), ..fixture.w.context().await };
    let residents = ResidentService::new(context, payments);
    let who = Who {
        user: resident(&fixture.w).await,
        role: Role::Resident,
        permissions: Permissions::of(Role::Resident),
        name: "Li".into(),
        ip: "10.0.0.2".into(),
    };
    assert_eq!(residents.emergency_credit(&who).await, Ok(EmergencyCredit::Offered { amount: Fen(300) }));
    let (one, other) = tokio::join!(residents.take_emergency_credit(&who), residents.take_emergency_credit(&who));
    assert_eq!((one, other), (Ok(()), Ok(())));
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM emergency_credits").await, 1);
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM audit WHERE action = 'account.emergency-credit'").await, 1);
    assert!(fixture.relay().await);
    assert_eq!(fixture.balance_e4().await, -5_000, "no money is made of it");
    fixture.record(vec![fixture.reading(90, 8_000)]).await;
    assert!(fixture.relay().await, "2 yuan of 3 are used");
    fixture.sell(account, 100).await.unwrap();
    let repaid = "SELECT COUNT(*) FROM emergency_credits WHERE repaid_at IS NOT NULL";
    assert_eq!(fixture.w.number(repaid).await, 0, "1 yuan is still owed");
    fixture.w.clock.advance(MINUTE);
    fixture.sell(account, 500).await.unwrap();
    assert_eq!(fixture.w.number(repaid).await, 1);
    fixture.prove().await;
    assert!(matches!(residents.emergency_credit(&who).await, Ok(EmergencyCredit::Used { .. })));
    let weekly = FriendlyHours { period: CreditPeriod::Week, ..hours };
    let now = fixture.w.clock.now();
    friendly_hours::set(db, now, &fixture.who(), DefaultsOf::Place(fixture.building), Some(&weekly)).await.unwrap();
    let of_week = residents.emergency_credit(&who).await;
    assert!(matches!(of_week, Ok(EmergencyCredit::Used { .. })), "{of_week:?}: another period that began before");
    fixture.record(vec![fixture.reading(120, 12_500)]).await;
    assert!(!fixture.relay().await, "the limit is gone");
    assert_eq!(residents.take_emergency_credit(&who).await, Err(AppError::Conflict), "once in a period");
    fixture.prove().await;
});

both!(a_purchase_that_comes_first_leaves_no_emergency_credit, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 500).await;
    // Somebody taps while the balance is low; what the page checks is read before the credit is stored.
    let at = fixture.w.clock.now();
    fixture.w.clock.advance(MINUTE);
    fixture.sell(account, 5_000).await.unwrap();
    let (meter, by) = (fixture.meter, fixture.clerk);
    let new = NewEmergencyCredit { account, meter, amount: Fen(300), period_from: at.date(), by, ip: "" };
    let taken = emergency_credits::take(&fixture.w.db, &fixture.w.rng, at, &new).await;
    assert_eq!(refused(taken), AppError::Conflict);
    fixture.prove().await;
});
