//! A query machine in a lobby: registered by a link, entered by a phone or a code, and left behind with nothing.

use domain::clock::Clock;
use model::error::AppError;
use model::ids::{UserId, Uuid};
use model::notification::PhoneNumber;
use model::person::Role;
use model::time::MINUTE;
use notify::phone_log_ins::{self, NewPhoneLogIn, PhoneCodeOutcome};
use reqwest::Response;
use reqwest::header::{CACHE_CONTROL, SET_COOKIE};
use store::users;
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

/// The value of a cookie that an answer sets, and the cookie as a browser sends it.
fn cookie(answer: &Response, named: &str) -> (String, String) {
    let all = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let pair = all.map(|cookie| cookie.split(';').next().unwrap()).find(|pair| pair.split('=').next().unwrap().ends_with(named));
    let pair = pair.unwrap_or_else(|| panic!("no cookie {named}"));
    (pair.split_once('=').unwrap().1.to_owned(), pair.to_owned())
}

async fn page(person: &Person<'_>, path: &str) -> (u16, String) {
    let answer = person.get(path).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

both!(a_query_machine_lets_residents_in_for_minutes, |w: World| async move {
    w.room(1).await;
    let web = Web::start(&w).await;
    let (boss, phone) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Resident, "li").await);
    w.execute("UPDATE account_residents SET user_id = (SELECT id FROM users WHERE login = 'li')").await;

    // A browser becomes a query machine by opening the link, which works once.
    let mut machine = web.visitor();
    assert_eq!(machine.get("/kiosk").await.status(), 404);
    assert_eq!(location(&machine.post("/api/kiosk/begin", "x=1").await), "/kiosk?e=forbidden");
    let id = w.rng.id(w.clock.now());
    let add = format!("key={id}&name=Lobby");
    let (lost, _) = cookie(&boss.post("/api/operator/kiosks/add", &add).await, "once");
    // The answer was lost: the form is sent again, and only the link of the second answer works.
    let (link, _) = cookie(&boss.post("/api/operator/kiosks/add", &add).await, "once");
    assert_eq!(location(&web.visitor().post("/api/kiosk/register", &format!("code={lost}")).await), "/kiosk?e=link-ended");
    // The operator may open the link in a browser in which they are logged in.
    let mut console = web.visitor();
    console.log_in("boss", PASSWORD).await;
    assert_eq!(page(&console, &format!("/kiosk/setup/{link}")).await.0, 200);
    let answer = console.post("/api/kiosk/register", &format!("code={link}")).await;
    assert_eq!(location(&answer), "/kiosk");
    assert_eq!(cookie(&answer, "dormwatt").0, "");
    machine.cookie = cookie(&answer, "kiosk").1;
    assert!(location(&console.get("/wall").await).starts_with("/login"), "their session has ended");
    let mut ordinary = machine.clone();
    ordinary.cookie = format!("{}; {}", machine.cookie, boss.cookie);
    assert!(location(&ordinary.get("/wall").await).starts_with("/login"), "no session but one of the machine counts there");
    assert_eq!(location(&machine.get("/login/phone").await), "/kiosk");
    assert_eq!(location(&web.visitor().post("/api/kiosk/register", &format!("code={link}")).await), "/kiosk?e=link-ended");
    assert_eq!(location(&machine.get("/login").await), "/kiosk", "nobody types a password there");

    // By QR code: the phone confirms what the machine began.
    let waiting = location(&machine.post("/api/kiosk/begin", "x=1").await).to_owned();
    let code = waiting.strip_prefix("/kiosk?code=").unwrap().to_owned();
    assert!(page(&machine, &waiting).await.1.contains("class=\"qr\""));
    let enter = format!("code={code}");
    assert_eq!(location(&machine.post("/api/kiosk/enter", &enter).await), "/kiosk?e=link-ended", "nobody has confirmed");
    assert!(page(&phone, &format!("/kiosk/confirm?code={code}")).await.1.contains("Lobby"));
    assert_eq!(location(&phone.post("/api/resident/confirm-kiosk", &enter).await), "/kiosk/confirm?done=1");
    assert!(page(&machine, &waiting).await.1.contains("id=\"kiosk-enter\""));
    w.execute("UPDATE users SET logged_in_at = NULL").await;
    let answer = machine.post("/api/kiosk/enter", &enter).await;
    assert_eq!(location(&answer), "/home");
    assert_eq!(w.word("SELECT login FROM users WHERE logged_in_at IS NOT NULL").await, "li");
    let both = |answer: &Response| format!("{}; {}", machine.cookie, cookie(answer, "dormwatt").1);
    let mut there = machine.clone();
    there.cookie = both(&answer);
    assert!(page(&there, "/home").await.1.contains("id=\"kiosk-left\""), "the time that is left is seen");
    assert!(page(&phone, "/password").await.1.contains("在查询机上扫码"), "their list of sessions names it");
    assert_eq!(page(&there, "/emergency-credit").await.0, 200);
    assert_eq!(there.get("/usage").await.headers().get("cache-control").unwrap(), "no-store");
    assert!(page(&there, "/me").await.1.contains("id=\"kiosk-left\""), "also where it does not lead on");
    for path in ["/me", "/switch", "/password", "/usage.csv"] {
        assert_eq!(there.get(path).await.status(), 403, "{path}");
    }
    assert!(page(&there, "/switch").await.1.contains("请用自己的手机"), "and it says where");
    assert_eq!(location(&machine.post("/api/kiosk/enter", &enter).await), "/kiosk?e=link-ended", "a code counts once");
    w.clock.advance(3 * MINUTE);
    assert!(location(&there.get("/home").await).starts_with("/login"), "unused for minutes");

    // By a code that the phone shows.
    let (code, _) = cookie(&phone.post("/api/resident/kiosk-code", "x=1").await, "once");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let typed = |code: &str| format!("room=2611230000000001&code={code}");
    let answer = machine.post("/api/kiosk/enter-by-code", &typed(wrong)).await;
    assert_eq!(location(&answer), "/kiosk?wrong=1");
    assert_eq!(w.number("SELECT tries FROM kiosk_codes").await, 1);
    w.execute("UPDATE kiosk_codes SET tries = 5").await;
    let answer = machine.post("/api/kiosk/enter-by-code", &typed(&code)).await;
    assert_eq!(location(&answer), "/kiosk?wrong=1", "after five tries not even the right one");
    w.execute("UPDATE kiosk_codes SET tries = 4").await;
    // The room as people write it, with a blank.
    let sql = "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'building', '3号楼', 1)";
    story_support::bind(&w.db, sql, w.rng.id(w.clock.now()), &[]).await;
    w.execute("UPDATE places SET parent_id = (SELECT id FROM places WHERE kind = 'building') WHERE kind = 'room'").await;
    w.execute("UPDATE users SET logged_in_at = NULL").await;
    let answer = machine.post("/api/kiosk/enter-by-code", &format!("room=+3-1&code={code}")).await;
    assert_eq!(location(&answer), "/home");
    assert_eq!(w.word("SELECT login FROM users WHERE logged_in_at IS NOT NULL").await, "li");
    assert_eq!(w.word("SELECT method FROM sessions WHERE kiosk_id IS NOT NULL").await, "kiosk_code");
    there.cookie = both(&answer);
    assert_eq!(there.get("/topup").await.status(), 200);
    let (code, _) = cookie(&phone.post("/api/resident/kiosk-code", "x=1").await, "once");
    let answer = machine.post("/api/kiosk/enter-by-code", &typed(&code)).await;
    assert!(location(&there.get("/home").await).starts_with("/login"), "one person at a time");
    there.cookie = both(&answer);
    assert_eq!(location(&there.post("/api/auth/log-out", "x=1").await), "/kiosk");

    // A retired machine is an ordinary browser.
    assert_eq!(location(&boss.post("/api/operator/kiosks/retire", &format!("id={id}")).await), "/kiosks");
    assert_eq!(machine.get("/kiosk").await.status(), 404);
    for action in ["kiosk.add", "kiosk.register", "kiosk.retire"] {
        assert!(page(&boss, &format!("/audit?action={action}")).await.1.contains("Lobby"), "{action}");
    }
});

