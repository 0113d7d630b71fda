//! The alerts that operators get personally: at once or once a day, and of their buildings only.

use std::collections::BTreeSet;

use domain::clock::Clock;
use domain::wall_layout::Scope;
use model::person::Role;
use model::time::{DAY, HOUR, MINUTE};
use simulator::notify_provider::SimulatedProvider;
use story_support::web::{PASSWORD, Person};
use story_support::{World, bind, both};

use super::pages::{code, post, started, text};
use super::*;

/// Confirms a phone number of an operator.
async fn confirm(provider: &SimulatedProvider, person: &Person<'_>, phone: &str, codes: usize) {
    let send = format!("channel=sms&address={phone}");
    assert_eq!(post(person, "/api/operator/own-alerts/send-code", &send).await, "/my-alerts?done=sent");
    let form = format!("channel=sms&code={}", code(provider, codes).await);
    assert_eq!(post(person, "/api/operator/own-alerts/confirm", &form).await, "/my-alerts?done=confirmed");
}

both!(operators_are_told_at_once_or_in_a_digest, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let web = started(&w, &provider).await;
    let boss = web.person(&w, Role::Admin, "boss").await;
    let nobody = web.person_within(&w, Role::Manager, "nobody", &Scope::Buildings(BTreeSet::new())).await;
    confirm(&provider, &boss, "13800138001", 1).await;
    confirm(&provider, &nobody, "13800138002", 2).await;
    assert!(text(&boss, "/my-alerts").await.contains("13800138001"));
    let resident = web.person(&w, Role::Resident, "li").await;
    assert_eq!(resident.get("/my-alerts").await.status(), 403);

    // The running server collects too, so the message may be its own; there is one in any case.
    lose(&w, w.gateways(&[([127, 0, 0, 1], 1503).into()]).await[0]).await;
    let case = w.rng.id(w.clock.now());
    let sql = "INSERT INTO cases (id, kind, detail, opened_at, due_at) VALUES ($1, 'payment', '{}', $2, $3)";
    bind(&w.db, sql, case, &[w.clock.now().0, w.clock.now().0]).await;
    for _ in 0..2 {
        service.tell_operators().await.unwrap();
    }
    let told = "SELECT COUNT(*) FROM notifications WHERE user_id IS NOT NULL AND kind <> 'address-code'";
    assert_eq!(w.number(told).await, 1, "the gateway at once, the payment in the digest, and only to whom sees them");
    send(&service, SMS).await;

    let midnight = w.clock.now().date().start();
    for (at, digests) in [(7 * HOUR, 0), (8 * HOUR + 30 * MINUTE, 1), (9 * HOUR, 1), (DAY + 8 * HOUR, 2)] {
        w.clock.advance(midnight.plus(DAY + at).since(w.clock.now()));
        service.ask_digests(None).await.unwrap();
        assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'digest'").await, digests, "{at}");
        send(&service, SMS).await;
    }
    let digest = texts(&provider).into_iter().find(|(kind, _)| kind == "digest").unwrap().1;
    assert!(digest.contains("付款不符 1") && digest.contains("通信管理机失联 1"), "{digest}");

    let chosen = "kinds[]=gateway-lost:off&kinds[]=delivery-stuck:off&kinds[]=payment-mismatch:off&kinds[]=alarm:off";
    let save = "/api/operator/own-alerts/save";
    // Their session ended in the night.
    let mut boss = web.visitor();
    boss.log_in("boss", PASSWORD).await;
    let incomplete = format!("{chosen}&digest_hour=9&from=1&until=2");
    assert!(post(&boss, save, &incomplete).await.contains("e=invalid"), "a kind is missing");
    let all = format!("{chosen}&kinds[]=certificate-expiring:at-once&digest_hour=9&from=1&until=2");
    assert_eq!(post(&boss, save, &all).await, "/my-alerts?done=saved");
    w.clock.advance(DAY + HOUR);
    service.ask_digests(None).await.unwrap();
    assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'digest'").await, 2, "nothing is wanted");
    web.stop();
});
