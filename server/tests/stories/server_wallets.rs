//! Server wallets: charged once per reading despite crashes; opened, topped up, warned, tripped and restored.

use std::collections::BTreeMap;

use ::meters::recorder::MeterEvent;
use ::residents::rooms::{self, Switch};
use domain::clock::Clock;
use domain::order::Limits;
use domain::returns::Rules;
use domain::rollup::{ConsumptionInterval, Parts};
use estate::place_groups;
use model::console::Gap;
use model::energy::Energy;
use model::error::AppError;
use model::ids::{CaseId, CommandId};
use model::meter::{ControlMode, SupplyState};
use model::money::Fen;
use model::order::{OrderState, ReturnState, Tender};
use model::parameters::TierPeriod;
use model::tariff::{Prices, Tiers, parse_plan};
use model::time::{HOUR, MINUTE, SECOND};
use store::prices::{self, Publication};
use store::returns::{self, NewReturn, ReturnSubject};
use store::{Db, console, counters, meters, readings, wallets};
use story_support::room_fixture::{RoomFixture, refused};
use story_support::{World, both};
use verify::Rule;

both!(consumption_is_debited_and_its_remainder_carried, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_401, 5_000).await;
    // 77 Wh x 0.5401 yuan/kWh = 0.0415877 yuan each: three of them, then a restart, then one.
    fixture.record((1..=3).map(|n| fixture.reading(n * 30, 1_000 + n * 77)).collect()).await;
    assert_eq!(fixture.balance_e4().await, 500_000 - 1_247, "0.1247631 yuan, of which 631 units are carried");
    fixture.record(vec![fixture.reading(120, 1_308)]).await;
    assert_eq!(fixture.balance_e4().await, 500_000 - 1_663, "0.1663508 yuan");
    let latest = fixture.latest();
    assert_eq!((latest.remaining, latest.state()), (Fen(4_983), SupplyState::Open));
    assert_eq!(fixture.w.number("SELECT remaining_fen FROM readings ORDER BY at DESC LIMIT 1").await, 4_983);
    let lines = wallets::day_charges(&fixture.w.db, account, fixture.meter, fixture.start.date()).await.unwrap();
    assert_eq!(lines.iter().map(|line| (line.wh.0, line.price_e4, line.cost_e7)).collect::<Vec<_>>(), [(308, 5_401, 1_663_508)]);
    let posted = "SELECT COUNT(*) FROM charges c JOIN ledger_transfers t ON t.reference = c.id AND t.at = c.at - 1";
    assert_eq!(fixture.w.number(posted).await, 4, "what ends at midnight is of the day that ends");
    fixture.prove().await;
});

both!(a_return_from_a_server_wallet_is_immediate, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 5_000).await;
    let (db, rng) = (&fixture.w.db, &fixture.w.rng);
    let now = fixture.w.clock.now();
    let ask = |of: ReturnSubject| {
        let new = NewReturn { key: rng.id(now), of, reason: "退宿".into(), by: fixture.clerk, ip: String::new() };
        async move { returns::ask(db, rng, now, &Rules::default(), &Limits::default(), &new).await }
    };
    let some = |fen: i64| ReturnSubject::Remaining { account, meter: fixture.meter, tender: Tender::Card, amount: Fen(fen) };
    // Half a yuan was consumed; the charged amount is no longer available.
    fixture.record(vec![fixture.reading(30, 1_500)]).await;
    assert_eq!(refused(ask(some(4_951)).await), Some(AppError::ExceedsRemaining));
    let row = ask(some(4_950)).await.unwrap();
    assert_eq!((row.state, row.command_id), (ReturnState::Taken, None), "there is no meter to wait for");
    assert!(!fixture.relay().await, "nothing left");
    assert_eq!(fixture.balance_e4().await, 0);
    returns::pay_out(db, rng, now, &fixture.who(), row.id).await.unwrap();
    fixture.prove().await;

    ask(ReturnSubject::Return(row.id)).await.unwrap();
    assert!(fixture.relay().await, "taken back: it is there again");
    assert_eq!(fixture.balance_e4().await, 495_000);
    let wrong = fixture.sell(account, 1_000).await.unwrap();
    let undone = ask(ReturnSubject::Sale(wrong.id, Fen(1_000))).await.unwrap();
    returns::pay_out(db, rng, now, &fixture.who(), undone.id).await.unwrap();
    assert_eq!(fixture.balance_e4().await, 495_000);
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM commands WHERE money").await, 0);
    fixture.prove().await;
});