const CLEAR: &str = "clear-site-data";
const STORAGE: &str = "\"storage\"";

/// The names of the cookies that an answer removes.
fn removed(answer: &Response) -> Vec<String> {
    let all = answer.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    all.filter(|cookie| cookie.contains("Max-Age=0")).map(|cookie| cookie.split('=').next().unwrap().to_owned()).collect()
}

/// Makes a browser a query machine.
async fn registered<'a>(web: &'a Web, boss: &Person<'_>, id: Uuid) -> (Person<'a>, Response) {
    let (link, _) = cookie(&boss.post("/api/operator/kiosks/add", &format!("key={id}&name=Lobby")).await, "once");
    let mut machine = web.visitor();
    let answer = machine.post("/api/kiosk/register", &format!("code={link}")).await;
    machine.cookie = cookie(&answer, "kiosk").1;
    (machine, answer)
}

/// Logs the resident of a phone in at a machine.
async fn entered<'a>(machine: &Person<'a>, phone: &Person<'_>) -> (Person<'a>, Response) {
    let (code, _) = cookie(&phone.post("/api/resident/kiosk-code", "x=1").await, "once");
    let answer = machine.post("/api/kiosk/enter-by-code", &format!("room=2611230000000001&code={code}")).await;
    assert_eq!(location(&answer), "/home");
    let mut there = machine.clone();
    there.cookie = format!("{}; {}", machine.cookie, cookie(&answer, "dormwatt").1);
    (there, answer)
}

