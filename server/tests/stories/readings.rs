//! Readings become hourly and daily energy, survive restarts, and are held when impossible; on both databases.

use std::sync::Arc;

use domain::clock::Clock;
use domain::meter_state::{Measurement, MeterStatus, StateBlock};
use domain::serial::AccountNumber;
use meters::live::Live;
use meters::recorder::{MeterEvent, Recorder};
use model::energy::Energy;
use model::ids::MeterId;
use model::meter::StatusWord;
use model::money::Fen;
use model::reading::ReadingSource;
use model::time::{HOUR, MINUTE, Timestamp};
use store::{energy, readings};
use story_support::{World, both};
use tokio::sync::mpsc;

pub fn state() -> StateBlock {
    StateBlock {
        serial: "006026773546".parse().unwrap(),
        status: StatusWord(0b1),
        remaining: Fen(1_000),
        cumulative: Fen(1_000),
        count: 1,
        epoch: 1,
        reverse: Energy(0),
        rate: 3,
        clock: None,
        challenge: [0; 4],
        last_operation: 0,
        last_result: 0,
        last_order: 0,
        journal: 0,
        parameters: 0,
        tier_energy: Energy(0),
        account: AccountNumber::NONE,
        tamper: 0,
        accepts: 1,
    }
}

pub fn reading(meter: MeterId, at: Timestamp, wh: i64) -> MeterEvent {
    MeterEvent::Read {
        meter,
        from: at,
        at,
        source: ReadingSource::Sweep,
        measurement: measurement(wh),
        meter_status: MeterStatus::Wallet(state()),
    }
}

pub fn measurement(wh: i64) -> Measurement {
    Measurement {
        total: Energy(wh),
        reverse: Some(Energy(0)),
        rates: Some([Energy(0); 4]),
        voltage_dv: Some(2_300),
        current_ca: Some(10),
        power_w: Some(23),
        reactive_var: Some(0),
        apparent_va: Some(23),
        power_factor: Some(1_000),
    }
}

/// Runs a recorder for these events.
pub async fn record(w: &World, live: &Live, events: Vec<MeterEvent>) {
    let recorder = Recorder::load(w.db.clone(), w.clock.clone(), w.rng.clone(), live.clone(), Arc::default()).await.unwrap();
    let (send, receive) = mpsc::channel(10_000);
    for event in events {
        send.send(event).await.unwrap();
    }
    drop(send);
    recorder.run(receive).await;
}

pub async fn hub(w: &World) -> Live {
    Live::load(&w.db, w.clock.clone() as Arc<dyn Clock>).await.unwrap()
}

both!(energy_is_split_by_hour_and_day_across_restarts, |w: World| async move {
    let meter = w.meter(1).await;
    // 23:30 in Shanghai.
    let start = w.clock.now().date().start().plus(23 * HOUR + 30 * MINUTE);
    let live = hub(&w).await;
    record(&w, &live, vec![reading(meter, start, 10_000)]).await;
    // Over midnight: half before, half after; then a restart, and an hour and a half more.
    record(&w, &live, vec![reading(meter, start.plus(HOUR), 11_000)]).await;
    let last = start.plus(2 * HOUR + 30 * MINUTE);
    record(&w, &live, vec![reading(meter, last, 12_500)]).await;
    let today = start.date();
    let days = energy::daily(&w.db, meter, today, today.plus(1)).await.unwrap();
    assert_eq!(days, [(today, Energy(500)), (today.plus(1), Energy(2_000))]);
    assert_eq!(energy::hourly(&w.db, meter, today).await.unwrap(), [(23, Energy(500))]);
    assert_eq!(energy::hourly(&w.db, meter, today.plus(1)).await.unwrap(), [(0, Energy(1_000)), (1, Energy(1_000))]);
    let newest = readings::recent(&w.db, meter, 10).await.unwrap();
    assert_eq!(newest.iter().map(|r| r.total_wh.0).collect::<Vec<_>>(), [12_500, 11_000, 10_000]);
    assert_eq!(newest.iter().map(|r| r.sequence).collect::<Vec<_>>(), [Some(3), Some(2), Some(1)]);
    assert_eq!(live.get(meter).unwrap().total, Energy(12_500));
    // One that arrives late lies at its own instant, and the numbers go on from the highest.
    record(&w, &live, vec![reading(meter, last.plus(-20_000), 12_400)]).await;
    record(&w, &live, vec![reading(meter, last.plus(HOUR), 13_000)]).await;
    let newest = readings::recent(&w.db, meter, 10).await.unwrap();
    assert_eq!(newest.iter().filter_map(|r| r.sequence).collect::<Vec<_>>(), [5, 3, 4, 2, 1]);
});

