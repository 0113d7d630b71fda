//! Every fault of the simulator and its effect on what the server shows, stores and does. The matches are exhaustive, so a new
//! fault does not compile without its test.

use std::iter::successors;
use std::sync::Arc;

use domain::clock::SystemClock;
use domain::framing::Framing;
use meters::gateway::GatewayHealth;
use meters::live::Live;
use model::ids::MeterId;
use model::meter::{Latest, SupplyState};
use simulator::{Defect, GatewayPlan, LineFault, OneTimeFault, OpenAccount};
use story_support::site::{SOON, Site, until};
use story_support::{World, both};

/// The effect of a permanent line fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The meter is read.
    Read,
    /// It is lost, and the other meter is not.
    Lost,
    /// It answers, and cannot be read.
    Unreadable,
    /// One or the other.
    Unread,
}

/// Each fault of the line with its outcome on that wire, and the one after it.
const fn line(fault: LineFault, wire: Wire) -> (Outcome, Option<LineFault>) {
    match fault {
        LineFault::Silent => (Outcome::Lost, Some(LineFault::Slow { ms: 60 })),
        LineFault::Slow { .. } => (Outcome::Read, Some(LineFault::LateAnswer { ms: 350 })),
        LineFault::LateAnswer { .. } => (Outcome::Lost, Some(LineFault::ShiftedAnswer)),
        LineFault::ShiftedAnswer => (Outcome::Unread, Some(LineFault::LostAnswer)),
        LineFault::LostAnswer => (Outcome::Lost, Some(LineFault::LostRequest)),
        LineFault::LostRequest => (Outcome::Lost, Some(LineFault::Garbage)),
        LineFault::Garbage => (Outcome::Unreadable, Some(LineFault::WrongUnit)),
        LineFault::WrongUnit => (Outcome::Unreadable, Some(LineFault::BadCheck)),
        LineFault::BadCheck => (Outcome::Unreadable, Some(LineFault::ShortAnswer)),
        LineFault::ShortAnswer => (Outcome::Unreadable, Some(LineFault::Busy)),
        LineFault::Busy => (Outcome::Unreadable, Some(LineFault::NoAnswer)),
        LineFault::NoAnswer => (Outcome::Lost, Some(LineFault::CutMidFrame)),
        LineFault::CutMidFrame => (Outcome::Lost, Some(LineFault::StrayBytes { before: 1, after: 1 })),
        // A few bytes of noise on a bus; where frames have their own numbers, nothing that can be read.
        LineFault::StrayBytes { .. } if matches!(wire, Wire::Tcp) => (Outcome::Unreadable, None),
        LineFault::StrayBytes { .. } => (Outcome::Read, None),
    }
}

fn line_faults(wire: Wire) -> impl Iterator<Item = (LineFault, Outcome)> {
    successors(Some(LineFault::Silent), move |fault| line(*fault, wire).1).map(move |fault| (fault, line(fault, wire).0))
}

/// The protocol of a meter's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Tcp,
    /// Modbus RTU, on the bus of a transparent gateway.
    Rtu,
    /// DL/T 645, on the same bus as a Modbus meter.
    Dlt645,
}

impl Wire {
    /// Sets the framing of the gateway and of its meter 2.
    fn put(self, gateway: &mut GatewayPlan) {
        gateway.framing = if self == Self::Tcp { Framing::ModbusTcp } else { Framing::Transparent };
        if self == Self::Dlt645 {
            gateway.meters.iter_mut().filter(|meter| meter.unit == 2).for_each(|meter| *meter = meter.clone().plain("dlt645"));
        }
    }
}

