//! Midnight freezes and journals of meters are fetched, stored once, and used only where they are plausible.

use crate::readings::{hub, measurement, record, state};
use domain::classify::Counter;
use domain::clock::Clock;
use domain::meter_records::JournalKind;
use domain::meter_records::{Frozen, JournalRecord};
use domain::meter_state::{Measurement, MeterStatus};
use metering::{journals, midnights};
use meters::live::Live;
use meters::recorder::MeterEvent;
use model::energy::Energy;
use model::ids::MeterId;
use model::money::Fen;
use model::reading::ReadingSource;
use model::time::{DAY, Date, HOUR, MINUTE, Timestamp};
use simulator::{Defect, OneTimeFault};
use store::energy;
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

fn reading(meter: MeterId, at: Timestamp, wh: i64, peak: i64) -> MeterEvent {
    let rates = Some([0, peak, wh - peak, 0].map(Energy));
    let measurement = Measurement { rates, ..measurement(wh) };
    MeterEvent::Read {
        meter,
        from: at,
        at,
        source: ReadingSource::Sweep,
        measurement,
        meter_status: MeterStatus::Wallet(state()),
    }
}

fn frozen(day: Date, wh: i64) -> Frozen {
    Frozen { day, total: Energy(wh), remaining: None }
}

/// Wh of each day, with what is of peak, and whether it is estimated and revised.
async fn days(w: &World, meter: MeterId, from: Date, today: Date) -> Vec<(i64, i64, bool, bool)> {
    let days = energy::days(&w.db, meter, from, today).await.unwrap();
    let of = |day: &energy::DayEnergy| (day.energy.0, day.parts.rates[1].0, day.mark.estimated, day.mark.revised);
    days.iter().map(of).collect()
}

both!(midnight_freezes_split_an_outage_into_days, |w: World| async move {
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let first = w.clock.now().date();
    let (from, to) = (first.start().plus(12 * HOUR), first.plus(2).start().plus(12 * HOUR));
    w.clock.advance(to.since(w.clock.now()));
    record(&w, &live, vec![reading(meter, from, 10_000, 4_000), reading(meter, to, 58_000, 16_000)]).await;
    let evenly = [(12_000, 3_000, true, true), (24_000, 6_000, true, true), (12_000, 3_000, true, false)];
    assert_eq!(days(&w, meter, first, first.plus(2)).await, evenly);
    let kept = [frozen(first.plus(2), 54_000), frozen(first.plus(1), 14_000), frozen(first.plus(-1), 1)];
    let at = to.plus(MINUTE);
    assert_eq!(midnights::fill(&w.db, at, meter, &Counter::default(), &kept).await.unwrap(), 2);
    let exact = [(4_000, 1_000, true, true), (40_000, 10_000, false, true), (4_000, 1_000, false, false)];
    assert_eq!(days(&w, meter, first, first.plus(2)).await, exact);
    assert_eq!(midnights::fill(&w.db, at, meter, &Counter::default(), &kept).await.unwrap(), 0, "known already");
    assert_eq!(days(&w, meter, first, first.plus(2)).await, exact);
    for day in 0..3 {
        let hours = energy::hourly(&w.db, meter, first.plus(day)).await.unwrap();
        assert_eq!(hours.iter().map(|hour| hour.1.0).sum::<i64>(), exact[day as usize].0, "a day is what its hours are");
    }
    // Counting goes on from the newest reading, not from a midnight.
    record(&w, &live, vec![reading(meter, to.plus(HOUR), 58_500, 16_000)]).await;
    assert_eq!(days(&w, meter, first.plus(2), first.plus(2)).await, [(4_500, 1_000, false, false)]);
});

