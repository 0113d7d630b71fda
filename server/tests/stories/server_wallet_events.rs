//! Warnings and trips of server wallets and their reasons; energy without a price; batches of modes; overdrawn rooms.

use domain::clock::Clock;
use domain::wall_layout::Scope;
use estate::places::{self, NewPlace};
use meters::recorder::MeterEvent;
use model::case::RelayCase;
use model::console::EventQuery;
use model::event::EventKind;
use model::ids::{BatchId, MeterId, PlaceId};
use model::issue::Issue;
use model::meter::ControlMode;
use model::money::{Fen, Money};
use model::person::Role;
use model::time::{HOUR, MINUTE, SECOND};
use store::batches::{self, NewBatch};
use store::deliveries::{self, Ending};
use store::{commands, console, wallets};

use story_support::room_fixture::RoomFixture;
use story_support::web::Web;
use story_support::{World, bind, both};

/// The kinds of open events, and the figures of the newest of all.
async fn events(fixture: &RoomFixture) -> Vec<EventKind> {
    let page = alarms::events(&fixture.w.db, fixture.clerk, &EventQuery::default(), fixture.w.clock.now()).await.unwrap();
    page.lines.into_iter().map(|line| line.kind).collect()
}

async fn limit(fixture: &RoomFixture, overload_w: u16, malignant_w: u16) {
    let (alarm1, alarm2, none) = (Fen(2_000), Fen(500), Fen(0));
    let limits = wallets::Limits { alarm1, alarm2, overdraft: none, hoarding: none, overload_w, malignant_w };
    wallets::set_limits(&fixture.w.db, &fixture.w.rng, fixture.w.clock.now(), &fixture.who(), fixture.meter, &limits)
        .await
        .unwrap();
}

async fn set_mode(fixture: &RoomFixture, mode: ControlMode) {
    let (now, key) = (fixture.w.clock.now(), fixture.w.rng.id(fixture.w.clock.now()));
    console::set_mode(&fixture.w.db, &fixture.w.rng, now, &fixture.who(), fixture.meter, mode, key).await.unwrap();
}

both!(each_warning_level_is_an_event_that_a_top_up_ends, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 2_500).await;
    assert_eq!(events(&fixture).await, []);
    let steps = [(30, 6_010, EventKind::Alarm1), (600, 21_010, EventKind::Alarm2), (800, 27_000, EventKind::Arrears)];
    for (minutes, wh, kind) in steps {
        fixture.record(vec![fixture.reading(minutes, wh)]).await;
        // A restart and another reading raise nothing again.
        fixture.record(vec![fixture.reading(minutes + 1, wh)]).await;
        assert_eq!(events(&fixture).await, [kind]);
    }
    // The first of them is that nothing was on it when it was opened.
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM events").await, 4);
    assert_eq!(
        fixture.w.word("SELECT detail FROM events WHERE kind = 'alarm-1'").await,
        r#"{"limit_fen":2000,"remaining_fen":1999}"#
    );
    assert_eq!(
        fixture.w.word("SELECT detail FROM events WHERE kind = 'arrears' AND until_at IS NULL").await,
        r#"{"overdraft_fen":0,"remaining_fen":-100}"#
    );
    let since = fixture.w.number("SELECT MAX(since) FROM events WHERE kind = 'arrears'").await;
    assert_eq!(since, fixture.start.plus(800 * MINUTE).0, "since the reading that said so");
    fixture.w.clock.advance(900 * MINUTE);
    fixture.sell(account, 3_000).await.unwrap();
    assert_eq!(events(&fixture).await, []);
    fixture.prove().await;
});