/// A gateway a fault; unit 1 is well, unit 2 will suffer. Each counter stands in its unit's own ten thousand kWh.
async fn one_gateway_a_fault(w: World, wire: Wire) -> (Site, Vec<(LineFault, Outcome)>) {
    let struck: Vec<_> = line_faults(wire).collect();
    let mut s = Site::with(w, struck.len(), 2, |sim| {
        for gateway in &mut sim.estate.gateways {
            wire.put(gateway);
            gateway.meters.iter_mut().for_each(|meter| meter.energy = 1_000_000 * u32::from(meter.unit));
        }
    })
    .await;
    s.config.sweep_interval_ms = 300;
    // Longer than the latest answer is late.
    s.config.late_ms = 200;
    s.config.dlt645.password = "02563412".into();
    (s, struck)
}

const STRAYED: &str = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id WHERE r.total_wh / 10000000 <> m.unit";

async fn hub(s: &Site) -> Live {
    Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap()
}

fn is_lost(live: &Live, meter: MeterId) -> bool {
    live.get(meter).is_none_or(|latest| latest.lost_since.is_some() || latest.observed_at.is_none())
}

/// Lost for a reason, and not because it was never read.
fn is_reported(live: &Live, meter: MeterId) -> bool {
    live.get(meter).is_some_and(|latest| latest.lost_since.is_some())
}

async fn each_line_fault_has_its_outcome(w: World, wire: Wire) {
    let (s, struck) = one_gateway_a_fault(w, wire).await;
    for (gateway, (fault, _)) in struck.iter().enumerate() {
        s.meter(gateway, 2).fault(*fault, 1.0).unwrap();
    }
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    for (pair, (fault, outcome)) in s.meters.chunks(2).zip(&struck) {
        let as_it_should = || async {
            let state = live.get(pair[1]).map(|latest| latest.state());
            match outcome {
                Outcome::Read => !is_lost(&live, pair[1]),
                Outcome::Lost => state == Some(SupplyState::Lost) && is_reported(&live, pair[1]),
                Outcome::Unreadable => state == Some(SupplyState::Unreadable),
                Outcome::Unread => is_lost(&live, pair[1]),
            }
        };
        until(SOON, &format!("{fault:?} to end in {outcome:?}"), as_it_should).await;
        until(SOON, &format!("the neighbour of {fault:?}"), || async { !is_lost(&live, pair[0]) }).await;
    }
    until(SOON, "the noise", || async {
        engine.gateways().iter().any(|gateway| gateway.noise.is_some_and(|(times, _)| times > 3)) == (wire != Wire::Tcp)
    })
    .await;
    until(SOON, "the counts", || async {
        engine.gateways().iter().all(|gateway| {
            let (fault, outcome) = struck[gateway.name[1..].parse::<usize>().unwrap()];
            // What gives one meter's answer to the other's request may lose both.
            let up = gateway.health == GatewayHealth::Up || fault == LineFault::ShiftedAnswer;
            up && (gateway.lost > 0) == (outcome != Outcome::Read)
        })
    })
    .await;
    s.sim.meters().iter().for_each(|meter| meter.heal().unwrap());
    until(SOON, "all to be found", || async { s.meters.iter().all(|meter| !is_lost(&live, *meter)) }).await;
    engine.stop().await;
    assert_eq!(s.w.number(STRAYED).await, 0, "no answer was taken for another meter's");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings WHERE quality > 0").await, 0);
}

both!(each_line_fault_on_modbus_tcp_has_its_expected_outcome, |w: World| each_line_fault_has_its_outcome(w, Wire::Tcp));
both!(each_line_fault_on_rtu_has_its_expected_outcome, |w: World| each_line_fault_has_its_outcome(w, Wire::Rtu));
both!(each_line_fault_on_dlt645_has_its_expected_outcome, |w: World| each_line_fault_has_its_outcome(w, Wire::Dlt645));

