//! A person's own account: a password that somebody else chose, the second factor, the list of sessions; on both databases.

use data_encoding::BASE32_NOPAD;
use domain::clock::Clock;
use model::error::AppError;
use model::ids::UserId;
use model::language::Lang;
use model::log_in::LogInMethod;
use model::notification::NotificationChannel;
use model::person::Role;
use model::time::{MINUTE, SECOND};
use people::second_factors::{self, FirstStep};
use people::tokens::{self, NewToken};
use people::wechat_log_ins::{self, WechatSignIn};
use people::{erasure, password_log_ins};
use reqwest::header::SET_COOKIE;
use services::auth::totp;
use store::notifications::{NewCode, ask_code};
use store::sessions::NewSession;
use store::users;
use story_support::refunding::refused;
use story_support::web::{PASSWORD, Person, Web, field, location};
use story_support::{World, both};

const OWN: &str = "moss grows on old stones";

fn password_form(old: &str, new: &str) -> String {
    format!("old={old}&new={new}").replace(' ', "+")
}

both!(a_password_that_somebody_else_chose_is_changed_first, |w: World| async move {
    let web = Web::start(&w).await;
    web.person(&w, Role::Manager, "clerk").await;
    let hash = services::auth::Passwords::new(w.rng.clone()).unwrap().hash(PASSWORD).await.unwrap();
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
    // A name that was stored before signs were read in their usual width.
    w.execute("UPDATE users SET login = 'Ｔ3' WHERE login = 'clerk'").await;
    assert_eq!(location(&web.visitor().log_in("%EF%BC%B43", OWN).await), "/wall");
});

both!(a_forced_change_can_be_left_by_logging_out, |w: World| async move {
    let web = Web::start(&w).await;
    let clerk = web.person(&w, Role::Manager, "clerk").await;
    w.execute("UPDATE users SET password_due = TRUE").await;
    assert_eq!(location(&clerk.get("/wall").await), "/password?e=password-due", "also in a session that is open");
    assert_eq!(location(&clerk.post("/api/auth/log-out", "").await), "/login");
});

/// The password as the form of a person's own account posts it.
fn own_password() -> String {
    format!("password={}", PASSWORD.replace(' ', "+"))
}

/// The recovery codes that a page shows.
fn shown_codes(page: &str) -> Vec<String> {
    let codes = page.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    codes.filter(|code| code.len() == 19).collect()
}

/// Turns the second factor on; gives the secret and the recovery codes.
async fn with_second_factor(w: &World, person: &Person<'_>) -> (Vec<u8>, Vec<String>) {
    let prepare = async |form: &str| location(&person.post("/api/auth/prepare-second-factor", form).await).to_owned();
    assert_eq!(prepare("password=wrong").await, "/password?e=wrong-password", "an open session is not enough");
    assert_eq!(prepare(&own_password()).await, "/password/second-factor");
    let page = person.get("/password/second-factor").await.text().await.unwrap();
    let address = page.split("secret=").nth(1).unwrap();
    let secret = BASE32_NOPAD.decode(address.split('&').next().unwrap().as_bytes()).unwrap();
    let wrong = person.post("/api/auth/confirm-second-factor", "code=000000").await;
    assert_eq!(location(&wrong), "/password/second-factor?e=wrong-code");
    let answer = person.post("/api/auth/confirm-second-factor", &format!("code={}", code(w, &secret))).await;
    assert_eq!(location(&answer), "/password/recovery-codes");
    let codes = follow_to_codes(person, &answer).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(shown_codes(&person.get("/password/recovery-codes").await.text().await.unwrap()), [""; 0], "shown once");
    (secret, codes)
}

/// The cookie that an answer sets, by a part of its name.
fn cookie_of(answer: &reqwest::Response, name: &str) -> String {
    let cookies = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    cookies.into_iter().find(|cookie| cookie.contains(name)).unwrap().to_owned()
}

