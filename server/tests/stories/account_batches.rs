//! Accounts that are opened and closed together, on both databases: previewed, stored, and done one room at a time.

use std::sync::Arc;

use app::api::account_batches::{AccountBatchesPort, Closures, Openings};
use domain::clock::{Clock, SharedClock, SystemClock};
use domain::order::Limits;
use estate::account_batches;
use estate::places;
use meters::live::Live;
use model::console::{AccountState, BatchRoomState, RoomName, RoomObstacle, Target};
use model::error::AppError;
use model::ids::{AccountBatchId, PlaceId};
use model::money::Fen;
use model::order::{ReturnState, Tender};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::place::PlaceKind;
use model::time::DAY;
use people::invitations::{BatchLink, invite_batch};
use services::auth::Passwords;
use services::console::ConsoleService;
use services::{Context, NoMeterGateway};
use store::accounts::{self, NewResident, OpenAccount};
use store::operators::{self, NewLink};
use store::{Db, returns};
use story_support::closings::{advance as advance_closings, proved, who};
use story_support::site::{SOON, Site, until};
use story_support::{World, bind, both};

/// The console over a database, with what it shows live.
struct Desk {
    console: ConsoleService,
    w: World,
    clock: SharedClock,
}

impl Desk {
    async fn new(w: &World, clock: SharedClock, live: Live) -> Self {
        let gateway = Arc::new(NoMeterGateway);
        let context = Context { db: w.db.clone(), clock: clock.clone(), rng: w.rng.clone(), live, gateway };
        let passwords = Passwords::new(w.rng.clone()).unwrap();
        let console = ConsoleService::new(context, passwords, Limits::default(), domain::returns::Rules::default());
        Self { console, w: w.clone(), clock }
    }

    fn id(&self) -> AccountBatchId {
        AccountBatchId(self.w.rng.id(self.clock.now()))
    }

    /// All rooms, as a form names them.
    async fn places(&self, by: &Who) -> Vec<String> {
        let meters = queries::meters_of_rooms(&self.w.db, by.user).await.unwrap();
        meters.into_iter().map(|meter| meter.place_id.to_string()).collect()
    }

    /// Takes one step, as the background task does.
    async fn advance(&self) -> bool {
        account_batches::advance(&self.w.db, &self.w.rng, self.clock.now()).await.unwrap().is_some()
    }
}

