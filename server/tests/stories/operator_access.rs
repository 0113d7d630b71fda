//! What follows when operators gain or lose something: links, cases, roles, and who is a second person; on both databases.

use std::collections::BTreeSet;

use app::api::cases::CasesPort;
use app::api::operators::OperatorsPort;
use domain::clock::Clock;
use domain::wall_layout::Scope;
use model::case::{CaseDetail, RelayCase};
use model::console::CaseStep;
use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::log_in::LogInMethod;
use model::operator::{LinkKind, RoleChoice};
use model::permission::{Permission, Permissions};
use model::person::{Role, Who};
use model::time::{DAY, Timestamp};
use store::operators::{self, Access, ChangedBy, NewLink, NewOperator};
use store::roles::{self, RoleTerms};
use store::users::{self, NewUser};
use store::{StoreError, cases};
use story_support::refunding::refused;
use story_support::{World, both};

use super::operator::Estate;
use super::second_person;

const HASH: &str = "the test's own hash";

/// A person with a ready role in some buildings.
async fn person(w: &World, login: &str, role: Role, buildings: &Scope) -> Who {
    let user = NewUser { role, login, name: login, password_hash: HASH, buildings };
    let user = users::create(&w.db, &w.rng, w.clock.now(), &user, "test").await.unwrap();
    Who { user, role, permissions: Permissions::of(role), name: login.into(), ip: String::new() }
}

/// A person who manages operators by a role of the site and whatever else is given.
async fn staff(w: &World, boss: &Who, login: &str, more: &[Permission], buildings: &Scope) -> Who {
    let permissions: Permissions = more.iter().copied().chain([Permission::Operators]).collect();
    let permissions = permissions.with_needs();
    let (now, terms) = (w.clock.now(), RoleTerms { name: login, permissions });
    let role = roles::create(&w.db, &w.rng, now, ChangedBy::Person(boss), terms).await.unwrap();
    let who = person(w, login, Role::ReadOnly, buildings).await;
    let access = Access { role: RoleChoice::Own(role), buildings };
    operators::set_access(&w.db, &w.rng, now, ChangedBy::Person(boss), who.user, access).await.unwrap();
    Who { role: Role::Own, permissions, ..who }
}

fn link(n: u8, now: Timestamp) -> NewLink {
    NewLink { hash: [n; 32], expires_at: now.plus(DAY) }
}

/// Whether the link with that number can be used.
async fn works(w: &World, n: u8) -> bool {
    operators::invitation(&w.db, w.clock.now(), &[n; 32]).await.unwrap().is_some()
}

async fn make(w: &World, by: ChangedBy<'_>, user: UserId, n: u8) {
    let now = w.clock.now();
    operators::renew(&w.db, now, by, user, |_| link(n, now)).await.unwrap();
}

async fn invite(w: &World, by: ChangedBy<'_>, login: &str, role: Role, n: u8) -> UserId {
    let new = NewOperator { login, name: login, role: RoleChoice::Ready(role), buildings: &Scope::All };
    let now = w.clock.now();
    operators::invite(&w.db, &w.rng, now, by, &new, link(n, now)).await.unwrap()
}

async fn accept(w: &World, n: u8, name: &str) -> Result<UserId, StoreError> {
    operators::accept(&w.db, w.clock.now(), &[n; 32], name, "another hash", "").await
}

