//! Guessing at passwords is slow, and does not keep the owner out.

use std::time::{Duration, Instant};

use futures::future::join_all;
use model::person::Role;
use model::time::HOUR;
use reqwest::header::SET_COOKIE;
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
        assert_eq!(read, 8, "{login}: those that fit into ten seconds");
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
    for _ in 0..7 {
        assert_eq!(stranger().await, "/login?e=bad-credentials");
    }
    assert_eq!(stranger().await, "/login?e=bad-credentials", "delayed by seven seconds");
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

both!(known_and_unknown_logins_are_delayed_alike, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Resident, "r101").await;
    let mut seen = Vec::new();
    for login in ["r101", "nobody"] {
        let mut answers = Vec::new();
        // Over days, with pauses between them that forget or do not forget.
        for (attempt, pause) in [0, 0, 0, 0, 0, HOUR / 2, 0, HOUR, 0, 0, 24 * HOUR, 0, 0, 0, 0].into_iter().enumerate() {
            w.clock.advance(pause);
            let begun = Instant::now();
            answers.push(location(&web.visitor().log_in(login, "guess").await).to_owned());
            // Only this one has its turn a second later. On a busy machine the others may take as long by themselves.
            assert!(attempt != 6 || begun.elapsed() >= Duration::from_secs(1), "{login} was not delayed");
        }
        seen.push(answers);
    }
    assert_eq!(seen[0], seen[1]);
});