/// Opens the page of the recovery codes with the cookie that an answer left for it; the page takes the cookie back.
async fn follow_to_codes(person: &Person<'_>, answer: &reqwest::Response) -> Vec<String> {
    let mut browser = person.clone();
    browser.cookie = format!("{}; {}", person.cookie, cookie_of(answer, "-once="));
    let page = browser.get("/password/recovery-codes").await;
    assert!(cookie_of(&page, "-once=").ends_with('='), "taken back");
    shown_codes(&page.text().await.unwrap())
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
    assert_eq!(w.number("SELECT logged_in_at FROM users WHERE login = 'clerk'").await, w.clock.now().0);
    assert_eq!(w.word("SELECT method FROM sessions WHERE second_factor = 'code'").await, "password");
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

    // Five tries, whatever their result.
    let (now, [token, other]) = (w.clock.now(), [[1; 32], [2; 32]]);
    let user = users::by_login(&w.db, "clerk").await.unwrap().unwrap().id;
    let first = FirstStep { user: UserId(user), method: LogInMethod::Password };
    for token in [&token, &other] {
        second_factors::begin(&w.db, now, &first, token, now.plus(MINUTE)).await.unwrap();
    }
    for left in (0..second_factors::TRIES).rev() {
        assert_eq!(second_factors::count_try(&w.db, &token, now).await.unwrap(), Some(UserId(user)));
        assert_eq!(second_factors::waits(&w.db, &token, now).await.unwrap().is_some(), left > 0, "{left} are left");
    }
    assert_eq!(second_factors::count_try(&w.db, &token, now).await.unwrap(), None, "a sixth");
    assert_eq!(second_factors::count_try(&w.db, &other, now.plus(MINUTE)).await.unwrap(), None, "too late");
    assert_eq!(second_factors::count_try(&w.db, &other, now.plus(MINUTE - 1)).await.unwrap(), Some(UserId(user)));
});

both!(guesses_of_codes_do_not_keep_the_owner_out, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Manager, "clerk").await;
    let device = cookie_of(&web.visitor().log_in("clerk", PASSWORD).await, "-device=");
    let (secret, _) = with_second_factor(&w, &owner).await;
    let second_step = async |browser: &Person<'_>, code: &str| {
        location(&browser.post("/api/auth/second-step", &format!("code={code}")).await).to_owned()
    };
    // Somebody has the password, and three log-ins that wait for their codes.
    let mut thieves = [web.visitor(), web.visitor(), web.visitor()];
    for thief in &mut thieves {
        thief.log_in("clerk", PASSWORD).await;
    }
    let guesses = (0..15).map(|n| second_step(&thieves[n % 3], "123456"));
    let answers = futures::future::join_all(guesses).await;
    assert_eq!(answers.iter().filter(|to| to.contains("rate-limited")).count(), 7, "{answers:?}");
    // The owner's own browser does not wait for them.
    let mut known = web.visitor();
    known.cookie = device.clone();
    known.log_in("clerk", PASSWORD).await;
    known.cookie = format!("{}; {device}", known.cookie);
    w.clock.advance(1_000);
    assert_eq!(second_step(&known, "123456").await, "/login/code?e=wrong-code");
    // Another browser is refused for now, which costs none of its tries.
    let mut other = web.visitor();
    other.log_in("clerk", PASSWORD).await;
    for _ in 0..second_factors::TRIES + 1 {
        assert_eq!(second_step(&other, "123456").await, "/login/code?e=rate-limited");
    }
    w.clock.advance(MINUTE);
    assert_eq!(second_step(&other, &code(&w, &secret)).await, "/wall");
});

both!(only_the_secret_whose_code_was_checked_is_turned_on, |w: World| async move {
    let who = w.admin("boss").await;
    let (now, db) = (w.clock.now(), &w.db);
    second_factors::prepare(db, now, who.user, b"first").await.unwrap();
    // Meanwhile, in another tab.
    second_factors::prepare(db, now, who.user, b"second").await.unwrap();
    let confirmed = second_factors::confirm(db, now, &who, (b"first", 7), &[]).await;
    assert_eq!(confirmed.map_err(AppError::from), Err(AppError::Conflict));
    second_factors::confirm(db, now, &who, (b"second", 7), &[]).await.unwrap();
});