async fn a_purchase_is_applied_once(w: World, wire: Wire) {
    let (s, struck) = one_gateway_a_fault(w, wire).await;
    for (gateway, (fault, _)) in struck.iter().enumerate() {
        s.meter(gateway, 2).fault(*fault, 0.7).unwrap();
        s.sell(gateway * 2 + 1, 1_000 + gateway as i64).await;
        s.sell(gateway * 2, 500).await;
    }
    let engine = s.start().await;
    let delivered = "SELECT COUNT(*) FROM commands c JOIN meters m ON m.id = c.meter_id WHERE m.unit = 1 AND c.state = 'done'";
    until(SOON, "the neighbours' purchases", || async { s.w.number(delivered).await == struck.len() as i64 }).await;
    s.sim.meters().iter().for_each(|meter| meter.heal().unwrap());
    s.settled(SOON).await;
    engine.stop().await;
    for (gateway, (fault, _)) in struck.iter().enumerate() {
        let view = s.view(gateway, 2);
        assert_eq!((view.count, view.cumulative), (1, 1_000 + gateway as i32), "{fault:?}");
    }
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
    s.prove().await;
}

both!(each_line_fault_on_modbus_tcp_applies_a_purchase_once, |w: World| a_purchase_is_applied_once(w, Wire::Tcp));
both!(each_line_fault_on_rtu_applies_a_purchase_once, |w: World| a_purchase_is_applied_once(w, Wire::Rtu));

both!(each_line_fault_on_dlt645_completes_a_relay_command, |w: World| async move {
    let (s, struck) = one_gateway_a_fault(w, Wire::Dlt645).await;
    let mut commands = Vec::new();
    for (gateway, (fault, _)) in struck.iter().enumerate() {
        // A reading takes a dozen requests, each of which may be struck.
        s.meter(gateway, 2).fault(*fault, 0.1).unwrap();
        commands.push(s.command(s.meters[gateway * 2 + 1], domain::command_args::CommandArgs::Relay { closed: false }).await);
    }
    let engine = s.start().await;
    s.settled(SOON).await;
    engine.stop().await;
    for (gateway, (command, (fault, _))) in commands.iter().zip(&struck).enumerate() {
        let ended = s.refreshed(command).await;
        assert_eq!((ended.state.as_str(), s.view(gateway, 2).relay_closed), ("done", false), "{fault:?}: {:?}", ended.reason);
        assert!(s.view(gateway, 1).count == 0, "{fault:?}: and nothing else was done");
    }
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});

/// Each defect, what shows it, and the one after it.
fn defect(defect: Defect) -> (fn(&Latest) -> bool, Option<Defect>) {
    match defect {
        // Told to open, and power flows; told to close, and none does.
        Defect::RelayWelded => (|seen| seen.status.relay_fault() && seen.status.relay_closed(), Some(Defect::RelayStuck)),
        Defect::RelayStuck => (|seen| seen.status.relay_fault() && !seen.status.relay_closed(), Some(Defect::CoverOpen)),
        Defect::CoverOpen => (|seen| seen.status.cover_open(), Some(Defect::ReverseEnergy)),
        Defect::ReverseEnergy => (|seen| seen.status.reverse_energy() && seen.reverse.0 > 0, Some(Defect::OddItems)),
        // Only a DL/T 645 meter has such items; the stories `dlt645` have one.
        Defect::OddItems => (|seen| seen.observed_at.is_some(), None),
        // It shows when an account is opened or closed; the stories `meter_approvals` do that.
        Defect::KeepsControl => (|seen| seen.observed_at.is_some(), None),
    }
}