both!(a_batch_stored_twice_or_retried_charges_once, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 5_000).await;
    let at = fixture.start.plus(HOUR);
    let metered = wallets::Metered {
        meter: fixture.meter,
        at,
        interval: Some(ConsumptionInterval { from: fixture.start, to: at, energy: Energy(500), parts: Parts::default() }),
        counts: true,
        total: Energy(1_500),
        load: None,
        before: None,
    };
    // A crash between the charge and the commit leaves nothing.
    let mut tx = fixture.w.db.begin().await.unwrap();
    let charged = wallets::charge(&mut tx, &fixture.w.rng, at, &[metered]).await.unwrap();
    assert_eq!(charged[&fixture.meter].wallet.remaining, Fen(4_950));
    drop(tx);
    assert_eq!(fixture.balance_e4().await, 500_000);
    // The same reading again, and again as after a lost answer.
    fixture.record(vec![fixture.reading(60, 1_500)]).await;
    let batch = readings::Batch { metered: vec![metered, metered], ..Default::default() };
    for _ in 0..2 {
        let shown: BTreeMap<_, _> = readings::write(&fixture.w.db, &fixture.w.rng, at, &batch).await.unwrap();
        assert_eq!(shown[&fixture.meter].wallet.remaining, Fen(4_950));
    }
    assert_eq!(fixture.balance_e4().await, 495_000);
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM charges").await, 1);
    fixture.prove().await;
});

both!(prices_start_on_time_and_the_nearest_place_wins, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 5_000).await;
    let tiers = Tiers { period: TierPeriod::Month, thresholds: [1_300, 9_000], surcharges: [10_000, 20_000] };
    let dearer = Prices { tiers, ..Prices::flat(20_000) };
    fixture.publish(Some(fixture.start.plus(HOUR)), dearer.clone()).await.unwrap();
    assert_eq!(refused(fixture.publish(Some(fixture.start.plus(HOUR)), dearer.clone()).await), Some(AppError::Conflict));
    assert_eq!(
        refused(fixture.publish(Some(fixture.start.plus(-1)), dearer).await),
        Some(AppError::Invalid),
        "what was charged stays"
    );
    let broken = Prices { plan: parse_plan("13-01=1").unwrap(), ..Prices::flat(1) };
    assert_eq!(refused(fixture.publish(Some(fixture.start.plus(9 * HOUR)), broken).await), Some(AppError::Invalid));
    // 2 kWh over two hours, half of them at the new price; its tiers count from its first kWh on.
    fixture.record(vec![fixture.reading(120, 3_000)]).await;
    let cost =
        |lines: &[wallets::DayCharge]| -> Vec<_> { lines.iter().map(|l| (l.version, l.tier, l.wh.0, l.price_e4)).collect() };
    let lines = wallets::day_charges(&fixture.w.db, account, fixture.meter, fixture.start.date()).await.unwrap();
    assert_eq!(cost(&lines), [(1, 1, 1_000, 10_000), (2, 1, 1_000, 20_000)]);
    assert_eq!(fixture.balance_e4().await, 500_000 - 10_000 - 20_000);
    // A plan of the room's group, from half past two on; then 1 kWh over one hour.
    let (w, who) = (&fixture.w, fixture.who());
    let room = meters::find(&w.db, fixture.meter).await.unwrap().unwrap().place_id;
    let flat = async |plan: &str, price| {
        let new = Publication { plan: plan.into(), effective_at: None, prices: Prices::flat(price) };
        prices::publish(&w.db, &w.rng, w.clock.now(), None, &new).await.unwrap()
    };
    w.clock.advance(150 * MINUTE);
    let group = place_groups::create(&w.db, &w.rng, w.clock.now(), &who, "quiet").await.unwrap();
    place_groups::change(&w.db, w.clock.now(), &who, group, &[room], &[]).await.unwrap();
    let plan = flat("group", 1_000).await;
    let mut tx = w.db.begin().await.unwrap();
    prices::assign_group_within(&mut tx, w.clock.now(), None, group, Some(plan)).await.unwrap();
    tx.commit().await.unwrap();
    fixture.record(vec![fixture.reading(180, 4_000)]).await;
    // 0.3 kWh in tier 1 at 2 yuan, 0.2 in tier 2 at 3 yuan, 0.5 at 0.1 yuan.
    assert_eq!(fixture.balance_e4().await, 470_000 - 6_000 - 6_000 - 500);
    // Then one of the room's own, which goes before its group's: 1 kWh at 0.2 yuan.
    w.clock.advance(30 * MINUTE);
    let own = flat("room", 2_000).await;
    prices::assign(&w.db, w.clock.now(), None, room, own).await.unwrap();
    fixture.record(vec![fixture.reading(240, 5_000)]).await;
    assert_eq!(fixture.balance_e4().await, 457_500 - 2_000);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action LIKE 'prices.%'").await, 7);
    fixture.prove().await;
});

