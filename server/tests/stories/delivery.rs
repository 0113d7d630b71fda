//! Purchases reach their meters exactly once over TCP, whatever is lost on the way, on both databases.

use model::command::CommandReason;
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use model::money::Fen;
use model::order::OrderState;
use simulator::{BusTiming, LineFault, OneTimeFault};
use store::accounts::{self, FirstPurchase, NewResident, OpenAccount};
use store::commands::{self, Command};
use store::deliveries::{self, ClaimOutcome};
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

both!(purchases_are_applied_in_order_and_once, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let mut sold = Vec::new();
    for (room, fen) in [(0, 5_000), (0, 3_000), (1, 1_234), (0, 100)] {
        sold.push(s.sell(room, fen).await);
    }
    let engine = s.start().await;
    for _ in 0..50 {
        engine.wake();
    }
    s.settled(SOON).await;
    let mut counts = Vec::new();
    for order in &sold {
        let order = s.order(order).await;
        assert_eq!(order.state, OrderState::Credited);
        counts.push(order.count.unwrap());
    }
    assert_eq!(counts, [1, 2, 1, 3]);
    let (first, second) = (s.view(0, 1), s.view(0, 2));
    assert_eq!((first.count, first.cumulative, first.order), (3, 8_100, sold[3].number.unsigned_abs()));
    assert_eq!((second.count, second.cumulative), (1, 1_234));
    assert_eq!((first.versions, second.versions), (1, 3), "one meter of each frame version");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE attempts = 1").await, 4, "a healthy line needs one frame each");
    s.prove().await;

    // Later ones are taken up without a restart; the wake-up only makes it quicker.
    let later = s.sell(1, 700).await;
    until(SOON, "the later purchase", || async { s.order(&later).await.count == Some(2) }).await;
    s.prove().await;
    engine.stop().await;
});

both!(lost_late_and_corrupt_messages_lose_and_double_nothing, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    let gateway = s.sim.gateway(0).unwrap();
    for (fault, often) in [
        (LineFault::LostRequest, 0.1),
        (LineFault::LostAnswer, 0.15),
        (LineFault::LateAnswer { ms: 300 }, 0.1),
        (LineFault::Garbage, 0.05),
        (LineFault::WrongUnit, 0.05),
        (LineFault::ShortAnswer, 0.05),
        (LineFault::CutMidFrame, 0.05),
        (LineFault::ShiftedAnswer, 0.05),
    ] {
        gateway.fault(fault, often);
    }
    let engine = s.start().await;
    for n in 0..12 {
        s.sell(n % 3, 1_000 + n as i64).await;
        engine.wake();
    }
    s.settled(SOON).await;
    gateway.heal();
    assert_eq!(s.w.number("SELECT COUNT(*) FROM orders WHERE state = 'credited'").await, 12);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind <> 'reading'").await, 0);
    assert_eq!(s.view(0, 1).count, 4);
    engine.stop().await;
    s.prove().await;
});

both!(a_crash_at_any_point_leaves_no_partial_delivery, |w: World| async move {
    // A slow bus makes the steps of a delivery last, so that dying meets each of them.
    let s = Site::with(w, 1, 2, |sim| sim.bus = Some(BusTiming::at(19_200))).await;
    for n in 0..10 {
        s.sell(n % 2, 500 + n as i64).await;
    }
    for n in 0..40 {
        let engine = s.start().await;
        tokio::time::sleep(Duration::from_millis(35 + 23 * (n % 13))).await;
        engine.abort();
    }
    let engine = s.start().await;
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM orders WHERE state = 'credited'").await, 10);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert!(s.w.number("SELECT CAST(SUM(attempts) AS BIGINT) FROM commands").await >= 10);
    s.prove().await;
});

both!(an_applied_but_unrecorded_frame_is_found_by_reading, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let order = s.sell(0, 4_200).await;
    // The one request that changes the meter is answered by silence, again and again.
    s.meter(0, 1).fault(LineFault::LostAnswer, 1.0).unwrap();
    let engine = s.start().await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(s.view(0, 1).count, 0, "nothing is sent to a meter that cannot be read");
    s.meter(0, 1).heal().unwrap();
    until(SOON, "the frame", || async { s.view(0, 1).count == 1 }).await;
    until(SOON, "the order", || async { s.order(&order).await.count == Some(1) }).await;
    engine.stop().await;
    s.prove().await;
});

