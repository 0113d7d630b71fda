//! How counters, alarm conditions and operators' decisions classify readings, on both databases.

use model::case::CaseDetail;
use std::sync::Arc;

use crate::readings::{hub, measurement, reading, record, state};
use domain::clock::Clock;
use domain::meter_state::{Measurement, MeterStatus, PlainStatus, StateBlock};
use meters::recorder::MeterEvent;
use model::console::{EventQuery, Gap};
use model::energy::Energy;
use model::error::AppError;
use model::event::EventKind;
use model::ids::{CaseId, MeterId};
use model::meter::StatusWord;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::reading::ReadingSource;
use model::time::{DAY, HOUR, MINUTE, Timestamp};
use simulator::{Defect, LineFault, OneTimeFault};
use store::{Db, cases, console, counters, energy, readings, serials};
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

async fn clerk(w: &World) -> Who {
    Who {
        user: w.clerk().await,
        role: Role::Cashier,
        permissions: Permissions::of(Role::Cashier),
        name: "clerk".into(),
        ip: "10.0.0.5".into(),
    }
}

pub async fn open_case(w: &World) -> CaseId {
    let sql = "SELECT id FROM cases WHERE kind = 'reading' AND closed_at IS NULL";
    CaseId(match &w.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    })
}

async fn settle(w: &World, who: &Who, gap: Gap) -> Result<(), AppError> {
    Ok(counters::settle(&w.db, &w.rng, w.clock.now(), who, open_case(w).await.into(), gap, "looked at the meter").await?)
}

fn with(meter: MeterId, at: Timestamp, measurement: Measurement, state: StateBlock) -> MeterEvent {
    MeterEvent::Read { meter, from: at, at, source: ReadingSource::Sweep, measurement, meter_status: MeterStatus::Wallet(state) }
}

/// The kinds of open events, and the number of all.
async fn kinds(w: &World, who: &Who) -> (Vec<EventKind>, usize) {
    let now = w.clock.now();
    let open = alarms::events(&w.db, who.user, &EventQuery::default(), now).await.unwrap();
    let over = alarms::events(&w.db, who.user, &EventQuery { over: true, ..EventQuery::default() }, now).await.unwrap();
    (open.lines.iter().map(|line| line.kind).collect(), open.lines.len() + over.lines.len())
}

both!(daily_energy_is_stored_by_direction_and_rate, |w: World| async move {
    let meter = w.meter(1).await;
    let start = w.clock.now().date().start().plus(23 * HOUR);
    let at = |hours: i64, total: i64, reverse: i64, rates: [i64; 4]| {
        let rates = Some(rates.map(Energy));
        let measured = Measurement { reverse: Some(Energy(reverse)), rates, ..measurement(total) };
        with(meter, start.plus(hours * HOUR), measured, state())
    };
    let live = hub(&w).await;
    record(&w, &live, vec![at(0, 10_000, 100, [0, 4_000, 3_000, 3_000])]).await;
    // The restart restores every counter, not only the total.
    record(&w, &live, vec![at(2, 11_000, 300, [0, 4_600, 3_400, 3_000])]).await;
    let today = start.date();
    let days = energy::days(&w.db, meter, today, today.plus(1)).await.unwrap();
    let found: Vec<_> = days.iter().map(|d| (d.energy.0, d.parts.reverse.0, d.parts.rates.map(|rate| rate.0))).collect();
    assert_eq!(found, [(500, 100, [0, 300, 200, 0]), (500, 100, [0, 300, 200, 0])]);
    assert!(days.iter().all(|day| day.mark.estimated && !day.mark.revised), "no midnight was read");
    let seen = live.get(meter).unwrap();
    assert_eq!((seen.reverse, seen.rate, seen.tier), (Energy(300), Some(3), Some(Energy(0))));
});

