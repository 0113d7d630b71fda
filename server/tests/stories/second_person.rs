//! The two-person rule: small amounts of a day add up, cash leaves only for cash, and subsidies and prices wait for a second
//! person; on both databases.

use app::api::approvals::ApprovalsPort;
use app::api::ledger::LedgerPort;
use app::api::prices::PricesPort;
use domain::clock::Clock;
use domain::order::Limits;
use domain::returns::Rules;
use domain::wall_layout::Scope;
use estate::place_groups;
use model::approval::{Decision, Outcome};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{AccountId, ApprovalId, MeterId, PlaceId, UserId};
use model::money::Fen;
use model::order::{ReturnState, Tender};
use model::person::{Role, Who};
use model::subsidy::{Month, Per};
use model::tariff::Prices;
use model::time::{DAY, HOUR};
use server::tasks::Task;
use server::tasks::subsidies::GiveSubsidies;
use services::auth::Passwords;
use services::cash_desk::CashDeskService;
use services::console::ConsoleService;
use store::StoreError;
use store::approvals;
use store::returns::{self, NewReturn, Return, ReturnSubject};
use store::users::{self, NewUser};
use story_support::closings;
use story_support::refunding::{refused, uuid};
use story_support::room_fixture::RoomFixture;
use story_support::web::{Person, Web, location};
use story_support::{World, both};

/// A second person approves above 30.00 yuan.
const RULES: Rules = Rules { approve_above_fen: 3_000, approval_hours: 24 };

/// The services of a server under these rules.
struct Office {
    desk: CashDeskService,
    console: ConsoleService,
}

impl Office {
    async fn of(w: &World) -> Self {
        let (context, passwords) = (w.context().await, Passwords::new(w.rng.clone()).unwrap());
        let desk = CashDeskService::new(context.clone(), Limits::default(), RULES, domain::refund::Rules::default());
        Self { desk, console: ConsoleService::new(context, passwords, Limits::default(), RULES) }
    }

    async fn publish(&self, who: &Who, plan: &str, price: u32) -> Outcome {
        self.console.publish_prices(who, plan, None, Prices::flat(price)).await.unwrap()
    }
}

/// Asks for money back out of a meter.
async fn take(w: &World, by: UserId, (account, meter): (AccountId, MeterId), fen: i64, tender: Tender) -> ReturnState {
    let of = ReturnSubject::Remaining { account, meter, tender, amount: Fen(fen) };
    let new = NewReturn { key: w.rng.id(w.clock.now()), of, reason: "退宿".into(), by, ip: String::new() };
    returns::ask(&w.db, &w.rng, w.clock.now(), &RULES, &Limits::default(), &new).await.unwrap().state
}

async fn give_subsidies(w: &World) -> String {
    GiveSubsidies { context: w.context().await, limits: Limits::default() }.run().await.unwrap().summary
}

async fn last_return(w: &World) -> Return {
    let id = uuid(w, "SELECT id FROM returns ORDER BY asked_at DESC, id DESC LIMIT 1").await;
    returns::find(&w.db, model::ids::ReturnId(id)).await.unwrap().unwrap()
}

async fn approve_return(w: &World, who: &Who, row: &Return) -> Result<Return, StoreError> {
    returns::approve(&w.db, &w.rng, w.clock.now(), &Limits::default(), who, row.id).await
}