both!(a_term_begins_for_many_rooms_at_once, |w: World| async move {
    for unit in 1..=3 {
        w.meter(unit).await;
    }
    w.room(4).await;
    let clerk = who(w.clerk().await);
    let boss = Who { role: Role::Admin, permissions: Permissions::of(Role::Admin), ..clerk.clone() };
    let live = Live::load(&w.db, w.clock.clone()).await.unwrap();
    let desk = Desk::new(&w, w.clock.clone(), live).await;
    let places = desk.places(&clerk).await;
    let lines = "1, 张三, zhangsan, 12.50\n3；李四；resident4\n9\n2,王五";
    let wanted = Openings::parse(&places, lines, "5").unwrap();
    let preview = desk.console.preview_openings(&boss, &wanted).await.unwrap();
    let rooms: Vec<_> = preview.rooms.iter().map(|room| (room.room.room.as_str(), room.amount, room.lost)).collect();
    assert_eq!(rooms, [("1", Fen(1_250), 1), ("2", Fen(500), 1)]);
    let left: Vec<_> = preview.left_out.iter().map(|(room, why)| (room.room.as_str(), *why)).collect();
    assert_eq!(left, [("4", RoomObstacle::AlreadyOpen), ("3", RoomObstacle::LoginTaken)]);
    assert_eq!(preview.unknown, ["2,王五", "9"], "a resident without a login name, and no such room");

    let much = Openings::parse(&places, "1, 张三, zhangsan, 5000.01\n2, 王五, wangwu, 5000", "").unwrap();
    let much = desk.console.preview_openings(&boss, &much).await.unwrap();
    let over = |(room, why): &(RoomName, RoomObstacle)| (room.room.clone(), *why);
    assert!(much.left_out.iter().map(over).any(|left| left == ("1".to_owned(), RoomObstacle::OverHoardingLimit)));
    assert_eq!(much.rooms.iter().filter(|room| room.amount == Fen(500_000)).count(), 1, "exactly the limit");

    let id = desk.id();
    let carried = desk.console.open_accounts(&clerk, id, &wanted, &preview.seal).await;
    assert_eq!(carried.unwrap_err(), AppError::Forbidden, "only who may import a site makes balances");
    assert_eq!(desk.console.open_accounts(&boss, id, &wanted, "other").await.unwrap_err(), AppError::Conflict);
    desk.console.open_accounts(&boss, id, &wanted, &preview.seal).await.unwrap();
    assert!(desk.advance().await);
    let half = desk.console.account_batch(&boss, id, 0).await.unwrap();
    assert_eq!((half.batch.rooms, half.batch.waiting), (2, 1), "what is stored goes on after an interruption");
    while desk.advance().await {}
    let seen = desk.console.account_batch(&boss, id, 0).await.unwrap();
    assert_eq!((seen.batch.waiting, seen.batch.refused, seen.is_moving()), (0, 0, true), "the meters have not answered yet");
    let accounts = "SELECT COUNT(*) FROM accounts WHERE state = 'opening'";
    assert_eq!(w.number(accounts).await, 2);
    desk.console.open_accounts(&boss, id, &wanted, &preview.seal).await.expect("sent again after it was done");
    assert_eq!(w.number("SELECT COUNT(*) FROM commands WHERE kind IN ('open', 'credit')").await, 4);
    let taken = "SELECT CAST(SUM(amount_e4) AS BIGINT) FROM ledger_transfers WHERE debit = 'taken-over'";
    assert_eq!(w.number(taken).await, 175_000);
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE login = 'zhangsan' AND password_hash = ''").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'account.batch'").await, 1);

    // Whoever has no password gets a link; the next one takes its place.
    let now = w.clock.now();
    for n in [1, 2] {
        let links = ["zhangsan", "clerk"].map(|login| BatchLink {
            login: login.into(),
            link: NewLink { hash: [n + login.len() as u8; 32], expires_at: now.plus(DAY) },
        });
        let invited = invite_batch(&w.db, now, &boss, id, &links).await.unwrap();
        assert_eq!(invited.into_iter().collect::<Vec<_>>(), ["zhangsan"], "and nobody else by this batch");
        assert!(invite_batch(&w.db, now, &boss, desk.id(), &links).await.unwrap().is_empty());
    }
    let works = async |n: u8| operators::invitation(&w.db, now, &[n; 32]).await.unwrap().is_some();
    assert_eq!((works(9).await, works(10).await), (false, true));
    proved(&w).await;
});

both!(a_room_that_changed_meanwhile_is_refused_with_a_reason, |w: World| async move {
    let (first, _) = (w.meter(1).await, w.meter(2).await);
    let clerk = who(w.clerk().await);
    let live = Live::load(&w.db, w.clock.clone()).await.unwrap();
    let desk = Desk::new(&w, w.clock.clone(), live).await;
    let wanted = Openings::parse(&desk.places(&clerk).await, "", "").unwrap();
    let preview = desk.console.preview_openings(&clerk, &wanted).await.unwrap();
    let id = desk.id();
    for _ in 0..2 {
        // The form sent twice is one batch.
        desk.console.open_accounts(&clerk, id, &wanted, &preview.seal).await.unwrap();
    }
    let resident = NewResident { name: "先到".into(), login: "first".into(), password_hash: String::new() };
    let open = OpenAccount {
        number: None,
        meter: first,
        also: Vec::new(),
        resident,
        housemates: Vec::new(),
        first: None,
        by: clerk.user,
        ip: String::new(),
    };
    accounts::open(&w.db, &w.rng, w.clock.now(), &Limits::default(), &open).await.unwrap();
    while desk.advance().await {}
    let rooms = desk.console.account_batch(&clerk, id, 0).await.unwrap().rooms.lines;
    let states: Vec<_> = rooms.iter().map(|room| (room.state, room.refusal)).collect();
    assert!(states.contains(&(BatchRoomState::Refused, Some(AppError::AccountAlreadyOpen))), "{states:?}");
    assert!(states.contains(&(BatchRoomState::Done, None)), "{states:?}");
    desk.console.retry_account_batch(&clerk, id).await.unwrap();
    assert_eq!(desk.console.account_batch(&clerk, id, 0).await.unwrap().batch.waiting, 1);
    desk.console.cancel_account_batch(&clerk, id).await.unwrap();
    assert!(!desk.advance().await);
    assert_eq!(desk.console.cancel_account_batch(&clerk, id).await.unwrap_err(), AppError::TooLate);
    let again = desk.console.retry_account_batch(&clerk, id).await;
    assert_eq!(again.unwrap_err(), AppError::TooLate, "what was withdrawn was not refused");
    proved(&w).await;
});

