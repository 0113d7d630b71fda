//! What is asked for once, sent at least once, and dropped when nobody needs it.

use std::sync::Arc;

use app::api::notifications::NotificationsPort;
use aws_lc_rs::hmac;
use domain::clock::Clock;
use model::event::EventKind;
use model::money::Fen;
use model::notification::NotificationChannel;
use model::order::Tender;
use model::time::{DAY, HOUR, MINUTE};
use notify::queue::{self, Trial};
use payments::{Config as PayConfig, Payments};
use server::tasks::Task;
use server::tasks::collect_notifications::CollectNotifications;
use server::tasks::watch_alarms::WatchAlarms;
use services::host::Host;
use services::notifications::SendResult;
use simulator::notify_provider::{ProviderFault, SimulatedProvider};
use store::events::{self, Change, Subject, Turn};
use store::readings;
use story_support::room_fixture::RoomFixture;
use story_support::{World, bind, both};

use super::*;

both!(a_warning_reaches_the_provider_once, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    // What is not committed is not told.
    let mut tx = w.db.begin().await.unwrap();
    events::raise(&mut tx, &w.rng, EventKind::Alarm2, Subject::Meter(room.meter), w.clock.now(), "{}").await.unwrap();
    drop(tx);
    assert_eq!(send(&service, SMS).await, SendResult::default());
    for _ in 0..3 {
        raise(&w, EventKind::Alarm2, room.meter).await;
        clear(&w, EventKind::Alarm2, room.meter).await;
        w.clock.advance(MINUTE);
    }
    raise(&w, EventKind::Alarm2, room.meter).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'alarm-2'").await, 1, "within the cool-down");
    assert_eq!(send(&service, SMS).await.sent, 1, "it is about the newest of the four events");
    // What is over is dropped, and told when it comes again.
    raise(&w, EventKind::Alarm1, room.meter).await;
    clear(&w, EventKind::Alarm1, room.meter).await;
    assert_eq!(send(&service, SMS).await, SendResult { dropped: 1, ..SendResult::default() });
    assert_eq!(w.word("SELECT reason FROM notifications WHERE kind = 'alarm-1'").await, "over");
    raise(&w, EventKind::Alarm1, room.meter).await;
    assert_eq!(send(&service, SMS).await.sent, 1);

    // A process ends after it claimed a message: nobody else sends it before the lease is over, and then one of two does.
    raise(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(queue::claim(&w.db, w.clock.now(), SMS, 10).await.unwrap().len(), 1);
    w.clock.advance(MINUTE);
    assert_eq!(send(&service, SMS).await, SendResult::default());
    w.clock.advance(5 * MINUTE);
    let other = process(&w, &provider).await;
    let (one, two) = tokio::join!(send(&service, SMS), send(&other, SMS));
    assert_eq!(one.sent + two.sent, 1);
    let text = "1 电费已用完（余额 3.21 元），已断电。充值后自动恢复供电。";
    assert_eq!(texts(&provider).pop(), Some(("arrears".to_owned(), text.to_owned())));
    assert_eq!(kinds(&provider), ["alarm-2", "alarm-1", "arrears"]);
    assert_eq!(w.number("SELECT tries FROM notifications WHERE kind = 'arrears'").await, 2);
    assert_eq!(w.number("SELECT cost_e4 FROM notifications WHERE kind = 'arrears'").await, 450);
    // During maintenance nobody is told.
    w.clock.advance(2 * DAY);
    let (now, until) = (w.clock.now().0, w.clock.now().plus(HOUR).0);
    let silence = "INSERT INTO alarm_silences (id, meter_id, reason, from_at, until_at, set_by)
                   SELECT $1, m.id, 'replaced', $2, $3, u.id FROM meters m CROSS JOIN users u WHERE u.role = 'resident'";
    story_support::bind(&w.db, silence, w.rng.id(w.clock.now()), &[now, until]).await;
    clear(&w, EventKind::Alarm2, room.meter).await;
    raise(&w, EventKind::Alarm2, room.meter).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'alarm-2'").await, 1);
    // The code is not kept.
    assert_eq!(w.word("SELECT contents FROM notifications WHERE kind = 'address-code'").await, "{}");
});

