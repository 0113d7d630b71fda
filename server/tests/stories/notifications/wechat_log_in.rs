//! Residents who log in by the WeChat account that they have bound.

use model::person::Role;
use model::time::MINUTE;
use reqwest::header::USER_AGENT;
use simulator::notify_provider::{ProviderFault, SimulatedProvider};
use story_support::web::{PASSWORD, Person, Web, location};
use story_support::{World, both};

use super::pages::{post, signed_in, started, text};

const PHONE: &str = "Mozilla/5.0 (Linux; Android 15) Mobile MicroMessenger/8.0.54";
const OTHER_PHONE: &str = "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50";
const BIND: &str = "/api/resident/wechat/bind";
const ENDED: &str = "/login?done=wechat-ended&next=/usage";
const UNBOUND: &str = "/login?done=wechat-unbound&next=/usage";

/// A new browser that logs in, and the address at which it comes back from WeChat.
async fn sent<'a>(web: &'a Web, phone: &str) -> (Person<'a>, String) {
    let mut visitor = web.visitor();
    let answer = visitor.post("/api/auth/wechat-log-in", "next=/usage").await;
    visitor.keep(&answer);
    let back = signed_in(web, &answer, phone).await;
    assert!(back.starts_with("/login/wechat?next=/usage&code="), "{back}");
    (visitor, back)
}

/// Where an address leads.
async fn came(person: &Person<'_>, address: &str) -> String {
    location(&person.get(address).await).to_owned()
}

fn own_password() -> String {
    format!("password={}", PASSWORD.replace(' ', "+"))
}

/// The address at which somebody who binds their account comes back.
async fn binding(web: &Web, person: &Person<'_>, phone: &str) -> String {
    signed_in(web, &person.post(BIND, &own_password()).await, phone).await
}

both!(wechat_is_a_way_in_once_it_is_bound, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let web = started(&w, &provider).await;
    let li = web.person(&w, Role::Resident, "li").await;
    let zhao = web.person(&w, Role::Resident, "zhao").await;
    assert!(!text(&web.visitor(), "/login").await.contains("wechat-log-in"), "only inside WeChat");
    let login = web.client.get(format!("{}/login?next=/usage", web.base)).header(USER_AGENT, PHONE).send().await.unwrap();
    assert!(login.text().await.unwrap().contains("wechat-log-in"));
    let (visitor, back) = sent(&web, PHONE).await;
    assert_eq!(came(&visitor, &back).await, UNBOUND);

    // Binding takes the password. A state is for one browser, and serves once.
    assert_eq!(post(&li, BIND, "password=guessed").await, "/me/wechat?e=wrong-password");
    let back = binding(&web, &li, PHONE).await;
    assert_eq!(came(&zhao, &back).await, "/me/wechat?done=ended");
    assert_eq!(came(&li, &back).await, "/me/wechat?done=bound");
    assert_eq!(came(&li, &back).await, "/me/wechat?done=ended");
    let back = binding(&web, &zhao, PHONE).await;
    assert_eq!(came(&zhao, &back).await, "/me/wechat?done=taken");
    // A state that binds lets nobody in, and is used up by that.
    let back = binding(&web, &li, PHONE).await;
    assert_eq!(came(&li, &back.replace("/me/wechat/back", "/login/wechat")).await, "/");
    assert_eq!(came(&li, &back).await, "/me/wechat?done=ended");
    assert!(text(&li, "/own-data.json").await.contains("oSimulated"));

    let (mut browser, back) = sent(&web, PHONE).await;
    let (other, _) = sent(&web, OTHER_PHONE).await;
    assert_eq!(came(&browser, &back.replace("state=", "state=0")).await, ENDED, "forged");
    assert_eq!(came(&web.visitor(), &back).await, ENDED);
    assert_eq!(came(&other, &back).await, ENDED, "another browser");
    let before = browser.clone();
    w.execute("UPDATE users SET logged_in_at = NULL").await;
    let answer = browser.get(&back).await;
    assert_eq!(location(&answer), "/usage");
    browser.keep(&answer);
    assert_eq!(browser.get("/password").await.status(), 200);
    assert_eq!(w.word("SELECT login FROM users WHERE logged_in_at IS NOT NULL").await, "li");
    assert_eq!(w.number("SELECT COUNT(*) FROM sessions WHERE method = 'wechat'").await, 1);
    assert_eq!(came(&before, &back).await, ENDED, "replayed");
    assert_eq!(came(&browser, &back).await, "/", "loaded again");
    // A second factor is asked for as after a password.
    let factor = "INSERT INTO second_factors (user_id, secret, created_at, confirmed_at)
                  SELECT s.user_id, s.token_hash, 1, 1 FROM sessions s JOIN users u ON u.id = s.user_id
                  WHERE u.login = 'li' LIMIT 1";
    w.execute(factor).await;
    let (visitor, back) = sent(&web, PHONE).await;
    assert_eq!(came(&visitor, &back).await, "/login/code?next=/usage");
    assert_eq!(w.word("SELECT method FROM log_in_steps").await, "wechat");
    w.execute("DELETE FROM second_factors").await;
    assert_eq!(w.word("SELECT detail FROM audit WHERE action = 'session.wechat'").await, r#"{"method":"wechat"}"#);

    let (late, back) = sent(&web, PHONE).await;
    w.clock.advance(11 * MINUTE);
    assert_eq!(came(&late, &back).await, ENDED);
    let (visitor, back) = sent(&web, PHONE).await;
    provider.set_fault(ProviderFault::Down);
    assert_eq!(came(&visitor, &back).await, "/login?e=unavailable");
    provider.set_fault(ProviderFault::None);

    assert_eq!(post(&li, "/api/resident/wechat/unbind", "").await, "/me/wechat?done=unbound");
    let (visitor, back) = sent(&web, PHONE).await;
    assert_eq!(came(&visitor, &back).await, UNBOUND);
    let back = binding(&web, &li, PHONE).await;
    assert_eq!(came(&li, &back).await, "/me/wechat?done=bound");
    w.execute("UPDATE users SET disabled_at = 1 WHERE login = 'li'").await;
    let (visitor, back) = sent(&web, PHONE).await;
    assert_eq!(came(&visitor, &back).await, UNBOUND, "disabled");

    // Somebody disabled holds no account; erasure ends the binding too.
    let back = binding(&web, &zhao, PHONE).await;
    assert_eq!(came(&zhao, &back).await, "/me/wechat?done=bound");
    assert_eq!(post(&zhao, "/api/resident/erase", &own_password()).await, "/login?done=erased");
    assert_eq!(w.number("SELECT COUNT(*) FROM wechat_bindings").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action IN ('user.wechat', 'user.wechat-end')").await, 4);
    web.stop();
});