both!(each_defect_is_shown_while_it_lasts, |w: World| async move {
    let defects: Vec<Defect> = successors(Some(Defect::RelayWelded), |one| defect(*one).1).collect();
    let s = Site::with(w, 1, defects.len() as u8, |sim| {
        // Time enough for reverse energy to count, and a relay that is open where it shall be welded.
        sim.speed = 600.0;
        for ((_, meter), defect) in sim.estate.meters_mut().zip(&defects) {
            let open = *defect == Defect::RelayWelded;
            meter.account = (!open).then_some(()).and(meter.account).map(|account| OpenAccount { remaining: 50_000, ..account });
        }
    })
    .await;
    for (unit, defect) in (1..).zip(&defects) {
        s.meter(0, unit).draw(Some(2_000)).await.unwrap();
        s.meter(0, unit).defect(*defect, true).await.unwrap();
    }
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    for (meter, one) in s.meters.iter().zip(&defects) {
        let shown = || async { live.get(*meter).is_some_and(|seen| defect(*one).0(&seen)) };
        until(SOON, &format!("{one:?} to be shown"), shown).await;
    }
    for (unit, defect) in (1..).zip(&defects) {
        s.meter(0, unit).defect(*defect, false).await.unwrap();
    }
    let sound = |seen: &Latest| !seen.status.relay_fault() && !seen.status.cover_open();
    until(SOON, "all to be sound", || async { s.meters.iter().all(|meter| live.get(*meter).is_some_and(|seen| sound(&seen))) })
        .await;
    engine.stop().await;
});

/// The effect of an incident.
enum Trace {
    /// Its readings are stored with this quality and not billed, and a case is open.
    Held(&'static str),
    /// The newest reading shows it.
    Shown(fn(&Latest) -> bool),
    /// The meter is read as before.
    Unseen,
}

/// The trace of a one-time fault, and the fault to test next.
fn expected_trace(fault: OneTimeFault) -> (Trace, Option<OneTimeFault>) {
    match fault {
        OneTimeFault::CounterZeroed => (Trace::Held("reset"), Some(OneTimeFault::CounterJump { kwh: 400 })),
        OneTimeFault::CounterJump { .. } => (Trace::Held("jumped"), Some(OneTimeFault::CounterNearEnd)),
        OneTimeFault::CounterNearEnd => (Trace::Held("jumped"), Some(OneTimeFault::ClockOff { seconds: 3_600 })),
        OneTimeFault::ClockOff { .. } => (
            Trace::Shown(|seen| seen.clock_offset_s.is_some_and(|off| (3_590..3_610).contains(&off))),
            Some(OneTimeFault::ClockLost),
        ),
        OneTimeFault::ClockLost => (
            Trace::Shown(|seen| seen.status.clock_lost() && seen.clock_offset_s < Some(-800_000_000)),
            Some(OneTimeFault::MalignantLoad),
        ),
        OneTimeFault::MalignantLoad => {
            (Trace::Shown(|seen| seen.status.tripped_malignant() && !seen.status.relay_closed()), Some(OneTimeFault::PowerCut))
        }
        OneTimeFault::PowerCut => (Trace::Unseen, Some(OneTimeFault::WornMemory { writes: 1 })),
        OneTimeFault::WornMemory { .. } => (Trace::Unseen, None),
        // What another system does to a meter is tested in `changed_meters`.
        OneTimeFault::AccountClosed
        | OneTimeFault::AccountOpened { .. }
        | OneTimeFault::Credited { .. }
        | OneTimeFault::ModeSet { .. }
        | OneTimeFault::SwitchSet { .. } => (Trace::Unseen, None),
    }
}

both!(each_incident_is_recorded, |w: World| async move {
    let faults: Vec<OneTimeFault> = successors(Some(OneTimeFault::CounterZeroed), |one| expected_trace(*one).1).collect();
    let s = Site::with(w, 1, faults.len() as u8, |sim| {
        sim.estate.meters_mut().for_each(|(_, meter)| meter.energy = 500_000);
    })
    .await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { s.meters.iter().all(|meter| !is_lost(&live, *meter)) }).await;
    for (unit, one) in (1..).zip(&faults) {
        s.meter(0, unit).inject(*one).await.unwrap();
    }
    let (mut held, mut n) = (0, 0);
    for (meter, one) in s.meters.iter().zip(&faults) {
        n += 1;
        match expected_trace(*one).0 {
            Trace::Shown(shows) => {
                let shown = || async { live.get(*meter).is_some_and(|seen| shows(&seen)) };
                until(SOON, &format!("{one:?} to be shown"), shown).await;
            }
            Trace::Unseen => assert!(!is_lost(&live, *meter)),
            Trace::Held(_) => {
                held += 1;
                let asked = || async { s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'reading'").await >= held };
                until(SOON, &format!("a case of {one:?}"), asked).await;
                assert_eq!(live.get(*meter).unwrap().total.0, 5_000_000, "meter {n}: people see the last that counted");
            }
        }
    }
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, held);
    let words = faults.iter().filter_map(|one| if let Trace::Held(word) = expected_trace(*one).0 { Some(word) } else { None });
    for word in words {
        let sql: &'static str = match word {
            "reset" => "SELECT COUNT(*) FROM cases WHERE detail LIKE '%reset%'",
            _ => "SELECT COUNT(*) FROM cases WHERE detail LIKE '%jumped%'",
        };
        assert!(s.w.number(sql).await > 0, "{word}");
    }
});

