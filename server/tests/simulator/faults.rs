//! Every fault, and what a client sees of it, byte by byte.

use std::time::{Duration, Instant};

use domain::operation::Operation;
use meters::frame::FrameVersion;
use simulator::{Defect, LineFault, OneTimeFault, Simulator};
use tokio::net::TcpStream;

use super::line::{Line, read};
use super::site;

/// A site with a fault on unit 2, and a line to it.
async fn with(fault: LineFault) -> (Simulator, Line) {
    let (simulator, _) = site().await;
    simulator.meter(0, 2).unwrap().fault(fault, 1.0).unwrap();
    let line = Line::to(simulator.addresses()[0]).await;
    (simulator, line)
}

fn count(simulator: &Simulator) -> u16 {
    simulator.meter(0, 2).unwrap().view().unwrap().count
}

/// Sends a credit that was sealed before the fault began.
async fn credit_into(fault: LineFault) -> (Simulator, Line) {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let pdu = line.seal(2, FrameVersion::Aes, &Operation::Credit { order: 6, count: 2, amount: 100 }).await;
    simulator.meter(0, 2).unwrap().fault(fault, 1.0).unwrap();
    line.send(0x0abc, 2, &pdu).await;
    (simulator, line)
}

#[tokio::test]
async fn silent_meter_stays_silent_while_others_answer() {
    let (_simulator, mut line) = with(LineFault::Silent).await;
    line.send(1, 2, &read(0x0100, 38)).await;
    assert_eq!(line.rest().await, (vec![], false));
    assert_eq!(line.read(1, 0x0100, 38).await.len(), 38);
}