both!(a_forbidden_load_trips_until_an_operator_restores, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 9_000).await;
    limit(&fixture, 0, 1_000).await;
    // Half an hour apart says nothing; within minutes it is one appliance.
    let seen = |minutes, watts| fixture.seen(minutes, 1_000, watts, true);
    fixture.record(vec![seen(1, 60), seen(31, 1_500), seen(32, 60)]).await;
    assert!(fixture.relay().await);
    fixture.record(vec![seen(33, 60), seen(35, 1_700)]).await;
    assert!(!fixture.relay().await && fixture.latest().status.tripped_malignant());
    assert_eq!(events(&fixture).await, [EventKind::Malignant]);
    let why = r#"{"limit_w":1000,"power_w":1700,"step_w":1640}"#;
    assert_eq!(fixture.w.word("SELECT detail FROM events WHERE kind = 'malignant-load'").await, why);
    fixture.w.clock.advance(36 * MINUTE);
    assert_eq!(fixture.reconcile().await, (1, r#"{"relay":{"closed":false}}"#.into()));
    // Off, unplugged, and still off: only a person restores.
    fixture.record(vec![fixture.seen(40, 1_000, 0, false)]).await;
    assert!(!fixture.relay().await);
    set_mode(&fixture, ControlMode::Prepaid).await;
    assert!(fixture.relay().await);
    assert_eq!(events(&fixture).await, []);
    // Too much for too long has a reason of its own; a room that is kept supplied is not tripped.
    limit(&fixture, 2_000, 0).await;
    set_mode(&fixture, ControlMode::Guaranteed).await;
    fixture.record((60..64).map(|minutes| seen(minutes, 2_400)).collect()).await;
    assert!(fixture.relay().await);
    set_mode(&fixture, ControlMode::Prepaid).await;
    fixture.record((70..73).map(|minutes| seen(minutes, 2_400)).collect()).await;
    assert!(!fixture.relay().await);
    let why = r#"{"limit_w":2000,"power_w":2400}"#;
    assert_eq!(fixture.w.word("SELECT detail FROM events WHERE kind = 'overload'").await, why);
    fixture.prove().await;
});

both!(energy_without_a_price_waits_and_delays_no_other, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 5_000).await;
    let other = fixture.w.meter(9).await;
    // The meter is moved to a building that has no plan.
    let elsewhere = PlaceId(fixture.w.rng.id(fixture.start));
    let mut tx = fixture.w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id: elsewhere, parent: None, kind: model::place::PlaceKind::Building, name: "4", sort: 2 })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    bind(&fixture.w.db, "UPDATE meters SET place_id = $1 WHERE unit = $2", elsewhere.0, &[1]).await;
    let beside = match fixture.reading(30, 700) {
        MeterEvent::Read { from, at, source, measurement, meter_status, .. } => {
            MeterEvent::Read { meter: other, from, at, source, measurement, meter_status }
        }
        event => event,
    };
    fixture.record(vec![fixture.reading(30, 1_500), beside, fixture.reading(60, 1_700)]).await;
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM readings").await, 4, "all of the batch are stored");
    assert_eq!(fixture.balance_e4().await, 500_000);
    assert_eq!(wallets::view(&fixture.w.db, fixture.meter).await.unwrap().unwrap().uncharged_wh.0, 700);
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'unpriced' AND closed_at IS NULL").await, 1);
    fixture.prove().await;
    // Somebody gives the place the plan: what waits is charged with the next reading, in its order.
    let plan = fixture.publish(Some(fixture.start.plus(40 * MINUTE)), model::tariff::Prices::flat(20_000)).await.unwrap();
    store::prices::assign(&fixture.w.db, fixture.start, Some(&fixture.who()), elsewhere, plan).await.unwrap();
    fixture.record(vec![fixture.reading(90, 1_800)]).await;
    // 0.5 kWh at 1 yuan; of 0.2 kWh a third at 1 and two thirds at 2; 0.1 kWh at 2.
    assert_eq!(fixture.balance_e4().await, 500_000 - 5_000 - 660 - 2 * 1_340 - 2_000);
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM uncharged").await, 0);
    assert_eq!(fixture.w.word("SELECT resolution FROM cases WHERE kind = 'unpriced'").await, "charged");
    fixture.prove().await;
});

