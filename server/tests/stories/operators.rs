//! Operators are invited, choose their own password, and do and see only what their role and buildings allow; on both databases.

use std::collections::BTreeSet;

use domain::clock::Clock;
use domain::wall_layout::Scope;
use model::error::AppError;
use model::ids::{PlaceId, RoleId, UserId};
use model::operator::RoleChoice;
use model::permission::{Permission, Permissions};
use model::person::{Role, Who};
use model::time::DAY;
use reqwest::header::SET_COOKIE;
use store::operators::{self, Access, ChangedBy};
use store::roles::RoleTerms;
use store::users::{self, NewUser};
use store::{StoreError, roles};
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

const CHOSEN: &str = "nine+green+lanterns";

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AppError {
    AppError::from(result.unwrap_err())
}

/// The path of the one-time link that a form of the administrator made.
async fn link(boss: &Person<'_>, path: &str, form: &str) -> String {
    let answer = boss.post(path, form).await;
    let page = location(&answer).to_owned();
    assert!(page.ends_with("/link"), "{path}: {page}");
    let once = answer.headers()[SET_COOKIE].to_str().unwrap();
    assert!(once.contains("HttpOnly") && once.contains("Max-Age=60"), "{once}");
    let mut with = boss.clone();
    with.cookie = format!("{}; {}", boss.cookie, once.split(';').next().unwrap());
    let answer = with.get(&page).await;
    assert!(answer.headers()[SET_COOKIE].to_str().unwrap().contains("Max-Age=0"), "it is shown once");
    let shown = answer.text().await.unwrap();
    let code = shown.split("/invitations/").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(!boss.get(&page).await.text().await.unwrap().contains("/invitations/"), "loaded again");
    format!("/invitations/{code}")
}

fn accept(link: &str, name: &str, password: &str) -> String {
    format!("code={}&name={name}&password={password}", link.trim_start_matches("/invitations/"))
}

async fn id(w: &World, login: &str) -> UserId {
    queries::operator_by_login(&w.db, w.clock.now(), login).await.unwrap().unwrap().id
}

async fn state(w: &World, login: &str) -> model::operator::OperatorState {
    queries::operator_by_login(&w.db, w.clock.now(), login).await.unwrap().unwrap().state()
}

both!(an_invited_operator_chooses_a_password_once, |w: World| async move {
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let form = "login=wang&name=Wang&role=cashier&all=on";
    let invitation = link(&boss, "/api/operator/operators/invite", form).await;
    assert_eq!(state(&w, "wang").await, model::operator::OperatorState::Invited);
    let again = boss.post("/api/operator/operators/invite", form).await;
    assert!(location(&again).contains("e=login-taken"), "{}", location(&again));

    let mut wang = web.visitor();
    assert!(location(&wang.log_in("wang", "").await).contains("e="), "no password opens nothing");
    let page = wang.get(&invitation).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("wang"));
    let weak = wang.post("/api/auth/accept-invitation", &accept(&invitation, "Wang", "short")).await;
    assert_eq!(location(&weak), format!("{invitation}?e=weak-password"));
    let chosen = wang.post("/api/auth/accept-invitation", &accept(&invitation, "Wang+Wei", CHOSEN)).await;
    assert_eq!(location(&chosen), "/login?done=chosen");
    assert_eq!(wang.get(&invitation).await.status(), 410, "once");
    let second = wang.post("/api/auth/accept-invitation", &accept(&invitation, "Thief", "another+long+password")).await;
    assert!(location(&second).contains("e=link-ended"), "{}", location(&second));

    assert_eq!(location(&wang.log_in("wang", &CHOSEN.replace('+', " ")).await), "/wall");
    let wall = wang.get("/wall").await.text().await.unwrap();
    assert!(wall.contains("Wang Wei") && wall.contains("href=\"/sales\""));
    assert!(!wall.contains("href=\"/operators\"") && !wall.contains("href=\"/audit\""), "what they may not is not offered");
    for path in ["/operators", "/roles", "/audit", "/commands/new"] {
        assert_eq!(wang.get(path).await.status(), 403, "{path}");
    }
    assert_eq!(wang.post("/api/operator/operators/invite", form).await.status(), 403);
    assert!(queries::operator_by_login(&w.db, w.clock.now(), "wang").await.unwrap().unwrap().logged_in_at.is_some());
    let audited = "SELECT COUNT(*) FROM audit WHERE action IN ('operator.invite', 'operator.accept')";
    assert_eq!(w.number(audited).await, 2);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_link_ends_with_time_and_with_the_next_one, |w: World| async move {
    let web = Web::start(&w).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let first = link(&boss, "/api/operator/operators/invite", "login=wang&name=&role=technician").await;
    let form = format!("id={}", id(&w, "wang").await);
    let second = link(&boss, "/api/operator/operators/link", &form).await;
    assert_eq!(web.visitor().get(&first).await.status(), 410, "replaced");
    assert_eq!(web.visitor().get(&second).await.status(), 200);
    w.clock.advance(7 * DAY);
    assert_eq!(web.visitor().get(&second).await.status(), 410, "expired");
    assert_eq!(state(&w, "wang").await, model::operator::OperatorState::InvitationEnded);
});

