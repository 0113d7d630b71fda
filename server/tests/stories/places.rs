//! The place tree and groups, on both databases: edited by the console, scoped by buildings, on the wall at once.

use app::api::batches::BatchesPort;
use app::api::meter_wall::{MeterWallPort, WallMeter};
use app::api::places::PlacesPort;
use domain::clock::Clock;
use domain::order::Limits;
use domain::wall_layout::Scope;
use estate::account_batches::{self, NewAccountBatch, NewBatchRoom};
use estate::defaults;
use model::approval::Decision;
use model::console::{AccountBatchKind, PlaceChange, PlaceCounts, RepricedPlace, Target};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{MeterId, PlaceId, UserId, Uuid};
use model::issue::Kind;
use model::meter::Wallet;
use model::permission::{Permission, Permissions};
use model::person::{Role, Who};
use model::place::PlaceKind;
use model::search_text::Terms;
use model::tariff::Prices;
use model::time::HOUR;
use services::Context;
use services::auth::Passwords;
use services::console::ConsoleService;
use store::meters::{self, NewMeter};
use store::prices::{self, Publication};
use story_support::closings::proved;
use story_support::{World, both};

/// A site made with the console: building A has the floors 1 (rooms 101, 102) and 2, building B has floor 1 (room 103).
struct Estate {
    w: World,
    console: ConsoleService,
    context: Context,
    boss: Who,
    clerk: Who,
    site: PlaceId,
    a: PlaceId,
    b: PlaceId,
    floor_of_a: PlaceId,
    floor_of_b: PlaceId,
    rooms: Vec<PlaceId>,
    meters: Vec<MeterId>,
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn limit(w: &World, user: UserId, building: PlaceId) {
    let mut tx = w.db.begin().await.unwrap();
    let sql = "INSERT INTO operator_buildings (user_id, place_id) VALUES ($1, $2)";
    match &mut tx {
        store::Tx::Sqlite(c) => drop(sqlx::query(sql).bind(user.0).bind(building.0).execute(&mut **c).await.unwrap()),
        store::Tx::Postgres(c) => drop(sqlx::query(sql).bind(user.0).bind(building.0).execute(&mut **c).await.unwrap()),
    }
    tx.commit().await.unwrap();
}

impl Estate {
    async fn new(w: World) -> Self {
        let permissions = Permissions::of(Role::Admin);
        let boss = Who { user: w.clerk().await, role: Role::Admin, permissions, name: "boss".into(), ip: String::new() };
        let hash = "$argon2id$none";
        let new = store::users::NewUser {
            role: Role::Cashier,
            login: "limited",
            name: "Limited",
            password_hash: hash,
            buildings: &Scope::Buildings(Default::default()),
        };
        let limited = store::users::create(&w.db, &w.rng, w.clock.now(), &new, "test").await.unwrap();
        let clerk = Who { user: limited, role: Role::Cashier, permissions, name: "Limited".into(), ip: String::new() };
        let context = w.context().await;
        let passwords = Passwords::new(w.rng.clone()).unwrap();
        let console = ConsoleService::new(context.clone(), passwords, Limits::default(), domain::returns::Rules::default());
        let site = console.add_places(&boss, None, PlaceKind::Site, &names(&["园区"])).await.unwrap();
        let add =
            async |parent, kind, given: &[&str]| console.add_places(&boss, Some(parent), kind, &names(given)).await.unwrap();
        let a = add(site, PlaceKind::Building, &["A", "B"]).await;
        let b = console.place_tree(&boss).await.unwrap().buildings[1].0.id;
        let floor_of_a = add(a, PlaceKind::Unit, &["1", "2"]).await;
        let floor_of_b = add(b, PlaceKind::Unit, &["1"]).await;
        let mut rooms = vec![add(floor_of_a, PlaceKind::Room, &["101"]).await];
        rooms.push(add(floor_of_a, PlaceKind::Room, &["102"]).await);
        rooms.push(add(floor_of_b, PlaceKind::Room, &["103"]).await);
        let gateway = w.gateways(&[([127, 0, 0, 1], 1502).into()]).await[0];
        let mut found = Vec::new();
        let mut tx = w.db.begin().await.unwrap();
        for (unit, place) in (1..).zip(&rooms) {
            let id = MeterId(w.rng.id(w.clock.now()));
            let (serial, profile) = (format!("{unit:012}"), "rpp".to_owned());
            let new = NewMeter { id, place: *place, gateway, unit, serial, profile, wallet: Wallet::Meter };
            meters::add_meter(&mut tx, w.clock.now(), &new).await.unwrap();
            found.push(id);
        }
        tx.commit().await.unwrap();
        context.live.reload(&w.db).await.unwrap();
        limit(&w, clerk.user, a).await;
        Self { w, console, context, boss, clerk, site, a, b, floor_of_a, floor_of_b, rooms, meters: found }
    }

