//! What residents get on their devices and through WeChat.

use model::error::AppError;
use model::log_in::LogInMethod;
use model::time::{DAY, HOUR, SECOND};
use notify::devices::{self, NewDevice};
use server::config::Config;
use services::auth::hash;
use simulator::notify_provider::ProviderFault;
use store::sessions::{self, NewSession, TokenHash};
use story_support::both;
use story_support::room_fixture::refused;
use story_support::web::{Web, location};

use super::pages::signed_in;
use super::*;

const PUSH: NotificationChannel = NotificationChannel::Push;
const WECHAT: NotificationChannel = NotificationChannel::Wechat;
const DEVICES: &str = "SELECT COUNT(*) FROM alert_addresses WHERE channel = 'push'";
const BOUND: &str = "SELECT COUNT(*) FROM alert_addresses WHERE channel = 'wechat'";

/// Adds a browser of the resident in a session of its own.
async fn add(w: &World, provider: &SimulatedProvider, user: UserId, name: &str) -> TokenHash {
    let (now, hash, log_in) = (w.clock.now(), hash(name), LogInMethod::Password.into());
    let session = NewSession { hash, user, log_in, ip: String::new(), agent: String::new(), expires: now.plus(HOUR) };
    sessions::open(&w.db, now, &session).await.unwrap();
    let address = provider.browser(name).unwrap().subscription().to_string();
    let new = NewDevice { address: &address, session: &hash, language: Lang::Zh };
    devices::add_device(&w.db, &w.rng, now, &resident(user), &new).await.unwrap();
    hash
}

both!(a_warning_reaches_each_device_once, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = w.room(1).await;
    let phone = add(&w, &provider, room.resident, "phone").await;
    add(&w, &provider, room.resident, "tablet").await;
    assert_eq!(send(&service, PUSH).await.sent, 2, "each says that it works");
    raise(&w, EventKind::Alarm2, room.meter).await;
    assert_eq!(send(&service, PUSH).await.sent, 2);
    clear(&w, EventKind::Alarm2, room.meter).await;
    raise(&w, EventKind::Alarm2, room.meter).await;
    assert_eq!(send(&service, PUSH).await.sent, 0, "within the cool-down");
    for name in ["phone", "tablet"] {
        let shown = provider.shown(name);
        let pages: Vec<&str> = shown.iter().map(|one| one["page"].as_str().unwrap()).collect();
        assert_eq!(pages, ["/me/alerts", "/topup"], "{name}");
        assert!(shown[1]["body"].as_str().unwrap().contains("3.21"), "{shown:?}");
    }
    // Push services know who sends.
    let request = provider.taken("push/phone").pop().unwrap();
    let receiver = provider.browser("other").unwrap();
    let (key, at) = (service.channels().push().unwrap().public_key(), w.clock.now().0 / SECOND);
    assert_eq!(receiver.sender(request.header("authorization"), at, key), Ok(CONTACT.to_owned()));
    assert_eq!(request.header("urgency"), "normal");

    // A browser that accepts no more messages is removed, and the other one gets the message.
    provider.remove_browser("tablet");
    raise(&w, EventKind::Arrears, room.meter).await;
    let result = send(&service, PUSH).await;
    assert_eq!((result.sent, result.not_sent), (1, 1));
    assert_eq!(w.number(DEVICES).await, 1);
    let gone = "SELECT COUNT(*) FROM notifications WHERE state = 'failed' AND reason = 'gone'";
    assert_eq!(w.number(gone).await, 1);
    // So is one whose person logs out there; one whose session has ended by itself stays, until they leave the room.
    sessions::close(&w.db, w.clock.now(), &resident(room.resident), &phone).await.unwrap();
    assert_eq!(w.number(DEVICES).await, 0);
    add(&w, &provider, room.resident, "laptop").await;
    sessions::purge(&w.db, w.clock.now().plus(2 * HOUR)).await.unwrap();
    service.tidy().await.unwrap();
    assert_eq!(w.number(DEVICES).await, 1);
    // Ending all other sessions removes devices whose session has expired, too.
    let desktop = add(&w, &provider, room.resident, "desktop").await;
    sessions::end_others(&w.db, w.clock.now(), &resident(room.resident), &desktop).await.unwrap();
    assert_eq!(w.number(DEVICES).await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM alert_addresses WHERE channel = 'push' AND session_hash IS NULL").await, 0);
    w.execute("UPDATE account_residents SET to_at = 1").await;
    service.tidy().await.unwrap();
    assert_eq!(w.number(DEVICES).await, 0);

    // Each new device is sent a test, so nobody adds them without end: four were added above.
    let mut session = desktop;
    for number in 4..devices::MOST_ADDED {
        session = add(&w, &provider, room.resident, &format!("browser-{number}")).await;
    }
    let address = provider.browser("one-more").unwrap().subscription().to_string();
    let new = NewDevice { address: &address, session: &session, language: Lang::Zh };
    let added = async || refused(devices::add_device(&w.db, &w.rng, w.clock.now(), &resident(room.resident), &new).await);
    assert_eq!(added().await, Some(AppError::RateLimited));
    w.clock.advance(HOUR);
    assert_eq!(added().await, None, "an hour later");
});