both!(a_write_that_worn_memory_loses_is_sent_again, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    for (unit, writes) in [(1, 3), (2, 4), (3, 2)] {
        s.meter(0, unit).inject(OneTimeFault::WornMemory { writes }).await.unwrap();
    }
    let (kept, lost) = (s.sell(0, 900).await, s.sell(1, 800).await);
    let switched = s.command(s.rooms[2].meter, model::issue::Issue::Switch(false)).await;
    let engine = s.start().await;
    until(SOON, "the fourth frame", || async { s.order(&kept).await.count == Some(1) }).await;
    until(SOON, "the case", || async { s.order(&lost).await.state == OrderState::Case }).await;
    until(SOON, "the switch", || async { s.refreshed(&switched).await.state == model::order::CommandState::Done }).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE money AND attempts = 4").await, 2);
    let why = s.w.word("SELECT detail FROM cases WHERE kind = 'delivery'").await;
    assert!(why.contains("\"why\":\"contradiction\""), "{why}");
    assert_eq!((s.view(0, 1).count, s.view(0, 2).count), (1, 0));

    // The person decides; by now the meter keeps what is written.
    let decision = deliveries::Decision { by: s.clerk, ip: "127.0.0.1", at: SystemClock.now(), seen: None };
    deliveries::try_again(&s.w.db, s.held_command().await, &decision).await.unwrap();
    engine.wake();
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.order(&lost).await.count, Some(1));
    s.prove().await;
});

both!(the_last_purchase_count_is_left_for_the_closure, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            meter.account = meter.account.map(|account| simulator::OpenAccount { count: u16::MAX - 2, ..account });
        }
    })
    .await;
    let (fits, too_much) = (s.sell(0, 900).await, s.sell(0, 800).await);
    let engine = s.start().await;
    until(SOON, "the case", || async { s.order(&too_much).await.state == OrderState::Case }).await;
    engine.stop().await;
    assert_eq!((s.order(&fits).await.count, s.view(0, 1).count), (Some(i64::from(u16::MAX) - 1), u16::MAX - 1));
    assert!(s.w.word("SELECT detail FROM cases WHERE kind = 'delivery'").await.contains("\"why\":\"count-ends\""));
});

both!(an_unexpected_purchase_count_opens_a_case, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    s.w.execute("UPDATE account_meters SET count = 5 WHERE meter_id = (SELECT id FROM meters WHERE unit = 1)").await;
    let (first, second, other) = (s.sell(0, 900).await, s.sell(0, 800).await, s.sell(1, 700).await);
    let engine = s.start().await;
    until(SOON, "the case", || async { s.order(&first).await.state == OrderState::Case }).await;
    until(SOON, "the other meter", || async { s.order(&other).await.count == Some(1) }).await;
    engine.wake();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(s.view(0, 1).count, 0, "nothing was sent");
    assert_eq!(s.order(&second).await.state, OrderState::Paid, "later purchases wait for the person");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'delivery'").await, 1);
    let why: serde_json::Value =
        serde_json::from_str(&s.w.word("SELECT detail FROM cases WHERE kind = 'delivery'").await).unwrap();
    assert_eq!((&why["why"], &why["expected"]["count"], &why["found"]["count"]), (&"count".into(), &6.into(), &0.into()));
    engine.stop().await;
});