both!(an_account_starts_at_the_first_reading_after_opening, |w: World| async move {
    let fixture = RoomFixture::new(w).await;
    assert_eq!(refused(fixture.open().await), Some(AppError::NoPrices));
    fixture.priced(10_000).await;
    fixture.record(vec![fixture.seen(-30, 400, 0, false)]).await;
    let account = fixture.open().await.unwrap();
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM commands").await, 0, "no frame for a meter without a wallet");
    assert!(!fixture.relay().await);
    // Read before the opening and reported after it.
    fixture.record(vec![fixture.seen(-1, 450, 0, false)]).await;
    assert_eq!(fixture.w.word("SELECT state FROM accounts").await, "opening");
    // The first purchase may be sold meanwhile.
    let order = fixture.sell(account, 2_500).await.unwrap();
    assert_eq!((order.state, order.count, order.remaining), (OrderState::Credited, Some(1), Some(Fen(2_500))));
    fixture.record(vec![fixture.seen(1, 460, 0, false)]).await;
    assert_eq!(fixture.w.word("SELECT state FROM accounts").await, "open");
    assert!(fixture.relay().await, "supplied");
    assert_eq!(fixture.balance_e4().await, 250_000, "what passed before is not the resident's");
    fixture.record(vec![fixture.reading(30, 960)]).await;
    assert_eq!(fixture.balance_e4().await, 245_000);
    fixture.prove().await;
});

both!(a_sale_is_credited_at_once_up_to_the_hoarding_limit, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 1_000).await;
    let limits = wallets::Limits {
        alarm1: Fen(2_000),
        alarm2: Fen(500),
        overdraft: Fen(0),
        hoarding: Fen(3_000),
        overload_w: 0,
        malignant_w: 0,
    };
    let backwards = wallets::Limits { alarm2: Fen(2_001), ..limits };
    let now = fixture.w.clock.now();
    assert_eq!(
        refused(wallets::set_limits(&fixture.w.db, &fixture.w.rng, now, &fixture.who(), fixture.meter, &backwards).await),
        Some(AppError::Invalid)
    );
    wallets::set_limits(&fixture.w.db, &fixture.w.rng, now, &fixture.who(), fixture.meter, &limits).await.unwrap();
    assert_eq!(refused(fixture.sell(account, 2_001).await), Some(AppError::HoardingLimit));
    let order = fixture.sell(account, 2_000).await.unwrap();
    assert_eq!((order.state, order.count, order.remaining), (OrderState::Credited, Some(2), Some(Fen(3_000))));
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM commands").await, 0);
    fixture.prove().await;
});