both!(many_readings_in_one_batch_add_up, |w: World| async move {
    let mut meters = Vec::new();
    for unit in 1..=30 {
        meters.push(w.meter(unit).await);
    }
    let start = w.clock.now().date().start().plus(10 * HOUR);
    let live = hub(&w).await;
    let rounds = 0..20;
    let all = rounds.flat_map(|n| meters.iter().map(move |&m| reading(m, start.plus(n * 6 * MINUTE), 1_000 * n))).collect();
    record(&w, &live, all).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE quality = 0").await, 600);
    for meter in meters {
        let hours = energy::hourly(&w.db, meter, start.date()).await.unwrap();
        assert_eq!(hours, [(10, Energy(10_000)), (11, Energy(9_000))]);
    }
});

both!(an_impossible_reading_is_held_with_a_case, |w: World| async move {
    let meter = w.meter(1).await;
    let start = w.clock.now();
    let at = |minutes: i64| start.plus(minutes * MINUTE);
    let live = hub(&w).await;
    record(&w, &live, vec![reading(meter, at(0), 50_000), reading(meter, at(10), 900_000)]).await;
    // The restart remembers that it is held: no second case, and the true counter counts again.
    record(&w, &live, vec![reading(meter, at(20), 900_010), reading(meter, at(30), 50_300)]).await;
    let qualities: Vec<i64> = readings::recent(&w.db, meter, 9).await.unwrap().iter().rev().map(|r| r.quality.code()).collect();
    assert_eq!(qualities, [0, 3, 3, 0]);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'reading'").await, 1);
    assert!(w.word("SELECT detail FROM cases").await.contains("jumped"));
    assert_eq!(w.number("SELECT CAST(SUM(wh) AS BIGINT) FROM energy_hourly").await, 300);
    assert_eq!(live.get(meter).unwrap().total, Energy(50_300));
});

both!(a_batch_read_before_a_delivery_does_not_undo_it, |w: World| async move {
    let meter = w.meter(1).await;
    let live = hub(&w).await;
    let now = w.clock.now();
    record(&w, &live, vec![reading(meter, now, 10)]).await;
    w.execute("UPDATE meter_latest SET observed_at = observed_at + 60000, count = 9").await;
    let mut stale = readings::Batch::default();
    stale.latest.push(model::meter::Latest { observed_at: Some(now.plus(1)), ..live.get(meter).unwrap() });
    readings::write(&w.db, &w.rng, now, &stale).await.unwrap();
    assert_eq!(w.number("SELECT count FROM meter_latest").await, 9);
});

both!(a_sweep_overtaken_by_a_command_shows_no_older_state, |w: World| async move {
    let meter = w.meter(1).await;
    let live = hub(&w).await;
    let now = w.clock.now();
    let read_back = StateBlock { count: 2, remaining: Fen(6_000), ..state() };
    let events = vec![
        reading(meter, now, 10),
        MeterEvent::MeterStatus { meter, at: now.plus(200), meter_status: MeterStatus::Wallet(read_back) },
        // Its state was read before the command, its counters after.
        reading(meter, now.plus(100), 20),
    ];
    record(&w, &live, events).await;
    let shown = live.get(meter).unwrap();
    assert_eq!((shown.count, shown.remaining, shown.total), (2, Fen(6_000), Energy(20)));
    assert_eq!(w.number("SELECT count FROM meter_latest").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings").await, 2);
});

both!(an_account_without_a_purchase_raises_no_arrears, |w: World| async move {
    let (meter, live, now) = (w.meter(1).await, hub(&w).await, w.clock.now());
    let arrears = "SELECT COUNT(*) FROM events WHERE kind = 'arrears'";
    let read = |minutes: i64, shown: StateBlock| {
        let at = now.plus(minutes * MINUTE);
        // Open for arrears, with both warnings.
        let meter_status = MeterStatus::Wallet(StateBlock { status: StatusWord(0b1_1110), ..shown });
        MeterEvent::Read { meter, from: at, at, source: ReadingSource::Sweep, measurement: measurement(1_000), meter_status }
    };
    record(&w, &live, vec![read(0, StateBlock { count: 0, cumulative: Fen::ZERO, ..state() })]).await;
    assert_eq!(w.number("SELECT COUNT(*) FROM events").await, 0, "it was just opened");
    record(&w, &live, vec![read(1, state())]).await;
    assert_eq!(w.number(arrears).await, 1, "what it bought is used up");
});
