//! Paying inside WeChat: the payer is identified once a session, requests are signed, and forged return addresses are refused.

use std::net::SocketAddr;

use domain::clock::Clock;
use model::log_in::LogInMethod;
use model::time::{HOUR, MINUTE};
use payments::rsa::PublicKey;
use payments::wechat::jsapi::invocation_text;
use reqwest::header::{CONTENT_TYPE, COOKIE, USER_AGENT};
use reqwest::{Response, StatusCode};
use sandbox::{Sandbox, Status};
use server::config::Config;
use services::auth::hash;
use store::sessions::{self, NewSession};
use story_support::rooms::Room;
use story_support::shop::bank_keys;
use story_support::site::{SOON, until};
use story_support::web::{Web, location};
use story_support::{World, both};

struct Phone {
    w: World,
    web: Web,
    sandbox: Sandbox,
    room: Room,
}

impl Phone {
    async fn new(w: World, secret: bool) -> Self {
        let room = w.room(1).await;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (clock, rng) = (w.clock.clone(), w.rng.clone());
        let channel = sandbox::Config { address, keys: bank_keys(), speed: 60_000, clock, rng };
        let sandbox = sandbox::start(channel).await.unwrap();
        let port = std::net::TcpListener::bind(address).unwrap().local_addr().unwrap().port();
        let mut config = Config::default();
        config.server.address.set_port(port);
        config.server.public_url = format!("http://127.0.0.1:{port}");
        config.pay.public_url.clone_from(&config.server.public_url);
        let mut wechat = sandbox.wechat_config("127.0.0.1");
        wechat.app_secret = wechat.app_secret.filter(|_| secret);
        (config.pay.wechat, config.pay.alipay) = (Some(wechat), Some(sandbox.product_config("127.0.0.1")));
        let web = Web::with(&w, config, w.clock.clone()).await;
        let phone = Self { w, web, sandbox, room };
        for token in ["one", "two"] {
            let (now, ip) = (phone.w.clock.now(), "127.0.0.1".to_owned());
            let (user, agent, log_in) = (phone.room.resident, String::new(), LogInMethod::Password.into());
            let session = NewSession { hash: hash(token), user, log_in, ip, agent, expires: now.plus(24 * HOUR) };
            sessions::open(&phone.w.db, now, &session).await.unwrap();
        }
        phone
    }

    /// What WeChat's browser does with a session's cookie.
    async fn get(&self, session: &str, address: &str) -> Response {
        let address = if address.starts_with('/') { format!("{}{address}", self.web.base) } else { address.to_owned() };
        let request = self.web.client.get(address).header(USER_AGENT, "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50");
        request.header(COOKIE, format!("__Host-dormwatt={session}")).header("accept", "text/html").send().await.unwrap()
    }