both!(a_failing_provider_gets_each_message_in_the_end, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let mut rooms = Vec::new();
    for unit in 1..=6 {
        rooms.push(enrolled(&w, unit, &service).await);
    }
    provider.set_fault(ProviderFault::FailsHalf);
    for room in &rooms {
        raise(&w, EventKind::Alarm1, room.meter).await;
    }
    for _ in 0..12 {
        send(&service, SMS).await;
        w.clock.advance(10 * MINUTE);
    }
    let mut ids: Vec<String> = provider.taken("sms").iter().map(|one| one.json()["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), provider.taken("sms").len()), (12, 12), "six codes and six warnings, each once");
    assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'alarm-1' AND state = 'sent'").await, 6);

    // What is refused is a dead letter at once; what may pass is tried again, and says why.
    let troubles = [
        (ProviderFault::Refuses, "failed", "refused"),
        (ProviderFault::Redirects, "waiting", "redirected"),
        (ProviderFault::Garbage, "waiting", "garbage"),
        (ProviderFault::Down, "waiting", "busy"),
    ];
    for ((fault, state, reason), room) in troubles.into_iter().zip(&rooms) {
        provider.set_fault(fault);
        raise(&w, EventKind::Arrears, room.meter).await;
        let result = send(&service, SMS).await;
        assert!(result.sent == 0 && result.not_sent > 0, "{fault:?} {result:?}");
        let newest = "SELECT state FROM notifications WHERE kind = 'arrears' ORDER BY asked_at DESC, id DESC LIMIT 1";
        assert_eq!(w.word(newest).await, state, "{fault:?}");
        let why = "SELECT reason FROM notifications WHERE kind = 'arrears' ORDER BY asked_at DESC, id DESC LIMIT 1";
        assert_eq!(w.word(why).await, reason, "{fault:?}");
        w.clock.advance(1_000);
    }
    assert!(!provider.requests().iter().any(|request| request.path == "/elsewhere"), "no redirect is followed");
});

both!(a_provider_that_is_down_delays_nobody_else, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let rooms = [enrolled(&w, 1, &service).await, enrolled(&w, 2, &service).await];
    let before = provider.requests().len();
    provider.set_fault(ProviderFault::Down);
    for room in &rooms {
        raise(&w, EventKind::Arrears, room.meter).await;
    }
    assert_eq!(send(&service, SMS).await.sent, 0);
    // The webhook is another provider, and works.
    provider.set_fault(ProviderFault::None);
    lose(&w, w.gateways(&[([127, 0, 0, 1], 1503).into()]).await[0]).await;
    let collect = CollectNotifications(service.clone());
    assert_eq!(collect.run().await.unwrap().summary, "1 asked for, 0 dropped");
    assert_eq!(collect.run().await.unwrap().summary, "0 asked for, 0 dropped");
    assert_eq!(send(&service, NotificationChannel::Webhook).await.sent, 1);
    let told = provider.taken("webhook").remove(0);
    let json = told.json();
    assert_eq!((json["kind"].as_str(), json["values"]["subject"].as_str()), (Some("gateway-lost"), Some("127.0.0.1:1503")));
    let signed = format!("{}.{}", told.header("x-dormwatt-timestamp"), told.body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), signed.as_bytes());
    assert_eq!(told.header("x-dormwatt-signature"), format!("sha256={}", hex::encode(tag)));
    assert_eq!(told.header("x-dormwatt-id"), json["id"].as_str().unwrap().replace('-', ""));

    // An hour later the power cut is old news: it floods nobody.
    w.clock.advance(HOUR);
    assert_eq!(send(&service, SMS).await, SendResult { dropped: 2, ..SendResult::default() });
    assert_eq!(w.number("SELECT COUNT(*) FROM notifications WHERE kind = 'arrears' AND reason = 'stale'").await, 2);
    let of_sms = provider.requests().iter().skip(before).filter(|request| request.path == "/sms").count();
    assert!((1..=2).contains(&of_sms), "{of_sms} tries while it was down");

    // Of an alarm that comes and goes operators are told once an hour.
    let mut told = Vec::new();
    for _ in 0..4 {
        let mut tx = w.db.begin().await.unwrap();
        events::raise(&mut tx, &w.rng, EventKind::BackupOverdue, Subject::Site, w.clock.now(), "{}").await.unwrap();
        tx.commit().await.unwrap();
        told.push(service.tell_operators().await.unwrap());
        send(&service, NotificationChannel::Webhook).await;
        let mut tx = w.db.begin().await.unwrap();
        events::clear(&mut tx, &w.rng, EventKind::BackupOverdue, Subject::Site, w.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        w.clock.advance(20 * MINUTE);
    }
    assert_eq!(told, [1, 0, 0, 1]);
    // A gateway that is lost on the second of three days of maintenance is reported after them.
    let gateway = w.gateways(&[([127, 0, 0, 1], 1504).into()]).await[0];
    let (now, until) = (w.clock.now().0, w.clock.now().plus(3 * DAY).0);
    let silence = "INSERT INTO alarm_silences (id, gateway_id, reason, from_at, until_at, set_by)
                   SELECT $1, g.id, 'replaced', $2, $3, u.id FROM gateways g CROSS JOIN users u
                   WHERE g.name = '127.0.0.1:1504' AND u.login = 'resident1'";
    story_support::bind(&w.db, silence, w.rng.id(w.clock.now()), &[now, until]).await;
    w.clock.advance(DAY);
    lose(&w, gateway).await;
    assert_eq!(service.tell_operators().await.unwrap(), 0);
    w.clock.advance(2 * DAY);
    assert_eq!(service.tell_operators().await.unwrap(), 1);
    an_alarm_says_that_a_channel_is_down(&w, &provider, &service, &resident(rooms[0].resident)).await;
});