both!(an_implausible_midnight_freeze_is_kept_and_splits_nothing, |w: World| async move {
    let (meter, live) = (w.meter(1).await, hub(&w).await);
    let first = w.clock.now().date();
    let (from, to) = (first.start().plus(23 * HOUR), first.plus(1).start().plus(HOUR));
    record(&w, &live, vec![reading(meter, from, 10_000, 0), reading(meter, to, 11_000, 0)]).await;
    let missing = midnights::missing(&w.db, first.plus(1).start(), 10).await.unwrap();
    assert_eq!(missing, [meter]);
    assert_eq!(midnights::fill(&w.db, to, meter, &Counter::default(), &[frozen(first.plus(1), 90_000)]).await.unwrap(), 1);
    assert_eq!(days(&w, meter, first, first.plus(1)).await, [(500, 0, true, false), (500, 0, true, false)]);
    assert_eq!(w.number("SELECT COUNT(*) FROM readings WHERE source = 3 AND quality = 3").await, 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!(midnights::missing(&w.db, first.plus(1).start(), 10).await.unwrap(), []);
});

fn credit(sequence: u16, at: Timestamp, count: u16, fen: i64) -> JournalRecord {
    let (amount, count) = (Fen(fen), Some(count));
    JournalRecord { sequence: Some(sequence), at: Some(at), what: JournalKind::Credit, cause: 0, amount, count, remaining: None }
}

both!(a_journal_credit_without_a_command_opens_a_case, |w: World| async move {
    let room = w.room(1).await;
    let now = w.clock.now();
    let older = credit(1, now.plus(-DAY), 7, 100);
    assert_eq!(journals::store(&w.db, &w.rng, now, room.meter, Some(1), &[older]).await.unwrap(), 1);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases").await, 0, "before the account was ours");
    let foreign = credit(2, now.plus(HOUR), 1, 9_900);
    for _ in 0..2 {
        journals::store(&w.db, &w.rng, now.plus(2 * HOUR), room.meter, Some(2), &[foreign, older]).await.unwrap();
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM meter_journal").await, 2);
    assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'journal'").await, 1);
    assert!(w.word("SELECT detail FROM cases").await.contains("9900"));
    let newest = journals::recent(&w.db, room.meter, 5).await.unwrap();
    assert_eq!(newest.iter().map(|record| record.amount_fen).collect::<Vec<_>>(), [Fen(9_900), Fen(100)]);
});

both!(the_newest_credit_without_a_command_is_the_case, |w: World| async move {
    let room = w.room(1).await;
    let now = w.clock.now();
    let [first, second, third] = [1, 2, 3].map(|n| credit(n, now.plus(i64::from(n) * HOUR), n, 100 * i64::from(n)));
    let debit = JournalRecord { what: JournalKind::Debit, ..second };
    let found = async |newest: u16, records: &[JournalRecord]| {
        journals::store(&w.db, &w.rng, now.plus(DAY), room.meter, Some(newest), records).await.unwrap();
        assert_eq!(w.number("SELECT COUNT(*) FROM cases WHERE kind = 'journal'").await, 1);
        w.word("SELECT detail FROM cases").await
    };
    // One journal after the other, each with its newest record first.
    assert!(found(2, &[second, first]).await.contains("\"amount_fen\":200"), "the newest of a journal");
    assert!(found(3, &[third, debit]).await.contains("\"amount_fen\":300"), "the newest of two journals");
    let late = JournalRecord { sequence: Some(9), ..first };
    assert!(found(9, &[late]).await.contains("\"amount_fen\":300"), "an older one that is read later changes nothing");
    assert_eq!(w.number("SELECT COUNT(*) FROM audit WHERE action = 'case.follow'").await, 1);
});

both!(a_journal_is_read_when_it_grew_and_matches_the_ledger, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    let engine = s.start().await;
    s.sell(0, 5_000).await;
    s.settled(SOON).await;
    let kept = "SELECT COUNT(*) FROM meter_journal WHERE kind = 'credit' AND amount_fen = 5000";
    until(SOON, "the record of the credit", || async { s.w.number(kept).await == 1 }).await;
    let read = "SELECT COUNT(*) FROM meters m JOIN meter_latest l ON l.meter_id = m.id
                WHERE l.journal <> 0 AND l.journal <> COALESCE(m.journal_read, 0)";
    until(SOON, "all journals", || async { s.w.number(read).await == 0 }).await;
    engine.stop().await;
    assert_eq!(s.w.number(kept).await, 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});

both!(an_unnumbered_journal_is_stored_once_when_read_again, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| {
        let meter = &mut sim.estate.gateways[0].meters[0];
        *meter = meter.clone().plain("eastron-sdm320y");
    })
    .await;
    s.meter(0, 1).inject(OneTimeFault::MalignantLoad).await.unwrap();
    let records = || async { s.w.number("SELECT COUNT(*) FROM meter_journal WHERE sequence = 0").await };
    // A process that starts reads it, for nothing says whether it has moved.
    for kept in 1..=2 {
        let engine = s.start().await;
        until(SOON, "the records", || async { records().await == kept }).await;
        engine.stop().await;
        s.meter(0, 1).defect(Defect::RelayWelded, true).await.unwrap();
    }
    let mut newest = journals::recent(&s.w.db, s.meters[0], 5).await.unwrap();
    newest.sort_by(|a, b| a.kind.as_str().cmp(b.kind.as_str()));
    assert!(newest.iter().all(|record| record.at > Timestamp(0)), "{newest:?}");
    // The same ones once more, as after an hour: nothing is new, and nothing of them is about our money.
    let again = newest.iter().zip([JournalKind::RelayClosed, JournalKind::RelayOpened]).map(|(record, what)| {
        assert_eq!(record.kind, what);
        let at = Some(record.at);
        JournalRecord { sequence: None, at, what, cause: 0, amount: Fen::ZERO, count: None, remaining: None }
    });
    let again: Vec<_> = again.collect();
    assert_eq!(journals::store(&s.w.db, &s.w.rng, s.w.clock.now(), s.meters[0], None, &again).await.unwrap(), 0);
    assert_eq!((records().await, s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'journal'").await), (2, 0));
});

both!(midnight_freezes_are_read_after_an_outage, |w: World| async move {
    let s = Site::new(w, 1, 2).await;
    let clock = s.sim.clock();
    let start = async || s.start_at(clock.clone(), Live::load(&s.w.db, clock.clone()).await.unwrap()).await;
    let engine = start().await;
    for room in 0..2 {
        s.sell(room, 50_000).await;
    }
    s.settled(SOON).await;
    for unit in 1..=2 {
        s.meter(0, unit).draw(Some(1_000)).await.unwrap();
    }
    until(SOON, "readings", || async { s.w.number("SELECT COUNT(*) FROM readings").await >= 6 }).await;
    engine.stop().await;
    // Away for two days and a bit, so that no midnight is too close to now.
    s.sim.advance(2 * DAY).await.unwrap();
    let early = clock.now().since(clock.now().date().start()) < HOUR;
    s.sim.advance(if early { HOUR } else { 0 }).await.unwrap();
    let engine = start().await;
    let exact = "SELECT COUNT(*) FROM readings WHERE source = 3 AND quality = 0";
    until(SOON, "two midnights of two meters", || async { s.w.number(exact).await >= 4 }).await;
    engine.stop().await;
    let yesterday = clock.now().date().plus(-1);
    for room in &s.rooms {
        let day = energy::days(&s.w.db, room.meter, yesterday, yesterday.plus(1)).await.unwrap()[0];
        assert_eq!((day.day, day.energy, day.mark.estimated), (yesterday, Energy(24_000), false));
    }
    assert_eq!(s.w.word("SELECT COALESCE(MAX(kind), 'none') FROM cases").await, "none");
});