both!(an_operator_decides_the_energy_of_a_gap, |w: World| async move {
    let who = clerk(&w).await;
    let live = hub(&w).await;
    let start = w.clock.now();
    let at = |minutes: i64| start.plus(minutes * MINUTE);
    // Each: what is read at 0 and 10 minutes, what is decided, and what has then passed up to minute 30.
    let stories = [
        (50_000, 900_000, Gap::Accept, Ok(()), 100),
        (50_000, 900_000, Gap::Count, Ok(()), 850_100),
        (500_000, 30, Gap::Count, Err(AppError::Invalid), 100),
        (500_000, 30, Gap::Replaced { end: Energy(500_700), start: Energy(20) }, Ok(()), 810),
        (500_000, 30, Gap::Replaced { end: Energy(400_000), start: Energy(20) }, Err(AppError::Invalid), 100),
    ];
    for (unit, (first, held, gap, outcome, passed)) in (1..).zip(stories) {
        let meter = w.meter(unit).await;
        record(&w, &live, vec![reading(meter, at(0), first), reading(meter, at(10), held)]).await;
        assert_eq!(settle(&w, &who, gap).await, outcome, "{gap:?}");
        if outcome.is_err() {
            settle(&w, &who, Gap::Accept).await.unwrap();
        }
        record(&w, &live, vec![reading(meter, at(20), held + 60), reading(meter, at(30), held + 100)]).await;
        let days = energy::daily(&w.db, meter, start.date(), start.date().plus(1)).await.unwrap();
        assert_eq!(days.iter().map(|day| day.1.0).sum::<i64>(), passed, "{gap:?}");
        assert_eq!(live.get(meter).unwrap().total, Energy(held + 100));
        assert_eq!(counters::held(&w.db, meter).await.unwrap(), None);
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM counter_decisions WHERE from_at < at").await, 5, "also where nothing is counted");
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'case.close'").await, 5);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality BETWEEN 2 AND 5").await, 0);
});

