//! DL/T 645 meters through the engine: relay and clock commands from the outbox, over a transparent gateway of the simulator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ::meters::live::Live;
use domain::clock::{Clock, SystemClock, TestClock};
use domain::command_args::CommandArgs;
use domain::framing::Framing;
use model::command::CommandReason;
use model::ids::MeterId;
use model::meter::SupplyState;
use model::time::{Date, HOUR, MINUTE, SECOND};
use server::tasks::Task;
use server::tasks::clock::SetClocks;
use services::Context;
use simulator::{Defect, LineFault, Load, OneTimeFault};
use store::commands::Command;
use store::{meters, wallets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use story_support::site::{SOON, Site, until};
use story_support::{World, both};

/// The password of the simulated meters.
const PASSWORD: &str = "02563412";

/// One bus with so many DL/T 645 meters, each drawing 1 kW.
async fn bus(w: World, meters: u8) -> Site {
    bus_at(w, meters, None).await
}

/// The same with this clock.
async fn bus_at(w: World, meters: u8, clock: Option<Arc<TestClock>>) -> Site {
    let mut s = Site::with(w, 1, meters, |sim| {
        if let Some(clock) = clock {
            sim.clock = clock;
        }
        sim.load = Load::Constant { watts: 1_000 };
        for gateway in &mut sim.estate.gateways {
            gateway.framing = Framing::Transparent;
            gateway.meters.iter_mut().for_each(|meter| *meter = meter.clone().plain("dlt645"));
        }
    })
    .await;
    s.config.dlt645.password = PASSWORD.into();
    s.config.late_ms = 100;
    s.config.sweep_interval_ms = 500;
    s
}

async fn ended(s: &Site, meter: MeterId, closed: bool) -> Command {
    let command = s.command(meter, CommandArgs::Relay { closed }).await;
    s.settled(SOON).await;
    s.refreshed(&command).await
}

fn result(command: &Command) -> (&'static str, Option<&'static str>, i64) {
    (command.state.as_str(), command.reason.map(CommandReason::as_str), command.attempts)
}

const CASES: &str = "SELECT COUNT(*) FROM cases WHERE kind = 'password' AND closed_at IS NULL";

both!(a_relay_command_is_done_when_the_relay_is_observed, |w: World| async move {
    let s = bus(w, 2).await;
    let engine = s.start().await;
    for closed in [false, true] {
        assert_eq!(result(&ended(&s, s.meters[0], closed).await), ("done", None, 1));
        assert_eq!((s.view(0, 1).relay_closed, s.view(0, 2).relay_closed), (closed, true), "and no other");
        assert_eq!(result(&ended(&s, s.meters[0], closed).await), ("done", None, 0), "it stands so already: nothing is sent");
    }
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});

both!(an_odd_item_is_unknown_and_named_and_the_rest_counts, |w: World| async move {
    let s = bus(w, 2).await;
    s.meter(0, 1).defect(Defect::OddItems, true).await.unwrap();
    let live = Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap();
    let engine = s.start_with(live.clone()).await;
    let open = "SELECT COUNT(*) FROM events WHERE kind = 'item-unreadable' AND until_at IS NULL";
    until(SOON, "the event", || async { s.w.number(open).await == 1 }).await;
    let items = s.w.word("SELECT detail FROM events WHERE kind = 'item-unreadable'").await;
    for named in ["0001FF00 Flat", "0001FF00 Valley", "02010100 Voltage"] {
        assert!(items.contains(named), "{items}");
    }
    let read = "SELECT COUNT(*) FROM readings r JOIN meters m ON m.id = r.meter_id
                WHERE m.unit = 1 AND r.total_wh > 0 AND r.power_w > 0 AND r.voltage_dv IS NULL AND r.flat_wh IS NULL";
    until(SOON, "readings", || async { s.w.number(read).await >= 3 }).await;
    let seen = live.get(s.meters[0]).unwrap();
    assert!(seen.lost_since.is_none() && seen.status.relay_closed() && seen.voltage_dv.is_none() && seen.current_ca.is_some());
    // A command works on it as on any other.
    assert_eq!(result(&ended(&s, s.meters[0], false).await), ("done", None, 1));
    s.meter(0, 1).defect(Defect::OddItems, false).await.unwrap();
    until(SOON, "the end of the event", || async { s.w.number(open).await == 0 }).await;
    engine.stop().await;
    let none = "SELECT COUNT(*) FROM events WHERE kind IN ('meter-lost', 'meter-unreadable', 'gateway-lost')";
    assert_eq!((s.w.number(none).await, s.w.number("SELECT COUNT(*) FROM cases").await), (0, 0));
});

both!(a_meter_that_turns_silent_or_unreadable_changes_its_state, |w: World| async move {
    let s = bus(w, 2).await;
    let live = Live::load(&s.w.db, Arc::new(SystemClock)).await.unwrap();
    let engine = s.start_with(live.clone()).await;
    let state = || live.get(s.meters[0]).map(|latest| latest.state());
    let open = "SELECT COUNT(*) FROM events WHERE until_at IS NULL AND kind IN ('meter-lost', 'meter-unreadable')";
    until(SOON, "both", || async { s.meters.iter().all(|id| live.get(*id).is_some_and(|seen| seen.observed_at.is_some())) })
        .await;
    for (fault, expected) in [
        (LineFault::BadCheck, SupplyState::Unreadable),
        (LineFault::Silent, SupplyState::Lost),
        (LineFault::Garbage, SupplyState::Unreadable),
    ] {
        s.meter(0, 1).heal().unwrap();
        s.meter(0, 1).fault(fault, 1.0).unwrap();
        until(SOON, &format!("{fault:?} to be {expected:?}"), || async { state() == Some(expected) }).await;
        until(SOON, "its event alone", || async { s.w.number(open).await == 1 }).await;
    }
    s.meter(0, 1).heal().unwrap();
    until(SOON, "the meter", || async { s.w.number(open).await == 0 && state() != Some(SupplyState::Unreadable) }).await;
    engine.stop().await;
});

both!(a_refused_password_is_reported_once_and_not_retried, |w: World| async move {
    let mut s = bus(w, 1).await;
    // The relay differs from what the wallet asks for, so the relay controller opens it.
    s.w.execute("INSERT INTO wallets (meter_id, changed_at) SELECT id, 0 FROM meters").await;
    let commands = "SELECT COUNT(*) FROM commands WHERE state = 'failed' AND reason = 'password' AND attempts = 1";
    for (n, password) in [(1, "02000000"), (2, "")] {
        s.config.dlt645.password = password.into();
        let engine = s.start().await;
        until(SOON, "the refusal", || async { s.w.number(commands).await == n }).await;
        engine.stop().await;
        assert!(s.view(0, 1).relay_closed);
        assert_eq!(s.w.number(CASES).await, 1, "with a next step");
        let reconcile = || wallets::reconcile(&s.w.db, &s.w.rng, SystemClock.now(), None);
        s.w.execute("UPDATE commands SET finished_at = 0").await;
        assert_eq!(reconcile().await.unwrap(), 0, "meters lock after a few wrong ones");
        s.w.execute("UPDATE cases SET closed_at = opened_at, resolution = 'corrected'").await;
        assert_eq!(reconcile().await.unwrap(), 1, "a person said that it was mended");
        s.w.execute("DELETE FROM commands WHERE state = 'queued'").await;
    }
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'command.not-permitted'").await, 2);
});

/// A proxy before the gateway that sees relay commands and loses the next request or answer.
#[derive(Default)]
struct Proxy {
    switches: AtomicUsize,
    lose_request: AtomicBool,
    lose_answer: AtomicBool,
}

/// The control codes of a relay command and of its answer.
const SWITCH: u8 = 0x1c;
const SWITCHED: u8 = 0x9c;

fn is(frame: &[u8], control: u8) -> bool {
    frame.windows(9).any(|bytes| bytes[0] == 0x68 && bytes[7] == 0x68 && bytes[8] == control)
}

impl Proxy {
    /// Starts between the server and the site's only gateway.
    async fn start(s: &Site) -> Arc<Self> {
        let proxy = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, gateway) = (listener.local_addr().unwrap().port(), s.sim.addresses()[0]);
        let row = meters::gateways(&s.w.db).await.unwrap()[0].id;
        story_support::bind(&s.w.db, "UPDATE gateways SET port = $2 WHERE id = $1", row.0, &[port.into()]).await;
        let same = Arc::clone(&proxy);
        tokio::spawn(async move {
            while let Ok((ours, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&same).pass(ours, gateway));
            }
        });
        proxy
    }

    async fn pass(self: Arc<Self>, mut server: TcpStream, gateway: SocketAddr) -> std::io::Result<()> {
        let mut gateway = TcpStream::connect(gateway).await?;
        let (mut asked, mut said) = ([0; 512], [0; 512]);
        loop {
            tokio::select! {
                read = server.read(&mut asked) => {
                    let frame = match read? { 0 => return Ok(()), count => &asked[..count] };
                    if is(frame, SWITCH) {
                        self.switches.fetch_add(1, Ordering::SeqCst);
                        if self.lose_request.swap(false, Ordering::SeqCst) {
                            continue;
                        }
                    }
                    gateway.write_all(frame).await?;
                }
                read = gateway.read(&mut said) => {
                    let frame = match read? { 0 => return Ok(()), count => &said[..count] };
                    if is(frame, SWITCHED) && self.lose_answer.swap(false, Ordering::SeqCst) {
                        continue;
                    }
                    server.write_all(frame).await?;
                }
            }
        }
    }
}