// 1000 yuan for each of 25 rooms.
both!(one_operator_alone_turns_no_subsidy_into_cash, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let (w, room) = (&fixture.w, (account, fixture.meter));
    for number in 1..25 {
        let sql = "INSERT INTO places (id, parent_id, kind, name, sort)
                   SELECT $1, id, 'room', 'x' || $2, $2 FROM places WHERE name = '3'";
        story_support::bind(&w.db, sql, w.rng.id(w.clock.now()), &[number]).await;
    }
    let (clerk, boss, office) = (fixture.who(), w.admin("boss").await, Office::of(w).await);
    let (place, month) = (fixture.building, Month::of(w.clock.now()));
    let subsidy = Decision::Subsidy { place, from: month, per: Per::Room, amount: Fen(100_000) };
    let set = office.desk.set_subsidy(&clerk, place, month, Per::Room, Fen(100_000)).await;
    assert_eq!(set, Ok(Outcome::Waits));
    let line = office.console.waiting(&boss).await.unwrap().remove(0);
    assert_eq!((line.amount, line.asked_by.as_str(), line.place.as_str()), (Fen(2_500_000), "clerk", "3"), "25,000 yuan");
    assert!(give_subsidies(w).await.contains("0 given"), "nothing is given before");
    assert_eq!(office.console.approve(&clerk, line.id).await, Err(AppError::SecondPerson));
    // Nor under a second name.
    let twin = NewUser { role: Role::Admin, login: "clerk-2", name: " Clerk", password_hash: "x", buildings: &Scope::All };
    let twin = users::create(&w.db, &w.rng, w.clock.now(), &twin, "test").await.unwrap();
    let twin = Who { user: twin, ..boss.clone() };
    assert_eq!(office.console.approve(&twin, line.id).await, Err(AppError::SecondPerson));
    assert_eq!(w.waits(boss.user, &subsidy).await, Some(line.id));
    // Room by room it adds up.
    let own = PlaceId(uuid(w, "SELECT place_id FROM meters").await);
    let set = async |month: Month, fen| office.desk.set_subsidy(&clerk, own, month, Per::Room, Fen(fen)).await.unwrap();
    assert_eq!(set(month, 2_000).await, Outcome::Done);
    assert_eq!(set(month, 2_000).await, Outcome::Done, "a form sent twice");
    assert_eq!(w.number("SELECT COUNT(*) FROM approval_requests WHERE state = 'alone'").await, 1);
    assert_eq!(set(Month(month.0 + 1), 2_000).await, Outcome::Waits);
    assert!(give_subsidies(w).await.contains("1 given"));

    // What was not paid in cash does not leave as cash, in however small parts.
    fixture.prove().await;
    w.clock.advance(DAY);
    w.execute("UPDATE orders SET tender = 'transfer' WHERE tender = 'cash'").await;
    assert_eq!(take(w, clerk.user, room, 100, Tender::Cash).await, ReturnState::Waiting);
    let asked = last_return(w).await;
    assert_eq!(refused(approve_return(w, &clerk, &asked).await), AppError::SecondPerson);
    assert_eq!(refused(approve_return(w, &twin, &asked).await), AppError::SecondPerson);
    assert_eq!(approve_return(w, &boss, &asked).await.unwrap().state, ReturnState::Taken);
    assert_eq!(refused(approve_return(w, &boss, &asked).await), AppError::Conflict, "once");
});

both!(small_returns_of_a_day_need_a_second_person, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let w = &fixture.w;
    let (clerk, other) = (w.admin("one").await.user, w.admin("two").await.user);
    let state = async |by, fen| take(w, by, (account, fixture.meter), fen, Tender::Cash).await;
    assert_eq!(state(clerk, 2_000).await, ReturnState::Taken);
    assert_eq!(state(clerk, 1_000).await, ReturnState::Taken);
    assert_eq!(state(clerk, 100).await, ReturnState::Waiting, "the day's sum is above the limit");
    assert_eq!(state(other, 100).await, ReturnState::Waiting, "and so is that of the meter");
    w.clock.advance(DAY);
    assert_eq!(state(other, 100).await, ReturnState::Taken, "the next day");
    fixture.prove().await;
});

both!(returns_out_of_two_meters_are_added_up, |w: World| async move {
    let (clerk, rooms) = (w.clerk().await, [w.room(1).await, w.room(2).await]);
    for room in rooms {
        w.shows(room.meter, 0, 0, 9_000).await;
    }
    let state = async |n: usize, fen| take(&w, clerk, (rooms[n].account, rooms[n].meter), fen, Tender::Transfer).await;
    assert_eq!(state(0, 2_000).await, ReturnState::Taking);
    assert_eq!(state(1, 1_001).await, ReturnState::Waiting);
    assert_eq!(state(1, 1_000).await, ReturnState::Taking);
    // Two forms at once: the second counts the first.
    w.clock.advance(DAY);
    let both = futures::future::join(state(0, 2_000), state(1, 2_000)).await;
    assert!(
        matches!(both, (ReturnState::Taking, ReturnState::Waiting) | (ReturnState::Waiting, ReturnState::Taking)),
        "{both:?}"
    );
});