/// The alarm is sent through the other channels, and ends when a message goes through.
async fn an_alarm_says_that_a_channel_is_down(
    w: &World,
    provider: &SimulatedProvider,
    service: &NotificationsService,
    who: &Who,
) {
    let (db, clock, rng) = (w.db.clone(), w.clock.clone(), w.rng.clone());
    let payments = Payments::new(&PayConfig::default(), db, clock, rng, Arc::new(|| {})).unwrap();
    let host = Host::default();
    let watch = WatchAlarms::new(w.context().await, payments, service.channels().clone(), host);
    w.clerk().await;
    w.execute(
        "INSERT INTO operator_alerts (user_id, language, gateway_lost, delivery_stuck, payment_mismatch, certificate_expiring,
                                      alarm, digest_hour, quiet_from, quiet_until)
         SELECT id, 'zh-CN', 'off', 'off', 'off', 'off', 'at-once', 8, 3, 3 FROM users WHERE login = 'clerk'",
    )
    .await;
    w.execute(
        "INSERT INTO alert_addresses (user_id, channel, address, verified_at)
         SELECT u.id, a.channel, a.address, 0 FROM users u
         CROSS JOIN (SELECT 'sms' AS channel, '13800138099' AS address UNION ALL SELECT 'mail', 'clerk@example.org') a
         WHERE u.login = 'clerk'",
    )
    .await;
    let trial = Trial { channel: SMS, address: "13800138098", language: Lang::Zh };
    let alarms = "SELECT COUNT(*) FROM events WHERE kind = 'channel-down' AND subject = 'message-sms' AND until_at IS NULL";

    provider.set_fault(ProviderFault::Down);
    queue::test(&w.db, &w.rng, w.clock.now(), who, &trial).await.unwrap();
    for open in [0, 1] {
        assert_eq!(send(service, SMS).await, SendResult { not_sent: 1, ..SendResult::default() });
        watch.observe(w.clock.now()).await.unwrap();
        assert_eq!(w.number(alarms).await, open, "after five minutes");
        w.clock.advance(5 * MINUTE);
    }
    assert_eq!(service.tell_operators().await.unwrap(), 2, "the other system, and the clerk by e-mail");
    let through_itself = "SELECT COUNT(*) FROM notifications n JOIN events e ON e.id = n.event_id
                          WHERE e.kind = 'channel-down' AND n.channel NOT IN ('webhook', 'mail')";
    assert_eq!(w.number(through_itself).await, 0);
    let lines = service.notification_channels(who).await.unwrap();
    let down: Vec<_> = lines.iter().filter(|line| line.down_since.is_some()).map(|line| line.channel).collect();
    assert_eq!(down, [SMS]);
    provider.set_fault(ProviderFault::None);
    send(service, NotificationChannel::Webhook).await;
    let told = |text: &str| text.contains("渠道中断") && text.contains("短信");
    assert!(provider.taken("webhook").iter().any(|one| one.json()["text"].as_str().is_some_and(told)));

    // A message that is dropped because it is late does not end the alarm.
    assert_eq!(send(service, SMS).await, SendResult { dropped: 1, ..SendResult::default() });
    watch.observe(w.clock.now()).await.unwrap();
    queue::test(&w.db, &w.rng, w.clock.now(), who, &trial).await.unwrap();
    assert_eq!(send(service, SMS).await.sent, 1);
    for open in [1, 0] {
        watch.observe(w.clock.now()).await.unwrap();
        assert_eq!(w.number(alarms).await, open, "a minute after it went through");
        w.clock.advance(MINUTE);
    }
}

