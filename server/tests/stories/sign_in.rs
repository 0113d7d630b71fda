//! A person's own account: a password that somebody else chose, the second factor, the list of sessions; on both databases.

use data_encoding::BASE32_NOPAD;
use domain::clock::Clock;
use model::person::Role;
use model::time::{MINUTE, SECOND};
use server::services::auth::totp;
use store::users;
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

const OWN: &str = "moss grows on old stones";

fn password_form(old: &str, new: &str) -> String {
    format!("old={old}&new={new}").replace(' ', "+")
}

both!(a_password_that_somebody_else_chose_is_changed_first, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Manager, "clerk").await;
    let hash = server::services::auth::Passwords::new(w.rng.clone()).unwrap().hash(PASSWORD).await.unwrap();
    users::reset_password(&w.db, w.clock.now(), "clerk", &hash, "command line").await.unwrap();
    let mut clerk = web.visitor();
    clerk.log_in("clerk", PASSWORD).await;
    for page in ["/wall", "/sales", "/password/second-factor", "/register.csv"] {
        assert_eq!(location(&clerk.get(page).await), "/password?e=password-due", "{page}");
    }
    let answer = clerk.clone().program().post("/api/operator/mode", "meter=1").await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (403, r#""password-due""#));
    assert_eq!(clerk.clone().program().get("/live").await.status(), 403);
    let page = clerk.get("/password?e=password-due").await.text().await.unwrap();
    assert!(page.contains("设置自己的密码") && !page.contains("已登录的设备"), "nothing else is offered");
    assert_eq!(location(&clerk.post("/api/site/theme", "theme=dark&back=/password").await), "/password");

    let answer = clerk.post("/api/auth/password", &password_form(PASSWORD, "kx7 fvwq 92mzt")).await;
    assert_eq!(location(&answer), "/password?e=password-alone", "an operator's password alone has to be longer");
    let answer = clerk.post("/api/auth/password", &password_form(PASSWORD, OWN)).await;
    assert_eq!(location(&answer), "/wall");
    clerk.keep(&answer);
    assert_eq!(clerk.get("/wall").await.status(), 200);
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_forced_change_can_be_left_by_logging_out, |w: World| async move {
    let web = Web::start(&w).await;
    let clerk = web.person(&w, Role::Manager, "clerk").await;
    w.execute("UPDATE users SET password_due = TRUE").await;
    assert_eq!(location(&clerk.get("/wall").await), "/password?e=password-due", "also in a session that is open");
    assert_eq!(location(&clerk.post("/api/auth/log-out", "").await), "/login");
});

/// Turns the second factor on; gives the secret and the recovery codes.
async fn with_second_factor(w: &World, person: &Person<'_>) -> (Vec<u8>, Vec<String>) {
    assert_eq!(location(&person.post("/api/auth/prepare-second-factor", "").await), "/password/second-factor");
    let page = person.get("/password/second-factor").await.text().await.unwrap();
    let address = page.split("secret=").nth(1).unwrap();
    let secret = BASE32_NOPAD.decode(address.split('&').next().unwrap().as_bytes()).unwrap();
    let wrong = person.post("/api/auth/confirm-second-factor", "code=000000").await;
    assert_eq!(location(&wrong), "/password/second-factor?e=wrong-code");
    let answer = person.post("/api/auth/confirm-second-factor", &format!("code={}", code(w, &secret))).await;
    assert_eq!(location(&answer), "/password/recovery-codes");
    let page = person.get("/password/recovery-codes").await.text().await.unwrap();
    let codes: Vec<String> = page
        .split("<code>")
        .skip(1)
        .map(|rest| rest.split('<').next().unwrap().to_owned())
        .filter(|code| code.len() == 19)
        .collect();
    assert_eq!(codes.len(), 10);
    let again = person.get("/password/recovery-codes").await.text().await.unwrap();
    assert!(!again.contains(&codes[0]), "they are shown once");
    (secret, codes)
}

