//! Alarms by the rules of their place: delays, a lost gateway, maintenance, who works on them, and the preview.

use std::collections::BTreeSet;

use domain::clock::Clock;
use domain::wall_layout::Scope;
use model::event::EventKind;
use model::ids::{InstrumentId, MeterId};
use model::person::Role;
use model::time::{DAY, MINUTE, SECOND};
use store::events::{self, Subject};
use story_support::web::{Person, Web, field, location};
use story_support::{World, both};

use super::default_parameters::{Estate, estate};

/// The condition of a kind appears, or is gone.
async fn observe(w: &World, kind: EventKind, subject: Subject, holds: bool) {
    let mut tx = w.db.begin().await.unwrap();
    let at = w.clock.now();
    if holds {
        events::raise(&mut tx, &w.rng, kind, subject, at, "{}").await.unwrap();
    } else {
        events::clear(&mut tx, &w.rng, kind, subject, at).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// Settles what is due, as the task does, and counts the open alarms. Nothing is kept between two calls but the database.
async fn open(w: &World) -> i64 {
    events::settle_due(&w.db, &w.rng, w.clock.now()).await.unwrap();
    w.number("SELECT COUNT(*) FROM events WHERE until_at IS NULL").await
}

async fn set_rule(person: &Person<'_>, of: &str, level: &str, raise: &str, clear: &str) -> String {
    let form = format!("of={of}&kind=overload&level={level}&raise_s={raise}&clear_s={clear}&threshold=");
    location(&person.post("/api/operator/settings/alarm-rule", &form).await).to_owned()
}

both!(alarms_wait_for_their_rule_and_their_gateway, |w: World| async move {
    let estate = estate(&w).await;
    let web = Web::start(&w).await;
    let admin = web.person(&w, Role::Admin, "admin").await;
    let building = estate.buildings[0].to_string();
    assert_eq!(set_rule(&admin, &building, "2", "60", "60").await, format!("/alarms/rules?of={building}"));
    for (level, raise) in [("9", ""), ("", "99999"), ("", "x")] {
        assert!(set_rule(&admin, &building, level, raise, "").await.contains("e=invalid"), "{level} {raise}");
    }
    let [inside, neighbour, outside] = estate.meters.map(Subject::Meter);
    for meter in [inside, outside] {
        observe(&w, EventKind::Overload, meter, true).await;
    }
    assert_eq!(open(&w).await, 1, "the other building has the usual rule");
    w.clock.advance(59 * SECOND);
    assert_eq!(open(&w).await, 1);
    w.clock.advance(SECOND);
    assert_eq!((open(&w).await, w.number("SELECT COUNT(*) FROM events WHERE level = 2").await), (2, 1));
    assert_eq!(w.number("SELECT COUNT(DISTINCT since) FROM events").await, 1, "since the condition holds");
    // Gone for less than the delay, it goes on.
    observe(&w, EventKind::Overload, inside, false).await;
    w.clock.advance(30 * SECOND);
    observe(&w, EventKind::Overload, inside, true).await;
    w.clock.advance(10 * MINUTE);
    assert_eq!(open(&w).await, 2);
    observe(&w, EventKind::Overload, inside, false).await;
    w.clock.advance(MINUTE);
    assert_eq!(open(&w).await, 1);

    // Behind a lost gateway meters raise nothing of their own, and what is open stays.
    let gateway = Subject::Gateway(estate.gateway);
    observe(&w, EventKind::GatewayLost, gateway, true).await;
    for meter in [inside, neighbour] {
        observe(&w, EventKind::MeterLost, meter, true).await;
    }
    observe(&w, EventKind::MeterLost, neighbour, false).await;
    w.clock.advance(10 * MINUTE);
    assert_eq!(open(&w).await, 2, "the earlier alarm, and one of the gateway");
    observe(&w, EventKind::GatewayLost, gateway, false).await;
    assert_eq!(open(&w).await, 1);
    w.clock.advance(MINUTE);
    assert_eq!(open(&w).await, 2, "the meter that is still lost");

    // Switched off it is over, and it is raised again when it is switched on.
    let site = estate.site.to_string();
    set_rule(&admin, &site, "off", "", "").await;
    assert_eq!(open(&w).await, 1);
    set_rule(&admin, &site, "", "", "").await;
    assert_eq!(open(&w).await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM place_alarm_rules").await, 1, "an empty rule is none");
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'event.rule'").await, 3);
    assert_eq!(w.number("SELECT COUNT(*) FROM alarm_waits").await, 0);
    story_support::closings::proved(&w).await;
});

both!(instruments_behind_a_lost_gateway_raise_nothing, |w: World| async move {
    let estate = estate(&w).await;
    let id = w.rng.id(w.clock.now());
    let sql = "INSERT INTO instruments (id, place_id, gateway_id, unit, number, name, profile, pt_ratio, interval_s, created_at)
               SELECT $1, p.id, g.id, 200, 'M', 'M', 'energy-u32', 1, 900, $2 FROM places p CROSS JOIN gateways g
               WHERE p.kind = 'site'";
    story_support::bind(&w.db, sql, id, &[0]).await;
    // The bus behind it is silent, while the gateway itself takes connections.
    let (gateway, instrument) = (Subject::Gateway(estate.gateway), Subject::Instrument(InstrumentId(id)));
    observe(&w, EventKind::GatewayLost, gateway, true).await;
    observe(&w, EventKind::InstrumentLost, instrument, true).await;
    w.clock.advance(10 * MINUTE);
    assert_eq!(open(&w).await, 1, "that of the gateway");
    observe(&w, EventKind::GatewayLost, gateway, false).await;
    assert_eq!(open(&w).await, 0, "it may be read again");
    w.clock.advance(MINUTE);
    assert_eq!(open(&w).await, 1, "it is still lost");
});

async fn reading(w: &World, meter: MeterId, minute: i64, status: i64) {
    let at = w.clock.now().plus(-DAY + minute * MINUTE).0;
    let sql = "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
               VALUES ($1, $2, 0, 0, $3, 1, 1)";
    story_support::bind(&w.db, sql, meter.0, &[at, status]).await;
}

/// Which of the site, its two buildings and its gateway the page offers to silence.
async fn silenceable(person: &Person<'_>, estate: &Estate) -> [bool; 4] {
    let page = person.get("/alarms/silences").await.text().await.unwrap();
    let [first, second] = estate.buildings;
    let places = [estate.site, first, second].map(|place| page.contains(&format!("value=\"place:{place}\"")));
    [places[0], places[1], places[2], page.contains(&format!("value=\"gateway:{}\"", estate.gateway))]
}

both!(an_alarm_is_worked_on_silenced_and_previewed, |w: World| async move {
    let estate = estate(&w).await;
    let web = Web::start(&w).await;
    let mut admin = web.person(&w, Role::Admin, "admin").await;
    admin.cookie += "; lang=en";
    let cashier = web.person(&w, Role::Cashier, "cashier").await;
    let meter = estate.meters[0];
    observe(&w, EventKind::Overload, Subject::Meter(meter), true).await;
    let text = async |path: &str| admin.get(path).await.text().await.unwrap();
    let list = text("/alarms?level=1").await;
    let (_, rest) = list.split_once("href=\"/alarms/0").unwrap();
    let here = format!("/alarms/0{}", rest.split('"').next().unwrap());
    let id = here.trim_start_matches("/alarms/");
    let page = text(&here).await;
    assert!(page.contains("Silence for maintenance") && page.contains("Nobody has acted on it yet"), "{page}");
    let (before, _) = page.split_once(">admin</option>").unwrap();
    let user = before.rsplit_once("value=\"").unwrap().1.split('"').next().unwrap();
    let assign = format!("event={id}&assignee={user}");
    assert_eq!(location(&admin.post("/api/operator/alarms/assign", &assign).await), here);
    cashier.post("/api/operator/alarms/assign", &assign.replace(user, "")).await;
    admin.post("/api/operator/acknowledge", &format!("event={id}&back={here}")).await;
    let silence = format!("of=meter:{meter}&hours=4&reason=relay+is+replaced&back={here}");
    let silenced = admin.post("/api/operator/alarms/silence", &silence).await;
    assert!(location(&silenced).starts_with(&format!("{here}?silenced=")), "{}", location(&silenced));
    assert!(text(location(&silenced)).await.contains(" is silenced until "));
    assert!(
        location(&admin.post("/api/operator/alarms/silence", &silence.replace("hours=4", "hours=999")).await)
            .contains("e=invalid")
    );
    let page = text(&here).await;
    for words in ["assigned it to admin", "acknowledged it", "Silenced", "relay is replaced"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(text("/alarms?mine=1").await.contains(&here) && text("/alarms/silences").await.contains("relay is replaced"));
    assert_eq!(w.number("SELECT COUNT(*) FROM alarm_actions").await, 2, "the cashier may not");
    let end = format!("silence={}&back={here}", field(&page, "silence"));
    let ended = admin.post("/api/operator/alarms/silence-end", &end).await;
    assert!(text(location(&ended)).await.contains("The silence of "), "{}", location(&ended));
    let page = text("/alarms/silences").await;
    for words in ["Nothing is silenced.", "Earlier silences", "relay is replaced", "ended by admin"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // Only operators of all buildings start and end a silence of the site; others do so for their own buildings.
    let caretaker = Scope::Buildings(BTreeSet::from([estate.buildings[0]]));
    let caretaker = web.person_within(&w, Role::Manager, "caretaker", &caretaker).await;
    let silences = "/alarms/silences";
    assert_eq!(silenceable(&admin, &estate).await, [true; 4], "maintenance can be silenced before it begins");
    assert_eq!(silenceable(&caretaker, &estate).await, [false, true, false, true]);
    let is_ended = "SELECT COUNT(*) FROM alarm_silences WHERE ended_at IS NOT NULL";
    for (place, ended) in [(estate.site, 1), (estate.buildings[0], 2)] {
        let silence = format!("of=place:{place}&hours=4&reason=transformer&back={silences}");
        let silenced = admin.post("/api/operator/alarms/silence", &silence).await;
        assert!(location(&silenced).starts_with("/alarms/silences?silenced="));
        let page = caretaker.get(silences).await.text().await.unwrap();
        let ids = page.split("name=\"silence\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        for id in ids {
            let end = format!("silence={id}&back={silences}");
            caretaker.post("/api/operator/alarms/silence-end", &end).await;
        }
        assert_eq!(w.number(is_ended).await, ended, "that of the site goes on");
    }
    let end_all = "UPDATE alarm_silences SET ended_at = 1, ended_by = set_by WHERE ended_at IS NULL";
    w.execute(end_all).await;
    // A gateway that serves another building too is not silenced with the first one.
    observe(&w, EventKind::GatewayLost, Subject::Gateway(estate.gateway), true).await;
    for (place, is_silenced) in [(estate.buildings[0], false), (estate.site, true)] {
        let silence = format!("of=place:{place}&hours=4&reason=transformer&back={silences}");
        admin.post("/api/operator/alarms/silence", &silence).await;
        assert_eq!(text("/alarms?kind=gateway-lost").await.contains(">Silenced<"), is_silenced);
    }
    w.execute(end_all).await;

    // Two trips in the stored readings, one of them shorter than ten minutes.
    for (minute, status) in [(0, 3), (10, 35), (15, 3), (60, 35), (90, 3)] {
        reading(&w, meter, minute, status).await;
    }
    let rules = format!("/alarms/rules?of={}&kind=overload", estate.site);
    assert!(text(&rules).await.contains("Raised after the condition has held"));
    let preview = text(&format!("{rules}&preview=1&level=&raise_s=600&clear_s=&threshold=")).await;
    assert!(preview.contains("With this rule: 1. With the current rules: 2."), "{preview}");
    assert!(preview.contains("readings of 3 of 3 meters"), "{preview}");
    assert_eq!(cashier.get("/alarms/rules").await.status(), 403);
});