both!(only_changed_wallets_are_reexamined, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 100).await;
    let now = fixture.w.clock.now();
    let moved = async |since| wallets::server_wallets_since(&fixture.w.db, since).await.unwrap().len();
    assert_eq!((moved(now).await, moved(now.plus(1)).await), (1, 0));
    fixture.record(vec![fixture.seen(1, 1_000, 0, false)]).await;
    fixture.w.clock.advance(HOUR);
    let later = fixture.w.clock.now();
    let look = async |since| wallets::reconcile(&fixture.w.db, &fixture.w.rng, later, since).await.unwrap();
    assert_eq!((moved(later).await, look(Some(later)).await), (0, 0), "it stands open, and did so before");
    fixture.sell(account, 500).await.unwrap();
    assert_eq!((moved(later).await, look(Some(later)).await), (1, 1));
    assert_eq!(look(None).await, 0, "it is told already");
});

both!(a_relay_that_never_follows_is_left_alone_longer, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 500).await;
    fixture.record(vec![fixture.seen(1, 1_000, 0, false)]).await;
    fixture.sell(account, 500).await.unwrap();
    let (db, rng, clock) = (&fixture.w.db, &fixture.w.rng, &fixture.w.clock);
    let disobey = async || {
        let command = commands::due(db, clock.now(), 9).await.unwrap().pop().unwrap();
        deliveries::begin_send(db, clock.now(), &command).await.unwrap();
        let seen = RelayCase { command: "relay".into(), closed: Some(true), ..RelayCase::default() };
        deliveries::observed(db, rng, clock.now(), &command, Ending::Disobeyed, seen).await.unwrap();
    };
    for seconds in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        assert_eq!(fixture.reconcile().await.0, 1, "before {seconds} s");
        disobey().await;
        clock.advance(seconds * SECOND - 1);
        assert_eq!(fixture.reconcile().await.0, 0, "within {seconds} s");
        clock.advance(1);
    }
    let next = clock.now();
    let detail = fixture.w.word("SELECT detail FROM cases WHERE kind = 'relay' AND closed_at IS NULL").await;
    assert!(detail.contains(r#""tries":9"#) && detail.contains(&format!(r#""next_at":{}"#, next.0)), "{detail}");
    // A person says that it was mended: it is tried at once.
    assert_eq!(fixture.reconcile().await.0, 1);
    disobey().await;
    assert_eq!(fixture.reconcile().await.0, 0);
    clock.advance(1);
    fixture.w.execute("UPDATE cases SET closed_at = (SELECT MAX(finished_at) FROM commands), resolution = 'x'").await;
    assert_eq!(fixture.reconcile().await.0, 1);
    disobey().await;
    clock.advance(30 * SECOND);
    assert_eq!(fixture.reconcile().await.0, 1, "and the pauses begin anew");
});

both!(one_batch_sets_modes_on_both_wallet_kinds, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 10_000, 2_500).await;
    let (inside, now, who) = (fixture.w.meter(9).await, fixture.w.clock.now(), fixture.who());
    let issue = Issue::Mode(ControlMode::ForcedOff);
    let id = BatchId(fixture.w.rng.id(now));
    let batch = NewBatch { id, issue: &issue, meters: &[fixture.meter, inside] };
    for _ in 0..2 {
        batches::create(&fixture.w.db, &fixture.w.rng, now, &who, &batch, batches::PricesFrom::Plan).await.unwrap();
    }
    let told = async |meter: MeterId| {
        let items = queries::batch_items(&fixture.w.db, fixture.clerk, id, None, -1).await.unwrap();
        items.lines.into_iter().find(|item| item.meter == meter).unwrap().state
    };
    assert_eq!(fixture.w.word("SELECT args FROM commands WHERE kind = 'relay'").await, r#"{"relay":{"closed":false}}"#);
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'mode'").await, 1);
    assert!(!fixture.relay().await);
    let shown = queries::batches(&fixture.w.db, fixture.clerk, Some(id), &Default::default()).await.unwrap().lines.remove(0);
    assert_eq!((shown.counts.meters, shown.counts.waiting), (2, 2));
    // What is decided on the ledger is not taken back with what was not sent.
    assert_eq!(batches::cancel(&fixture.w.db, now, &who, id, &[fixture.meter, inside]).await.unwrap(), 1);
    assert_eq!(told(fixture.meter).await, model::order::CommandState::Queued);
    // A later decision takes its place.
    set_mode(&fixture, ControlMode::Guaranteed).await;
    assert_eq!(told(fixture.meter).await, model::order::CommandState::Superseded);
    assert!(fixture.relay().await);
    fixture.w.execute("UPDATE meters SET wallet = 'none' WHERE unit = 9").await;
    fixture.prove().await;
});