both!(a_refusal_by_the_meter_opens_a_case_with_its_meaning, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            meter.limits.hoarding = 10_000;
        }
    })
    .await;
    let (fits, too_much) = (s.sell(0, 9_000).await, s.sell(0, 2_000).await);
    let engine = s.start().await;
    until(SOON, "the refusal", || async { s.order(&too_much).await.state == OrderState::Case }).await;
    assert_eq!(s.order(&fits).await.state, OrderState::Credited);
    assert!(s.w.word("SELECT detail FROM cases WHERE kind = 'delivery'").await.contains("hoarding-limit"));
    assert_eq!(s.w.number("SELECT result FROM commands WHERE state = 'case'").await, 3);
    assert_eq!(s.view(0, 1).cumulative, 9_000);

    // The person raises the limit and tries again: the rule decides anew, and once.
    let limits = model::parameters::Limits { hoarding: 50_000, ..model::parameters::Limits::default() };
    s.command(s.rooms[0].meter, model::issue::Issue::Limits(limits)).await;
    s.settled(SOON).await;
    let held = s.held_command().await;
    let decision = deliveries::Decision { by: s.clerk, ip: "127.0.0.1", at: SystemClock.now(), seen: None };
    deliveries::try_again(&s.w.db, held, &decision).await.unwrap();
    assert!(deliveries::try_again(&s.w.db, held, &decision).await.is_err(), "it is not held any more");
    engine.wake();
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.order(&too_much).await.count, Some(2));
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    s.prove().await;
});

both!(a_sale_now_above_the_hoarding_limit_is_not_sent, |w: World| async move {
    let mut s = Site::new(w, 1, 1).await;
    s.config.hoarding_fen = 10_000;
    let (fits, too_much) = (s.sell(0, 9_000).await, s.sell(0, 2_000).await);
    let engine = s.start().await;
    until(SOON, "the case", || async { s.order(&too_much).await.state == OrderState::Case }).await;
    assert_eq!((s.order(&fits).await.count, s.view(0, 1).cumulative), (Some(1), 9_000));
    assert_eq!(s.w.number("SELECT attempts FROM commands WHERE state = 'case'").await, 0, "no frame left");
    assert!(s.w.word("SELECT detail FROM cases WHERE kind = 'delivery'").await.contains("\"why\":\"hoarding-limit\""));
    engine.stop().await;
    // Some of it is used, or the limit is raised: the same purchase goes in, once.
    s.config.hoarding_fen = 11_000;
    let decision = deliveries::Decision { by: s.clerk, ip: "127.0.0.1", at: SystemClock.now(), seen: None };
    deliveries::try_again(&s.w.db, s.held_command().await, &decision).await.unwrap();
    let engine = s.start().await;
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!((s.order(&too_much).await.count, s.view(0, 1).cumulative), (Some(2), 11_000));
    s.prove().await;
});

both!(an_account_is_opened_before_its_first_purchase, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            meter.account = None;
        }
    })
    .await;
    let meters = store::meters::meters(&s.w.db).await.unwrap();
    let engine = s.start().await;
    for (n, meter) in meters.iter().enumerate() {
        let at = SystemClock.now();
        let new = OpenAccount {
            number: None,
            meter: meter.id,
            also: Vec::new(),
            resident: NewResident { name: "x".into(), login: format!("x{n}"), password_hash: String::new() },
            housemates: Vec::new(),
            first: Some(FirstPurchase { key: s.w.rng.id(at), tender: model::order::Tender::Cash, amount: Fen(10_000) }),
            by: s.clerk,
            ip: String::new(),
        };
        accounts::open(&s.w.db, &s.w.rng, at, &domain::order::Limits::default(), &new).await.unwrap();
    }
    engine.wake();
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM accounts WHERE state = 'open'").await, 2);
    for unit in [1, 2] {
        let view = s.view(0, unit);
        assert_eq!((view.epoch, view.count, view.remaining), (1, 1, 10_000));
    }
    assert_eq!(s.w.number("SELECT COUNT(*) FROM events").await, 0, "an empty meter before its first purchase is no event");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
    s.prove().await;
});

both!(credit_for_a_lost_meter_waits_until_it_answers, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    for fault in [LineFault::Silent, LineFault::NoAnswer] {
        s.meter(0, 2).fault(fault, 1.0).unwrap();
        let engine = s.start().await;
        let (lost, living) = (s.sell(1, 1_000).await, s.sell(0, 1_000).await);
        engine.wake();
        until(SOON, "the living meter", || async { s.order(&living).await.credited_at.is_some() }).await;
        until(SOON, "the note", || async { s.w.number("SELECT COUNT(*) FROM commands WHERE reason = 'lost'").await > 0 }).await;
        assert_eq!(s.order(&lost).await.state, OrderState::Paid);
        s.meter(0, 2).heal().unwrap();
        until(SOON, "the lost meter", || async { s.order(&lost).await.credited_at.is_some() }).await;
        engine.stop().await;
        s.prove().await;
    }
});