both!(cash_leaves_only_for_what_was_paid_in_cash, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_000, 2_000).await;
    let (w, room) = (&fixture.w, (account, fixture.meter));
    let clerk = w.admin("one").await.user;
    let back = async |fen| take(w, clerk, room, fen, Tender::Cash).await;
    w.execute("UPDATE orders SET tender = 'transfer'").await;
    assert_eq!(back(500).await, ReturnState::Waiting);
    w.execute("UPDATE returns SET state = 'cancelled'").await;
    w.clock.advance(HOUR);
    fixture.sell(account, 300).await.unwrap();
    assert_eq!(back(200).await, ReturnState::Taken);
    assert_eq!(back(200).await, ReturnState::Waiting, "100 of the cash is left");
    w.execute("UPDATE returns SET state = 'cancelled' WHERE state = 'waiting'").await;
    assert_eq!(back(100).await, ReturnState::Taken);
    assert_eq!(back(1).await, ReturnState::Waiting);
});

both!(a_closed_account_with_a_subsidy_is_paid_out_by_two, |w: World| async move {
    let (fixture, account) = RoomFixture::supplied(w, 5_000, 2_000).await;
    let w = &fixture.w;
    w.execute("UPDATE orders SET tender = 'subsidy'").await;
    let closing = closings::begin(w, w.clock.now(), fixture.clerk, account, closings::CASH).await.unwrap();
    fixture.record(vec![fixture.reading(1, 1_000)]).await;
    w.clock.advance(HOUR);
    for _ in 0..3 {
        closings::advance(w, w.clock.now()).await;
    }
    assert!(closings::seen(w, closing).await.read_at.is_some());
    let owed = last_return(w).await;
    assert_eq!((owed.amount, owed.state), (Fen(2_000), ReturnState::Waiting), "below the limit, but not paid in cash");
});

