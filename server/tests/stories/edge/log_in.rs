//! Guessing at passwords is slow, and does not keep the owner out.

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::clock::Clock;
use domain::wall_layout::Scope;
use futures::future::join_all;
use model::operator::RoleChoice;
use model::person::Role;
use model::time::{HOUR, SECOND};
use reqwest::header::SET_COOKIE;
use store::operators::{self, ChangedBy, NewLink, NewOperator};
use story_support::web::{PASSWORD, Web, location};
use story_support::{World, both};

both!(many_guesses_at_once_gain_nothing, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Resident, "r101").await;
    for login in ["r101", "nobody"] {
        let guess = |n: usize| {
            let web = &web;
            async move { location(&web.visitor().log_in(login, &format!("guess {n}")).await).to_owned() }
        };
        let answers = join_all((0..120).map(guess)).await;
        let read = answers.iter().filter(|to| to.contains("bad-credentials")).count();
        assert_eq!(read, 5, "{login}: those that are free");
        assert!(answers.iter().all(|to| to.contains("bad-credentials") || to.contains("rate-limited")), "{login}: {answers:?}");
    }
});

both!(a_stranger_does_not_lock_the_owner_out, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Resident, "r101").await;
    let mut owner = web.visitor();
    let answer = owner.log_in("r101", PASSWORD).await;
    let device = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let device = device.map(|cookie| cookie.split(';').next().unwrap()).find(|cookie| cookie.contains("-device=")).unwrap();
    let stranger = || async { location(&web.visitor().log_in("r101", "guess").await).to_owned() };
    for _ in 0..5 {
        assert_eq!(stranger().await, "/login?e=bad-credentials");
    }
    assert_eq!(stranger().await, "/login?e=rate-limited");
    w.clock.advance(8 * SECOND);
    assert_eq!(stranger().await, "/login?e=bad-credentials", "delayed by three seconds");
    assert_eq!(stranger().await, "/login?e=rate-limited");
    // The owner's own browser does not wait, on the same address either.
    let mut known = web.visitor();
    known.cookie = device.to_owned();
    let begun = Instant::now();
    assert_eq!(location(&known.log_in("r101", PASSWORD).await), "/home");
    // A guess would wait ten seconds or be refused.
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // A cookie of somebody else's helps nobody.
    let mut forged = web.visitor();
    forged.cookie = format!("{}AAAA", &device[..device.len() - 4]);
    assert_eq!(location(&forged.log_in("r101", PASSWORD).await), "/login?e=rate-limited");
    // And nobody is kept out for good.
    w.clock.advance(HOUR);
    assert_eq!(location(&web.visitor().log_in("r101", PASSWORD).await), "/home");
});

/// A cookie made with the key that everybody knows: the password hash of whoever has none.
fn forged_device(cookie: &str) -> String {
    let number = [7; 16];
    let mut tag = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, b""));
    tag.update(b"dormwatt known device");
    tag.update(&number);
    let token = URL_SAFE_NO_PAD.encode([&number, &tag.sign().as_ref()[..16]].concat());
    format!("{}={token}", cookie.split('=').next().unwrap())
}

both!(an_invited_name_is_like_one_that_nobody_has, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Resident, "r101").await;
    let new = NewOperator { login: "wang", name: "wang", role: RoleChoice::Ready(Role::Cashier), buildings: &Scope::All };
    let link = NewLink { hash: [1; 32], expires_at: w.clock.now().plus(HOUR) };
    operators::invite(&w.db, &w.rng, w.clock.now(), ChangedBy::CommandLine, &new, link).await.unwrap();
    assert!(store::users::by_login(&w.db, "wang").await.unwrap().is_none(), "as much work as for any unknown name");
    let answer = web.visitor().log_in("r101", PASSWORD).await;
    let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let device = cookies.map(|cookie| cookie.split(';').next().unwrap()).find(|cookie| cookie.contains("-device=")).unwrap();
    for _ in 0..5 {
        assert_eq!(location(&web.visitor().log_in("wang", "guess").await), "/login?e=bad-credentials");
    }
    assert_eq!(location(&web.visitor().log_in("wang", "guess").await), "/login?e=rate-limited");
    let mut forged = web.visitor();
    forged.cookie = forged_device(device);
    assert_eq!(location(&forged.log_in("wang", "guess").await), "/login?e=rate-limited");
});

both!(known_and_unknown_logins_are_delayed_alike, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Resident, "r101").await;
    let mut seen = Vec::new();
    for login in ["r101", "nobody"] {
        let mut answers = Vec::new();
        // Over days, with pauses between them that forget or do not forget.
        let pauses = [0, 0, 0, 0, 0, 8 * SECOND, 0, HOUR / 2, 0, HOUR, 0, 0, 24 * HOUR, 0, 0, 0, 0];
        for (attempt, pause) in pauses.into_iter().enumerate() {
            w.clock.advance(pause);
            let begun = Instant::now();
            answers.push(location(&web.visitor().log_in(login, "guess").await).to_owned());
            // Only this one has its turn three seconds later. On a busy machine the others may take as long by themselves.
            assert!(attempt != 5 || begun.elapsed() >= Duration::from_secs(3), "{login} was not delayed");
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
});