    async fn change(&self, who: &Who, place: PlaceId, change: PlaceChange) -> Result<Option<PlaceId>, AppError> {
        self.console.change_place(who, place, &change).await
    }

    /// The rooms on the wall of a person.
    async fn wall(&self, who: &Who) -> Vec<String> {
        self.console.wall(who, "").await.unwrap().meters.iter().map(|meter| meter.name.to_string()).collect()
    }
}

both!(a_site_is_made_room_by_room_and_audited, |w: World| async move {
    let e = Estate::new(w).await;
    let tree = e.console.place_tree(&e.boss).await.unwrap();
    assert_eq!(tree.total, PlaceCounts { buildings: 2, floors: 3, rooms: 3, meters: 3, accounts: 0 });
    assert_eq!(e.wall(&e.boss).await, ["A 1 101", "A 1 102", "B 1 103"]);
    let again = e.console.add_places(&e.boss, Some(e.a), PlaceKind::Unit, &names(&["3", "1"])).await;
    assert_eq!(again.unwrap_err(), AppError::NameTaken);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM places WHERE kind = 'unit'").await, 3, "all or nothing");
    let wrong = e.console.add_places(&e.boss, Some(e.site), PlaceKind::Room, &names(&["9"])).await;
    assert_eq!(wrong.unwrap_err(), AppError::PlaceDoesNotFit);
    e.change(&e.boss, e.rooms[0], PlaceChange::Rename(" 101A ".into())).await.unwrap();
    assert_eq!(e.change(&e.boss, e.rooms[0], PlaceChange::Rename("102".into())).await.unwrap_err(), AppError::NameTaken);
    assert_eq!(e.wall(&e.boss).await[0], "A 1 101A", "the wall has the new name at once");
    assert_eq!(e.w.number("SELECT COUNT(*) FROM audit WHERE action = 'place.add'").await, 7);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM audit WHERE action = 'place.rename'").await, 1);
    proved(&e.w).await;
});

both!(a_move_says_whose_buildings_change_and_changes_them, |w: World| async move {
    let e = Estate::new(w).await;
    assert_eq!(e.wall(&e.clerk).await, ["A 1 101", "A 1 102"]);
    let change = PlaceChange::Move(e.a);
    let taken = e.console.place_effect(&e.boss, e.floor_of_b, &change).await.unwrap();
    assert_eq!((taken.refusal, taken.gaining), (Some(AppError::NameTaken), vec!["Limited".to_owned()]));
    e.change(&e.boss, e.floor_of_b, PlaceChange::Rename("3".into())).await.unwrap();
    let effect = e.console.place_effect(&e.boss, e.floor_of_b, &change).await.unwrap();
    assert_eq!((effect.refusal, effect.before.as_str(), effect.after.as_str()), (None, "B 3", "A 3"));
    assert_eq!((effect.gaining, effect.losing), (vec!["Limited".to_owned()], vec![]));
    // A person sees and moves within their buildings only.
    assert_eq!(e.change(&e.clerk, e.floor_of_b, change.clone()).await.unwrap_err(), AppError::NotFound);
    assert_eq!(e.change(&e.clerk, e.floor_of_a, PlaceChange::Move(e.b)).await.unwrap_err(), AppError::NotFound);
    e.change(&e.boss, e.floor_of_b, change).await.unwrap();
    assert_eq!(e.wall(&e.clerk).await, ["A 1 101", "A 1 102", "A 3 103"]);
    assert_eq!(e.context.live.meter_places(&Scope::Buildings([e.b].into())).len(), 0);
    e.change(&e.clerk, e.rooms[0], PlaceChange::Move(e.floor_of_b)).await.unwrap();
    assert_eq!(e.wall(&e.clerk).await, ["A 1 102", "A 3 103", "A 3 101"]);
    proved(&e.w).await;
});

both!(a_merge_takes_meters_groups_and_operators_along, |w: World| async move {
    let e = Estate::new(w).await;
    let group = e.console.add_group(&e.boss, "空调").await.unwrap();
    e.console.add_to_group(&e.boss, group, &[e.b], &[]).await.unwrap();
    limit(&e.w, e.clerk.user, e.b).await;
    let effect = e.console.place_effect(&e.boss, e.b, &PlaceChange::Merge(e.a)).await.unwrap();
    assert_eq!((effect.refusal, effect.gaining), (None, vec![]), "who sees both buildings sees the same afterwards");
    assert_eq!(e.change(&e.boss, e.b, PlaceChange::Merge(e.a)).await, Ok(Some(e.a)));
    assert_eq!(e.wall(&e.clerk).await, ["A 1 101", "A 1 102", "A 1 103"], "floors of one name are one");
    assert_eq!(e.w.number("SELECT COUNT(*) FROM places WHERE kind IN ('building', 'unit')").await, 3);
    let members = e.console.group(&e.boss, group).await.unwrap().places;
    assert_eq!(members.iter().map(|(place, ..)| *place).collect::<Vec<_>>(), [e.a]);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM operator_buildings").await, 1);
    // Rooms become one where neither an account nor a name is in the way.
    e.change(&e.boss, e.rooms[2], PlaceChange::Merge(e.rooms[0])).await.unwrap();
    assert_eq!(e.console.place(&e.boss, e.rooms[0]).await.unwrap().meters.len(), 2);
    // None comes into a group with a price plan.
    let (priced, now) = (e.console.add_group(&e.boss, "夜班").await.unwrap(), e.w.clock.now());
    e.console.add_to_group(&e.boss, priced, &[e.rooms[1]], &[]).await.unwrap();
    let new = Publication { plan: "night".into(), effective_at: None, prices: Prices::flat(1_000) };
    let plan = prices::publish(&e.w.db, &e.w.rng, now, None, &new).await.unwrap();
    let mut tx = e.w.db.begin().await.unwrap();
    prices::assign_group_within(&mut tx, now, None, priced, Some(plan)).await.unwrap();
    tx.commit().await.unwrap();
    let merge = PlaceChange::Merge(e.rooms[0]);
    let effect = e.console.place_effect(&e.boss, e.rooms[1], &merge).await.unwrap();
    assert_eq!(effect.refusal, Some(AppError::GroupPriced), "said before it is confirmed");
    assert_eq!(e.change(&e.boss, e.rooms[1], merge).await.unwrap_err(), AppError::GroupPriced);
    proved(&e.w).await;
});

both!(a_group_with_settings_is_changed_by_who_may_set_them, |w: World| async move {
    let e = Estate::new(w).await;
    let (own, other) = (e.rooms[1], e.rooms[0]);
    let group = e.console.add_group(&e.clerk, "own").await.unwrap();
    e.console.add_to_group(&e.clerk, group, &[own], &[]).await.unwrap();
    e.console.rename_group(&e.clerk, group, "ours").await.unwrap();
    let surveyor = Who { permissions: [Permission::Estate].into_iter().collect(), ..e.boss.clone() };
    for setting in [
        "INSERT INTO group_defaults (group_id) VALUES ($1)",
        "INSERT INTO group_contacts (group_id) VALUES ($1)",
        "INSERT INTO group_alarm_rules (group_id, kind) VALUES ($1, 'arrears')",
        "INSERT INTO friendly_hours (id, group_id, weekends, holidays, examinations, overdraft_fen, emergency_fen, period)
         VALUES ($1, $1, TRUE, TRUE, '[]', 0, 0, 'month')",
    ] {
        story_support::bind(&e.w.db, setting, group.0, &[]).await;
        for who in [&e.clerk, &surveyor] {
            for refused in [
                e.console.add_to_group(who, group, &[other], &[]).await.map(|_| ()),
                e.console.remove_from_group(who, group, own).await,
                e.console.rename_group(who, group, "mine").await,
                e.console.remove_group(who, group).await,
                e.change(who, own, PlaceChange::Merge(other)).await.map(|_| ()),
            ] {
                assert_eq!(refused, Err(AppError::Forbidden), "{setting}");
            }
            assert!(e.console.group(who, group).await.unwrap().is_locked);
        }
        assert!(!e.console.group(&e.boss, group).await.unwrap().is_locked);
        e.console.add_to_group(&e.boss, group, &[other], &[]).await.unwrap();
        e.console.remove_from_group(&e.boss, group, other).await.unwrap();
        for all in [
            "DELETE FROM group_defaults",
            "DELETE FROM group_contacts",
            "DELETE FROM group_alarm_rules",
            "DELETE FROM friendly_hours",
        ] {
            e.w.execute(all).await;
        }
    }
    e.console.remove_group(&e.clerk, group).await.unwrap();
});

// One person alone moved a room to cheaper prices, which two decide about.
both!(a_move_to_other_prices_needs_a_plan_of_its_own, |w: World| async move {
    let e = Estate::new(w).await;
    let (now, west_of) = (e.w.clock.now(), |place: &str| RepricedPlace {
        place: place.into(),
        before: Some("west".into()),
        after: Some("east".into()),
        ends: false,
    });
    let given = async |name: &str, place| {
        let new = Publication { plan: name.into(), effective_at: None, prices: Prices::flat(5_000) };
        let plan = prices::publish(&e.w.db, &e.w.rng, now, None, &new).await.unwrap();
        prices::assign(&e.w.db, now, None, place, plan).await.unwrap();
        plan
    };
    let (west, east) = (given("west", e.a).await, given("east", e.b).await);
    let to_east = PlaceChange::Move(e.floor_of_b);
    let alone = e.console.place_effect(&e.boss, e.rooms[0], &to_east).await.unwrap();
    assert_eq!((alone.refusal, &alone.repriced[..]), (None, &[west_of("A 1 101")][..]), "nobody else decides about prices");
    let (one, two) = (e.w.admin("one").await, e.w.admin("two").await);
    let refused = e.console.place_effect(&one, e.rooms[0], &to_east).await.unwrap();
    assert_eq!((refused.refusal, refused.repriced), (Some(AppError::PlaceRepriced), vec![west_of("A 1 101")]));
    assert_eq!(e.change(&one, e.rooms[0], to_east.clone()).await, Err(AppError::PlaceRepriced));
    // Where the plan is the same, or no meter is, nothing is in the way.
    let upstairs = e.console.place_tree(&one).await.unwrap().buildings[0].1[1].id;
    e.change(&one, e.rooms[1], PlaceChange::Move(upstairs)).await.unwrap();
    let empty = e.console.add_places(&one, Some(e.floor_of_a), PlaceKind::Room, &names(&["109"])).await.unwrap();
    e.change(&one, empty, to_east.clone()).await.unwrap();
    // A plan of its own, which two decide about, goes along.
    e.w.clock.advance(HOUR);
    e.w.by_two(&one, &two, &Decision::PricePlace { place: e.rooms[0], plan: west }).await.unwrap();
    e.change(&one, e.rooms[0], to_east).await.unwrap();
    // A merge takes rooms to the prices of the other place too.
    let merge = PlaceChange::Merge(e.b);
    let refused = e.console.place_effect(&one, e.a, &merge).await.unwrap();
    assert_eq!((refused.refusal, refused.repriced), (Some(AppError::PlaceRepriced), vec![west_of("A 2")]), "all of a floor");
    assert_eq!(e.change(&one, e.a, merge.clone()).await, Err(AppError::PlaceRepriced));
    e.w.by_two(&one, &two, &Decision::PricePlace { place: upstairs, plan: east }).await.unwrap();
    assert_eq!(e.change(&one, e.a, merge).await, Ok(Some(e.b)));
    proved(&e.w).await;
});

both!(a_room_whose_account_waits_in_a_batch_stays, |w: World| async move {
    let e = Estate::new(w).await;
    let room = e.console.add_places(&e.boss, Some(e.floor_of_a), PlaceKind::Room, &names(&["104"])).await.unwrap();
    let id = model::ids::AccountBatchId(e.w.rng.id(e.w.clock.now()));
    let rooms = vec![NewBatchRoom { place: room, account: None, resident: None, amount: model::money::Fen::ZERO }];
    let batch = NewAccountBatch { id, kind: AccountBatchKind::Open, tender: None, reason: String::new(), rooms };
    account_batches::create(&e.w.db, &e.w.rng, e.w.clock.now(), &e.boss, &batch).await.unwrap();
    for change in [PlaceChange::Remove, PlaceChange::Merge(e.rooms[0])] {
        let effect = e.console.place_effect(&e.boss, room, &change).await.unwrap();
        assert_eq!(effect.refusal, Some(AppError::RoomInBatch), "{change:?}");
        assert_eq!(e.change(&e.boss, room, change).await.unwrap_err(), AppError::RoomInBatch);
    }
    account_batches::cancel(&e.w.db, e.w.clock.now(), &e.boss, id).await.unwrap();
    e.change(&e.boss, room, PlaceChange::Merge(e.rooms[0])).await.unwrap();
    // What was withdrawn is not tried again in the other room.
    assert!(account_batches::retry(&e.w.db, e.w.clock.now(), &e.boss, id).await.is_err());
    proved(&e.w).await;
});

both!(a_merge_names_the_default_parameters_that_end, |w: World| async move {
    let e = Estate::new(w).await;
    let (db, at) = (&e.w.db, e.w.clock.now());
    let set = async |place, alarms: [Option<u32>; 2]| {
        defaults::set(db, at, &e.boss, DefaultsOf::Place(place), &alarms.into_iter().collect()).await.unwrap();
    };
    set(e.b, [Some(2_000), Some(900)]).await;
    set(e.floor_of_b, [None, Some(800)]).await;
    set(e.rooms[2], [None, Some(700)]).await;
    let effect = e.console.place_effect(&e.boss, e.b, &PlaceChange::Merge(e.a)).await.unwrap();
    let ending: Vec<&str> = effect.defaults_end.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(ending, ["B 1", "B"], "the room keeps its own");
    // The floor moves below a place with a lower alarm 1 than its rooms have as alarm 2.
    set(e.a, [Some(600), None]).await;
    for (place, change) in [(e.b, PlaceChange::Merge(e.a)), (e.rooms[2], PlaceChange::Move(e.floor_of_a))] {
        let effect = e.console.place_effect(&e.boss, place, &change).await.unwrap();
        assert_eq!(effect.refusal, Some(AppError::AlarmOrder), "said before it is confirmed");
        assert_eq!(e.change(&e.boss, place, change).await.unwrap_err(), AppError::AlarmOrder);
    }
    set(e.a, [Some(700), None]).await;
    e.change(&e.boss, e.b, PlaceChange::Merge(e.a)).await.unwrap();
    proved(&e.w).await;
});

both!(only_places_that_were_never_used_are_deleted, |w: World| async move {
    let e = Estate::new(w).await;
    for used in [e.a, e.floor_of_a, e.rooms[0]] {
        assert_eq!(e.change(&e.boss, used, PlaceChange::Remove).await.unwrap_err(), AppError::PlaceNotEmpty);
    }
    let spare = e.console.add_places(&e.boss, Some(e.site), PlaceKind::Building, &names(&["C"])).await.unwrap();
    limit(&e.w, e.clerk.user, spare).await;
    let assigned = e.console.place_effect(&e.boss, spare, &PlaceChange::Remove).await.unwrap();
    assert_eq!(assigned.refusal, Some(AppError::PlaceAssigned));
    assert_eq!(e.change(&e.boss, spare, PlaceChange::Remove).await.unwrap_err(), AppError::PlaceAssigned);
    e.w.execute("DELETE FROM operator_buildings WHERE place_id IN (SELECT id FROM places WHERE name = 'C')").await;
    let group = e.console.add_group(&e.boss, "新楼").await.unwrap();
    e.console.add_to_group(&e.boss, group, &[spare], &[]).await.unwrap();
    assert_eq!(e.change(&e.boss, spare, PlaceChange::Remove).await, Ok(None));
    assert_eq!(e.console.group(&e.boss, group).await.unwrap().places, []);
    assert_eq!(e.w.number("SELECT COUNT(*) FROM places WHERE name = 'C'").await, 0);
    proved(&e.w).await;
});

both!(a_group_chooses_meters_across_buildings, |w: World| async move {
    let e = Estate::new(w).await;
    let group = e.console.add_group(&e.boss, "试点").await.unwrap();
    assert_eq!(e.console.add_group(&e.boss, "试点").await.unwrap_err(), AppError::NameTaken);
    let unknown = e.console.add_to_group(&e.boss, group, &[], &names(&["A 101", "999"])).await.unwrap();
    assert_eq!(unknown, ["999"]);
    assert_eq!(e.console.group(&e.boss, group).await.unwrap().places, [], "nothing of a wrong list is added");
    e.console.add_to_group(&e.boss, group, &[e.floor_of_b], &names(&["A 101"])).await.unwrap();
    let found = |seats: Vec<WallMeter>, text: &str| {
        let terms = Terms::of(text, seats.iter().map(|seat| &seat.search_text));
        seats.iter().filter(|seat| terms.mean(&seat.search_text)).count()
    };
    assert_eq!(found(e.console.wall(&e.boss, "").await.unwrap().meters, "试点"), 2, "the wall's search knows groups at once");
    assert_eq!(e.console.wall(&e.boss, "").await.unwrap().sets.names, ["试点"]);
    e.console.rename_group(&e.boss, group, "试点二").await.unwrap();
    assert_eq!(e.console.wall(&e.boss, "").await.unwrap().sets.names, ["试点二"]);
    assert_eq!(found(e.console.wall(&e.clerk, "").await.unwrap().meters, "试点二"), 1);
    let target = Target::parse("", &[format!("group:{group}")], None, "", "1");
    let chosen = |preview: model::console::Preview| preview.meters.into_iter().map(|(meter, _)| meter).collect::<Vec<_>>();
    let all = chosen(e.console.preview(&e.boss, Kind::Read, &target).await.unwrap());
    assert_eq!(all, [e.meters[0], e.meters[2]]);
    let own = chosen(e.console.preview(&e.clerk, Kind::Read, &target).await.unwrap());
    assert_eq!(own, [e.meters[0]], "only meters of the operator's buildings");
    let line = &e.console.groups(&e.clerk).await.unwrap()[0];
    assert_eq!((line.places, line.meters), (1, 1));
    assert_eq!(e.console.remove_group(&e.clerk, group).await.unwrap_err(), AppError::Forbidden);
    e.console.remove_group(&e.boss, group).await.unwrap();
    let gone = model::ids::PlaceGroupId(Uuid::nil());
    assert_eq!(e.console.group(&e.boss, gone).await.unwrap_err(), AppError::NotFound);
    let nobody = chosen(e.console.preview(&e.boss, Kind::Read, &target).await.unwrap());
    assert_eq!(nobody, [], "a group that is gone does not mean the whole site");

    e.w.execute("UPDATE meters SET profile = 'dlt645' WHERE unit = 3").await;
    e.context.live.reload(&e.w.db).await.unwrap();
    let wall = e.console.wall(&e.boss, "dlt645").await.unwrap();
    assert_eq!(wall.meters.iter().map(|meter| meter.latest.meter).collect::<Vec<_>>(), [e.meters[2]]);
    assert_eq!((wall.sets.profiles, wall.sets.profile.as_deref()), (names(&["dlt645", "rpp"]), Some("dlt645")));
    assert_eq!(e.console.wall(&e.clerk, "").await.unwrap().sets.profiles, ["rpp"], "those of the operator's buildings");
    assert!(e.console.wall(&e.clerk, "dlt645").await.unwrap().meters.is_empty());
    let of = |place: &str| Target::parse("", &[place.to_owned(), Target::place_of_profile("rpp")], None, "", "1");
    let taken = chosen(e.console.preview(&e.boss, Kind::Read, &of("all")).await.unwrap());
    assert_eq!(taken, e.meters[..2], "what is selected on a wall of a profile has no other meters");
    assert_eq!(chosen(e.console.preview(&e.boss, Kind::Read, &of(&e.b.to_string())).await.unwrap()), []);
});