both!(a_query_machine_keeps_nothing_of_the_person_before, |w: World| async move {
    w.room(1).await;
    let web = Web::start(&w).await;
    let (boss, phone) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Resident, "li").await);
    w.execute("UPDATE account_residents SET user_id = (SELECT id FROM users WHERE login = 'li')").await;
    let id = w.rng.id(w.clock.now());
    let (machine, answer) = registered(&web, &boss, id).await;
    assert_eq!(answer.headers()[CLEAR], STORAGE, "a service worker of its time as an ordinary browser");
    assert!(removed(&answer).iter().any(|name| name.ends_with("-device")), "and the operator's log-in on it");
    assert_eq!(machine.get("/kiosk").await.headers()[CACHE_CONTROL], "no-store");

    let (there, answer) = entered(&machine, &phone).await;
    assert_eq!(answer.headers()[CLEAR], STORAGE, "the one before may not have logged out");
    for path in ["/home", "/usage", "/topup", "/records", "/emergency-credit"] {
        let answer = there.get(path).await;
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store", "{path}");
        let page = answer.text().await.unwrap();
        assert!(page.contains("id=\"kiosk-end\""), "{path} logs out by itself, and installs no service worker");
        assert!(!page.contains("id=\"last-known\""), "{path} leaves no balance in the browser");
    }
    let answer = there.post("/api/auth/log-out", "x=1").await;
    assert_eq!(location(&answer), "/kiosk");
    assert_eq!(answer.headers()[CLEAR], STORAGE);
    let gone = removed(&answer);
    assert!(["__Host-dormwatt", "lang", "theme"].iter().all(|name| gone.iter().any(|one| one == name)), "{gone:?}");
    assert!(!gone.iter().any(|name| name.ends_with("kiosk")), "it stays a query machine");
    assert!(location(&there.get("/home").await).starts_with("/login"));

    // In use all the time it ends after a quarter of an hour.
    let (there, _) = entered(&machine, &phone).await;
    for minute in 1..15 {
        w.clock.advance(MINUTE);
        assert_eq!(there.get("/home").await.status(), 200, "minute {minute}");
    }
    w.clock.advance(MINUTE);
    assert!(location(&there.get("/home").await).starts_with("/login"));

    // A stolen machine is retired: who is logged in there is out, and its cookie is of no use.
    let (there, _) = entered(&machine, &phone).await;
    assert_eq!(location(&boss.post("/api/operator/kiosks/retire", &format!("id={id}")).await), "/kiosks");
    assert!(location(&there.get("/home").await).starts_with("/login"));
    assert_eq!(w.number("SELECT COUNT(*) FROM sessions WHERE kiosk_id IS NOT NULL").await, 0);
    let (code, _) = cookie(&phone.post("/api/resident/kiosk-code", "x=1").await, "once");
    for (path, form) in [("begin", "x=1".to_owned()), ("enter-by-code", format!("room=2611230000000001&code={code}"))] {
        let answer = machine.post(&format!("/api/kiosk/{path}"), &form).await;
        assert_eq!(location(&answer), "/kiosk?e=forbidden", "{path}");
    }
    let log = page(&boss, "/audit?q=Lobby").await.1;
    assert!(log.contains("登录方式：在查询机上输入登录码"), "who logged in there can be looked up: {log}");
    let again = w.rng.id(w.clock.now());
    assert_eq!(location(&registered(&web, &boss, again).await.1), "/kiosk", "another one may have its name");

    // People's own browsers keep their storage and what they have chosen.
    let answer = phone.post("/api/auth/log-out", "x=1").await;
    assert!(!answer.headers().contains_key(CLEAR) && removed(&answer) == ["__Host-dormwatt"], "{answer:?}");
});