both!(wechat_is_bound_by_a_sign_in_and_told, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = w.room(1).await;
    devices::bind_wechat(&w.db, w.clock.now(), &resident(room.resident), "oRoommate", Lang::Zh).await.unwrap();
    raise(&w, EventKind::Alarm2, room.meter).await;
    assert_eq!(send(&service, WECHAT).await.sent, 1);
    // WeChat takes the token back before its time: the next one is fetched, and the message comes once.
    provider.end_token();
    clear(&w, EventKind::Alarm2, room.meter).await;
    w.clock.advance(DAY);
    raise(&w, EventKind::Alarm2, room.meter).await;
    assert_eq!(send(&service, WECHAT).await.sent, 1);
    let taken = provider.taken("cgi-bin/message/template/send");
    assert_eq!(taken.len(), 2);
    let json = taken[1].json();
    let expected = [("touser", "oRoommate"), ("template_id", "T1"), ("url", "https://dorm.example/topup")];
    assert_eq!(expected.map(|(name, _)| json[name].as_str().unwrap()), expected.map(|(_, value)| value));
    assert_eq!(json["data"]["amount2"]["value"], "3.21");
    // Who does not follow the account any more is not tried again.
    provider.set_fault(ProviderFault::Gone);
    raise(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(send(&service, WECHAT).await.not_sent, 1);
    assert_eq!(w.number(BOUND).await, 0);
    provider.set_fault(ProviderFault::None);

    let mut config = Config { notify: super::config(&provider), ..Config::default() };
    config.server.address.set_port(0);
    let web = Web::with(&w, config, w.clock.clone()).await;
    let person = web.person(&w, Role::Resident, "li").await;
    let answer = person.post("/api/resident/alerts/bind-wechat", "").await;
    let back = signed_in(&web, &answer, "a phone").await;
    assert!(location(&answer).contains("appid=wx1&redirect_uri=https%3A%2F%2Fdorm.example%2Fme%2Falerts%2Fwechat&"));
    let visitor = &person;
    let came = |address: String| async move { location(&visitor.get(&address).await).to_owned() };
    assert_eq!(came("/me/alerts/wechat?code=c&state=forged".to_owned()).await, "/me/alerts?e=not-found");
    assert_eq!(came(back.clone()).await, "/me/alerts?done=wechat");
    assert_eq!(came(back).await, "/me/alerts?e=not-found", "a state is valid once");
    assert_eq!(w.number(BOUND).await, 1);
    for (endpoint, key) in [("ftp://push.example/a", ""), ("https://push.example/a", "short")] {
        let form = format!("endpoint={endpoint}&public_key={key}&secret={key}");
        let answer = person.post("/api/resident/alerts/add-device", &form).await;
        assert!(location(&answer).starts_with("/me/alerts?e=invalid"), "{endpoint}");
    }
    web.stop();
});
