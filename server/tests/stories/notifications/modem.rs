//! Text messages through a modem: residents write and are answered, and reports say what arrived.

use model::event::EventKind;
use model::person::Role;
use model::time::HOUR;
use notify::ModemConfig;
use server::config::Config;
use simulator::gsm_modem::SimulatedModem;
use simulator::notify_provider::SimulatedProvider;
use story_support::site::{SOON, until};
use story_support::web::Web;
use story_support::{World, both};

use super::*;

const NUMBER: &str = "13800138001";
const KEY: &str = "0123456789abcdef";

fn through(line: &SimulatedModem) -> Config {
    let modem = ModemConfig {
        device: line.path().display().to_string(),
        price: "0.05".to_owned(),
        per_minute: 600,
        replies_per_hour: 2,
        ..ModemConfig::default()
    };
    let mut config = Config { notify: NotifyConfig { modem: Some(modem), ..NotifyConfig::default() }, ..Config::default() };
    config.server.address.set_port(0);
    config
}

/// A room whose resident has confirmed [`NUMBER`].
async fn confirmed(w: &World) -> Room {
    let room = w.room(1).await;
    let (who, now) = (resident(room.resident), w.clock.now());
    let new = NewCode { channel: SMS, address: NUMBER, code: "1", hash: b"hash", password_hash: None, language: Lang::Zh };
    alerts::ask_code(&w.db, &w.rng, now, &who, &new).await.unwrap();
    let outcome = alerts::confirm_code(&w.db, now, &who, SMS, b"hash", Lang::Zh).await.unwrap();
    assert_eq!(outcome, CodeOutcome::Confirmed);
    room
}

/// Waits until there are so many.
async fn until_number(w: &World, sql: &'static str, count: i64) {
    until(SOON, sql, || async { w.number(sql).await == count }).await;
}

/// How many messages had that end.
macro_rules! received {
    ($outcome:literal) => {
        concat!("SELECT COUNT(*) FROM text_requests WHERE outcome = '", $outcome, "'")
    };
}

/// How many answers of a kind were sent.
macro_rules! sent {
    ($kind:literal) => {
        concat!("SELECT COUNT(*) FROM notifications WHERE state = 'sent' AND kind = '", $kind, "'")
    };
}

/// How many reports say so.
macro_rules! kept {
    ($receipt:literal) => {
        concat!("SELECT COUNT(*) FROM notification_receipts WHERE receipt = '", $receipt, "'")
    };
}

both!(residents_write_to_the_modem_and_are_answered, |w: World| async move {
    let line = SimulatedModem::start(w.clock.clone()).unwrap();
    // What came hours before anybody looked is kept, and not answered.
    line.receive(NUMBER, "余额");
    w.clock.advance(2 * HOUR);
    let room = confirmed(&w).await;
    let web = Web::with(&w, through(&line), w.clock.clone()).await;
    until(SOON, "the code", || async { line.sent().len() == 1 }).await;
    until_number(&w, received!("too-late"), 1).await;
    // The number is the same with and without the country's code.
    line.receive("+8613800138001", "余额");
    until_number(&w, sent!("reply-balance"), 1).await;
    line.receive(NUMBER, "Top up!");
    until(SOON, "the link", || async { line.sent().iter().any(|part| part.text().contains("/topup")) }).await;
    w.clock.advance(1_000);
    line.receive(NUMBER, "余额");
    until_number(&w, received!("too-many"), 1).await;
    line.receive(NUMBER, "Hello");
    until_number(&w, received!("not-understood"), 1).await;
    line.receive("13900139000", "余额");
    until_number(&w, received!("unknown-number"), 1).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM text_requests WHERE user_id IS NULL").await, 1);

    // The network reports what arrived; each message costs what its parts cost.
    raise(&w, EventKind::Arrears, room.meter).await;
    let arrived = "SELECT COUNT(*) FROM notifications n JOIN notification_receipts r ON r.notification_id = n.id
                   WHERE n.kind = 'arrears' AND n.cost_e4 = 500 AND r.receipt = 'delivered'";
    until_number(&w, arrived, 1).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let page = boss.get("/messages").await.text().await.unwrap();
    assert!(page.contains("-71 dBm") && page.contains("Simulated"), "{page}");
    assert!(boss.get("/health").await.text().await.unwrap().contains("\nmodem: ready, sim ready, network home, -71 dBm"));

    // The parts of a long message are joined. Who unsubscribes gets one last answer, whatever the limit.
    line.receive(NUMBER, &format!("停{}", " ".repeat(100)));
    until_number(&w, sent!("reply-stop"), 1).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM alert_addresses").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM received_parts").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'alert.address-remove' AND ip = 'sms'").await, 1);
    w.clock.advance(1_000);
    line.receive(NUMBER, "余额");
    until_number(&w, received!("unknown-number"), 2).await;
    until(SOON, "an empty SIM", || async { line.stored() == 0 }).await;
    web.stop();
});

both!(providers_report_what_arrived, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    enrolled(&w, 1, &service).await;
    let mut notify = config(&provider);
    notify.sms.as_mut().unwrap().receipt_key = KEY.into();
    let mut config = Config { notify, ..Config::default() };
    config.server.address.set_port(0);
    let web = Web::with(&w, config, w.clock.clone()).await;
    let id = provider.taken("sms").remove(0).json()["id"].as_str().unwrap().to_owned();
    let report = |status: &str| format!(r#"[{{"id":"{id}","status":"{status}"}}]"#);
    let post = async |query: &str, body: String| {
        web.client.post(format!("{}/sms/receipts{query}", web.base)).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("", report("delivered")).await, 403);
    assert_eq!(post("?key=0123456789abcdeX", report("delivered")).await, 403);
    assert_eq!(post(&format!("?key={KEY}"), "<html>".to_owned()).await, 400);
    assert_eq!(w.number("SELECT COUNT(*) FROM notification_receipts").await, 0);
    assert_eq!(post(&format!("?key={KEY}"), report("expired")).await, 200);
    assert_eq!(w.number(kept!("undelivered")).await, 1);
    for _ in 0..2 {
        assert_eq!(post(&format!("?key={KEY}"), report("delivered")).await, 200);
    }
    assert_eq!(w.number(kept!("delivered")).await, 1);
    // An unknown message is no reason for the provider to report again.
    let stranger = r#"{"id":"00000000000000000000000000000000","status":"delivered"}"#.to_owned();
    assert_eq!(post(&format!("?key={KEY}"), stranger).await, 200);
    assert_eq!(w.number("SELECT COUNT(*) FROM notification_receipts").await, 1);
    web.stop();
});
