//! A modem that fails in every way, over a pseudo-terminal.

use std::time::Duration;

use domain::clock::TestClock;
use model::modem::{ModemPhase, ModemState, SimState};
use model::time::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::pdu::DeliveryStatus;
use crate::simulated::{ModemFault, SimulatedModem};
use crate::{Config, Event, Modem, Outgoing, SendError, SendFailure};

const PHONE: &str = "13800138000";

struct Bench {
    line: SimulatedModem,
    modem: Modem,
    events: mpsc::Receiver<Event>,
    stop: CancellationToken,
}

impl Bench {
    fn new(fault: ModemFault, pin: &str) -> Self {
        let clock = TestClock::new(Timestamp(1_796_000_000_000));
        let line = SimulatedModem::start(clock.clone()).unwrap();
        line.set_fault(fault);
        let modem = Modem::new(Config {
            pin: pin.into(),
            answer: Duration::from_millis(1_000),
            network: Duration::from_millis(1_500),
            pause: Duration::from_millis(100),
            ..Config::new(line.path().to_owned())
        });
        let ((sender, events), stop) = (mpsc::channel(64), CancellationToken::new());
        let (running, until) = (modem.clone(), stop.clone());
        tokio::spawn(async move { running.run(clock, sender, until).await });
        Self { line, modem, events, stop }
    }

    async fn ready(fault: ModemFault) -> Self {
        let bench = Self::new(ModemFault::None, "");
        bench.until(|state| state.phase == ModemPhase::Ready).await;
        bench.line.set_fault(fault);
        bench
    }

    async fn until(&self, wanted: impl FnMut(&ModemState) -> bool) {
        tokio::time::timeout(Duration::from_secs(10), self.modem.wait_for(wanted)).await.unwrap();
    }

    async fn send(&self, text: &str) -> Result<(), SendFailure> {
        self.send_from(text, 0).await
    }

    async fn send_from(&self, text: &str, from_part: usize) -> Result<(), SendFailure> {
        let outgoing = Outgoing { tag: 7, to: PHONE.to_owned(), text: text.to_owned(), reference: 300, from_part };
        self.modem.send(outgoing).await
    }

    async fn event(&mut self) -> Event {
        tokio::time::timeout(Duration::from_secs(10), self.events.recv()).await.unwrap().unwrap()
    }

    fn texts(&self) -> Vec<String> {
        self.line.sent().iter().map(|part| part.text()).collect()
    }
}

/// The next pseudo-terminal may have the same name, and must not find another owner.
impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

const fn failed(error: SendError, accepted: usize) -> Result<(), SendFailure> {
    Err(SendFailure { error, accepted })
}

#[tokio::test]
async fn a_long_message_goes_out_in_parts_with_reports() {
    let mut bench = Bench::ready(ModemFault::None).await;
    let text = format!("{}😀", "电".repeat(80));
    assert_eq!(bench.send(&text).await, Ok(()));
    assert_eq!(bench.texts().concat(), text);
    assert!(bench.line.sent().iter().all(|part| part.to == PHONE && part.data.concatenation.is_some()));
    let mut events = Vec::new();
    for _ in 0..4 {
        events.push(match bench.event().await {
            Event::Sent { tag: 7, part, parts: 2, reference, .. } => format!("sent {part} {reference}"),
            Event::Report(report) if report.status == DeliveryStatus::Delivered => format!("delivered {}", report.reference),
            other => format!("{other:?}"),
        });
    }
    events.sort();
    assert_eq!(events, ["delivered 1", "delivered 2", "sent 1 1", "sent 2 2"]);
    let state = bench.modem.state();
    assert_eq!((state.signal, state.dbm(), &*state.network, state.own_number), (Some(21), Some(-71), "Simulated", None));
}

#[tokio::test]
async fn echoes_and_chatter_are_no_answers() {
    for fault in [ModemFault::Echoes, ModemFault::Chatters] {
        let bench = Bench::new(fault, "");
        bench.until(|state| state.phase == ModemPhase::Ready).await;
        assert_eq!(bench.send("Hi").await, Ok(()), "{fault:?}");
        assert_eq!(bench.texts(), ["Hi"], "{fault:?}");
    }
}

#[tokio::test]
async fn a_message_not_handed_over_is_known_to_be_unsent() {
    for fault in [ModemFault::Silent, ModemFault::NoPrompt, ModemFault::RestartsAtPrompt, ModemFault::Garbage] {
        let bench = Bench::ready(fault).await;
        assert_eq!(bench.send("Hi").await, failed(SendError::NotReady, 0), "{fault:?}");
        assert_eq!(bench.texts(), [""; 0]);
        bench.line.set_fault(ModemFault::None);
        bench.until(|state| state.phase == ModemPhase::Ready && state.recoveries > 0).await;
        assert_eq!(bench.send("Hi").await, Ok(()), "{fault:?}");
        assert_eq!(bench.texts(), ["Hi"]);
    }
}