#[tokio::test]
async fn slow_meter_answers_after_the_delay() {
    let (_simulator, mut line) = with(LineFault::Slow { ms: 200 }).await;
    let begun = Instant::now();
    assert_eq!(line.read(2, 0x0100, 1).await.len(), 1);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_late_answer_keeps_its_own_transaction_number() {
    let (simulator, mut line) = credit_into(LineFault::LateAnswer { ms: 300 }).await;
    line.send(2, 1, &read(0x0108, 1)).await;
    assert_eq!(line.receive().await, (2, 1, vec![3, 2, 0, 1]));
    assert_eq!(count(&simulator), 2, "executed before it is answered");
    assert_eq!(line.receive().await, (0x0abc, 2, vec![16, 2, 0, 0, 24]));
}

#[tokio::test]
async fn a_shifted_answer_replaces_the_next_one() {
    let (simulator, mut line) = with(LineFault::ShiftedAnswer).await;
    line.send(1, 2, &read(0x0108, 1)).await;
    assert_eq!(line.rest().await, (vec![], false));
    line.send(2, 1, &read(0x0100, 3)).await;
    assert_eq!(line.receive().await, (2, 2, vec![3, 2, 0, 1]), "unit 2's answer under unit 1's number");
    simulator.meter(0, 2).unwrap().heal().unwrap();
    assert_eq!(line.read(1, 0x0100, 3).await.len(), 3);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_is_executed() {
    let (simulator, mut line) = credit_into(LineFault::LostAnswer).await;
    assert_eq!(line.rest().await, (vec![], false));
    assert_eq!(count(&simulator), 2);
}

#[tokio::test]
async fn a_lost_request_is_not_executed() {
    let (simulator, mut line) = credit_into(LineFault::LostRequest).await;
    assert_eq!(line.rest().await, (vec![], false));
    assert_eq!(count(&simulator), 1);
}

#[tokio::test]
async fn garbage_is_no_answer() {
    let (simulator, mut line) = credit_into(LineFault::Garbage).await;
    let (bytes, closed) = line.rest().await;
    assert!((1..=32).contains(&bytes.len()) && !closed);
    assert_ne!(bytes, [0x0a, 0xbc, 0, 0, 0, 6, 2, 16, 2, 0, 0, 24]);
    assert_eq!(count(&simulator), 2);
}

#[tokio::test]
async fn a_wrong_unit_appears_in_the_header() {
    let (_simulator, mut line) = with(LineFault::WrongUnit).await;
    line.send(7, 2, &read(0x0108, 1)).await;
    assert_eq!(line.receive().await, (7, 3, vec![3, 2, 0, 1]));
}

#[tokio::test]
async fn a_short_answer_lacks_its_last_register() {
    let (_simulator, mut line) = with(LineFault::ShortAnswer).await;
    line.send(7, 2, &read(0x0108, 2)).await;
    assert_eq!(line.receive().await, (7, 2, vec![3, 4, 0, 1]));
}

#[tokio::test]
async fn busy_is_exception_06_and_executes_nothing() {
    let (simulator, mut line) = credit_into(LineFault::Busy).await;
    assert_eq!(line.receive().await, (0x0abc, 2, vec![0x90, 6]));
    assert_eq!(count(&simulator), 1);
}

#[tokio::test]
async fn the_gateway_answers_for_a_dead_meter() {
    let (simulator, mut line) = credit_into(LineFault::NoAnswer).await;
    assert_eq!(line.receive().await, (0x0abc, 2, vec![0x90, 0x0b]));
    assert_eq!(count(&simulator), 1);
}

#[tokio::test]
async fn a_cut_closes_the_connection_in_mid_answer() {
    let (simulator, mut line) = credit_into(LineFault::CutMidFrame).await;
    assert_eq!(line.rest().await, (vec![0x0a, 0xbc, 0, 0, 0, 6], true));
    assert_eq!(count(&simulator), 2);
}

#[tokio::test]
async fn a_gateway_fault_affects_all_its_meters_until_cleared() {
    let (simulator, _) = site().await;
    let gateway = simulator.gateway(0).unwrap();
    gateway.fault(LineFault::Busy, 1.0);
    let mut line = Line::to(simulator.addresses()[0]).await;
    for unit in 1..=3 {
        assert_eq!(line.ask(unit, &read(0, 1)).await, [0x83, 6]);
    }
    gateway.heal();
    assert_eq!(line.read(3, 0, 1).await.len(), 1);
}

#[tokio::test]
async fn a_refusing_gateway_closes_connections_and_recovers() {
    let (simulator, _) = site().await;
    let (gateway, address) = (simulator.gateway(0).unwrap(), simulator.addresses()[0]);
    let mut line = Line::to(address).await;
    assert_eq!(line.read(1, 0, 1).await.len(), 1);
    gateway.refuse(true);
    assert_eq!(line.rest().await, (vec![], true));
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    gateway.refuse(false);
    for _ in 0..100 {
        if TcpStream::connect(address).await.is_ok() {
            assert_eq!(Line::to(address).await.read(1, 0, 1).await.len(), 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the gateway never came back");
}

#[tokio::test]
async fn random_faults_repeat_for_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (simulator, _) = site().await;
        simulator.meter(0, 2).unwrap().fault(LineFault::Busy, 0.5).unwrap();
        let mut line = Line::to(simulator.addresses()[0]).await;
        let mut struck = Vec::new();
        for _ in 0..64 {
            struck.push(line.ask(2, &read(0, 1)).await[0] == 0x83);
        }
        assert!((16..48).contains(&struck.iter().filter(|&&busy| busy).count()));
        runs.push(struck);
    }
    assert_eq!(runs[0], runs[1]);
}

/// Status word and clock offset of unit 2, as a client reads them.
async fn status(line: &mut Line) -> u16 {
    line.read(2, 0x0103, 1).await[0]
}

#[tokio::test]
async fn a_welded_relay_shows_as_closed_and_faulty() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    simulator.meter(0, 2).unwrap().defect(Defect::RelayWelded, true).await.unwrap();
    assert_eq!(line.operate(2, FrameVersion::Aes, &Operation::UserSwitch(false)).await, 0);
    assert_eq!(status(&mut line).await, 0b1_0001_0000_0011);
    assert_eq!(line.read(2, 0x000d, 1).await, [1_000]);
}

#[tokio::test]
async fn an_open_cover_shows_in_status_counter_and_journal() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    simulator.meter(0, 2).unwrap().defect(Defect::CoverOpen, true).await.unwrap();
    assert_eq!(status(&mut line).await, 0b100_0000_0011);
    assert_eq!((line.read(2, 0x011f, 1).await, line.read(2, 0x0301, 1).await), (vec![1], vec![0x080a]));
}

#[tokio::test]
async fn reverse_energy_shows_in_sign_status_and_counter() {
    let (simulator, clock) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    simulator.meter(0, 2).unwrap().defect(Defect::ReverseEnergy, true).await.unwrap();
    clock.advance(3_600_000);
    assert_eq!(line.read(2, 0x000d, 1).await, [(-1_000_i16) as u16]);
    assert_eq!((status(&mut line).await, line.read(2, 0x010a, 2).await), (0b10_0000_0011, vec![0, 100]));
}

#[tokio::test]
async fn a_zeroed_counter_leaves_the_wallet_unchanged() {
    let (simulator, clock) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    clock.advance(3_600_000);
    assert_eq!(line.read(2, 0, 2).await, [0, 100]);
    simulator.meter(0, 2).unwrap().inject(OneTimeFault::CounterZeroed).await.unwrap();
    assert_eq!((line.read(2, 0, 2).await, line.read(2, 0x0104, 2).await), (vec![0, 0], vec![0, 9_950]));
}

#[tokio::test]
async fn a_wrong_or_lost_clock_shows_until_it_is_set() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let meter = simulator.meter(0, 2).unwrap();
    meter.inject(OneTimeFault::ClockOff { seconds: -90 }).await.unwrap();
    assert_eq!(line.read(2, 0x010d, 3).await, [0x2611, 0x2223, 0x5830]);
    meter.inject(OneTimeFault::ClockLost).await.unwrap();
    assert_eq!((line.read(2, 0x010d, 3).await, status(&mut line).await >> 13), (vec![0x0001, 0x0100, 0], 1));
    let now = domain::bcd::BcdTime::from_timestamp(super::monday()).unwrap();
    assert_eq!(line.operate(2, FrameVersion::Aes, &Operation::SetClock(now)).await, 0);
    assert_eq!((line.read(2, 0x010d, 3).await, status(&mut line).await >> 13), (vec![0x2611, 0x2300, 0], 0));
}