both!(a_gain_ends_the_links_that_others_made, |w: World| async move {
    let (boss, now) = (w.admin("boss").await, w.clock.now());
    let all_but_site: Vec<Permission> = Permission::ALL.into_iter().filter(|one| *one != Permission::Site).collect();
    let head = staff(&w, &boss, "head", &all_but_site, &Scope::All).await;
    let (by_boss, by_head) = (ChangedBy::Person(&boss), ChangedBy::Person(&head));
    let set = async |user: UserId, role: Role| {
        let access = Access { role: RoleChoice::Ready(role), buildings: &Scope::All };
        operators::set_access(&w.db, &w.rng, now, by_boss, user, access).await.unwrap();
    };
    let clerk = person(&w, "clerk", Role::Cashier, &Scope::All).await.user;
    make(&w, by_head, clerk, 1).await;
    set(clerk, Role::ReadOnly).await;
    assert!(works(&w, 1).await, "nothing was gained");
    set(clerk, Role::Manager).await;
    assert!(!works(&w, 1).await, "whoever has the link would be a manager");
    make(&w, by_boss, clerk, 2).await;
    set(clerk, Role::Admin).await;
    assert!(works(&w, 2).await, "who promotes made it");
    make(&w, ChangedBy::CommandLine, clerk, 3).await;
    set(clerk, Role::Cashier).await;
    set(clerk, Role::Admin).await;
    assert!(works(&w, 3).await, "from the server, where everything may be done");

    // The same where a role gains.
    let few: Permissions = [Permission::Watch].into_iter().collect();
    let role = roles::create(&w.db, &w.rng, now, by_boss, RoleTerms { name: "few", permissions: few }).await.unwrap();
    let guard = person(&w, "guard", Role::ReadOnly, &Scope::All).await.user;
    let access = Access { role: RoleChoice::Own(role), buildings: &Scope::All };
    operators::set_access(&w.db, &w.rng, now, by_boss, guard, access).await.unwrap();
    make(&w, by_head, guard, 4).await;
    let change = async |name, permissions| {
        roles::change(&w.db, &w.rng, now, by_boss, role, RoleTerms { name, permissions }).await.unwrap();
    };
    change("other name", few).await;
    assert!(works(&w, 4).await);
    change("everything", Permissions::all()).await;
    assert!(!works(&w, 4).await);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(another_password_ends_the_links_of_a_person, |w: World| async move {
    let (boss, now) = (w.admin("boss").await, w.clock.now());
    let clerk = person(&w, "clerk", Role::Cashier, &Scope::All).await;
    make(&w, ChangedBy::Person(&boss), clerk.user, 1).await;
    let (hash, user, expires, log_in) = ([7; 32], clerk.user, now.plus(DAY), LogInMethod::Password.into());
    let session = store::sessions::NewSession { hash, user, log_in, ip: String::new(), agent: String::new(), expires };
    users::change_password(&w.db, now, &clerk, (HASH, "new"), &session).await.unwrap();
    assert!(!works(&w, 1).await);
    make(&w, ChangedBy::Person(&boss), clerk.user, 2).await;
    users::reset_password(&w.db, now, "clerk", "newer", "command line").await.unwrap();
    assert!(!works(&w, 2).await);
    assert_eq!(refused(accept(&w, 2, "x").await), AppError::LinkEnded);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(who_loses_something_loses_the_links_they_made, |w: World| async move {
    let (boss, now) = (w.admin("boss").await, w.clock.now());
    let clerk = person(&w, "clerk", Role::Cashier, &Scope::All).await.user;
    let by_boss = ChangedBy::Person(&boss);
    let one = staff(&w, &boss, "one", &[Permission::Sell, Permission::Return, Permission::Accounts], &Scope::All).await;
    make(&w, ChangedBy::Person(&one), clerk, 1).await;
    operators::set_disabled(&w.db, &w.rng, now, by_boss, one.user, true).await.unwrap();
    assert!(!works(&w, 1).await, "disabled");
    operators::set_disabled(&w.db, &w.rng, now, by_boss, one.user, false).await.unwrap();
    make(&w, ChangedBy::Person(&one), clerk, 2).await;
    let access = Access { role: RoleChoice::Ready(Role::ReadOnly), buildings: &Scope::All };
    operators::set_access(&w.db, &w.rng, now, by_boss, one.user, access).await.unwrap();
    assert!(!works(&w, 2).await, "another role");
    let two = staff(&w, &boss, "two", &[Permission::Sell, Permission::Return, Permission::Accounts], &Scope::All).await;
    make(&w, ChangedBy::Person(&two), clerk, 3).await;
    let role = roles::list(&w.db).await.unwrap().into_iter().find(|role| role.name == "two").unwrap().id;
    let terms = RoleTerms { name: "two", permissions: [Permission::Operators].into_iter().collect() };
    roles::change(&w.db, &w.rng, now, by_boss, role, terms).await.unwrap();
    assert!(!works(&w, 3).await, "the role allows less");
});

both!(what_was_taken_away_is_given_to_nobody, |w: World| async move {
    let (boss, chief, now) = (w.admin("boss").await, w.admin("chief").await, w.clock.now());
    let clerk = person(&w, "clerk", Role::Cashier, &Scope::All).await.user;
    let admin = Access { role: RoleChoice::Ready(Role::Admin), buildings: &Scope::All };
    // The request of `chief` was let in with all permissions, and waits while these are taken away.
    let less = Access { role: RoleChoice::Ready(Role::Manager), buildings: &Scope::All };
    operators::set_access(&w.db, &w.rng, now, ChangedBy::Person(&boss), chief.user, less).await.unwrap();
    let by = ChangedBy::Person(&chief);
    let refusal = async || refused(operators::set_access(&w.db, &w.rng, now, by, clerk, admin).await);
    assert_eq!(refusal().await, AppError::Forbidden);
    let all = RoleTerms { name: "all", permissions: Permissions::all() };
    assert_eq!(refused(roles::create(&w.db, &w.rng, now, by, all).await), AppError::Forbidden);
    let new = NewOperator { login: "new", name: "new", role: admin.role, buildings: &Scope::All };
    assert_eq!(refused(operators::invite(&w.db, &w.rng, now, by, &new, link(1, now)).await), AppError::Forbidden);
    operators::set_access(&w.db, &w.rng, now, ChangedBy::Person(&boss), chief.user, admin).await.unwrap();
    operators::set_disabled(&w.db, &w.rng, now, ChangedBy::Person(&boss), chief.user, true).await.unwrap();
    assert_eq!(refusal().await, AppError::Forbidden, "disabled");
});

both!(roles_are_changed_by_whoever_sees_all_buildings, |w: World| async move {
    let e = Estate::new(w).await;
    let (w, now) = (&e.w, e.w.clock.now());
    let building: PlaceId = estate::places::buildings(&w.db).await.unwrap()[0].0;
    let within = Scope::Buildings(BTreeSet::from([building]));
    let head = staff(w, &e.boss, "head", &[Permission::Watch], &within).await;
    let role = roles::list(&w.db).await.unwrap()[0].id;
    let by = ChangedBy::Person(&head);
    let terms = |name| RoleTerms { name, permissions: [Permission::Watch].into_iter().collect() };
    assert_eq!(refused(roles::create(&w.db, &w.rng, now, by, terms("new")).await), AppError::Forbidden);
    assert_eq!(refused(roles::change(&w.db, &w.rng, now, by, role, terms("old")).await), AppError::Forbidden);
    let unused = roles::create(&w.db, &w.rng, now, ChangedBy::Person(&e.boss), terms("unused")).await.unwrap();
    assert_eq!(refused(roles::remove(&w.db, now, by, unused).await), AppError::Forbidden);
    roles::remove(&w.db, now, ChangedBy::Person(&e.boss), unused).await.unwrap();
    assert!(!e.console.choices(&head).await.unwrap().all_buildings, "the page offers no change");
});

both!(operators_of_other_buildings_are_not_listed, |w: World| async move {
    let e = Estate::new(w).await;
    let w = &e.w;
    let buildings: Vec<PlaceId> = estate::places::buildings(&w.db).await.unwrap().into_iter().map(|(id, _)| id).collect();
    let only = |n: usize| Scope::Buildings(BTreeSet::from([buildings[n]]));
    let head = staff(w, &e.boss, "head", &[], &only(0)).await;
    let other = person(w, "other", Role::Cashier, &only(1)).await;
    let both = Scope::Buildings(buildings.iter().copied().collect());
    let shared = person(w, "shared", Role::Cashier, &both).await;
    person(w, "nowhere", Role::Cashier, &Scope::Buildings(BTreeSet::new())).await;
    let names = async |who: &Who| {
        let lines = e.console.operators(who, 0).await.unwrap().lines;
        lines.into_iter().map(|line| line.login).collect::<Vec<_>>()
    };
    assert_eq!(names(&head).await, ["boss", "clerk", "head", "nowhere", "shared"]);
    assert_eq!(names(&e.boss).await, ["boss", "clerk", "head", "nowhere", "other", "shared"]);
    assert_eq!(e.console.operator(&head, other.user).await, Err(AppError::NotFound));
    assert_eq!(e.console.operator(&head, shared.user).await.unwrap().login, "shared");
});

/// An open case about a meter; gives its id.
async fn case_of(e: &Estate, meter: model::ids::MeterId) -> model::ids::CaseId {
    let mut tx = e.w.db.begin().await.unwrap();
    let detail = CaseDetail::Relay(RelayCase::default());
    cases::open(&mut tx, &e.w.rng, e.w.clock.now(), Some(meter), None, &detail).await.unwrap();
    tx.commit().await.unwrap();
    let lines = e.console.cases(&e.boss, &model::console::CaseQuery::default()).await.unwrap().lines;
    lines.into_iter().find(|line| line.meter == Some(meter)).unwrap().id
}

both!(cases_are_handed_to_whoever_can_work_on_them, |w: World| async move {
    let e = Estate::new(w).await;
    let w = &e.w;
    let buildings: Vec<PlaceId> = estate::places::buildings(&w.db).await.unwrap().into_iter().map(|(id, _)| id).collect();
    let only = |n: usize| Scope::Buildings(BTreeSet::from([buildings[n]]));
    let case = case_of(&e, e.here).await;
    let here = person(w, "here", Role::Technician, &only(0)).await.user;
    let there = person(w, "there", Role::Technician, &only(1)).await.user;
    let seller = person(w, "seller", Role::Cashier, &Scope::All).await.user;
    let invited = invite(w, ChangedBy::CommandLine, "invited", Role::Technician, 1).await;
    let names: Vec<String> = e.console.case(&e.boss, case).await.unwrap().operators.into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["boss", "here"]);
    for user in [there, seller, invited] {
        assert_eq!(e.console.assign_cases(&e.boss, &[case.into()], Some(user)).await, Err(AppError::NotFound));
    }
    e.console.assign_cases(&e.boss, &[case.into()], Some(here)).await.unwrap();
});

both!(cases_of_whoever_loses_them_are_released, |w: World| async move {
    let e = Estate::new(w).await;
    let (w, now) = (&e.w, e.w.clock.now());
    let buildings: Vec<PlaceId> = estate::places::buildings(&w.db).await.unwrap().into_iter().map(|(id, _)| id).collect();
    let (here, there) = (case_of(&e, e.here).await, case_of(&e, e.there).await);
    let mate = person(w, "mate", Role::Technician, &Scope::All).await.user;
    let by = ChangedBy::Person(&e.boss);
    let give = async || e.console.assign_cases(&e.boss, &[here.into(), there.into()], Some(mate)).await.unwrap();
    let owned = "SELECT COUNT(*) FROM cases c JOIN users u ON u.id = c.owner WHERE u.login = 'mate'";
    let set = async |role: Role, buildings: &Scope| {
        let access = Access { role: RoleChoice::Ready(role), buildings };
        operators::set_access(&w.db, &w.rng, now, by, mate, access).await.unwrap();
    };
    give().await;
    set(Role::Technician, &Scope::Buildings(BTreeSet::from([buildings[0]]))).await;
    assert_eq!(w.number(owned).await, 1, "the case of the other building");
    let line = e.console.case(&e.boss, there).await.unwrap();
    assert_eq!((line.line.owner, line.notes.last().unwrap().step.clone()), (None, CaseStep::Owner(None)));
    set(Role::Cashier, &Scope::All).await;
    assert_eq!(w.number(owned).await, 0, "a role without cases");
    set(Role::Manager, &Scope::All).await;
    give().await;
    operators::set_disabled(&w.db, &w.rng, now, ChangedBy::CommandLine, mate, true).await.unwrap();
    assert_eq!(w.number(owned).await, 0);
    let by: Vec<_> = e.console.case(&e.boss, here).await.unwrap().notes.into_iter().map(|note| note.by).collect();
    let boss = || Some("boss".to_owned());
    assert_eq!(by, [boss(), boss(), boss(), None], "the command line has no name");
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(links_and_changes_at_once_do_not_deadlock, |w: World| async move {
    let (boss, chief) = (w.admin("boss").await, w.admin("chief").await);
    let clerk = person(&w, "clerk", Role::Cashier, &Scope::All).await;
    for n in 1..=40 {
        let now = w.clock.now();
        make(&w, ChangedBy::Person(&boss), clerk.user, n).await;
        let (hash, user, expires, log_in) = ([n; 32], clerk.user, now.plus(DAY), LogInMethod::Password.into());
        let session = store::sessions::NewSession { hash, user, log_in, ip: String::new(), agent: String::new(), expires };
        let held = users::by_id(&w.db, clerk.user).await.unwrap().unwrap().password_hash;
        let access = |role| Access { role: RoleChoice::Ready(role), buildings: &Scope::All };
        let to = if n % 2 == 0 { Role::Cashier } else { Role::Manager };
        let (renewed, accepted, changed, promoted, again) = tokio::join!(
            operators::renew(&w.db, now, ChangedBy::Person(&chief), clerk.user, |_| link(n + 100, now)),
            accept(&w, n, "clerk"),
            users::change_password(&w.db, now, &clerk, (held.as_str(), "new"), &session),
            operators::set_access(&w.db, &w.rng, now, ChangedBy::Person(&boss), clerk.user, access(to)),
            operators::end_sessions(&w.db, now, ChangedBy::Person(&chief), boss.user),
        );
        let answers = [renewed.map(drop), accepted.map(drop), changed, promoted, again.map(drop)];
        for answer in answers {
            assert!(matches!(answer, Ok(()) | Err(StoreError::Refused(_))), "{n}: {answer:?}");
        }
    }
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(log_in_names_are_checked_wherever_they_come_from, |w: World| async move {
    let (boss, now) = (w.admin("boss").await, w.clock.now());
    for login in ["", "zhang san", "a\u{200b}b"] {
        let user = NewUser { role: Role::Cashier, login, name: "x", password_hash: "x", buildings: &Scope::All };
        assert_eq!(refused(users::create(&w.db, &w.rng, now, &user, "test").await), AppError::Invalid, "{login:?}");
        let new = NewOperator { login, name: "x", role: RoleChoice::Ready(Role::Cashier), buildings: &Scope::All };
        let invited = operators::invite(&w.db, &w.rng, now, ChangedBy::Person(&boss), &new, link(1, now)).await;
        assert_eq!(refused(invited), AppError::Invalid, "{login:?}");
    }
    let gone = person(&w, "gone", Role::Cashier, &Scope::All).await.user;
    operators::set_disabled(&w.db, &w.rng, now, ChangedBy::CommandLine, gone, true).await.unwrap();
    let taken = users::taken(&w.db, &["boss", "gone", "free", "'\"", "张三"]).await.unwrap();
    assert_eq!(taken, ["boss", "gone"].map(str::to_owned).into(), "also of somebody who can no longer log in");
    assert!(users::taken(&w.db, &[]).await.unwrap().is_empty());
});

/// The kind of link is of no matter to who is a second person.
const KINDS: [LinkKind; 2] = [LinkKind::Invite, LinkKind::Reset];

both!(nobody_makes_their_own_second_person, |w: World| async move {
    let (boss, chief) = (w.admin("boss").await, w.admin("chief").await);
    let asked = second_person::waiting_prices(&w, &boss).await;
    let approve = async |who: &Who| second_person::approve(&w, who, asked).await.err();
    for (n, kind) in (1..).zip(KINDS) {
        let login = if kind == LinkKind::Invite { "invited" } else { "taken-over" };
        let user = if kind == LinkKind::Invite {
            invite(&w, ChangedBy::Person(&boss), login, Role::Manager, n).await
        } else {
            let user = person(&w, login, Role::Manager, &Scope::All).await.user;
            make(&w, ChangedBy::Person(&boss), user, n).await;
            user
        };
        let who = Who { user, role: Role::Manager, name: login.into(), ..boss.clone() };
        if kind == LinkKind::Invite {
            assert_eq!(approve(&who).await, Some(AppError::SecondPerson), "the invitation was not accepted");
        }
        accept(&w, n, login).await.unwrap();
        assert_eq!(approve(&who).await, Some(AppError::SecondPerson), "{kind:?} by who asked");
    }
    let other = invite(&w, ChangedBy::Person(&chief), "other", Role::Manager, 9).await;
    accept(&w, 9, "other").await.unwrap();
    let other = Who { user: other, role: Role::Manager, name: "other".into(), ..boss.clone() };
    assert_eq!(approve(&other).await, None, "somebody else invited them");

    // A week later they are somebody.
    w.clock.advance(7 * DAY + 1);
    let asked = second_person::waiting_prices(&w, &boss).await;
    let user = queries::operator_by_login(&w.db, w.clock.now(), "invited").await.unwrap().unwrap().id;
    let invited = Who { user, role: Role::Manager, name: "invited".into(), ..boss };
    second_person::approve(&w, &invited, asked).await.unwrap();
});

both!(who_never_accepted_counts_as_nobody, |w: World| async move {
    let boss = w.admin("boss").await;
    invite(&w, ChangedBy::CommandLine, "invited", Role::Admin, 1).await;
    // Alone in the office, prices are published without a second person.
    assert!(second_person::publishes_alone(&w, &boss, "first").await);
    let operators = async || estate::checklist::facts(&w.db, 0).await.unwrap().operators;
    assert_eq!(operators().await, 1);
    accept(&w, 1, "invited").await.unwrap();
    assert_eq!(operators().await, 2);
    assert!(!second_person::publishes_alone(&w, &boss, "second").await);
});

both!(a_link_does_not_make_the_other_of_two_nobody, |w: World| async move {
    let boss = w.admin("boss").await;
    let user = invite(&w, ChangedBy::Person(&boss), "second", Role::Manager, 1).await;
    accept(&w, 1, "second").await.unwrap();
    let second = Who { user, role: Role::Manager, name: "second".into(), ..boss.clone() };
    // The inviter does not act alone, and the invited one cannot approve for them.
    let asked = second_person::waiting_prices(&w, &boss).await;
    assert_eq!(second_person::approve(&w, &second, asked).await, Err(AppError::SecondPerson));
    w.execute("UPDATE approval_requests SET state = 'expired'").await;
    // In a new office the invited one asks.
    let asked = second_person::waiting_prices(&w, &second).await;
    second_person::approve(&w, &boss, asked).await.unwrap();
});

both!(a_reset_account_asks_nothing_of_who_reset_it, |w: World| async move {
    let (boss, chief) = (w.admin("boss").await, w.admin("chief").await);
    let user = person(&w, "taken-over", Role::Manager, &Scope::All).await.user;
    let taken = Who { user, role: Role::Manager, name: "taken-over".into(), ..boss.clone() };
    make(&w, ChangedBy::Person(&boss), user, 1).await;
    accept(&w, 1, "taken-over").await.unwrap();
    let asked = second_person::waiting_prices(&w, &taken).await;
    assert_eq!(second_person::approve(&w, &boss, asked).await, Err(AppError::SecondPerson), "both passwords are theirs");
    second_person::approve(&w, &chief, asked).await.unwrap();
    w.clock.advance(7 * DAY + 1);
    let asked = second_person::waiting_prices(&w, &taken).await;
    second_person::approve(&w, &boss, asked).await.unwrap();
});
