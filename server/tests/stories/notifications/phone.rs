//! Residents who log in, or choose another password, by a code on their phone.

use model::person::Role;
use model::time::MINUTE;
use simulator::notify_provider::SimulatedProvider;
use story_support::site::{SOON, until};
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

use super::pages::{code, post, started};

const PHONE: &str = "13800138000";
const BY_PHONE: &str = "/api/auth/phone-log-in";

/// Asks for a code in a new browser.
async fn ask<'a>(web: &'a Web, phone: &str) -> Person<'a> {
    let mut visitor = web.visitor();
    let answer = visitor.post("/api/auth/phone-code", &format!("phone={phone}")).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/login/phone/code"), "the same for any number");
    visitor.keep(&answer);
    assert_eq!(visitor.get("/login/phone/code").await.status(), 200);
    visitor
}

async fn confirm(provider: &SimulatedProvider, person: &Person<'_>, area: &str, codes: usize) {
    let form = format!("channel=sms&address={PHONE}&password={}", PASSWORD.replace(' ', "+"));
    post(person, &format!("{area}/send-code"), &form).await;
    let form = format!("channel=sms&code={}", code(provider, codes).await);
    assert!(post(person, &format!("{area}/confirm"), &form).await.ends_with("done=confirmed"));
}

both!(a_phone_is_a_way_in_for_its_resident, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let web = started(&w, &provider).await;
    let li = web.person(&w, Role::Resident, "li").await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    // Nobody has confirmed the number; then an operator has, who does not come in by it.
    ask(&web, PHONE).await;
    confirm(&provider, &boss, "/api/operator/own-alerts", 1).await;
    ask(&web, PHONE).await;
    confirm(&provider, &li, "/api/resident/alerts", 2).await;
    assert!(post(&web.visitor(), "/api/auth/phone-code", "phone=123").await.contains("e=invalid"));
    assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'log-in-code'").await, 0);

    let mut known = ask(&web, PHONE).await;
    let sent = code(&provider, 3).await;
    let wrong = if sent == "000000" { "111111" } else { "000000" };
    let other = ask(&web, "13900139000").await;
    for _ in 0..4 {
        for person in [&known, &other] {
            assert!(post(person, BY_PHONE, &format!("code={wrong}")).await.contains("e=wrong-code"));
        }
    }
    assert!(post(&other, BY_PHONE, &format!("code={sent}")).await.contains("e=wrong-code"), "another browser's code");
    w.execute("UPDATE users SET logged_in_at = NULL").await;
    let answer = known.post(BY_PHONE, &format!("code={sent}")).await;
    let before = known.clone();
    known.keep(&answer);
    assert_eq!(location(&answer), "/home", "the fifth try");
    assert_eq!(known.get("/password").await.status(), 200);
    assert_eq!(post(&before, BY_PHONE, &format!("code={sent}")).await, "/login/phone?done=ended", "a code serves once");
    w.clock.advance(11_000);
    assert_eq!(post(&other, BY_PHONE, &format!("code={sent}")).await, "/login/phone?done=ended", "five tries");
    assert_eq!(w.word("SELECT detail FROM audit WHERE action = 'session.phone'").await, r#"{"method":"phone"}"#);
    assert_eq!(w.word("SELECT login FROM users WHERE logged_in_at IS NOT NULL").await, "li");
    assert_eq!(w.number("SELECT COUNT(*) FROM sessions WHERE method = 'phone'").await, 1);
    until(SOON, "the code to be forgotten", || async {
        w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'log-in-code' AND contents <> '{}'").await == 0
    })
    .await;

    // A forgotten password; all sessions end.
    let forgot = ask(&web, PHONE).await;
    let sent = code(&provider, 4).await;
    let choose = "/api/auth/phone-password";
    assert!(post(&forgot, choose, &format!("code={sent}&password=password")).await.contains("e="), "a common one");
    let chosen = format!("code={sent}&password=violet+lamp+gravel");
    assert_eq!(post(&forgot, choose, &chosen).await, "/login?done=chosen");
    for person in [&li, &known] {
        assert!(location(&person.get("/me").await).starts_with("/login"), "their sessions ended");
    }
    assert!(location(&web.visitor().log_in("li", PASSWORD).await).contains("e=bad-credentials"));
    assert_eq!(location(&web.visitor().log_in("li", "violet lamp gravel").await), "/home");
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'user.password-phone'").await, 1);

    // Too old; and too many, for a number that somebody has and for one that nobody has.
    let late = ask(&web, PHONE).await;
    let sent = code(&provider, 5).await;
    w.clock.advance(6 * MINUTE);
    assert_eq!(post(&late, BY_PHONE, &format!("code={sent}")).await, "/login/phone?done=ended");
    for _ in 0..4 {
        ask(&web, "13900139000").await;
    }
    for phone in [PHONE, "13900139000"] {
        let refused = post(&web.visitor(), "/api/auth/phone-code", &format!("phone={phone}")).await;
        assert_eq!(refused, "/login/phone?e=rate-limited", "{phone}");
    }
    web.stop();
});