both!(a_line_that_names_no_single_room_books_nothing, |w: World| async move {
    let clerk = who(w.clerk().await);
    let boss = Who { role: Role::Admin, permissions: Permissions::of(Role::Admin), ..clerk.clone() };
    let add = async |parent: Option<PlaceId>, kind, name: &str| {
        let names = [name.to_owned()];
        places::create(&w.db, &w.rng, w.clock.now(), &boss, parent, (kind, &names)).await.unwrap()
    };
    let site = add(None, PlaceKind::Site, "园区").await;
    let mut buildings = Vec::new();
    for (building, rooms) in [("A", [("101", 1)].as_slice()), ("B", &[("101", 2), ("102", 3)])] {
        let building = add(Some(site), PlaceKind::Building, building).await;
        buildings.push(building.to_string());
        for (room, unit) in rooms {
            w.meter(*unit).await;
            let room = add(Some(building), PlaceKind::Room, room).await;
            bind(&w.db, "UPDATE meters SET place_id = $1 WHERE unit = $2", room.0, &[i64::from(*unit)]).await;
        }
    }
    let live = Live::load(&w.db, w.clock.clone()).await.unwrap();
    let desk = Desk::new(&w, w.clock.clone(), live).await;
    let lines = "101, 张三, zhangsan, 12.50\n102, 李四, lisi, 3\nB 102, 王五, wangwu, 4";
    let wanted = Openings::parse(&buildings, lines, "").unwrap();
    let preview = desk.console.preview_openings(&boss, &wanted).await.unwrap();
    let rooms: Vec<_> = preview.rooms.iter().map(|room| (room.resident.is_some(), room.amount)).collect();
    assert_eq!(rooms, [(false, Fen::ZERO); 2], "both rooms 101 without the resident and balance of the line");
    let left: Vec<_> = preview.left_out.iter().map(|(room, why)| (room.to_string(), *why)).collect();
    assert_eq!(left, [("B 102".to_owned(), RoomObstacle::RoomRepeated)]);
    assert_eq!(preview.unknown, ["101"]);

    // Who answers for some buildings alone makes no balances, not even there: they may import nothing either.
    w.execute("INSERT INTO operator_buildings (user_id, place_id) SELECT u.id, p.id FROM users u, places p WHERE p.name = 'A'")
        .await;
    w.limit("clerk").await;
    let carried = Openings::parse(&buildings, "", "5").unwrap();
    let within = desk.console.preview_openings(&boss, &carried).await.unwrap();
    assert_eq!(within.rooms.iter().map(|room| room.amount).collect::<Vec<_>>(), [Fen(500)]);
    let refused = desk.console.open_accounts(&boss, desk.id(), &carried, &within.seal).await;
    assert_eq!(refused.unwrap_err(), AppError::Forbidden);
    w.execute("UPDATE users SET all_buildings = TRUE").await;
    desk.console.open_accounts(&boss, desk.id(), &wanted, &preview.seal).await.unwrap();
    while desk.advance().await {}
    assert_eq!(w.number("SELECT COUNT(*) FROM accounts").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM orders").await + w.number("SELECT COUNT(*) FROM account_residents").await, 0);
});

both!(a_closure_and_its_room_of_a_batch_are_one_step, |w: World| async move {
    w.room(1).await;
    let clerk = who(w.clerk().await);
    let live = Live::load(&w.db, w.clock.clone()).await.unwrap();
    let desk = Desk::new(&w, w.clock.clone(), live).await;
    let target = Target::parse("", &[], None, "1", "1");
    let preview = desk.console.preview_closures(&clerk, &target).await.unwrap();
    let wanted = Closures { target, tender: Tender::Cash, reason: "学期结束".into() };
    desk.console.close_accounts(&clerk, desk.id(), &wanted, &preview.seal).await.unwrap();
    // The room cannot be taken: nothing of its closure may be left.
    w.by_hand(match w.db {
        Db::Sqlite { .. } => {
            "CREATE TRIGGER stays BEFORE UPDATE ON account_batch_rooms BEGIN SELECT RAISE(ABORT, 'it stays'); END"
        }
        Db::Postgres { .. } => {
            "CREATE FUNCTION stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it stays'; END $$;
             CREATE TRIGGER stays BEFORE UPDATE ON account_batch_rooms FOR EACH ROW EXECUTE FUNCTION stays()"
        }
    })
    .await
    .unwrap();
    account_batches::advance(&w.db, &w.rng, w.clock.now()).await.unwrap_err();
    assert_eq!(w.number("SELECT COUNT(*) FROM account_closures").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM accounts WHERE state = 'open'").await, 1);
});

both!(a_term_ends_with_a_settlement_list, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    s.sell(0, 1_000).await;
    s.sell(1, 2_000).await;
    let live = Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap();
    let engine = s.start_with(live.clone()).await;
    s.settled(SOON).await;
    let clerk = who(s.clerk);
    let desk = Desk::new(&s.w, Arc::new(SystemClock), live).await;
    let places = desk.places(&clerk).await;
    let target = Target::parse("", &places, None, "", "1");
    let balance = || async {
        let preview = desk.console.preview_closures(&clerk, &target).await.unwrap();
        preview.rooms.iter().filter_map(|room| room.balance).sum::<Fen>()
    };
    until(SOON, "the balances", || async { balance().await == Fen(3_000) }).await;
    let preview = desk.console.preview_closures(&clerk, &target).await.unwrap();
    assert_eq!((preview.rooms.len(), preview.left_out.len()), (3, 0));
    assert!(desk.console.preview_closures(&clerk, &Target::default()).await.unwrap().rooms.is_empty(), "nothing is not all");
    let wanted = Closures { target: target.clone(), tender: Tender::Cash, reason: "学期结束".into() };
    let id = desk.id();
    desk.console.close_accounts(&clerk, id, &wanted, &preview.seal).await.unwrap();
    while desk.advance().await {}
    let again = desk.console.preview_closures(&clerk, &target).await.unwrap();
    assert!(again.rooms.is_empty() && again.left_out.iter().all(|(_, why)| *why == RoomObstacle::Closing));
    desk.console.close_accounts(&clerk, id, &wanted, &preview.seal).await.expect("sent again after it was done");
    until(SOON, "the last readings", || async {
        engine.wake();
        advance_closings(&s.w, SystemClock.now()).await;
        desk.console.account_batch(&clerk, id, 0).await.unwrap().left == Fen(3_000)
    })
    .await;
    until(SOON, "the payouts", || async {
        advance_closings(&s.w, SystemClock.now()).await;
        let rooms = desk.console.account_batch(&clerk, id, 0).await.unwrap().rooms.lines;
        rooms.iter().filter(|room| room.returned.is_some()).count() == 2
    })
    .await;
    let seen = desk.console.account_batch(&clerk, id, -1).await.unwrap();
    assert_eq!((seen.paid, seen.is_moving()), (Fen(0), true));
    for room in seen.rooms.lines {
        if let Some((back, state)) = room.returned {
            assert_eq!(state, ReturnState::Taken);
            returns::pay_out(&s.w.db, &s.w.rng, SystemClock.now(), &clerk, back).await.unwrap();
        }
    }
    let seen = desk.console.account_batch(&clerk, id, 0).await.unwrap();
    assert_eq!((seen.finished, seen.left, seen.paid, seen.is_moving()), (3, Fen(3_000), Fen(3_000), false));
    assert!(seen.rooms.lines.iter().all(|room| room.account.as_ref().is_some_and(|(_, state)| *state == AccountState::Closed)));
    assert!(seen.rooms.lines.iter().all(|room| !room.residents.is_empty()), "who is paid out: {:?}", seen.rooms.lines);
    proved(&s.w).await;
    engine.stop().await;
});
