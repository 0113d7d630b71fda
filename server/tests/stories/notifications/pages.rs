//! The resident's alerts and the operators' page.

use std::collections::BTreeSet;

use domain::wall_layout::Scope;
use model::event::EventKind;
use model::person::Role;
use model::time::MINUTE;
use reqwest::Response;
use reqwest::header::USER_AGENT;
use server::config::Config;
use simulator::notify_provider::{ProviderFault, SimulatedProvider};
use story_support::site::{SOON, until};
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

use super::*;

pub(super) async fn started(w: &World, provider: &SimulatedProvider) -> Web {
    let mut config = Config { notify: super::config(provider), ..Config::default() };
    config.server.address.set_port(0);
    Web::with(w, config, w.clock.clone()).await
}

pub(super) async fn text(person: &Person<'_>, path: &str) -> String {
    let answer = person.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// Posts a form; gives where it leads.
pub(super) async fn post(person: &Person<'_>, path: &str, form: &str) -> String {
    location(&person.post(path, form).await).to_owned()
}

/// What WeChat's sign-in does in the browser of a phone that an answer sends there; gives where it leads back to on the site.
pub(super) async fn signed_in(web: &Web, sent: &Response, phone: &str) -> String {
    let answer = web.client.get(location(sent)).header(USER_AGENT, phone).send().await.unwrap();
    location(&answer).strip_prefix("https://dorm.example").unwrap().to_owned()
}

/// The code that was sent last.
pub(super) async fn code(provider: &SimulatedProvider, number: usize) -> String {
    until(SOON, "a code", || async { provider.taken("sms").len() >= number }).await;
    let json = provider.taken("sms").pop().unwrap().json();
    let digits: String = json["content"].as_str().unwrap().chars().skip_while(|c| !c.is_ascii_digit()).take(6).collect();
    assert_eq!(digits.len(), 6);
    digits
}

both!(an_address_counts_after_its_code, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let web = started(&w, &provider).await;
    let person = web.person(&w, Role::Resident, "li").await;
    let other = web.person(&w, Role::Resident, "zhao").await;
    let send = "/api/resident/alerts/send-code";
    let confirm = "/api/resident/alerts/confirm";
    for bad in ["channel=sms&address=12345", "channel=wecom&address=13800138000", "channel=mail&address=a@b.cn"] {
        let to = post(&person, send, bad).await;
        assert!(to.contains("e=invalid") || to.contains("e=unavailable"), "{bad}: {to}");
    }
    let refused = post(&person, send, "channel=sms&address=12345").await;
    assert!(text(&person, &refused).await.contains(r#"aria-invalid="true""#), "the number is marked");
    assert_eq!(post(&person, confirm, "channel=sms&code=000000").await, "/me/alerts?done=ended", "none was sent");
    // A number is also a way to log in, so adding one takes the password.
    for password in ["", "&password=guessed"] {
        let form = format!("channel=sms&address=13800138000{password}");
        assert_eq!(post(&person, send, &form).await, "/me/alerts?e=wrong-password");
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM address_codes").await, 0);
    let typed = format!("channel=sms&address=138+0013+8000&password={}", PASSWORD.replace(' ', "+"));
    assert_eq!(post(&person, send, &typed).await, "/me/alerts?done=sent");
    let sent = code(&provider, 1).await;
    let wrong = if sent == "000000" { "111111" } else { "000000" };
    for _ in 0..4 {
        assert_eq!(post(&person, confirm, &format!("channel=sms&code={wrong}")).await, "/me/alerts?done=wrong");
    }
    assert_eq!(post(&person, confirm, &format!("channel=sms&code={wrong}")).await, "/me/alerts?done=ended");
    assert_eq!(post(&person, confirm, &format!("channel=sms&code={sent}")).await, "/me/alerts?done=ended", "five tries");
    // Too late.
    post(&person, send, &typed).await;
    let sent = code(&provider, 2).await;
    w.clock.advance(11 * MINUTE);
    assert_eq!(post(&person, confirm, &format!("channel=sms&code={sent}")).await, "/me/alerts?done=ended");
    // Somebody else's code is of no use.
    post(&person, send, &typed).await;
    let sent = code(&provider, 3).await;
    assert_eq!(post(&other, confirm, &format!("channel=sms&code={sent}")).await, "/me/alerts?done=ended");
    assert_eq!(w.number("SELECT COUNT(*) FROM alert_addresses").await, 0);
    assert_eq!(post(&person, confirm, &format!("channel=sms&code={sent}")).await, "/me/alerts?done=confirmed");
    assert!(text(&person, "/me/alerts").await.contains("13800138000"));
    assert!(!text(&other, "/me/alerts").await.contains("13800138000"));
    // Neither one person nor one address gets more than five codes in an hour.
    for _ in 0..2 {
        assert_eq!(post(&other, send, &typed).await, "/me/alerts?done=sent");
    }
    assert_eq!(post(&other, send, &typed).await, "/me/alerts?e=rate-limited");

    let form = "wanted[]=alarm-2&off=on&from=23&until=6";
    assert_eq!(post(&person, "/api/resident/alerts/save", form).await, "/me/alerts?done=saved");
    assert_eq!(post(&person, "/api/resident/alerts/save", "from=24&until=6").await, "/me/alerts?e=invalid");
    let chosen =
        "SELECT COUNT(*) FROM alert_preferences WHERE is_off AND alarm2 AND NOT alarm1 AND quiet_from = 23 AND quiet_until = 6";
    assert_eq!(w.number(chosen).await, 1);
    assert_eq!(post(&other, "/api/resident/alerts/remove", "channel=sms").await, "/me/alerts?done=removed");
    assert_eq!(w.number("SELECT COUNT(*) FROM alert_addresses").await, 1, "their own only");
    assert_eq!(post(&person, "/api/resident/alerts/remove", "channel=sms").await, "/me/alerts?done=removed");
    assert_eq!(w.number("SELECT COUNT(*) FROM alert_addresses").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action IN ('alert.address', 'alert.address-remove')").await, 2);
});

both!(operators_see_their_messages_and_send_again, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    provider.set_fault(ProviderFault::Refuses);
    raise(&w, EventKind::Arrears, room.meter).await;
    send(&service, SMS).await;
    provider.set_fault(ProviderFault::None);
    let web = started(&w, &provider).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let office = web.person(&w, Role::Manager, "office").await;
    let nobody = web.person_within(&w, Role::Manager, "nobody", &Scope::Buildings(BTreeSet::new())).await;
    let page = text(&office, "/messages?state=failed").await;
    assert!(page.contains("resident1") && page.contains("138****8001"), "{page}");
    assert!(!page.contains("13800138001") && !page.contains(SECRET), "neither the number nor a secret");
    assert!(!text(&nobody, "/messages").await.contains("resident1"));
    let (_, behind) = page.split_once("name=\"id\" value=\"").unwrap();
    let id = behind.split('"').next().unwrap();
    let again = "/api/operator/messages/again";
    assert_eq!(post(&nobody, again, &format!("id={id}&back=/messages")).await, "/messages?e=not-found");
    assert_eq!(post(&office, again, &format!("id={id}&back=/messages")).await, "/messages?done=again");
    until(SOON, "the dead letter", || async { kinds(&provider) == ["arrears"] }).await;
    assert_eq!(post(&office, again, &format!("id={id}&back=/messages")).await, "/messages?e=conflict");

    let test = "/api/operator/messages/test";
    assert_eq!(office.post(test, "channel=webhook").await.status(), 403);
    assert_eq!(post(&boss, test, "channel=sms&address=12").await, "/messages?e=invalid");
    assert_eq!(post(&boss, test, "channel=feishu").await, "/messages?e=unavailable");
    assert_eq!(post(&boss, test, "channel=webhook").await, "/messages?done=test");
    assert_eq!(post(&boss, test, "channel=sms&address=13900139000").await, "/messages?done=test");
    until(SOON, "both tests", || async { provider.taken("webhook").len() == 1 && kinds(&provider).len() == 2 }).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'notification.test'").await, 2);
    web.stop();
});