both!(subsidies_and_prices_wait_for_a_second_person, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let (w, office) = (&fixture.w, Office::of(&fixture.w).await);
    let one = w.admin("one").await;
    // Alone in the office.
    assert_eq!(office.publish(&one, "alone", 5_000).await, Outcome::Done);
    let two = w.admin("two").await;
    let Office { desk, console } = &office;
    let (month, place) = (Month::of(w.clock.now()), fixture.building);
    let rules = "SELECT COUNT(*) FROM subsidy_rules";
    // One room: 30.00 a month is within the limit, 30.01 is not.
    assert_eq!(desk.set_subsidy(&one, place, month, Per::Room, Fen(3_000)).await, Ok(Outcome::Done));
    assert_eq!(w.number(rules).await, 1);
    w.clock.advance(DAY);
    let next = Month(month.0 + 1);
    assert_eq!(desk.set_subsidy(&one, place, next, Per::Room, Fen(3_001)).await, Ok(Outcome::Waits));
    assert_eq!(w.number(rules).await, 1, "nothing is decided yet");
    // Who asked may withdraw it and ask for something else.
    let wrong = console.waiting(&two).await.unwrap()[0].id;
    console.reject(&one, wrong, "a typing error").await.unwrap();
    assert_eq!(console.waiting(&two).await.unwrap(), []);
    assert_eq!(desk.set_subsidy(&one, place, next, Per::Room, Fen(3_002)).await, Ok(Outcome::Waits));
    let id = console.waiting(&two).await.unwrap()[0].id;
    assert_eq!(console.approve(&one, id).await, Err(AppError::SecondPerson));
    console.approve(&two, id).await.unwrap();
    assert_eq!((w.number(rules).await, console.approve(&two, id).await), (2, Err(AppError::Conflict)));

    let versions = "SELECT COUNT(*) FROM price_versions";
    let before = w.number(versions).await;
    assert_eq!(office.publish(&one, "new", 1).await, Outcome::Waits);
    let id = console.waiting(&two).await.unwrap()[0].id;
    console.reject(&two, id, "too cheap").await.unwrap();
    assert_eq!(w.number(versions).await, before);
    assert_eq!(office.publish(&one, "new", 5_000).await, Outcome::Waits);
    let id = console.waiting(&two).await.unwrap()[0].id;
    console.approve(&two, id).await.unwrap();
    assert_eq!(w.number(versions).await, before + 1);
    let plan = uuid(w, "SELECT id FROM price_plans WHERE name = 'new'").await;
    let of = DefaultsOf::Place(place);
    assert_eq!(console.assign_prices(&one, of, Some(plan)).await, Ok(Outcome::Waits));
    let id = console.waiting(&two).await.unwrap()[0].id;
    console.approve(&two, id).await.unwrap();
    assert_eq!(console.assign_prices(&one, of, Some(plan)).await, Ok(Outcome::Done), "it has that plan");
    assert_eq!(console.assign_prices(&one, of, None).await, Err(AppError::Invalid), "only a group can have none any more");
    // A group's plan waits likewise. Its places do not change meanwhile, nor while it has the plan.
    let group = place_groups::create(&w.db, &w.rng, w.clock.now(), &one, "quiet").await.unwrap();
    place_groups::change(&w.db, w.clock.now(), &one, group, &[place], &[]).await.unwrap();
    let leaves = async || place_groups::change(&w.db, w.clock.now(), &one, group, &[], &[place]).await;
    for given in [Some(plan), None] {
        w.clock.advance(HOUR);
        assert_eq!(console.assign_prices(&one, DefaultsOf::Group(group), given).await, Ok(Outcome::Waits));
        assert_eq!(refused(leaves().await), AppError::GroupPriced);
        let waits = console.waiting(&two).await.unwrap();
        assert_eq!((waits[0].place.as_str(), waits[0].plan.as_deref()), ("quiet", given.map(|_| "new")));
        let change = &waits[0].reach.as_ref().unwrap().changes[0];
        assert_eq!((change.rooms, change.meters, change.before == change.after), (1, 1, true), "its place has that plan");
        console.approve(&two, waits[0].id).await.unwrap();
        let shown = console.prices(&one).await.unwrap();
        let places = shown.plans.iter().flat_map(|plan| &plan.places);
        let named = places.filter(|(of, name)| *of == DefaultsOf::Group(group) && name == "quiet");
        assert_eq!(named.count(), usize::from(given.is_some()));
        let plans = "SELECT COUNT(*) FROM price_groups WHERE plan_id IS NOT NULL";
        assert_eq!(w.number(plans).await, 1, "what it had is kept");
        assert_eq!(refused(leaves().await), AppError::GroupPriced, "the prices of the time of its plan go by its places");
        let removed = place_groups::remove(&w.db, w.clock.now(), &one, group).await;
        assert_eq!(refused(removed), AppError::GroupPriced);
    }
    // The plan of a group is not taken from a place that has no other.
    let bare = PlaceId(w.rng.id(w.clock.now()));
    let building = "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'building', 'bare', 9)";
    story_support::bind(&w.db, building, bare.0, &[]).await;
    let beside = place_groups::create(&w.db, &w.rng, w.clock.now(), &one, "beside").await.unwrap();
    let of_beside = DefaultsOf::Group(beside);
    assert_eq!(console.assign_prices(&one, of_beside, Some(plan)).await, Err(AppError::GroupEmpty));
    place_groups::change(&w.db, w.clock.now(), &one, beside, &[bare, place], &[]).await.unwrap();
    assert_eq!(console.assign_prices(&one, of_beside, None).await, Err(AppError::NoPrices));
    // Of two groups of one place the first by name decides: neither is renamed once both have, had or wait for a plan.
    place_groups::rename(&w.db, w.clock.now(), &one, beside, "aside").await.unwrap();
    assert_eq!(console.assign_prices(&one, of_beside, Some(plan)).await, Ok(Outcome::Waits));
    for plan in ["waits", "given"] {
        for id in [beside, group] {
            let renamed = place_groups::rename(&w.db, w.clock.now(), &one, id, "z").await;
            assert_eq!(refused(renamed), AppError::GroupPriced, "{plan}");
        }
        if let Some(waits) = console.waiting(&two).await.unwrap().first() {
            console.approve(&two, waits.id).await.unwrap();
        }
    }
    // What nobody approves in time ends.
    assert_eq!(office.publish(&one, "late", 5_000).await, Outcome::Waits);
    w.clock.advance(DAY);
    assert_eq!(approvals::expire(&w.db, w.clock.now()).await.unwrap(), 1);
    assert_eq!(console.waiting(&two).await.unwrap(), []);
    assert_eq!(w.number("SELECT COUNT(DISTINCT action) FROM audit WHERE action LIKE 'approval.%'").await, 5);
    fixture.prove().await;
});