both!(a_reset_link_keeps_the_old_password_until_it_is_used, |w: World| async move {
    let web = Web::start(&w).await;
    let (boss, mut clerk) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Cashier, "clerk").await);
    let reset = link(&boss, "/api/operator/operators/link", &format!("id={}", id(&w, "clerk").await)).await;
    assert_eq!(clerk.get("/sales").await.status(), 200);
    assert_eq!(location(&web.visitor().log_in("clerk", PASSWORD).await), "/wall");
    let chosen = web.visitor().post("/api/auth/accept-invitation", &accept(&reset, "Mallory", CHOSEN)).await;
    assert_eq!(location(&chosen), "/login?done=chosen");
    assert!(location(&clerk.get("/sales").await).starts_with("/login"), "earlier sessions end");
    assert!(location(&clerk.log_in("clerk", PASSWORD).await).contains("bad-credentials"));
    assert_eq!(location(&clerk.log_in("clerk", &CHOSEN.replace('+', " ")).await), "/wall");
    assert!(!clerk.get("/wall").await.text().await.unwrap().contains("Mallory"), "a reset changes no name");
});

both!(a_password_chosen_through_a_link_is_checked_like_others, |w: World| async move {
    let web = Web::start(&w).await;
    let (boss, mut clerk) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Cashier, "clerk").await);
    w.execute("UPDATE users SET password_due = TRUE WHERE login = 'clerk'").await;
    let reset = link(&boss, "/api/operator/operators/link", &format!("id={}", id(&w, "clerk").await)).await;
    let choose = async |password: &str| {
        location(&web.visitor().post("/api/auth/accept-invitation", &accept(&reset, "", password)).await).to_owned()
    };
    assert_eq!(choose("kx7+fvwq+92mzt").await, format!("{reset}?e=password-alone"), "without a second factor");
    assert_eq!(choose("passwordpassword").await, format!("{reset}?e=common-password"));
    assert_eq!(choose("clerkclerkclerkclerk").await, format!("{reset}?e=common-password"));
    assert_eq!(choose("clerk-dormwatt-1").await, format!("{reset}?e=personal-password"));
    let sql = "INSERT INTO second_factors (user_id, secret, created_at, confirmed_at)
               SELECT u.id, i.code_hash, 1, 1 FROM users u JOIN invitations i ON i.user_id = u.id";
    w.execute(sql).await;
    assert_eq!(choose("kx7+fvwq").await, "/login?done=chosen", "with a second factor");
    w.execute("DELETE FROM second_factors").await;
    clerk.log_in("clerk", "kx7 fvwq").await;
    assert_eq!(clerk.get("/wall").await.status(), 200, "it is their own: nothing is due");
});

both!(guesses_at_one_time_links_are_slowed_down, |w: World| async move {
    let web = Web::start(&w).await;
    w.clerk().await;
    let guess = |n: usize| {
        let visitor = web.visitor();
        async move { visitor.get(&format!("/invitations/guess{n}")).await.status().as_u16() }
    };
    let answers = futures::future::join_all((0..200).map(guess)).await;
    assert!(answers.iter().all(|status| [410, 429].contains(status)), "{answers:?}");
    assert!(answers.iter().filter(|status| **status == 410).count() < 100, "{answers:?}");
});

both!(a_disabled_operator_is_out_at_once, |w: World| async move {
    let web = Web::start(&w).await;
    let (boss, mut clerk) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Cashier, "clerk").await);
    let form = format!("id={}", id(&w, "clerk").await);
    boss.post("/api/operator/operators/end-sessions", &form).await;
    assert!(location(&clerk.get("/wall").await).starts_with("/login"));
    clerk.log_in("clerk", PASSWORD).await;
    let reset = link(&boss, "/api/operator/operators/link", &form).await;
    boss.post("/api/operator/operators/disable", &form).await;
    assert!(location(&clerk.get("/wall").await).starts_with("/login"));
    assert!(location(&clerk.log_in("clerk", PASSWORD).await).contains("bad-credentials"));
    assert_eq!(clerk.get(&reset).await.status(), 410, "links end too");
    boss.post("/api/operator/operators/enable", &form).await;
    assert_eq!(location(&clerk.log_in("clerk", PASSWORD).await), "/wall");
    let again = boss.post("/api/operator/operators/enable", &form).await;
    assert!(location(&again).contains("e=conflict"));
});

