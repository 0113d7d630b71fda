//! What a server wallet warns of and why; energy without a price; many meters told at once; and those below zero.

use domain::clock::Clock;
use meters::recorder::Event;
use model::console::EventQuery;
use model::event::EventKind;
use model::ids::{BatchId, MeterId, PlaceId};
use model::issue::Issue;
use model::meter::ControlMode;
use model::money::{Fen, Money};
use model::person::Role;
use model::time::{HOUR, MINUTE};
use store::batches::{self, NewBatch};
use store::places::{self, NewPlace};
use store::{console, wallets};

use crate::support::flat::Flat;
use crate::support::web::Web;
use crate::support::{World, bind};

/// The kinds of open events, and the figures of the newest of all.
async fn events(flat: &Flat) -> Vec<EventKind> {
    let page = console::events(&flat.w.db, flat.clerk, &EventQuery::default()).await.unwrap();
    page.lines.into_iter().map(|line| line.kind).collect()
}

async fn limit(flat: &Flat, overload_w: u16, malignant_w: u16) {
    let (alarm1, alarm2, none) = (Fen(2_000), Fen(500), Fen(0));
    let limits = wallets::Limits { alarm1, alarm2, overdraft: none, hoarding: none, overload_w, malignant_w };
    wallets::set_limits(&flat.w.db, &flat.w.rng, flat.w.clock.now(), &flat.who(), flat.meter, &limits).await.unwrap();
}

async fn set_mode(flat: &Flat, mode: ControlMode) {
    let (now, key) = (flat.w.clock.now(), flat.w.rng.id(flat.w.clock.now()));
    console::set_mode(&flat.w.db, &flat.w.rng, now, &flat.who(), flat.meter, mode, key).await.unwrap();
}

both!(each_level_is_an_event_with_its_figures_and_ends_with_money, |w: World| async move {
    let (flat, account) = Flat::supplied(w, 10_000, 2_500).await;
    assert_eq!(events(&flat).await, []);
    let steps = [(30, 6_010, EventKind::Alarm1), (600, 21_010, EventKind::Alarm2), (800, 27_000, EventKind::Arrears)];
    for (minutes, wh, kind) in steps {
        flat.record(vec![flat.reading(minutes, wh)]).await;
        // A restart and another reading raise nothing again.
        flat.record(vec![flat.reading(minutes + 1, wh)]).await;
        assert_eq!(events(&flat).await, [kind]);
    }
    // The first of them is that nothing was on it when it was opened.
    assert_eq!(flat.w.number("SELECT COUNT(*) FROM events").await, 4);
    assert_eq!(
        flat.w.word("SELECT detail FROM events WHERE kind = 'alarm-1'").await,
        r#"{"limit_fen":2000,"remaining_fen":1999}"#
    );
    assert_eq!(
        flat.w.word("SELECT detail FROM events WHERE kind = 'arrears' AND until_at IS NULL").await,
        r#"{"overdraft_fen":0,"remaining_fen":-100}"#
    );
    let since = flat.w.number("SELECT MAX(since) FROM events WHERE kind = 'arrears'").await;
    assert_eq!(since, flat.start.plus(800 * MINUTE).0, "since the reading that said so");
    flat.w.clock.advance(900 * MINUTE);
    flat.sell(account, 3_000).await.unwrap();
    assert_eq!(events(&flat).await, []);
    flat.prove().await;
});