both!(exhausted_credit_warns_trips_and_a_top_up_restores, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 2_500).await;
    let mut seen = Vec::new();
    for (minutes, wh) in [(30, 5_990), (60, 6_010), (600, 21_010), (800, 27_000)] {
        fixture.record(vec![fixture.reading(minutes, wh)]).await;
        seen.push((fixture.latest().state(), fixture.relay().await));
    }
    let (open, one, two, out) = (SupplyState::Open, SupplyState::Alarm1, SupplyState::Alarm2, SupplyState::Arrears);
    assert_eq!(seen, [(open, true), (one, true), (two, true), (out, false)]);
    assert_eq!(fixture.latest().remaining, Fen(-100), "what passed is debited");
    assert!(fixture.latest().status.tripped_arrears());
    // One command, however often it is looked at; a meter that is lost gets none until it is back.
    fixture
        .record(vec![MeterEvent::MeterLost { meter: fixture.meter, since: fixture.start.plus(805 * MINUTE), alone: true }])
        .await;
    assert_eq!(fixture.reconcile().await.0, 0);
    fixture.record(vec![fixture.reading(810, 27_050)]).await;
    fixture.w.clock.advance(811 * MINUTE);
    assert_eq!(fixture.reconcile().await, (1, r#"{"relay":{"closed":false}}"#.into()));
    assert_eq!(fixture.reconcile().await.0, 0);
    // A top-up before it is sent supersedes it without another command, as the relay is still closed.
    fixture.sell(account, 3_000).await.unwrap();
    assert!(fixture.relay().await);
    fixture.record(vec![fixture.seen(812, 27_050, 0, false)]).await;
    fixture.w.clock.advance(SECOND);
    assert_eq!(fixture.reconcile().await, (1, r#"{"relay":{"closed":true}}"#.into()));
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM commands WHERE state = 'superseded'").await, 1);
    assert!(!fixture.latest().status.tripped_arrears());
    assert_eq!(fixture.latest().remaining, Fen(2_895));
    fixture.prove().await;
});

both!(an_operator_override_beats_the_balance_and_ends_a_trip, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 2_500).await;
    let now = fixture.w.clock.now();
    let limits = wallets::Limits {
        alarm1: Fen(0),
        alarm2: Fen(0),
        overdraft: Fen(0),
        hoarding: Fen(0),
        overload_w: 2_000,
        malignant_w: 0,
    };
    wallets::set_limits(&fixture.w.db, &fixture.w.rng, now, &fixture.who(), fixture.meter, &limits).await.unwrap();
    // A start-up peak is no overload; three readings in a row are.
    let power = |minutes, power_w| fixture.seen(minutes, 1_000, power_w, true);
    fixture.record(vec![power(1, 2_500), power(2, 100), power(3, 2_500), power(4, 2_500)]).await;
    assert!(fixture.relay().await);
    fixture.record(vec![power(5, 2_500)]).await;
    assert!(!fixture.relay().await && fixture.latest().status.tripped_overload());
    // A top-up does not release it; an operator does.
    fixture.sell(account, 1_000).await.unwrap();
    fixture.record(vec![power(6, 0)]).await;
    assert!(!fixture.relay().await && fixture.latest().status.tripped_overload());
    let mode = async |mode| {
        let key = fixture.w.rng.id(now);
        console::set_mode(&fixture.w.db, &fixture.w.rng, now, &fixture.who(), fixture.meter, mode, key).await.unwrap();
        fixture.record(vec![MeterEvent::ServerWallets]).await;
        (
            fixture.w.word("SELECT args FROM commands ORDER BY decided_at DESC, id DESC LIMIT 1").await,
            fixture.latest().status.mode(),
        )
    };
    assert_eq!(mode(ControlMode::Prepaid).await, (r#"{"relay":{"closed":true}}"#.into(), ControlMode::Prepaid));
    assert!(!fixture.latest().status.tripped_overload());
    assert_eq!(mode(ControlMode::ForcedOff).await, (r#"{"relay":{"closed":false}}"#.into(), ControlMode::ForcedOff));
    assert_eq!(mode(ControlMode::Guaranteed).await, (r#"{"relay":{"closed":true}}"#.into(), ControlMode::Guaranteed));
    assert_eq!(mode(ControlMode::Prepaid).await.1, ControlMode::Prepaid);
    // The resident's switch, twice by the same form.
    let request = Switch {
        key: fixture.w.rng.id(now),
        account,
        meter: fixture.meter,
        on: false,
        by: fixture.clerk,
        ip: String::new(),
        schedule: None,
    };
    for _ in 0..2 {
        assert_eq!(rooms::switch(&fixture.w.db, &fixture.w.rng, now, &request).await.unwrap(), CommandId(request.key));
    }
    assert_eq!(rooms::switching(&fixture.w.db, fixture.meter).await.unwrap(), Some((CommandId(request.key), false)));
    assert!(!fixture.relay().await);
    fixture.record(vec![MeterEvent::ServerWallets]).await;
    assert!(fixture.latest().status.user_switch_off());
    // A switching by schedule that the meter did not get in time is undone, or its relay would be moved hours later.
    let schedule =
        "INSERT INTO switch_schedules (id, account_id, weekdays, off_minute, on_minute, next_at, next_on, last_at, last_on,
                        last_outcome, last_command_id, created_by, created_at)
                    SELECT $1, c.account_id, 127, 1380, 390, $2, TRUE, $2, FALSE, 'sent', c.id, c.decided_by, $2
                    FROM commands c WHERE c.id = $1";
    story_support::bind(&fixture.w.db, schedule, request.key, &[now.0]).await;
    let later = now.plus(11 * MINUTE);
    let withdrawn = ::residents::schedules::withdraw_unsent(&fixture.w.db, &fixture.w.rng, later, now.plus(MINUTE)).await;
    assert_eq!((withdrawn.unwrap(), fixture.relay().await), (1, true));
    fixture.record(vec![MeterEvent::ServerWallets]).await;
    assert!(!fixture.latest().status.user_switch_off());
    fixture.prove().await;
});

both!(a_held_reading_is_free_and_a_wrong_charge_reversed, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 5_000).await;
    // The counter fell: held until an operator records a replacement at 2.0 kWh by a meter starting at 0.
    fixture.record(vec![fixture.reading(30, 1_500), fixture.reading(60, 20), fixture.reading(90, 120)]).await;
    assert_eq!(fixture.balance_e4().await, 495_000);
    let case = match &fixture.w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar("SELECT id FROM cases").fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar("SELECT id FROM cases").fetch_one(pool).await.unwrap(),
    };
    let gap = Gap::Replaced { end: Energy(2_000), start: Energy(0) };
    let at = fixture.start.plus(91 * MINUTE);
    counters::settle(&fixture.w.db, &fixture.w.rng, at, &fixture.who(), CaseId(case).into(), gap, "new meter").await.unwrap();
    assert_eq!(fixture.balance_e4().await, 495_000 - 6_200, "0.5 kWh of the old meter and 0.12 of the new one");
    fixture.record(vec![fixture.reading(120, 220)]).await;
    assert_eq!(fixture.balance_e4().await, 495_000 - 7_200);
    fixture.prove().await;
    let charged = wallets::charges(&fixture.w.db, fixture.meter, 9).await.unwrap();
    // Reversed once, by a row of its own.
    let before = fixture.balance_e4().await;
    let first = charged.last().unwrap();
    let (at, who) = (fixture.start.plus(9 * HOUR), fixture.who());
    let reverse = || wallets::reverse(&fixture.w.db, &fixture.w.rng, at, &who, first.id, "wrong meter");
    reverse().await.unwrap();
    assert_eq!(fixture.balance_e4().await, before + first.amount_e4.0);
    assert_eq!(refused(reverse().await), Some(AppError::Conflict));
    fixture.prove().await;
    fixture.w.execute("UPDATE ledger_balances SET debits_e4 = debits_e4 + 100 WHERE account LIKE 'wallet:%'").await;
    let rules: Vec<_> = verify::verify(&fixture.w.db).await.unwrap().differences.into_iter().map(|d| d.rule).collect();
    assert!(rules.contains(&Rule::WalletBalance), "{rules:?}");
});