both!(a_request_is_not_carried_out_on_another_state, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let (w, office) = (&fixture.w, Office::of(&fixture.w).await);
    let (one, two) = (w.admin("one").await, w.admin("two").await);
    let Office { desk, console } = &office;
    let (month, place) = (Month::of(w.clock.now()), fixture.building);
    // The subsidy: a room was added meanwhile.
    assert_eq!(desk.set_subsidy(&one, place, month, Per::Room, Fen(4_000)).await, Ok(Outcome::Waits));
    let subsidy = console.waiting(&two).await.unwrap()[0].id;
    let sql = "INSERT INTO places (id, parent_id, kind, name, sort) SELECT $1, id, 'room', 'x', 2 FROM places WHERE name = '3'";
    story_support::bind(&w.db, sql, w.rng.id(w.clock.now()), &[]).await;
    assert_eq!(console.approve(&two, subsidy).await, Err(AppError::StaleSubsidy));
    assert_eq!(w.number("SELECT COUNT(*) FROM subsidy_rules").await, 0);
    console.reject(&two, subsidy, "more rooms now").await.unwrap();
    // The prices: another version was published, or the planned start is over.
    assert_eq!(office.publish(&one, "rooms", 6_000).await, Outcome::Waits);
    let prices = console.waiting(&two).await.unwrap()[0].id;
    w.clock.advance(HOUR);
    fixture.publish(None, Prices::flat(7_000)).await.unwrap();
    assert_eq!(console.approve(&two, prices).await, Err(AppError::StalePrices));
    console.reject(&two, prices, "another is in force").await.unwrap();
    let soon = Some(w.clock.now().plus(HOUR));
    assert_eq!(console.publish_prices(&one, "rooms", soon, Prices::flat(6_000)).await, Ok(Outcome::Waits));
    let prices = console.waiting(&two).await.unwrap()[0].id;
    w.clock.advance(2 * HOUR);
    assert_eq!(console.approve(&two, prices).await, Err(AppError::StalePrices));
    fixture.prove().await;
});

both!(an_approver_has_the_building_and_the_permission, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let (w, office) = (&fixture.w, Office::of(&fixture.w).await);
    let (one, two) = (w.admin("one").await, w.admin("two").await);
    let Office { desk, console } = &office;
    let month = Month::of(w.clock.now());
    assert_eq!(desk.set_subsidy(&one, fixture.building, month, Per::Room, Fen(4_000)).await, Ok(Outcome::Waits));
    assert_eq!(office.publish(&one, "new", 5_000).await, Outcome::Waits);
    let ids: Vec<_> = console.waiting(&two).await.unwrap().into_iter().map(|line| line.id).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(console.approve(&fixture.who(), ids[0]).await, Err(AppError::SecondPerson), "an operator without the permission");
    // Another building: nothing is seen, and nothing is approved.
    w.execute("INSERT INTO places (id, kind, name, sort) SELECT id, 'building', '4', 9 FROM users WHERE login = 'two'").await;
    let limited = "INSERT INTO operator_buildings (user_id, place_id) SELECT id, id FROM users WHERE login = 'two'";
    w.execute(limited).await;
    w.limit("two").await;
    assert_eq!(console.waiting(&two).await.unwrap(), []);
    for id in &ids {
        assert_eq!(console.approve(&two, *id).await, Err(AppError::NotFound));
        assert_eq!(console.reject(&two, *id, "not mine").await, Err(AppError::NotFound));
    }
    // Their own building, not the prices of all.
    w.execute(
        "UPDATE operator_buildings SET place_id = (SELECT id FROM places WHERE name = '3')
         WHERE user_id = (SELECT id FROM users WHERE login = 'two')",
    )
    .await;
    assert_eq!(console.waiting(&two).await.unwrap().len(), 1);
    console.approve(&two, ids[0]).await.unwrap();
    assert_eq!(console.approve(&two, ids[1]).await, Err(AppError::NotFound));
    // With nobody else for the whole site, prices need no second person.
    console.reject(&w.admin("three").await, ids[1], "later").await.unwrap();
    w.execute("UPDATE users SET disabled_at = 1 WHERE login = 'three'").await;
    assert_eq!(office.publish(&one, "new", 5_000).await, Outcome::Done);
});