/// The code that an app shows now.
fn code(w: &World, secret: &[u8]) -> String {
    totp::at(secret, w.clock.now().0 / (30 * SECOND))
}

both!(a_second_factor_is_asked_for_and_a_code_serves_once, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Manager, "clerk").await;
    let (secret, _) = with_second_factor(&w, &owner).await;
    assert_eq!(owner.get("/wall").await.status(), 200, "the session that turned it on stays");

    w.clock.advance(MINUTE);
    let mut browser = web.visitor();
    let answer =
        browser.post("/api/auth/log-in", &format!("login=clerk&password={}&next=/sales", PASSWORD.replace(' ', "+"))).await;
    assert_eq!(location(&answer), "/login/code?next=/sales");
    browser.keep(&answer);
    assert_eq!(location(&browser.get("/wall").await), "/login?next=/wall", "the password alone opens nothing");
    assert_eq!(browser.get("/login/code").await.status(), 200);
    let step = browser.clone();
    let shown = code(&w, &secret);
    let answer = browser.post("/api/auth/second-step", &format!("code={shown}&next=/sales")).await;
    assert_eq!(location(&answer), "/sales");
    browser.keep(&answer);
    assert_eq!(browser.get("/wall").await.status(), 200);
    let answer = step.post("/api/auth/second-step", &format!("code={shown}")).await;
    assert_eq!(location(&answer), "/login?e=not-logged-in&next=/login/code", "a step serves once");

    // Somebody saw the code over the shoulder.
    let mut thief = web.visitor();
    thief.log_in("clerk", PASSWORD).await;
    let answer = thief.post("/api/auth/second-step", &format!("code={shown}")).await;
    assert_eq!(location(&answer), "/login/code?e=wrong-code", "a code serves once");
    assert_eq!(location(&web.visitor().get("/login/code").await), "/login?e=not-logged-in");
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
});

both!(a_log_in_waits_for_few_codes_and_not_for_long, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Manager, "clerk").await;
    let (secret, _) = with_second_factor(&w, &owner).await;
    w.clock.advance(MINUTE);
    let mut thief = web.visitor();
    thief.log_in("clerk", PASSWORD).await;
    for _ in 0..4 {
        let answer = thief.post("/api/auth/second-step", "code=123456").await;
        assert_eq!(location(&answer), "/login/code?e=wrong-code");
    }
    let mut slow = web.visitor();
    slow.log_in("clerk", PASSWORD).await;
    w.clock.advance(6 * MINUTE);
    let answer = slow.post("/api/auth/second-step", &format!("code={}", code(&w, &secret))).await;
    assert!(location(&answer).starts_with("/login?e=not-logged-in"), "{}", location(&answer));
    let mut guesser = web.visitor();
    guesser.log_in("clerk", PASSWORD).await;
    let mut ended = String::new();
    for _ in 0..12 {
        ended = location(&guesser.post("/api/auth/second-step", "code=123456").await).to_owned();
        if !ended.starts_with("/login/code?e=wrong-code") {
            break;
        }
    }
    assert!(ended.starts_with("/login?e=not-logged-in") || ended.contains("rate-limited"), "{ended}");
});

both!(a_recovery_code_serves_once, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Resident, "r101").await;
    let (_, codes) = with_second_factor(&w, &owner).await;
    let typed = format!("code={}", codes[3].to_lowercase().replace('-', "+"));
    let mut browser = web.visitor();
    browser.log_in("r101", PASSWORD).await;
    let answer = browser.post("/api/auth/second-step", &typed).await;
    assert_eq!(location(&answer), "/home");
    browser.keep(&answer);
    let page = browser.get("/password").await.text().await.unwrap();
    assert!(page.contains("还有 9 个恢复码可用"));
    let mut again = web.visitor();
    again.log_in("r101", PASSWORD).await;
    assert_eq!(location(&again.post("/api/auth/second-step", &typed).await), "/login/code?e=wrong-code");
    let detail = w.word("SELECT detail FROM audit WHERE action = 'session.open' ORDER BY seq DESC LIMIT 1").await;
    assert_eq!(detail, r#"{"second_factor":"recovery_code"}"#);
});