both!(overdrawn_rooms_are_listed_with_date_and_supply, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 10_000, 1_000).await;
    let none = queries::overdrawn(&fixture.w.db, fixture.clerk, 0).await.unwrap();
    assert_eq!((none.page.total, none.owed), (0, Money::ZERO));
    fixture.record(vec![fixture.reading(60, 12_500), fixture.reading(90, 13_000)]).await;
    let overdrawn = queries::overdrawn(&fixture.w.db, fixture.clerk, 0).await.unwrap();
    let line = overdrawn.page.lines[0].clone();
    assert_eq!((overdrawn.page.total, overdrawn.owed, line.owed), (1, Money(20_000), Money(20_000)));
    assert_eq!((line.meter, line.since), (fixture.meter, fixture.start.plus(60 * MINUTE)));
    assert_eq!((line.should_be_closed, line.relay), (false, Some((true, fixture.start.plus(90 * MINUTE)))));
    // The same on the page and as a file, for whom it concerns.
    let web = Web::start(&fixture.w).await;
    let person = web.person(&fixture.w, Role::Manager, "zhang").await;
    let page = person.get("/overdrawn").await.text().await.unwrap();
    assert!(page.contains("2.0000") && page.contains("仍在供电"), "{page}");
    let answer = person.get("/overdrawn.csv").await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let file = answer.text().await.unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains("2.0000") && lines[1].contains("闭合") && lines[2].contains("2.0000"), "{file}");
    let stranger = queries::overdrawn(&fixture.w.db, operator_of_another_building(&fixture).await, 0).await.unwrap();
    assert_eq!(stranger.page.total, 0, "in no building of theirs");
    // Paid again, it is no longer overdrawn.
    fixture.w.clock.advance(2 * HOUR);
    fixture.sell(account, 200).await.unwrap();
    assert_eq!(queries::overdrawn(&fixture.w.db, fixture.clerk, 0).await.unwrap().page.total, 0);
    fixture.prove().await;
});

/// An operator who is limited to another building.
async fn operator_of_another_building(fixture: &RoomFixture) -> model::ids::UserId {
    let (now, place) = (fixture.w.clock.now(), PlaceId(fixture.w.rng.id(fixture.start)));
    let hash =
        store::users::NewUser { role: Role::Manager, login: "bound", name: "bound", password_hash: "x", buildings: &Scope::All };
    let user = store::users::create(&fixture.w.db, &fixture.w.rng, now, &hash, "test").await.unwrap();
    let mut tx = fixture.w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id: place, parent: None, kind: model::place::PlaceKind::Building, name: "9", sort: 9 })
        .await
        .unwrap();
    tx.commit().await.unwrap();
    fixture
        .w
        .execute(
            "INSERT INTO operator_buildings (user_id, place_id)
             SELECT u.id, p.id FROM users u, places p WHERE u.login = 'bound' AND p.name = '9'",
        )
        .await;
    fixture.w.limit("bound").await;
    user
}