both!(a_counter_rollover_is_counted_through, |w: World| async move {
    let s = Site::with(w, 1, 1, |sim| {
        for (_, meter) in sim.estate.meters_mut() {
            *meter = meter.clone().in_use(50_000);
            meter.energy = 99_999_990;
        }
        sim.speed = 120.0;
    })
    .await;
    s.meter(0, 1).draw(Some(3_000)).await.unwrap();
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    let total = || live.get(s.meters[0]).filter(|seen| seen.observed_at.is_some()).map(|seen| seen.total.0);
    until(SOON, "a reading before the end", || async { total().is_some_and(|total| total > 999_000_000) }).await;
    until(SOON, "a reading after it", || async { total().is_some_and(|total| total < 1_000_000) }).await;
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM readings WHERE quality = 1").await, 1);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases WHERE kind = 'reading'").await, 0);
});

both!(a_refusing_gateway_is_lost_with_its_meters_and_recovers, |w: World| async move {
    let s = Site::new(w, 1, 3).await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { s.meters.iter().all(|meter| !is_lost(&live, *meter)) }).await;
    s.sim.gateway(0).unwrap().refuse(true);
    until(SOON, "the loss", || async { engine.gateways()[0].health == GatewayHealth::Unreachable }).await;
    until(SOON, "its meters", || async { s.meters.iter().all(|meter| is_lost(&live, *meter)) }).await;
    s.sim.gateway(0).unwrap().heal();
    until(SOON, "all back", || async { s.meters.iter().all(|meter| !is_lost(&live, *meter)) }).await;
    engine.stop().await;
});

both!(two_swapped_meters_are_a_case_and_bill_nobody_else, |w: World| async move {
    let s = Site::with(w, 1, 3, |sim| {
        sim.estate.meters_mut().for_each(|(_, meter)| meter.energy = 1_000_000 * u32::from(meter.unit));
    })
    .await;
    let live = hub(&s).await;
    let engine = s.start_with(live.clone()).await;
    until(SOON, "all meters", || async { s.meters.iter().all(|meter| !is_lost(&live, *meter)) }).await;
    s.sim.gateway(0).unwrap().swap([1, 2]);
    let identity = "SELECT COUNT(*) FROM cases WHERE kind = 'identity'";
    until(SOON, "both cases", || async { s.w.number(identity).await == 2 }).await;
    until(SOON, "the third alone", || async { is_lost(&live, s.meters[0]) && is_lost(&live, s.meters[1]) }).await;
    assert!(!is_lost(&live, s.meters[2]));
    s.sim.gateway(0).unwrap().heal();
    let mended = "SELECT COUNT(*) FROM cases WHERE kind = 'identity' AND closed_at IS NOT NULL AND resolution = 'mended'";
    until(SOON, "both cases to close", || async { s.w.number(mended).await == 2 }).await;
    engine.stop().await;
    assert_eq!(s.w.number(STRAYED).await, 0);
});
