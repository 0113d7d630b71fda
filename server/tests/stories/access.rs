//! Requests every page, route and server function anonymously and with the wrong role. A route missing in the access table fails.

use std::borrow::Cow;
use std::collections::BTreeSet;

use app::access::{Access, PAGES, function};
use app::app::App;
use leptos::server_fn::axum::server_fn_paths;
use model::ids::{UserId, Uuid};
use model::permission::Permissions;
use model::person::{Role, Who};
use reqwest::Method;
use story_support::web::{Person, Web, location};
use story_support::{World, both};

/// All public routes. Extending the list is a deliberate decision.
const PUBLIC: &[&str] = &[
    "/",
    "/login",
    "/setup",
    "/offline",
    "/service-worker.js",
    "/login/code",
    "/kiosk",
    "/kiosk/setup/:code",
    "/login/phone",
    "/login/phone/code",
    "/login/wechat",
    "/health",
    "/health/live",
    "/health/ready",
    "/api/auth/log-in",
    "/api/kiosk/begin",
    "/api/kiosk/enter",
    "/api/kiosk/enter-by-code",
    "/api/kiosk/leave",
    "/api/kiosk/register",
    "/api/auth/accept-invitation",
    "/invitations/:code",
    "/join/:code",
    "/p/:link",
    "/p/:link/:order",
    "/pay/return",
    "/api/pay/by-link",
    "/api/pay/resume",
    "/api/auth/join-room",
    "/api/v1/me/balance",
    "/api/v1/me/use",
    "/api/v1/me/records",
    "/api/setup/site",
    "/api/auth/second-step",
    "/api/auth/phone-code",
    "/api/auth/phone-log-in",
    "/api/auth/phone-password",
    "/api/auth/wechat-log-in",
    "/api/site/language",
    "/api/site/theme",
];

#[test]
fn pages_and_access_table_entries_match() {
    let plain = |path: &str| path.replace('{', ":").replace('}', "");
    let routes: BTreeSet<String> = leptos_axum::generate_route_list(App).iter().map(|route| plain(route.path())).collect();
    let lines: BTreeSet<String> = PAGES.iter().map(|(path, _)| (*path).to_owned()).collect();
    assert_eq!(routes, lines, "app.rs and access.rs differ");
}

#[test]
fn every_server_function_is_a_post_in_the_access_table() {
    for (path, method) in functions() {
        assert!(method == Method::POST, "{path} would change something by a link");
        assert!(function(path).is_some(), "{path} is in no area of access.rs");
    }
}

#[test]
fn public_routes_are_exactly_the_listed_ones() {
    let public: BTreeSet<Cow<str>> =
        everything().into_iter().filter(|(_, access)| *access == Access::Public).map(|(path, _)| path).collect();
    assert_eq!(public, PUBLIC.iter().copied().map(Cow::Borrowed).collect());
}