both!(another_role_holds_from_the_next_request, |w: World| async move {
    let web = Web::start(&w).await;
    let (boss, clerk) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Cashier, "clerk").await);
    assert_eq!(clerk.get("/sales").await.status(), 200);
    let form = format!("id={}&role=technician&all=on", id(&w, "clerk").await);
    let page = format!("/operators/{}?done=access", id(&w, "clerk").await);
    assert_eq!(location(&boss.post("/api/operator/operators/access", &form).await), page);
    let told = boss.get(&page).await.text().await.unwrap();
    assert!(told.contains("clerk的角色现为“"), "{told}");
    assert_eq!(clerk.get("/sales").await.status(), 403);
    assert_eq!(clerk.get("/wall").await.status(), 200);
});

both!(the_last_administrator_stays, |w: World| async move {
    let (one, two) = (w.admin("one").await, w.admin("two").await);
    w.execute("UPDATE users SET password_hash = 'x'").await;
    let now = w.clock.now();
    let cashier = Access { role: RoleChoice::Ready(Role::Cashier), buildings: &Scope::All };
    let demote = |by: Who, user: UserId| {
        let (db, rng) = (w.db.clone(), w.rng.clone());
        async move { operators::set_access(&db, &rng, now, ChangedBy::Person(&by), user, cashier).await }
    };
    // At once they take each other's role away: one of them remains.
    let (first, second) = futures::future::join(demote(one.clone(), two.user), demote(two.clone(), one.user)).await;
    let refusals: Vec<AppError> = [first, second].into_iter().filter_map(Result::err).map(AppError::from).collect();
    assert_eq!(refusals, [AppError::Forbidden], "whoever was first took the other's right to do it");
    let left = if w.number("SELECT COUNT(*) FROM users WHERE login = 'one' AND role = 'admin'").await == 1 { one } else { two };
    assert_eq!(refused(demote(left.clone(), left.user).await), AppError::LastAdministrator, "one's own");
    let disable = operators::set_disabled(&w.db, &w.rng, now, ChangedBy::Person(&left), left.user, true).await;
    assert_eq!(refused(disable), AppError::LastAdministrator);
    assert_eq!(
        refused(operators::set_disabled(&w.db, &w.rng, now, ChangedBy::CommandLine, left.user, true).await),
        AppError::LastAdministrator
    );
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL").await, 1);
});