both!(a_restarted_server_delivers_at_once, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let order = s.sell(0, 1_000).await;
    s.w.execute("UPDATE commands SET next_at = next_at + 3600000, reason = 'lost'").await;
    let engine = s.start().await;
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.order(&order).await.state, OrderState::Credited);
    s.prove().await;
});

both!(a_meter_that_answers_gets_its_deferred_commands, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    let engine = s.start().await;
    until(SOON, "a reading", || async { s.w.number("SELECT COUNT(*) FROM readings").await > 0 }).await;
    s.meter(0, 1).fault(LineFault::NoAnswer, 1.0).unwrap();
    let order = s.sell(0, 1_000).await;
    engine.wake();
    until(SOON, "the deferral", || async { s.w.number("SELECT COUNT(*) FROM commands WHERE reason = 'lost'").await > 0 }).await;
    // As after many failures; the meter is not lost yet.
    s.w.execute("UPDATE commands SET next_at = next_at + 3600000").await;
    s.meter(0, 1).heal().unwrap();
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!(s.order(&order).await.state, OrderState::Credited);
    s.prove().await;
});

both!(a_credit_nobody_here_sent_opens_a_case, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    s.w.execute("UPDATE account_meters SET cumulative_fen = 100 WHERE meter_id = (SELECT id FROM meters WHERE unit = 2)").await;
    let engine = s.start().await;
    let cases = || s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'meter-differs'");
    until(SOON, "the case", || async { cases().await == 1 }).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(cases().await, 1, "once");
    engine.stop().await;
});

both!(only_a_queued_command_is_claimed_and_only_once, |w: World| async move {
    let s = Site::new(w, 1, 1).await;
    s.sell(0, 1_000).await;
    s.sell(0, 2_000).await;
    let now = SystemClock.now();
    let command = deliveries::next(&s.w.db, s.rooms[0].meter, now).await.unwrap().unwrap();
    let claim = deliveries::claim(&s.w.db, &command).await.unwrap().claimed().unwrap();
    assert_eq!((claim.epoch, claim.count), (1, 1));
    assert_eq!(deliveries::claim(&s.w.db, &command).await.unwrap(), ClaimOutcome::Elsewhere);
    let other = other_command(&s, &command).await;
    assert_eq!(
        deliveries::claim(&s.w.db, &other).await.unwrap(),
        ClaimOutcome::Elsewhere,
        "one money command of a meter at a time"
    );
    s.w.execute("UPDATE account_meters SET to_at = 1").await;
    s.w.execute("UPDATE commands SET state = 'queued', count = NULL, epoch = NULL WHERE state = 'sending'").await;
    assert_eq!(deliveries::claim(&s.w.db, &command).await.unwrap(), ClaimOutcome::NoAccount, "that is one for a person");
    s.w.execute("UPDATE account_meters SET to_at = NULL").await;
    deliveries::claim(&s.w.db, &command).await.unwrap().claimed().unwrap();
    let again = deliveries::next(&s.w.db, s.rooms[0].meter, now).await.unwrap().unwrap();
    assert_eq!((again.id, again.count), (command.id, Some(1)), "the second purchase waits for the first");
    let first = deliveries::begin_send(&s.w.db, now, &command).await.unwrap().unwrap();
    assert_eq!(deliveries::begin_send(&s.w.db, now, &command).await.unwrap(), Some(first + 1), "no frame number twice");
    deliveries::defer_meter(&s.w.db, s.rooms[0].meter, now.plus(1_000), CommandReason::Lost).await.unwrap();
    assert!(deliveries::next(&s.w.db, s.rooms[0].meter, now).await.unwrap().is_none());
    assert!(deliveries::reset_backoff(&s.w.db, s.rooms[0].meter, now).await.unwrap());
    assert!(deliveries::next(&s.w.db, s.rooms[0].meter, now).await.unwrap().is_some());
});

/// The other command that waits.
async fn other_command(s: &Site, command: &Command) -> Command {
    let due = commands::due(&s.w.db, SystemClock.now(), 10).await.unwrap();
    due.into_iter().find(|one| one.id != command.id).unwrap()
}