#[tokio::test]
async fn a_message_that_may_be_sent_is_reported_as_such() {
    for fault in [ModemFault::RestartsAfterPdu, ModemFault::HangsAfterPdu] {
        let bench = Bench::ready(fault).await;
        assert_eq!(bench.send("Hi").await, failed(SendError::Unconfirmed, 0), "{fault:?}");
        bench.line.set_fault(ModemFault::None);
        bench.until(|state| state.phase == ModemPhase::Ready && state.recoveries > 0).await;
        assert_eq!(bench.send("Hi").await, Ok(()), "{fault:?}");
    }
}

#[tokio::test]
async fn parts_that_were_taken_are_not_sent_again() {
    let bench = Bench::ready(ModemFault::RefusesFrom { part: 2, code: 38 }).await;
    let text = "电".repeat(140);
    assert_eq!(bench.send(&text).await, failed(SendError::Busy(38), 1));
    bench.line.set_fault(ModemFault::RefusesFrom { part: 3, code: 21 });
    assert_eq!(bench.send_from(&text, 1).await, failed(SendError::Refused(21), 2));
    bench.line.set_fault(ModemFault::None);
    assert_eq!(bench.send_from(&text, 2).await, Ok(()));
    assert_eq!(bench.texts().concat(), text);
}

#[tokio::test]
async fn wrong_numbers_and_texts_are_refused_unsent() {
    let bench = Bench::ready(ModemFault::None).await;
    assert_eq!(bench.send(&"电".repeat(1_000)).await, failed(SendError::Text, 0));
    let outgoing = Outgoing { tag: 1, to: "138x".to_owned(), text: "Hi".to_owned(), reference: 1, from_part: 0 };
    assert_eq!(bench.modem.send(outgoing).await, failed(SendError::Number, 0));
    assert_eq!(bench.texts(), [""; 0]);
}

#[tokio::test]
async fn a_pin_is_tried_once() {
    let bench = Bench::new(ModemFault::PinNeeded, "1234");
    bench.until(|state| state.phase == ModemPhase::Ready).await;
    assert_eq!(bench.line.pins(), ["1234"]);
    let bench = Bench::new(ModemFault::PinNeeded, "0000");
    bench.until(|state| state.sim == SimState::PinRefused).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(bench.line.pins(), ["0000"]);
    assert_eq!(bench.send("Hi").await, failed(SendError::NotReady, 0));
    let bench = Bench::new(ModemFault::PinNeeded, "");
    bench.until(|state| state.sim == SimState::PinNeeded && state.phase == ModemPhase::NoSim).await;
}

#[tokio::test]
async fn without_sim_network_or_port_nothing_is_sent() {
    for (fault, phase) in [(ModemFault::NoSim, ModemPhase::NoSim), (ModemFault::NoNetwork, ModemPhase::NoNetwork)] {
        let bench = Bench::new(fault, "");
        bench.until(|state| state.phase == phase).await;
        assert_eq!(bench.send("Hi").await, failed(SendError::NotReady, 0));
        bench.line.set_fault(ModemFault::None);
        bench.until(|state| state.phase == ModemPhase::Ready).await;
    }
    let modem = Modem::new(Config::new("/dev/does-not-exist".into()));
    let (sender, _events) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let run = modem.run(TestClock::new(Timestamp(0)), sender, stop.clone());
    tokio::select! {
        () = run => {}
        () = modem.wait_for(|state| state.phase == ModemPhase::NoPort) => {}
    }
    assert_eq!(modem.state().phase, ModemPhase::NoPort);
}

#[tokio::test]
async fn a_received_message_stays_until_it_is_stored() {
    let mut bench = Bench::ready(ModemFault::None).await;
    bench.line.receive(PHONE, "余额");
    // Whoever takes it fails to store it, so it comes again.
    let Event::Received(first) = bench.event().await else { panic!() };
    drop(first.stored);
    assert_eq!(bench.line.stored(), 1);
    let Event::Received(second) = bench.event().await else { panic!() };
    assert_eq!(second.pdu, first.pdu);
    assert_eq!(second.message.unwrap().from.text(), PHONE);
    second.stored.send(()).unwrap();
    // What cannot be read is handed over as well, and does not fill the SIM for ever.
    bench.line.store("00FF".to_owned());
    let Event::Received(unreadable) = bench.event().await else { panic!() };
    assert!(unreadable.message.is_err());
    unreadable.stored.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.line.stored(), 0);
}

#[tokio::test]
async fn a_port_has_one_owner() {
    let bench = Bench::ready(ModemFault::None).await;
    let second = Modem::new(Config::new(bench.line.path().to_owned()));
    let (sender, _events) = mpsc::channel(1);
    tokio::select! {
        () = second.run(TestClock::new(Timestamp(0)), sender, CancellationToken::new()) => {}
        () = second.wait_for(|state| state.phase == ModemPhase::NoPort) => {}
    }
    assert_eq!(bench.send("Hi").await, Ok(()));
}