both!(the_approvals_page_says_what_a_request_would_do, |w: World| async move {
    let (fixture, _) = RoomFixture::supplied(w, 5_000, 20_000).await;
    let web = Web::start(&fixture.w).await;
    let asker = web.person(&fixture.w, Role::Manager, "asker").await;
    let boss = web.person(&fixture.w, Role::Admin, "boss").await;
    let month = Month::of(fixture.w.clock.now());
    let subsidy = format!("place={}&from={month}&per=room&amount=500", fixture.building);
    assert_eq!(location(&asker.post("/api/operator/subsidy", &subsidy).await), "/approvals");
    let prices = "form[plan]=new&form[kind]=rates&form[price1]=1.2&form[price2]=1&form[price3]=0.8&form[price4]=0.4\
                  &form[period]=none";
    let prices = prices.replace('[', "%5B").replace(']', "%5D");
    assert_eq!(location(&asker.post("/api/operator/publish-prices", &prices).await), "/approvals");

    let own = page(&asker).await;
    assert!(own.contains("您自己的申请") && !own.contains("approve-request"), "{own}");
    let others = page(&boss).await;
    for part in ["asker", "补贴", "500.00", "电价新版本", "1.2000", "approve-request"] {
        assert!(others.contains(part), "{part}: {others}");
    }
    let id = async |kind: &'static str| uuid(&fixture.w, kind).await.simple().to_string();
    let wanted = id("SELECT id FROM approval_requests WHERE kind = 'subsidy'").await;
    let unwanted = id("SELECT id FROM approval_requests WHERE kind = 'prices'").await;
    assert_eq!(location(&boss.post("/api/operator/approve-request", &format!("id={wanted}")).await), "/approvals");
    let again = boss.post("/api/operator/approve-request", &format!("id={wanted}")).await;
    assert_eq!(location(&again), "/approvals?e=conflict");
    let reject = format!("id={unwanted}&reason=%E5%A4%AA%E9%AB%98");
    assert_eq!(location(&boss.post("/api/operator/reject-request", &reject).await), "/approvals");
    assert!(!page(&boss).await.contains("approve-request"));
    assert_eq!(fixture.w.number("SELECT COUNT(*) FROM subsidy_rules").await, 1);
    assert_eq!(fixture.w.word("SELECT note FROM approval_requests WHERE kind = 'prices'").await, "太高");
});

async fn page(person: &Person<'_>) -> String {
    person.get("/approvals").await.text().await.unwrap()
}

/// New prices that wait for a second person.
pub(super) async fn waiting_prices(w: &World, who: &Who) -> ApprovalId {
    let office = Office::of(w).await;
    let plan = format!("plan {}", w.rng.id(w.clock.now()));
    assert_eq!(office.publish(who, plan.get(..12).unwrap(), 5_000).await, Outcome::Waits);
    ApprovalId(uuid(w, "SELECT id FROM approval_requests WHERE state = 'waiting'").await)
}

pub(super) async fn approve(w: &World, who: &Who, id: ApprovalId) -> Result<(), AppError> {
    Office::of(w).await.console.approve(who, id).await
}

/// Whether new prices of this person hold at once.
pub(super) async fn publishes_alone(w: &World, who: &Who, plan: &str) -> bool {
    Office::of(w).await.publish(who, plan, 5_000).await == Outcome::Done
}