    async fn post(&self, session: &str, path: &str, form: String) -> Response {
        let request = self.web.client.post(format!("{}{path}", self.web.base)).body(form);
        let request = request.header(USER_AGENT, "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header("accept", "text/html");
        request.header(COOKIE, format!("__Host-dormwatt={session}")).send().await.unwrap()
    }

    async fn top_up(&self, session: &str, channel: &str) -> Response {
        let key = self.w.rng.id(self.w.clock.now());
        self.post(session, "/api/resident/top-up", format!("own=50&channel={channel}&key={key}")).await
    }

    /// Follows the redirects through WeChat and back.
    async fn sent_back(&self, session: &str) -> String {
        let sent = self.top_up(session, "wechat").await;
        let there = location(&sent).to_owned();
        assert!(there.contains("/connect/oauth2/authorize?appid=") && there.ends_with("#wechat_redirect"), "{there}");
        let back = location(&self.get(session, &there).await).to_owned();
        assert!(back.starts_with(&format!("{}/pay/wechat/back?code=", self.web.base)), "{back}");
        back
    }
}

/// The request that the page hands to WeChat.
fn request(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("data-request=\"").expect(page);
    serde_json::from_str(&rest.split_once('"').unwrap().0.replace("&quot;", "\"").replace("&amp;", "&")).unwrap()
}

both!(a_payer_inside_wechat_authorises_once_and_pays_in_app, |w: World| async move {
    let phone = Phone::new(w, true).await;
    let back = phone.sent_back("one").await;
    let pay = location(&phone.get("one", &back).await).to_owned();
    assert!(pay.starts_with("/orders/") && pay.ends_with("/pay"), "{pay}");

    let answer = phone.get("one", &pay).await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
    let page = answer.text().await.unwrap();
    assert!(page.contains("getBrandWCPayRequest"), "{page}");
    let scripts: Vec<&str> = page.split("<script").skip(1).map(|rest| rest.split_once('>').unwrap().0).collect();
    assert!(scripts.iter().all(|script| script.contains(&format!("nonce=\"{nonce}\""))), "{scripts:?}");
    let said = request(&page);
    let get = |name: &str| said[name].as_str().unwrap();
    let text = invocation_text(get("appId"), get("timeStamp"), get("nonceStr"), get("package"));
    let ours = PublicKey::parse(&phone.sandbox.keys().app_public).unwrap();
    assert!(get("package").starts_with("prepay_id=wx") && ours.verifies(text.as_bytes(), get("paySign")), "{said}");
    // Loaded again, given up, gone back: the same attempt.
    assert_eq!(phone.get("one", &pay).await.status(), StatusCode::OK);
    assert_eq!(phone.w.number("SELECT COUNT(*) FROM payment_attempts").await, 1);

    // A second person of the room has an id of their own, for which WeChat refuses the first number.
    let order = pay.split('/').nth(2).unwrap().to_owned();
    let asked = phone.get("two", &pay).await.text().await.unwrap();
    assert!(!asked.contains("getBrandWCPayRequest") && asked.contains("/api/resident/pay"), "{asked}");
    let there = location(&phone.post("two", "/api/resident/pay", format!("order={order}")).await).to_owned();
    let back = location(&phone.get("two", &there).await).to_owned();
    let again = location(&phone.get("two", &back).await).to_owned();
    assert_eq!(again, pay);
    assert!(phone.get("two", &pay).await.text().await.unwrap().contains("getBrandWCPayRequest"));
    assert_eq!(phone.w.number("SELECT COUNT(*) FROM payment_attempts").await, 2);
    assert_eq!(phone.w.number("SELECT COUNT(DISTINCT payer) FROM payment_attempts").await, 2);

    // Nobody but WeChat and the database knows who it was.
    let payer = phone.w.word("SELECT payer_id FROM payers").await;
    assert!(payer.starts_with('o') && !page.contains(&payer));
    assert_eq!(phone.w.number("SELECT COUNT(*) FROM audit WHERE detail LIKE '%openid%'").await, 0);

    let trade = phone.sandbox.books().into_iter().rfind(|trade| trade.status == Status::WaitBuyerPay).unwrap();
    assert!(phone.sandbox.pay(&trade.out_trade_no));
    until(SOON, "the payment", || async { phone.w.number("SELECT COUNT(*) FROM orders WHERE state = 'paid'").await == 1 }).await;

    // The next time in this session nobody is asked.
    phone.w.clock.advance(MINUTE);
    let answer = phone.top_up("one", "wechat").await;
    let straight = location(&answer).to_owned();
    assert!(straight.starts_with("/orders/") && straight.ends_with("/pay"), "{straight}");
    assert!(phone.get("one", &straight).await.text().await.unwrap().contains("prepay_id=wx"));
    // Another session is another payer: its page asks first, and begins nothing by being looked at.
    let page = phone.get("two", &straight).await.text().await.unwrap();
    assert!(page.contains("action=\"/api/resident/pay\"") && !page.contains("data-request"), "{page}");
});

both!(an_authorisation_return_is_valid_once_and_for_one_person, |w: World| async move {
    let phone = Phone::new(w, true).await;
    let back = phone.sent_back("one").await;
    let (code, state) = back.split_once("code=").unwrap().1.split_once("&state=").unwrap();
    let known = "SELECT COUNT(*) FROM payers WHERE payer_id IS NOT NULL";
    for address in [
        "/pay/wechat/back".to_owned(),
        format!("/pay/wechat/back?code={code}"),
        format!("/pay/wechat/back?code={code}&state="),
        format!("/pay/wechat/back?code={code}&state=00000000000000000000000000000000"),
    ] {
        assert_eq!(location(&phone.get("one", &address).await), "/records", "{address}");
    }
    assert_eq!(phone.get("one", &format!("/pay/wechat/back?state=%00&code={code}")).await.status(), 400);
    // Somebody is given another's address: their session was not sent.
    assert_eq!(location(&phone.get("two", &back).await), "/records");
    assert_eq!(phone.web.client.get(&back).header("accept", "application/json").send().await.unwrap().status(), 401);
    assert_eq!(phone.w.number(known).await, 0);
    // A made-up code costs the state, and nobody is known by it.
    let made_up = format!("/pay/wechat/back?code=made-up&state={state}");
    assert_eq!(location(&phone.get("one", &made_up).await), "/records?e=channel-unavailable");
    assert_eq!(location(&phone.get("one", &back).await), "/records", "the state was used");
    assert_eq!(phone.w.number(known).await, 0);

    let late = phone.sent_back("one").await;
    phone.w.clock.advance(11 * MINUTE);
    assert_eq!(location(&phone.get("one", &late).await), "/records", "too late");
    // An earlier state is void once there is another.
    let (first, second) = (phone.sent_back("one").await, phone.sent_back("one").await);
    assert_eq!(location(&phone.get("one", &first).await), "/records");
    assert!(location(&phone.get("one", &second).await).ends_with("/pay"));
    assert_eq!(location(&phone.get("one", &second).await), "/records", "loaded again");
    assert_eq!(phone.w.number(known).await, 1);
    // It is forgotten with the session.
    sessions::purge(&phone.w.db, phone.w.clock.now().plus(1_000 * 24 * HOUR)).await.unwrap();
    assert_eq!(phone.w.number("SELECT COUNT(*) FROM payers").await, 0);
});

both!(a_browser_payment_is_used_without_the_app_secret, |w: World| async move {
    let phone = Phone::new(w, false).await;
    let answer = phone.top_up("one", "wechat").await;
    let page = phone.get("one", location(&answer)).await.text().await.unwrap();
    assert!(page.contains("在浏览器打开") && !page.contains("data-request"), "{page}");
    assert_eq!(location(&phone.get("one", "/pay/wechat/back?code=1&state=1").await), "/records");
    assert_eq!(phone.w.number("SELECT COUNT(*) FROM payment_attempts").await, 0);
    phone.w.clock.advance(MINUTE);
    let answer = phone.top_up("one", "alipay").await;
    assert!(phone.get("one", location(&answer)).await.text().await.unwrap().contains("在浏览器打开"));
});