both!(ended_sessions_leave_no_way_in_by_a_code, |w: World| async move {
    w.room(1).await;
    let web = Web::start(&w).await;
    let (boss, phone) = (web.person(&w, Role::Admin, "boss").await, web.person(&w, Role::Resident, "li").await);
    w.execute("UPDATE account_residents SET user_id = (SELECT id FROM users WHERE login = 'li')").await;
    let id = w.rng.id(w.clock.now());
    let (machine, _) = registered(&web, &boss, id).await;
    // Ending the other sessions ends what this one has made as well: nobody can tell whose it is.
    for end in ["end-other-sessions", "log-out-everywhere"] {
        let waiting = location(&machine.post("/api/kiosk/begin", "x=1").await).to_owned();
        let enter = format!("code={}", waiting.strip_prefix("/kiosk?code=").unwrap());
        assert_eq!(location(&phone.post("/api/resident/confirm-kiosk", &enter).await), "/kiosk/confirm?done=1");
        let (code, _) = cookie(&phone.post("/api/resident/kiosk-code", "x=1").await, "once");
        phone.post(&format!("/api/auth/{end}"), "x=1").await;
        assert_eq!(location(&machine.post("/api/kiosk/enter", &enter).await), "/kiosk?e=link-ended", "{end}");
        let typed = format!("room=2611230000000001&code={code}");
        assert_eq!(location(&machine.post("/api/kiosk/enter-by-code", &typed).await), "/kiosk?wrong=1", "{end}");
    }

    // A code on the phone that was typed in when the password is replaced on the server.
    let user = UserId(users::by_login(&w.db, "li").await.unwrap().unwrap().id);
    let (now, token) = (w.clock.now(), [7; 32]);
    let number: PhoneNumber = "13800138001".parse().unwrap();
    let new = NewPhoneLogIn { token, phone: &number, code_hash: b"code" };
    phone_log_ins::begin(&w.db, now, &new).await.unwrap();
    w.execute("UPDATE phone_log_ins SET user_id = (SELECT id FROM users WHERE login = 'li')").await;
    let checked = phone_log_ins::check_code(&w.db, now, &token, b"code").await.unwrap();
    assert_eq!(checked, PhoneCodeOutcome::Right(user));
    users::reset_password(&w.db, now, "li", "new", "command line").await.unwrap();
    let used = phone_log_ins::use_up(&w.db, &token, user).await;
    assert_eq!(used.map_err(AppError::from), Err(AppError::LinkEnded));
});