both!(a_forbidden_load_trips_with_its_reason_until_a_person_restores, |w: World| async move {
    let (flat, _) = Flat::supplied(w, 10_000, 9_000).await;
    limit(&flat, 0, 1_000).await;
    // Half an hour apart says nothing; within minutes it is one appliance.
    let seen = |minutes, watts| flat.seen(minutes, 1_000, watts, true);
    flat.record(vec![seen(1, 60), seen(31, 1_500), seen(32, 60)]).await;
    assert!(flat.relay().await);
    flat.record(vec![seen(33, 60), seen(35, 1_700)]).await;
    assert!(!flat.relay().await && flat.latest().status.tripped_malignant());
    assert_eq!(events(&flat).await, [EventKind::Malignant]);
    let why = r#"{"limit_w":1000,"power_w":1700,"step_w":1640}"#;
    assert_eq!(flat.w.word("SELECT detail FROM events WHERE kind = 'malignant-load'").await, why);
    flat.w.clock.advance(36 * MINUTE);
    assert_eq!(flat.reconcile().await, (1, r#"{"closed":false}"#.into()));
    // Off, unplugged, and still off: only a person restores.
    flat.record(vec![flat.seen(40, 1_000, 0, false)]).await;
    assert!(!flat.relay().await);
    set_mode(&flat, ControlMode::Prepaid).await;
    assert!(flat.relay().await);
    assert_eq!(events(&flat).await, []);
    // Too much for too long has a reason of its own; a room that is kept supplied is not tripped.
    limit(&flat, 2_000, 0).await;
    set_mode(&flat, ControlMode::Guaranteed).await;
    flat.record((60..64).map(|minutes| seen(minutes, 2_400)).collect()).await;
    assert!(flat.relay().await);
    set_mode(&flat, ControlMode::Prepaid).await;
    flat.record((70..73).map(|minutes| seen(minutes, 2_400)).collect()).await;
    assert!(!flat.relay().await);
    let why = r#"{"limit_w":2000,"power_w":2400}"#;
    assert_eq!(flat.w.word("SELECT detail FROM events WHERE kind = 'overload'").await, why);
    flat.prove().await;
});

both!(energy_without_a_price_waits_and_holds_up_nobody, |w: World| async move {
    let (flat, _) = Flat::supplied(w, 10_000, 5_000).await;
    let other = flat.w.meter(9).await;
    // The meter is moved to a building that has no plan.
    let elsewhere = PlaceId(flat.w.rng.id(flat.start));
    let mut tx = flat.w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id: elsewhere, parent: None, kind: "building", name: "4", sort: 2 }).await.unwrap();
    tx.commit().await.unwrap();
    bind(&flat.w.db, "UPDATE meters SET place_id = $1 WHERE unit = $2", elsewhere.0, &[1]).await;
    let beside = match flat.reading(30, 700) {
        Event::Read { from, at, source, measurement, meter_status, .. } => {
            Event::Read { meter: other, from, at, source, measurement, meter_status }
        }
        event => event,
    };
    flat.record(vec![flat.reading(30, 1_500), beside, flat.reading(60, 1_700)]).await;
    assert_eq!(flat.w.number("SELECT COUNT(*) FROM readings").await, 4, "all of the batch are stored");
    assert_eq!(flat.balance_e4().await, 500_000);
    assert_eq!(wallets::view(&flat.w.db, flat.meter).await.unwrap().unwrap().uncharged_wh, 700);
    assert_eq!(flat.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'unpriced' AND closed_at IS NULL").await, 1);
    flat.prove().await;
    // Somebody gives the place the plan: what waits is charged with the next reading, in its order.
    let plan = flat.publish(Some(flat.start.plus(40 * MINUTE)), model::tariff::Prices::flat(20_000)).await.unwrap();
    store::prices::assign(&flat.w.db, flat.start, Some(&flat.who()), elsewhere, plan).await.unwrap();
    flat.record(vec![flat.reading(90, 1_800)]).await;
    // 0.5 kWh at 1 yuan; of 0.2 kWh a third at 1 and two thirds at 2; 0.1 kWh at 2.
    assert_eq!(flat.balance_e4().await, 500_000 - 5_000 - 660 - 2 * 1_340 - 2_000);
    assert_eq!(flat.w.number("SELECT COUNT(*) FROM uncharged").await, 0);
    assert_eq!(flat.w.word("SELECT resolution FROM cases WHERE kind = 'unpriced'").await, "charged");
    flat.prove().await;
});

both!(only_what_has_moved_is_looked_at_again, |w: World| async move {
    let (flat, account) = Flat::supplied(w, 10_000, 100).await;
    let now = flat.w.clock.now();
    let moved = async |since| wallets::server_wallets_since(&flat.w.db, since).await.unwrap().len();
    assert_eq!((moved(now).await, moved(now.plus(1)).await), (1, 0));
    flat.record(vec![flat.seen(1, 1_000, 0, false)]).await;
    flat.w.clock.advance(HOUR);
    let later = flat.w.clock.now();
    let look = async |since| wallets::reconcile(&flat.w.db, &flat.w.rng, later, since).await.unwrap();
    assert_eq!((moved(later).await, look(Some(later)).await), (0, 0), "it stands open, and did so before");
    flat.sell(account, 500).await.unwrap();
    assert_eq!((moved(later).await, look(Some(later)).await), (1, 1));
    assert_eq!(look(None).await, 0, "it is told already");
});

both!(modes_reach_meters_of_both_kinds_in_one_batch, |w: World| async move {
    let (flat, _) = Flat::supplied(w, 10_000, 2_500).await;
    let (inside, now, who) = (flat.w.meter(9).await, flat.w.clock.now(), flat.who());
    let issue = Issue::Mode(ControlMode::ForcedOff);
    let id = BatchId(flat.w.rng.id(now));
    let batch = NewBatch { id, issue: &issue, meters: &[flat.meter, inside] };
    for _ in 0..2 {
        batches::create(&flat.w.db, &flat.w.rng, now, &who, &batch).await.unwrap();
    }
    let told = async |meter: MeterId| {
        let items = console::batch_items(&flat.w.db, flat.clerk, id, "", -1).await.unwrap();
        items.lines.into_iter().find(|item| item.meter == meter).unwrap().state
    };
    assert_eq!(flat.w.word("SELECT args FROM commands WHERE kind = 'relay'").await, r#"{"closed":false}"#);
    assert_eq!(flat.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'mode'").await, 1);
    assert!(!flat.relay().await);
    let shown = console::batches(&flat.w.db, flat.clerk, Some(id), &Default::default()).await.unwrap().lines.remove(0);
    assert_eq!((shown.counts.meters, shown.counts.waiting), (2, 2));
    // What is decided on the ledger is not taken back with what was not sent.
    assert_eq!(batches::cancel(&flat.w.db, now, &who, id, &[flat.meter, inside]).await.unwrap(), 1);
    assert_eq!(told(flat.meter).await, model::order::CommandState::Queued);
    // A later decision takes its place.
    set_mode(&flat, ControlMode::Guaranteed).await;
    assert_eq!(told(flat.meter).await, model::order::CommandState::Superseded);
    assert!(flat.relay().await);
    flat.w.execute("UPDATE meters SET wallet = 'none' WHERE unit = 9").await;
    flat.prove().await;
});

both!(who_is_below_zero_since_when_and_still_supplied, |w: World| async move {
    let (flat, account) = Flat::supplied(w, 10_000, 1_000).await;
    let none = console::exposed(&flat.w.db, flat.clerk, 0).await.unwrap();
    assert_eq!((none.page.total, none.owed), (0, Money::ZERO));
    flat.record(vec![flat.reading(60, 12_500), flat.reading(90, 13_000)]).await;
    let exposed = console::exposed(&flat.w.db, flat.clerk, 0).await.unwrap();
    let line = exposed.page.lines[0].clone();
    assert_eq!((exposed.page.total, exposed.owed, line.owed), (1, Money(20_000), Money(20_000)));
    assert_eq!((line.meter, line.since), (flat.meter, flat.start.plus(60 * MINUTE)));
    assert_eq!((line.should_be_closed, line.relay), (false, Some((true, flat.start.plus(90 * MINUTE)))));
    // The same on the page and as a file, for whom it concerns.
    let web = Web::start(&flat.w).await;
    let person = web.person(&flat.w, Role::Operator, "zhang").await;
    let page = person.get("/overdrawn").await.text().await.unwrap();
    assert!(page.contains("2.0000") && page.contains("仍在供电"), "{page}");
    let answer = person.get("/overdrawn.csv").await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
    let file = answer.text().await.unwrap();
    let lines: Vec<&str> = file.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].contains("2.0000") && lines[1].contains("闭合") && lines[2].contains("2.0000"), "{file}");
    let stranger = console::exposed(&flat.w.db, elsewhere(&flat).await, 0).await.unwrap();
    assert_eq!(stranger.page.total, 0, "in no building of theirs");
    // Paid again, it is exposed no more.
    flat.w.clock.advance(2 * HOUR);
    flat.sell(account, 200).await.unwrap();
    assert_eq!(console::exposed(&flat.w.db, flat.clerk, 0).await.unwrap().page.total, 0);
    flat.prove().await;
});

/// An operator who is bound to another building.
async fn elsewhere(flat: &Flat) -> model::ids::UserId {
    let (now, place) = (flat.w.clock.now(), PlaceId(flat.w.rng.id(flat.start)));
    let hash = store::users::NewUser { role: Role::Operator, login: "bound", name: "bound", password_hash: "x" };
    let user = store::users::create(&flat.w.db, &flat.w.rng, now, &hash, "test").await.unwrap();
    let mut tx = flat.w.db.begin().await.unwrap();
    places::add(&mut tx, &NewPlace { id: place, parent: None, kind: "building", name: "9", sort: 9 }).await.unwrap();
    tx.commit().await.unwrap();
    flat.w
        .execute(
            "INSERT INTO operator_buildings (user_id, place_id)
             SELECT u.id, p.id FROM users u, places p WHERE u.login = 'bound' AND p.name = '9'",
        )
        .await;
    user
}