both!(a_lost_answer_is_read_back_and_a_lost_request_resent, |w: World| async move {
    let s = bus(w, 1).await;
    let proxy = Proxy::start(&s).await;
    let engine = s.start().await;
    let switches = || proxy.switches.load(Ordering::SeqCst);
    proxy.lose_answer.store(true, Ordering::SeqCst);
    assert_eq!(result(&ended(&s, s.meters[0], false).await), ("done", None, 1));
    assert_eq!((switches(), s.view(0, 1).relay_closed), (1, false), "it obeyed, so it was not told again");
    proxy.lose_request.store(true, Ordering::SeqCst);
    let command = ended(&s, s.meters[0], true).await;
    assert_eq!((command.state.as_str(), command.attempts, switches()), ("done", 2, 3), "it still stood the other way");
    assert!(s.view(0, 1).relay_closed);
    engine.stop().await;
    assert_eq!(s.w.number("SELECT COUNT(*) FROM cases").await, 0);
});

both!(a_clock_is_set_by_broadcast_or_alone_and_not_near_midnight, |w: World| async move {
    let noon = Date::from_ymd(2026, 11, 24).unwrap().start().plus(12 * HOUR);
    let clock = TestClock::new(noon);
    let s = bus_at(w, 4, Some(clock.clone())).await;
    let live = Live::load(&s.w.db, clock.clone()).await.unwrap();
    let engine = Arc::new(s.start_at(clock.clone(), live.clone()).await);
    let off = |meter: usize| live.get(s.meters[meter]).and_then(|latest| latest.clock_offset_s);
    let truth = |unit: u8| s.view(0, unit).clock.since(clock.now()) / SECOND;
    // A minute, two, and ten; the last is right.
    for (unit, seconds) in [(1, 60), (2, -120), (3, 600)] {
        s.meter(0, unit).inject(OneTimeFault::ClockOff { seconds }).await.unwrap();
    }
    until(SOON, "the clocks to be seen", || async { (0..4).all(|n| off(n) == [Some(60), Some(-120), Some(600), Some(0)][n]) })
        .await;
    let task = SetClocks(Context {
        db: s.w.db.clone(),
        clock: clock.clone(),
        rng: s.w.rng.clone(),
        live: live.clone(),
        gateway: engine.clone(),
    });
    // The hour, and half past it, where a rate may begin.
    for minutes in [0, 3, 25] {
        clock.advance(minutes * MINUTE);
        assert_eq!(task.run().await.unwrap().summary, "3 off, 0 set, 0 at fault", "{minutes} later");
    }
    clock.advance(14 * MINUTE);
    assert_eq!(task.run().await.unwrap().summary, "3 off, 3 set, 0 at fault");
    s.settled(SOON).await;
    engine.stop().await;
    assert_eq!([1, 2, 3, 4].map(truth), [0; 4]);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE kind = 'clock' AND state = 'done'").await, 3);
    assert_eq!(s.w.number("SELECT COUNT(*) FROM commands WHERE attempts > 1").await, 0, "each by the first way");
    assert_eq!(s.w.number("SELECT COUNT(*) FROM audit WHERE action = 'meter.clock'").await, 3);
});