#[tokio::test]
async fn a_malignant_load_trips_until_the_mode_is_set() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    simulator.meter(0, 2).unwrap().inject(OneTimeFault::MalignantLoad).await.unwrap();
    assert_eq!((status(&mut line).await, line.read(2, 0x0301, 1).await), (0b1000_0000_0010, vec![0x050b]));
    let release = Operation::SetMode(model::meter::ControlMode::Prepaid);
    assert_eq!(line.operate(2, FrameVersion::Aes, &release).await, 0);
    assert_eq!(status(&mut line).await, 0b11);
}

#[tokio::test]
async fn a_bad_checksum_breaks_only_its_own_transaction() {
    let (_simulator, mut line) = with(LineFault::BadCheck).await;
    line.send(7, 2, &read(0x0108, 1)).await;
    assert_eq!(line.receive().await, (8, 2, vec![3, 2, 0, 1]));
}

#[tokio::test]
async fn two_meters_can_swap_addresses() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let before = [line.read(1, 0x0100, 3).await, line.read(2, 0x0100, 3).await];
    simulator.gateway(0).unwrap().swap([1, 2]);
    assert_eq!([line.read(2, 0x0100, 3).await, line.read(1, 0x0100, 3).await], before);
    simulator.gateway(0).unwrap().heal();
    assert_eq!(line.read(1, 0x0100, 3).await, before[0]);
}