both!(a_second_factor_is_turned_off_with_the_password, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Manager, "clerk").await;
    let (_, codes) = with_second_factor(&w, &owner).await;
    assert_eq!(location(&owner.post("/api/auth/prepare-second-factor", "").await), "/password?e=conflict", "it is on");
    let off = "/api/auth/turn-off-second-factor";
    assert_eq!(location(&owner.post(off, "password=wrong").await), "/password?e=wrong-password");
    let password = format!("password={}", PASSWORD.replace(' ', "+"));
    let renewed = owner.post("/api/auth/renew-recovery-codes", &password).await;
    assert_eq!(location(&renewed), "/password/recovery-codes");
    assert!(!owner.get("/password/recovery-codes").await.text().await.unwrap().contains(&codes[0]));
    assert_eq!(location(&owner.post(off, &password).await), "/password");
    assert_eq!(location(&web.visitor().log_in("clerk", PASSWORD).await), "/wall");
    assert_eq!(w.number("SELECT COUNT(*) FROM recovery_codes").await, 0);

    with_second_factor(&w, &owner).await;
    store::second_factors::remove(&w.db, w.clock.now(), "clerk", "command line").await.unwrap();
    assert_eq!(location(&owner.get("/wall").await), "/login?next=/wall", "whoever lost it may have lost more");
    assert_eq!(location(&web.visitor().log_in("clerk", PASSWORD).await), "/wall");
});

both!(sessions_are_listed_and_ended, |w: World| async move {
    let web = Web::start(&w).await;
    let person = web.person(&w, Role::Resident, "r101").await;
    let [mut phone, mut desk] = [web.visitor(), web.visitor()];
    phone.log_in("r101", PASSWORD).await;
    desk.log_in("r101", PASSWORD).await;
    let stranger = web.person(&w, Role::Resident, "r102").await;
    let page = person.get("/password").await.text().await.unwrap();
    assert_eq!(page.matches("/api/auth/end-session").count(), 2, "not this one, and nobody else's");
    let id = page.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(location(&stranger.post("/api/auth/end-session", &format!("id={id}")).await), "/password?e=not-found");
    assert_eq!(location(&stranger.post("/api/auth/end-session", "id=x").await), "/password?e=not-found");
    assert_eq!(location(&person.post("/api/auth/end-session", &format!("id={id}")).await), "/password");
    assert_eq!(w.number("SELECT COUNT(*) FROM sessions").await, 3);
    assert_eq!(location(&person.post("/api/auth/end-other-sessions", "").await), "/password");
    assert_eq!(w.number("SELECT COUNT(*) FROM sessions").await, 2, "the other person's stays");
    assert_eq!(person.get("/password").await.status(), 200);
    assert_eq!([phone.get("/me").await.status(), desk.get("/me").await.status()].map(|status| status.as_u16()), [303, 303]);
});

both!(a_form_of_an_ended_session_leads_back_to_its_page, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Manager, "clerk").await;
    let post = |referrer: String| {
        let url = format!("{}/api/operator/mode", web.base);
        web.client.post(url).header("accept", "text/html").header("referer", referrer).body("x=1").send()
    };
    let answer = post(format!("{}/sales?q=1&e=invalid", web.base)).await.unwrap();
    assert_eq!(location(&answer), "/login?e=not-logged-in&form=kept&next=/sales%3Fq%3D1");
    let page = web.visitor().get("/login?e=not-logged-in&form=kept&next=/sales").await.text().await.unwrap();
    assert!(page.contains("没有保存") && page.contains("<noscript>"));
    let answer = post("https://evil.example/sales".to_owned()).await.unwrap();
    assert_eq!(location(&answer), "/login?e=not-logged-in");
});