both!(nobody_gives_more_than_they_have, |w: World| async move {
    let (boss, now) = (w.admin("boss").await, w.clock.now());
    w.execute("UPDATE users SET password_hash = 'x'").await;
    w.room(1).await;
    w.execute("UPDATE places SET kind = 'building'").await;
    let building: PlaceId = estate::places::buildings(&w.db).await.unwrap()[0].0;
    let permissions: Permissions = [Permission::Watch, Permission::Operators].into_iter().collect();
    let role =
        roles::create(&w.db, &w.rng, now, ChangedBy::Person(&boss), RoleTerms { name: "staff", permissions }).await.unwrap();
    let within = Scope::Buildings(BTreeSet::from([building]));
    let user = NewUser { role: Role::ReadOnly, login: "staff", name: "staff", password_hash: "x", buildings: &within };
    let user = users::create(&w.db, &w.rng, now, &user, "test").await.unwrap();
    operators::set_access(
        &w.db,
        &w.rng,
        now,
        ChangedBy::Person(&boss),
        user,
        Access { role: RoleChoice::Own(role), buildings: &within },
    )
    .await
    .unwrap();
    let staff = Who { user, role: Role::Own, permissions, name: "staff".into(), ip: String::new() };
    let by = ChangedBy::Person(&staff);

    let change = |user: UserId, role: RoleChoice, scope: Scope| {
        let (db, rng, staff) = (w.db.clone(), w.rng.clone(), staff.clone());
        async move {
            let access = Access { role, buildings: &scope };
            operators::set_access(&db, &rng, now, ChangedBy::Person(&staff), user, access).await
        }
    };
    assert_eq!(
        refused(change(user, RoleChoice::Ready(Role::Admin), within.clone()).await),
        AppError::Forbidden,
        "their own role"
    );
    assert_eq!(refused(change(user, RoleChoice::Own(role), Scope::All).await), AppError::Forbidden, "their own buildings");
    assert_eq!(refused(operators::set_disabled(&w.db, &w.rng, now, by, boss.user, true).await), AppError::Forbidden);
    assert_eq!(refused(operators::end_sessions(&w.db, now, by, boss.user).await), AppError::Forbidden);
    let link = operators::NewLink { hash: [1; 32], expires_at: now.plus(DAY) };
    assert_eq!(refused(operators::renew(&w.db, now, by, boss.user, |_| link).await), AppError::Forbidden, "a reset takes over");
    let more: Permissions = [Permission::Sell].into_iter().collect();
    assert_eq!(
        refused(roles::create(&w.db, &w.rng, now, by, RoleTerms { name: "till", permissions: more }).await),
        AppError::Forbidden
    );
    assert_eq!(
        refused(roles::change(&w.db, &w.rng, now, by, role, RoleTerms { name: "staff", permissions: Permissions::all() }).await),
        AppError::Forbidden
    );
    let new = |role, buildings| operators::NewOperator { login: "new", name: "new", role, buildings };
    let invite = operators::invite(&w.db, &w.rng, now, by, &new(RoleChoice::Ready(Role::Cashier), &within), link).await;
    assert_eq!(refused(invite), AppError::Forbidden);
    let invite = operators::invite(&w.db, &w.rng, now, by, &new(RoleChoice::Own(role), &Scope::All), link).await;
    assert_eq!(refused(invite), AppError::Forbidden);
    operators::invite(&w.db, &w.rng, now, by, &new(RoleChoice::Own(role), &within), link).await.unwrap();
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_site_makes_roles_of_its_own, |w: World| async move {
    let web = Web::start(&w).await;
    let (boss, clerk) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::ReadOnly, "clerk").await);
    let save = async |form: &str| location(&boss.post("/api/operator/roles/save", form).await).to_owned();
    let saved = save("id=&name=Seller&permissions[]=sell").await;
    assert_eq!(saved, "/roles?done=saved&name=Seller");
    let told = boss.get(&saved).await.text().await.unwrap();
    assert!(told.contains("角色“Seller”已保存，权限："), "{told}");
    assert!(save("id=&name=Seller&permissions[]=sell").await.contains("e=name-taken"));
    assert!(save("id=&name=+&permissions[]=sell").await.contains("e=invalid"));
    assert!(save("id=&name=x&permissions[]=fly").await.contains("e=invalid"));
    let role = roles::list(&w.db).await.unwrap().remove(0);
    let needed: Permissions = [Permission::Watch, Permission::Money, Permission::Sell].into_iter().collect();
    assert_eq!(role.permissions, needed, "whoever sells sees sales");
    let access = format!("id={}&role={}&all=on", id(&w, "clerk").await, role.id);
    boss.post("/api/operator/operators/access", &access).await;
    let form = boss.get(&format!("/roles/{}", role.id)).await.text().await.unwrap();
    assert!(form.contains("Seller") && !form.contains("/api/operator/roles/remove"), "somebody has it");
    let remove = async |id: RoleId| location(&boss.post("/api/operator/roles/remove", &format!("id={id}")).await).to_owned();
    assert!(remove(role.id).await.contains("e=role-in-use"));
    assert_eq!(clerk.get("/audit").await.status(), 403);
    save(&format!("id={}&name=Seller&permissions[]=audit", role.id)).await;
    assert_eq!(clerk.get("/audit").await.status(), 200, "changed for everybody who has it");
    assert_eq!(clerk.get("/wall").await.status(), 403);
    assert_eq!(location(&clerk.get("/").await), "/audit", "they start where they may");
    let page = boss.get("/roles").await.text().await.unwrap();
    assert!(page.contains("Seller"));
    boss.post("/api/operator/operators/access", &format!("id={}&role=cashier", id(&w, "clerk").await)).await;
    assert_eq!(remove(role.id).await, "/roles?done=removed");
    let audited = "SELECT COUNT(*) FROM audit WHERE action IN ('role.create', 'role.change', 'role.remove')";
    assert_eq!(w.number(audited).await, 3);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(an_operator_without_buildings_sees_none, |w: World| async move {
    let web = Web::start(&w).await;
    let room = w.room(1).await;
    let clerk = web.person(&w, Role::Manager, "clerk").await;
    let page = format!("/rooms/{}", room.meter);
    assert_eq!(clerk.get(&page).await.status(), 200);
    let number = "2611230000000001";
    assert!(clerk.get("/accounts").await.text().await.unwrap().contains(number));
    w.limit("clerk").await;
    assert_eq!(clerk.get(&page).await.status(), 404);
    for path in ["/accounts", "/wall", "/meters", "/sales", "/search?q=2611"] {
        let answer = clerk.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(!answer.text().await.unwrap().contains(number), "{path}");
    }
    let sale = format!("meter={}&amount=10.00&tender=cash&key={}", room.meter, room.account);
    assert!(location(&clerk.post("/api/operator/sell", &sale).await).contains("e=not-found"));
    assert_eq!(w.number("SELECT COUNT(*) FROM orders").await, 0);
});