both!(a_password_that_was_changed_meanwhile_opens_nothing, |w: World| async move {
    let who = w.admin("boss").await;
    let (now, db, user) = (w.clock.now(), &w.db, who.user);
    let (log_in, expires) = (LogInMethod::Password.into(), now.plus(MINUTE));
    let session = |n: u8| NewSession { hash: [n; 32], user, log_in, ip: String::new(), agent: String::new(), expires };
    let first = FirstStep { user, method: LogInMethod::Password };
    // The others have looked at the password before.
    users::change_password(db, now, &who, ("x", "new"), &session(1)).await.unwrap();
    let opened = password_log_ins::open(db, now, &session(2), "x").await;
    assert_eq!(opened.map_err(AppError::from), Err(AppError::BadCredentials));
    let begun = password_log_ins::begin(db, now, (&first, "x"), &[2; 32], expires).await;
    assert_eq!(begun.map_err(AppError::from), Err(AppError::BadCredentials));
    let changed = users::change_password(db, now, &who, ("x", "of a thief"), &session(2)).await;
    assert_eq!(changed.map_err(AppError::from), Err(AppError::WrongPassword));
    assert_eq!(w.number("SELECT COUNT(*) FROM users WHERE password_hash = 'new'").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM sessions").await + w.number("SELECT COUNT(*) FROM log_in_steps").await, 1);
    password_log_ins::open(db, now, &session(2), "new").await.unwrap();
    password_log_ins::begin(db, now, (&first, "new"), &[2; 32], expires).await.unwrap();
});

both!(a_password_proved_before_another_allows_nothing, |w: World| async move {
    let who = w.admin("boss").await;
    let (now, db, user) = (w.clock.now(), &w.db, who.user);
    let (log_in, expires, ended, open) = (LogInMethod::Password.into(), now.plus(MINUTE), [1; 32], [2; 32]);
    let session = |hash| NewSession { hash, user, log_in, ip: String::new(), agent: String::new(), expires };
    second_factors::prepare(db, now, user, b"secret").await.unwrap();
    second_factors::confirm(db, now, &who, (b"secret", 7), &[]).await.unwrap();
    store::sessions::open(db, now, &session(ended)).await.unwrap();
    users::change_password(db, now, &who, ("x", "new"), &session(open)).await.unwrap();
    let code = |password_hash| NewCode {
        channel: NotificationChannel::Sms,
        address: "13800138001",
        code: "1",
        hash: b"hash",
        password_hash: Some(password_hash),
        language: Lang::Zh,
    };
    let sign_in = WechatSignIn { token: open, state: [3; 32], user: Some(user) };
    for refusal in [
        refused(second_factors::turn_off(db, now, &who, "x").await),
        refused(second_factors::renew_codes(db, now, &who, "x", &[]).await),
        refused(ask_code(db, &w.rng, now, &who, &code("x")).await),
        refused(wechat_log_ins::begin(db, now, &sign_in, Some("x")).await),
        refused(erasure::erase(db, now, &who, "x").await),
    ] {
        assert_eq!(refusal, AppError::WrongPassword);
    }
    // What asks for no password then asks whether its session goes on.
    assert_eq!(refused(wechat_log_ins::bind(db, now, &who, "openid", &ended).await), AppError::NotLoggedIn);
    let token = NewToken { hash: [4; 32], session: ended, name: "x", reads_use: true, reads_records: true, expires_at: expires };
    assert_eq!(refused(tokens::create(db, &w.rng, now, &who, &token).await), AppError::NotLoggedIn);
    ask_code(db, &w.rng, now, &who, &code("new")).await.unwrap();
    wechat_log_ins::begin(db, now, &sign_in, Some("new")).await.unwrap();
    wechat_log_ins::bind(db, now, &who, "openid", &open).await.unwrap();
    second_factors::turn_off(db, now, &who, "new").await.unwrap();
});

both!(a_recovery_code_serves_once, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Resident, "r101").await;
    let (_, codes) = with_second_factor(&w, &owner).await;
    let typed = format!("code={}", codes[3].to_lowercase().replace('-', "+"));
    let mut browser = web.visitor();
    w.clock.advance(MINUTE);
    browser.log_in("r101", PASSWORD).await;
    let answer = browser.post("/api/auth/second-step", &typed).await;
    assert_eq!(location(&answer), "/home");
    browser.keep(&answer);
    let page = browser.get("/password").await.text().await.unwrap();
    assert!(page.contains("还有 9 个恢复码可用") && page.contains("密码，恢复码"), "{page}");
    assert_eq!(w.number("SELECT logged_in_at FROM users WHERE login = 'r101'").await, w.clock.now().0);
    let mut again = web.visitor();
    again.log_in("r101", PASSWORD).await;
    assert_eq!(location(&again.post("/api/auth/second-step", &typed).await), "/login/code?e=wrong-code");
    let detail = w.word("SELECT detail FROM audit WHERE action = 'session.open' ORDER BY seq DESC LIMIT 1").await;
    assert_eq!(detail, r#"{"method":"password","second_factor":"recovery_code"}"#);
});