// The next try of the earlier warning comes after it is too late, and the alarm began anew in between.
both!(a_waiting_warning_is_of_use_as_long_as_its_newest_event, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    provider.set_fault(ProviderFault::Down);
    raise(&w, EventKind::Arrears, room.meter).await;
    for _ in 0..31 {
        assert_eq!(send(&service, SMS).await.sent, 0);
        w.clock.advance(MINUTE);
    }
    assert_eq!(w.word("SELECT state FROM notifications WHERE kind = 'arrears'").await, "waiting", "for its next try");
    provider.set_fault(ProviderFault::None);
    clear(&w, EventKind::Arrears, room.meter).await;
    raise(&w, EventKind::Arrears, room.meter).await;
    w.clock.advance(2 * MINUTE);
    send(&service, SMS).await;
    assert_eq!(w.word("SELECT state FROM notifications WHERE kind = 'arrears'").await, "sent");
});

both!(power_that_is_off_again_is_not_said_to_be_back, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    raise(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(send(&service, SMS).await.sent, 1);
    w.clock.advance(10 * MINUTE);
    provider.set_fault(ProviderFault::Down);
    clear(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(send(&service, SMS).await.not_sent, 1);
    // Within the cool-down, so the last that the resident hears must be that the power is off.
    raise(&w, EventKind::Arrears, room.meter).await;
    provider.set_fault(ProviderFault::None);
    w.clock.advance(2 * MINUTE);
    assert_eq!(send(&service, SMS).await, SendResult { dropped: 1, ..SendResult::default() });
    clear(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(send(&service, SMS).await.sent, 1, "now it is back");
    assert_eq!(kinds(&provider), ["arrears", "restored"]);
});

both!(a_power_cut_that_is_stored_late_is_told_all_the_same, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    // The database was away for longer than a power cut is news.
    let (at, subject) = (w.clock.now(), Subject::Meter(room.meter));
    w.clock.advance(HOUR);
    for turn in [Turn::Raised("{}".to_owned()), Turn::Over] {
        let event = Change { kind: EventKind::Arrears, subject, at, turn };
        let batch = readings::Batch { events: vec![event], ..readings::Batch::default() };
        readings::write(&w.db, &w.rng, w.clock.now(), &batch).await.unwrap();
        assert_eq!(send(&service, SMS).await, SendResult { sent: 1, ..SendResult::default() });
    }
    assert_eq!(kinds(&provider), ["arrears", "restored"]);
});

both!(quiet_hours_and_cool_down_go_by_the_clock, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let service = process(&w, &provider).await;
    let room = enrolled(&w, 1, &service).await;
    let night = w.clock.now().date().start().plus(23 * HOUR);
    w.clock.advance(night.since(w.clock.now()));
    // Another system is told at once, however late: its people are on duty.
    let (case, now) = (w.rng.id(w.clock.now()), w.clock.now().0);
    let sql = "INSERT INTO cases (id, kind, detail, opened_at, due_at) VALUES ($1, 'payment', '{}', $2, $3)";
    bind(&w.db, sql, case, &[now, now]).await;
    service.tell_operators().await.unwrap();
    assert_eq!(send(&service, NotificationChannel::Webhook).await.sent, 1);
    // Alarms wait for the morning; that the power is off and on again does not.
    raise(&w, EventKind::Alarm1, room.meter).await;
    assert_eq!(send(&service, SMS).await.sent, 0);
    raise(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(send(&service, SMS).await.sent, 1);
    w.clock.advance(10 * MINUTE);
    clear(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(send(&service, SMS).await.sent, 1);
    w.clock.advance(8 * HOUR - 11 * MINUTE);
    assert_eq!(send(&service, SMS).await.sent, 0, "a minute before seven");
    w.clock.advance(2 * MINUTE);
    assert_eq!(send(&service, SMS).await.sent, 1);
    assert_eq!(kinds(&provider), ["arrears", "restored", "alarm-1"]);
    // The same again within a day is not told, and afterwards it is.
    for (pause, sent) in [(6 * HOUR, 0), (DAY, 1)] {
        clear(&w, EventKind::Alarm1, room.meter).await;
        w.clock.advance(pause);
        raise(&w, EventKind::Alarm1, room.meter).await;
        assert_eq!(send(&service, SMS).await.sent, sent);
    }
    // A delay of an hour makes no message too late: it counts from when the alarm was raised or ended.
    let delays =
        "INSERT INTO place_alarm_rules (place_id, kind, raise_s, clear_s) SELECT place_id, 'arrears', 3600, 3600 FROM meters";
    w.execute(delays).await;
    for told in ["arrears", "restored", "arrears"] {
        if told == "arrears" {
            raise(&w, EventKind::Arrears, room.meter).await;
        } else {
            clear(&w, EventKind::Arrears, room.meter).await;
        }
        assert_eq!(send(&service, SMS).await.sent, 0);
        w.clock.advance(HOUR);
        events::settle_due(&w.db, &w.rng, w.clock.now()).await.unwrap();
        assert_eq!(send(&service, SMS).await.sent, 1, "{told}");
        assert_eq!(kinds(&provider).pop().as_deref(), Some(told));
    }
    // Switching the alarm off does not bring the power back.
    w.execute("UPDATE place_alarm_rules SET is_on = FALSE").await;
    raise(&w, EventKind::Arrears, room.meter).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM events WHERE kind = 'arrears' AND until_at IS NULL").await, 0);
    assert_eq!(send(&service, SMS).await, SendResult::default());
    // Who has left the room is told nothing more.
    raise(&w, EventKind::Alarm2, room.meter).await;
    w.execute("UPDATE account_residents SET to_at = 1").await;
    assert_eq!(send(&service, SMS).await, SendResult { dropped: 1, ..SendResult::default() });
    assert_eq!(w.word("SELECT reason FROM notifications WHERE kind = 'alarm-2'").await, "withdrawn");
});

both!(a_top_up_is_told_with_its_balance_and_count, |w: World| async move {
    let provider = SimulatedProvider::start().await.unwrap();
    let (fixture, account) = RoomFixture::supplied(w.clone(), 10_000, 2_500).await;
    let service = process(&w, &provider).await;
    let user = resident_of(&w).await;
    let (who, now) = (resident(user), w.clock.now());
    let new = NewCode { channel: SMS, address: "13800138000", code: "1", hash: b"hash", password_hash: None, language: Lang::En };
    alerts::ask_code(&w.db, &w.rng, now, &who, &new).await.unwrap();
    alerts::confirm_code(&w.db, now, &who, SMS, b"hash", Lang::En).await.unwrap();
    let order = fixture.sell(account, 5_000).await.unwrap();
    assert_eq!((order.tender, order.amount), (Tender::Cash, Fen(5_000)));
    send(&service, SMS).await;
    let text = "3 301: your top-up of 50.00 yuan has arrived. Balance 75.00 yuan, purchase 2.";
    assert_eq!(texts(&provider), [("recharge".to_owned(), text.to_owned())]);
});