both!(anonymous_requests_are_denied, |w: World| async move {
    // On a database without people every page leads to the set-up page.
    w.clerk().await;
    let web = Web::start(&w).await;
    let (browser, program) = (web.visitor(), web.visitor().program());
    for (path, access) in everything() {
        if access == Access::Public {
            continue;
        }
        let (method, address) = request(&path);
        let answer = program.send(method.clone(), &address, "x=1").await;
        assert_eq!(answer.status(), 401, "{path}");
        assert_eq!(answer.text().await.unwrap(), r#""not-logged-in""#, "{path}");
        let answer = browser.send(method, &address, "x=1").await;
        assert_eq!(answer.status(), 303, "{path}");
        assert!(location(&answer).starts_with("/login?"), "{path}: {}", location(&answer));
    }
});

both!(the_wrong_role_is_denied, |w: World| async move {
    let web = Web::start(&w).await;
    let mut refused = 0;
    for role in Role::READY.into_iter().chain([Role::Resident]) {
        let login = role.as_str();
        let person = web.person(&w, role, login).await;
        for (path, access) in everything() {
            if access.check(Some(&who(role))).is_ok() {
                continue;
            }
            refused += 1;
            let (method, address) = request(&path);
            let answer = person.clone().program().send(method.clone(), &address, "x=1").await;
            assert_eq!(answer.status(), 403, "{path} as {login}");
            let answer = person.send(method, &address, "x=1").await;
            assert_eq!(answer.status(), 403, "{path} as {login}");
            assert!(answer.text().await.unwrap().contains("<main"), "{path} refuses {login} with a page");
        }
    }
    assert!(refused > 0 || !everything().iter().any(|(_, access)| matches!(access, Access::Resident | Access::May(_))));
});

both!(the_right_role_gets_a_page_that_browsers_accept, |w: World| async move {
    let web = Web::start(&w).await;
    for role in Role::READY.into_iter().chain([Role::Resident]) {
        let login = role.as_str();
        let person = web.person(&w, role, login).await;
        for (path, access) in PAGES {
            if access.check(Some(&who(role))).is_err() {
                continue;
            }
            let answer = person.get(&request(path).1).await;
            let status = answer.status().as_u16();
            // Links that do not exist may be tried five times in a moment.
            assert!([200, 303, 404, 410, 429].contains(&status), "{path} as {login}: {status}");
            let page = answer.text().await.unwrap();
            // The policy forbids both, so the browser would drop them without a word.
            assert!(!page.contains(" style=\""), "{path} has an inline style");
            assert!(!page.contains(" onclick=\""), "{path} has an inline handler");
        }
    }
});

both!(the_rail_leads_nowhere_that_refuses, |w: World| async move {
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "boss").await;
    assert!(rail(&admin).await.contains(&"/reconcile".to_owned()));
    for role in Role::READY {
        let login = role.as_str();
        let person = web.person(&w, role, login).await;
        w.limit(login).await;
        let entries = rail(&person).await;
        assert!(entries.contains(&"/guide".to_owned()), "{login}: {entries:?}");
        for path in entries {
            assert_eq!(person.get(&path).await.status(), 200, "{path} as {login}");
        }
    }
});

/// Where the rail of somebody's console leads.
async fn rail(person: &Person<'_>) -> Vec<String> {
    let page = person.get("/guide").await.text().await.unwrap();
    let (_, rail) = page.split_once("class=\"console-rail\"").unwrap();
    let (rail, _) = rail.split_once("</nav>").unwrap();
    rail.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap().to_owned()).collect()
}

both!(get_requests_change_nothing, |w: World| async move {
    let web = Web::start(&w).await;
    for (role, login) in [(Role::Resident, "resident"), (Role::Admin, "admin")] {
        let person = web.person(&w, role, login).await;
        for (path, _) in functions() {
            if function(path).unwrap().check(Some(&who(role))).is_ok() {
                assert_eq!(person.get(path).await.status(), 405, "{path}");
                assert_eq!(person.clone().program().get(path).await.status(), 405, "{path}");
            }
        }
    }
});

/// A person of a role that every site has, or a resident.
fn who(role: Role) -> Who {
    Who { user: UserId(Uuid::nil()), role, permissions: Permissions::of(role), name: String::new(), ip: String::new() }
}

fn functions() -> Vec<(&'static str, Method)> {
    let functions: Vec<_> = server_fn_paths().collect();
    assert!(functions.len() >= 5, "the linker dropped the server functions: {functions:?}");
    functions
}

/// Every path with its entry in the access table.
fn everything() -> Vec<(Cow<'static, str>, Access)> {
    let routes = server::http::routes().into_iter().map(|(path, access, _)| (path, access));
    let functions = functions().into_iter().map(|(path, _)| (path.into(), function(path).unwrap()));
    PAGES.iter().map(|&(path, access)| (path.into(), access)).chain(routes).chain(functions).collect()
}

/// The method and path of a request to it.
fn request(path: &str) -> (Method, String) {
    let method = if path.starts_with("/api/") { Method::POST } else { Method::GET };
    let part = |part: &str| {
        if part.starts_with([':', '{']) { "019b0000-0000-7000-8000-000000000000".to_owned() } else { part.to_owned() }
    };
    (method, path.split('/').map(part).collect::<Vec<_>>().join("/"))
}