both!(a_second_factor_is_turned_off_with_the_password, |w: World| async move {
    let web = Web::start(&w).await;
    let owner = web.person(&w, Role::Manager, "clerk").await;
    let (_, codes) = with_second_factor(&w, &owner).await;
    let again = owner.post("/api/auth/prepare-second-factor", &own_password()).await;
    assert_eq!(location(&again), "/password?e=conflict", "it is on");
    let off = "/api/auth/turn-off-second-factor";
    assert_eq!(location(&owner.post(off, "password=wrong").await), "/password?e=wrong-password");
    let renew = "/api/auth/renew-recovery-codes";
    assert_eq!(location(&owner.post(renew, "password=wrong").await), "/password?e=wrong-password");
    let renewed = owner.post(renew, &own_password()).await;
    assert_eq!(location(&renewed), "/password/recovery-codes");
    let new = follow_to_codes(&owner, &renewed).await;
    assert!(new.len() == 10 && !new.contains(&codes[0]), "{new:?}");
    assert_eq!(location(&owner.post(off, &own_password()).await), "/password");
    assert_eq!(location(&owner.post(off, &own_password()).await), "/password?e=not-found", "it is off");
    assert_eq!(location(&owner.post(renew, &own_password()).await), "/password?e=not-found");
    assert_eq!(location(&web.visitor().log_in("clerk", PASSWORD).await), "/wall");
    assert_eq!(w.number("SELECT COUNT(*) FROM recovery_codes").await, 0);
});

both!(a_short_password_does_not_stay_without_a_second_factor, |w: World| async move {
    const SHORT: &str = "kx7 fvwq";
    let web = Web::start(&w).await;
    let mut owner = web.person(&w, Role::Manager, "clerk").await;
    let (secret, _) = with_second_factor(&w, &owner).await;
    let answer = owner.post("/api/auth/password", &password_form(PASSWORD, SHORT)).await;
    assert_eq!(location(&answer), "/password?done=changed", "beside a second factor it is long enough");
    owner.keep(&answer);
    let off = owner.post("/api/auth/turn-off-second-factor", &format!("password={}", SHORT.replace(' ', "+"))).await;
    assert_eq!(location(&off), "/password?e=password-alone");
    w.clock.advance(MINUTE);
    let mut browser = web.visitor();
    browser.log_in("clerk", SHORT).await;
    let answer = browser.post("/api/auth/second-step", &format!("code={}", code(&w, &secret))).await;
    assert_eq!(location(&answer), "/wall", "it is still on");

    // Lost, and removed on the server.
    let resident = web.person(&w, Role::Resident, "r101").await;
    with_second_factor(&w, &resident).await;
    for login in ["clerk", "r101"] {
        second_factors::remove(&w.db, w.clock.now(), login, "command line").await.unwrap();
    }
    assert_eq!(location(&owner.get("/wall").await), "/login?next=/wall", "whoever lost it may have lost more");
    let mut browser = web.visitor();
    browser.log_in("clerk", SHORT).await;
    assert_eq!(location(&browser.get("/wall").await), "/password?e=password-due");
    let again = browser.post("/api/auth/password", &password_form(SHORT, "kx7 fvwq 9")).await;
    assert_eq!(location(&again), "/password?e=password-alone");
    assert_eq!(location(&browser.post("/api/auth/password", &password_form(SHORT, OWN)).await), "/wall");
    let mut browser = web.visitor();
    browser.log_in("r101", PASSWORD).await;
    assert_eq!(browser.get("/me").await.status(), 200, "a resident's may be short");
    assert_eq!(verify::verify(&w.db).await.unwrap().differences, []);
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
    let id = field(&page, "id");
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
    let post_to = |path: &str, referrer: String| {
        let url = format!("{}{path}", web.base);
        web.client.post(url).header("accept", "text/html").header("referer", referrer).body("x=1").send()
    };
    let post = |referrer| post_to("/api/operator/mode", referrer);
    let answer = post(format!("{}/sales?q=1&e=invalid", web.base)).await.unwrap();
    assert_eq!(location(&answer), "/login?e=not-logged-in&form=kept&next=/sales%3Fq%3D1");
    let page = web.visitor().get("/login?e=not-logged-in&form=kept&next=/sales").await.text().await.unwrap();
    assert!(page.contains("没有保存") && page.contains("<noscript>"));
    // Passwords and codes are not kept, so nothing is promised.
    let answer = post_to("/api/auth/turn-off-second-factor", format!("{}/password", web.base)).await.unwrap();
    assert_eq!(location(&answer), "/login?e=not-logged-in&next=/password");
    let answer = post("https://evil.example/sales".to_owned()).await.unwrap();
    assert_eq!(location(&answer), "/login?e=not-logged-in");
});