both!(a_gap_takes_register_rates_or_is_marked_flat, |w: World| async move {
    let who = clerk(&w).await;
    let live = hub(&w).await;
    let day = w.clock.now().date();
    let at = |minutes: i64| day.start().plus(12 * HOUR + minutes * MINUTE);
    let read = |meter: MeterId, at: Timestamp, total: i64, rates: Option<[i64; 4]>| {
        with(meter, at, Measurement { rates: rates.map(|rates| rates.map(Energy)), ..measurement(total) }, state())
    };
    let grown = (900_000, Some([0, 500_000, 399_960, 0]));
    let replaced = |end, start| Gap::Replaced { end: Energy(end), start: Energy(start) };
    // What is held after 50 kWh, 20 of them at peak; what is decided; and how it falls into rates.
    let stories = [
        (grown, Gap::Count, "registers", [0, 480_000, 369_960, 0]),
        // One register was reset, so the others are not used either.
        ((900_000, Some([0, 0, 400_000, 0])), Gap::Count, "flat", [0, 0, 850_000, 0]),
        ((900_000, None), Gap::Count, "none", [0; 4]),
        ((30, Some([0, 10, 20, 0])), replaced(50_000, 0), "registers", [0, 10, 20, 0]),
        ((30, Some([0, 10, 20, 0])), replaced(50_700, 0), "flat", [0, 10, 720, 0]),
        ((30, Some([0, 10, 20, 0])), replaced(50_000, 10), "flat", [0, 0, 20, 0]),
        (grown, Gap::Accept, "none", [0; 4]),
    ];
    for (unit, ((total, rates), gap, split, fell)) in (1..).zip(stories) {
        let meter = w.meter(unit).await;
        let first = read(meter, at(0), 50_000, rates.map(|_| [0, 20_000, 30_000, 0]));
        // The midnights are known, so that nothing but the rates can be an estimate.
        let midnight = |at: Timestamp, total| read(meter, at, total, rates.map(|_| [0, 20_000, total - 20_000, 0]));
        record(&w, &live, vec![midnight(day.start(), 50_000), first, read(meter, at(10), total, rates)]).await;
        settle(&w, &who, gap).await.unwrap();
        record(&w, &live, vec![read(meter, day.plus(1).start(), total, rates)]).await;
        let days = energy::days(&w.db, meter, day, day.plus(1)).await.unwrap();
        let fallen = days.iter().fold([0; 4], |sum: [i64; 4], day| {
            let rates = day.parts.rates;
            [0, 1, 2, 3].map(|n| sum[n] + rates[n].0)
        });
        assert_eq!(fallen, fell, "{gap:?} of {total}");
        let estimated = days.iter().any(|one| one.day == day && one.mark.estimated);
        assert_eq!(estimated, split == "flat", "{gap:?} of {total}");
    }
    let audited = w.word("SELECT detail FROM audit WHERE action = 'case.close' ORDER BY seq LIMIT 1").await;
    assert!(audited.contains(r#""split":"registers""#), "{audited}");
    assert_eq!(w.number("SELECT COUNT(*) FROM counter_decisions WHERE split = 'flat'").await, 3);
});

both!(a_held_jump_never_counts_by_waiting, |w: World| async move {
    let who = clerk(&w).await;
    let (meter, other, live) = (w.meter(1).await, w.meter(2).await, hub(&w).await);
    let at = |s: i64| w.clock.now().plus(s * 1_000);
    let energy = "SELECT CAST(COALESCE(SUM(wh), 0) AS BIGINT) FROM energy_daily";
    record(&w, &live, vec![reading(meter, at(0), 500_000), reading(meter, at(2), 501_000)]).await;
    // Longer than it takes to use 1 kWh, in this process and, as each call starts anew, in the next one.
    record(&w, &live, vec![reading(meter, at(130), 501_000), reading(meter, at(4_000), 501_010)]).await;
    record(&w, &live, vec![reading(meter, at(8_000), 501_010), reading(meter, at(90_000), 501_020)]).await;
    assert_eq!(w.number(energy).await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality = 3").await, 5);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 1, "one case, and it is open");
    assert_eq!(live.get(meter).unwrap().total, Energy(500_000));
    settle(&w, &who, Gap::Count).await.unwrap();
    record(&w, &live, vec![reading(meter, at(90_002), 501_030)]).await;
    assert_eq!(w.number(energy).await, 1_030, "settled by a person, it counts");
    // One that comes back in line counts by itself, across a restart too.
    record(&w, &live, vec![reading(other, at(0), 500_000), reading(other, at(2), 501_000)]).await;
    record(&w, &live, vec![reading(other, at(4), 501_010), reading(other, at(6), 500_010)]).await;
    assert_eq!(w.number(energy).await, 1_040);
});

both!(a_running_recorder_applies_a_decision, |w: World| async move {
    let who = clerk(&w).await;
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let start = w.clock.now();
    let (send, receive) = tokio::sync::mpsc::channel(10);
    let clock: domain::clock::SharedClock = w.clock.clone();
    let recorder = meters::recorder::Recorder::load(w.db.clone(), clock, w.rng.clone(), live, Arc::default()).await.unwrap();
    let running = tokio::spawn(recorder.run(receive));
    send.send(reading(meter, start, 500_000)).await.unwrap();
    send.send(reading(meter, start.plus(MINUTE), 7)).await.unwrap();
    until(SOON, "the case", || async { w.number("SELECT COUNT(*) FROM cases").await == 1 }).await;
    settle(&w, &who, Gap::Accept).await.unwrap();
    send.send(reading(meter, start.plus(2 * MINUTE), 27)).await.unwrap();
    until(SOON, "the reading", || async { w.number("SELECT COUNT(*) FROM readings WHERE quality = 0").await == 2 }).await;
    drop(send);
    running.await.unwrap();
    assert_eq!(w.number("SELECT CAST(SUM(wh) AS BIGINT) FROM energy_daily").await, 20);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 1);
});

both!(alarm_conditions_become_events_once_and_end, |w: World| async move {
    let who = clerk(&w).await;
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let start = w.clock.now();
    let seen = |minutes: i64, status: u16, tamper: u16| {
        let state = StateBlock { status: StatusWord(status), tamper, ..state() };
        with(meter, start.plus(minutes * MINUTE), measurement(1_000 + minutes), state)
    };
    record(&w, &live, vec![seen(0, 0b11, 4)]).await;
    assert_eq!(kinds(&w, &who).await, (vec![], 0));
    let overload = 0b10 | 1 << 5;
    record(&w, &live, vec![seen(1, overload, 4), seen(2, overload, 4)]).await;
    // A restart does not raise it again.
    record(&w, &live, vec![seen(3, overload | 1 << 13, 4)]).await;
    assert_eq!(kinds(&w, &who).await, (vec![EventKind::ClockLost, EventKind::Overload], 2));
    record(&w, &live, vec![seen(4, 0b11, 6)]).await;
    assert_eq!(kinds(&w, &who).await, (vec![], 3), "and the cover count grew in a moment");
    assert_eq!(w.word("SELECT detail FROM events WHERE kind = 'tamper'").await, r#"{"from":4,"to":6}"#);
    record(&w, &live, vec![MeterEvent::MeterLost { meter, since: start.plus(5 * MINUTE), alone: true }]).await;
    assert_eq!(kinds(&w, &who).await, (vec![EventKind::MeterLost], 4));
    record(&w, &live, vec![seen(6, 0b11, 6)]).await;
    assert_eq!(kinds(&w, &who).await, (vec![], 4));
    let since = "SELECT CAST(MAX(until_at - since) AS BIGINT) FROM events WHERE kind = 'meter-lost'";
    assert_eq!(w.number(since).await, MINUTE);
});

both!(energy_through_an_open_relay_or_reverse_is_an_event, |w: World| async move {
    let who = clerk(&w).await;
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let start = w.clock.now();
    // A meter with a relay and no wallet; nothing but its values says that it is welded.
    let seen = |at: i64, closed: Option<bool>, watts: i32, reverse: i64| {
        let measured =
            Measurement { power_w: Some(watts), current_ca: Some(500), reverse: Some(Energy(reverse)), ..measurement(0) };
        let meter_status = MeterStatus::Plain(PlainStatus { relay_closed: closed, ..PlainStatus::default() });
        let at = start.plus(at);
        MeterEvent::Read { meter, from: at, at, source: ReadingSource::Sweep, measurement: measured, meter_status }
    };
    record(&w, &live, vec![seen(0, None, 1_000, 0), seen(MINUTE, None, 1_000, 0)]).await;
    assert_eq!(kinds(&w, &who).await.1, 0, "an instrument has no relay to be welded");
    record(&w, &live, vec![seen(2 * MINUTE, Some(true), 1_000, 0), seen(3 * MINUTE, Some(false), 1_000, 0)]).await;
    assert_eq!(kinds(&w, &who).await.1, 0, "it may have opened between state and current");
    let events = [seen(4 * MINUTE, Some(false), 1_000, 0)];
    // The same process must have seen it open before.
    record(&w, &live, [vec![seen(3 * MINUTE + 1, Some(false), 1_000, 0)], events.to_vec()].concat()).await;
    assert_eq!(kinds(&w, &who).await.0, [EventKind::RelayFault]);
    record(&w, &live, vec![seen(5 * MINUTE, Some(false), 0, 20)]).await;
    assert_eq!(kinds(&w, &who).await.0, [EventKind::Reverse]);
    record(&w, &live, vec![seen(DAY + 6 * MINUTE, Some(true), 0, 20)]).await;
    assert_eq!(kinds(&w, &who).await, (vec![], 2));
});

both!(an_erased_counter_is_an_event_until_decided, |w: World| async move {
    let who = clerk(&w).await;
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let at = |minutes: i64| w.clock.now().plus(minutes * MINUTE);
    record(&w, &live, vec![reading(meter, at(0), 77_000), reading(meter, at(10), 0)]).await;
    assert_eq!(kinds(&w, &who).await.0, [EventKind::CounterZeroed]);
    assert!(w.word("SELECT detail FROM cases").await.contains("reset"));
    settle(&w, &who, Gap::Accept).await.unwrap();
    record(&w, &live, vec![reading(meter, at(20), 10)]).await;
    assert_eq!(kinds(&w, &who).await, (vec![], 1));
});

both!(an_event_is_acknowledged_once_by_permitted_operators, |w: World| async move {
    let who = clerk(&w).await;
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let since = w.clock.now();
    record(&w, &live, vec![MeterEvent::MeterLost { meter, since, alone: true }]).await;
    let find = async |query: EventQuery| alarms::events(&w.db, who.user, &query, since).await.unwrap().lines;
    let line = find(EventQuery::default()).await.remove(0);
    alarms::acknowledge(&w.db, &w.rng, since.plus(1), &who, line.id).await.unwrap();
    alarms::acknowledge(&w.db, &w.rng, since.plus(2), &who, line.id).await.unwrap();
    let seen = find(EventQuery::default()).await.remove(0).seen.unwrap();
    assert_eq!(seen, (since.plus(1), "clerk".to_owned()));
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'event.acknowledge'").await, 1);
    assert_eq!(find(EventQuery { kind: Some(EventKind::Overload), ..EventQuery::default() }).await, []);
    assert_eq!(find(EventQuery { since: Some(since.date().plus(1)), ..EventQuery::default() }).await, []);
    assert_eq!(find(EventQuery { building: "elsewhere".into(), ..EventQuery::default() }).await, []);
    assert_eq!(alarms::events_of(&w.db, who.user, meter, 5, since).await.unwrap().len(), 1);
    // Bound to a building, the clerk does not see a room outside it.
    let place = w.rng.id(since);
    story_support::bind(&w.db, "INSERT INTO places (id, kind, name, sort) VALUES ($1, 'building', 'b', $2)", place, &[1]).await;
    w.execute(
        "INSERT INTO operator_buildings (user_id, place_id) SELECT u.id, p.id FROM users u, places p WHERE p.kind = 'building'",
    )
    .await;
    w.limit("clerk").await;
    assert_eq!(find(EventQuery::default()).await, []);
    let refused = alarms::acknowledge(&w.db, &w.rng, since, &who, line.id).await.unwrap_err();
    assert_eq!(AppError::from(refused), AppError::NotFound);
});

both!(a_meter_defect_becomes_an_event, |w: World| async move {
    let s = Site::new(w, 1, 5).await;
    let engine = s.start().await;
    until(SOON, "all meters", || async { s.w.number("SELECT COUNT(DISTINCT meter_id) FROM readings").await == 5 }).await;
    s.meter(0, 1).defect(Defect::CoverOpen, true).await.unwrap();
    s.meter(0, 2).inject(OneTimeFault::MalignantLoad).await.unwrap();
    s.meter(0, 3).inject(OneTimeFault::ClockLost).await.unwrap();
    s.meter(0, 4).fault(LineFault::Silent, 1.0).unwrap();
    let count = "SELECT COUNT(*) FROM events WHERE CASE WHEN until_at IS NULL
                 THEN kind IN ('cover-open', 'malignant-load', 'clock-lost', 'meter-lost') ELSE kind = 'tamper' END";
    until(SOON, "the events", || async { s.w.number(count).await == 5 }).await;
    s.sim.gateway(0).unwrap().refuse(true);
    let lost = "SELECT COUNT(*) FROM events WHERE kind = 'gateway-lost' AND until_at IS NULL";
    until(SOON, "the gateway's loss", || async { s.w.number(lost).await == 1 }).await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM events WHERE kind = 'meter-lost'").await, 1, "the others are not lost alone");
    s.sim.gateway(0).unwrap().refuse(false);
    engine.retry_gateway(engine.gateways()[0].id);
    until(SOON, "the gateway", || async { s.w.number(lost).await == 0 }).await;
    engine.stop().await;
});

both!(two_swapped_meters_bill_nobody, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    for unit in 1..=3 {
        s.meter(0, unit).draw(Some(2_000)).await.unwrap();
    }
    let engine = s.start().await;
    until(SOON, "all meters", || async { s.w.number("SELECT COUNT(DISTINCT meter_id) FROM readings").await == 3 }).await;
    engine.stop().await;
    // The addresses were swapped: meter 1 answers at 2 and the other way round.
    s.w.execute("UPDATE meters SET unit = 100 WHERE unit = 1").await;
    s.w.execute("UPDATE meters SET unit = 1 WHERE unit = 2").await;
    s.w.execute("UPDATE meters SET unit = 2 WHERE unit = 100").await;
    let rows = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.unit < 3";
    let energy =
        "SELECT CAST(COALESCE(SUM(d.wh), 0) AS BIGINT) FROM energy_daily d JOIN meters m ON m.id = d.meter_id WHERE m.unit < 3";
    let before = (s.w.number(rows).await, s.w.number(energy).await);
    let engine = s.start().await;
    until(SOON, "both to be known", || async { s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'identity'").await == 2 })
        .await;
    let third = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.unit = 3";
    let now = s.w.number(third).await;
    until(SOON, "several more rounds", || async { s.w.number(third).await >= now + 5 }).await;
    assert_eq!((s.w.number(rows).await, s.w.number(energy).await), before, "nothing was read of them and nothing counted");
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 2);
});

both!(a_replaced_meters_serial_is_confirmed_by_an_operator, |w: World| async move {
    let s = Site::with(w, 1, 2, |sim| {
        let first = &mut sim.estate.gateways[0].meters[0];
        *first = first.clone().plain("eastron-sdm320y");
    })
    .await;
    let who = Who {
        user: s.clerk,
        role: Role::Cashier,
        permissions: Permissions::of(Role::Cashier),
        name: "clerk".into(),
        ip: "10.0.0.5".into(),
    };
    let serial = s.view(0, 1).serial.to_string();
    s.w.execute("UPDATE meters SET serial = '000000000077' WHERE unit = 1").await;
    let engine = s.start().await;
    let identity = "SELECT COUNT(*) FROM cases WHERE kind = 'identity' AND closed_at IS NULL";
    until(SOON, "the stranger", || async { s.w.number(identity).await == 1 }).await;
    let open = console::cases_of(&s.w.db, s.clerk, s.meters[0]).await.unwrap().remove(0);
    assert_eq!(open.detail, CaseDetail::Identity { answers: serial.clone() }, "nobody has to type it");
    let late = serials::confirm(&s.w.db, s.w.clock.now(), &who, open.id.into(), "000000000077", "replaced").await.unwrap_err();
    assert_eq!(AppError::from(late), AppError::Conflict, "the right meter answers again");
    assert_eq!(engine.answering_serial(s.meters[0]).await.unwrap().to_string(), serial);
    serials::confirm(&s.w.db, s.w.clock.now(), &who, open.id.into(), &serial, "replaced on Monday").await.unwrap();
    engine.reload();
    let read = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE m.unit = 1";
    until(SOON, "a reading", || async { s.w.number(read).await > 0 }).await;
    engine.stop().await;
    assert_eq!(s.w.number(identity).await, 0);
    assert!(s.w.word("SELECT detail FROM audit WHERE action = 'case.close'").await.contains(r#""was":"000000000077""#));
    // Neither another meter's number, nor one in place of a meter that holds money.
    let (there, new) = (s.view(0, 2).serial.to_string(), "000000000099".to_owned());
    for (meter, answers, why) in [(s.meters[0], there, AppError::SerialTaken), (s.meters[1], new, AppError::MeterInUse)] {
        let mut tx = s.w.db.begin().await.unwrap();
        let case = CaseDetail::Identity { answers: answers.clone() };
        cases::open(&mut tx, &s.w.rng, s.w.clock.now(), Some(meter), None, &case).await.unwrap();
        tx.commit().await.unwrap();
        let case = console::cases_of(&s.w.db, s.clerk, meter).await.unwrap().remove(0).id;
        let refused = serials::confirm(&s.w.db, s.w.clock.now(), &who, case.into(), &answers, "replaced").await.unwrap_err();
        assert_eq!(AppError::from(refused), why);
    }
    assert_eq!(s.w.number(identity).await, 2, "nothing was done");
});

both!(an_impossible_counter_without_a_serial_is_held, |w: World| async move {
    let (one, other, live) = (w.meter(1).await, w.meter(2).await, hub(&w).await);
    let seen = |meter: MeterId, minutes: i64, wh: i64| {
        let at = w.clock.now().plus(minutes * MINUTE);
        let meter_status = MeterStatus::Plain(PlainStatus::default());
        MeterEvent::Read { meter, from: at, at, source: ReadingSource::Sweep, measurement: measurement(wh), meter_status }
    };
    record(&w, &live, vec![seen(one, 0, 500_000), seen(other, 0, 80_000)]).await;
    let swapped = (1..6).flat_map(|n| [seen(one, 10 * n, 80_000 + n), seen(other, 10 * n, 500_000 + n)]).collect();
    record(&w, &live, swapped).await;
    assert_eq!(w.number("SELECT CAST(COALESCE(SUM(wh), 0) AS BIGINT) FROM energy_daily").await, 0);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'reading'").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality IN (2, 3)").await, 10, "kept, and held");
    // Put right again, both count on.
    record(&w, &live, vec![seen(one, 70, 500_100), seen(other, 70, 80_050)]).await;
    assert_eq!(w.number("SELECT CAST(SUM(wh) AS BIGINT) FROM energy_daily").await, 150);
    assert_eq!(readings::counted_of(&w.db, one).await.unwrap().unwrap().total_wh.0, 500_100);
});
