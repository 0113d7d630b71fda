//! Bus time: a bus carries one request at a time, and a dead meter holds it.

use std::time::{Duration, Instant};

use simulator::{BusTiming, LineFault, Simulator, start};

use super::config;
use super::line::{Line, read};

const PATIENCE: Duration = Duration::from_millis(200);

async fn slow_site() -> (Simulator, BusTiming) {
    let timing = BusTiming { baud: 9_600, turnaround: Duration::from_millis(20), patience: PATIENCE };
    let (mut config, _) = config();
    config.bus = Some(timing);
    (start(config).await.unwrap(), timing)
}

#[tokio::test]
async fn connections_to_a_gateway_share_one_bus() {
    let (simulator, timing) = slow_site().await;
    let address = simulator.addresses()[0];
    let begun = Instant::now();
    let reads = (1..=3).map(|unit| async move { Line::to(address).await.read(unit, 0x0100, 38).await });
    futures::future::join_all(reads).await;
    assert!(begun.elapsed() >= timing.transaction(5, 78) * 3, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_dead_meter_costs_the_gateway_timeout() {
    let (simulator, _) = slow_site().await;
    simulator.meter(0, 2).unwrap().fault(LineFault::Silent, 1.0).unwrap();
    simulator.meter(0, 3).unwrap().fault(LineFault::NoAnswer, 1.0).unwrap();
    let mut line = Line::to(simulator.addresses()[0]).await;
    let begun = Instant::now();
    line.send(1, 2, &read(0, 17)).await;
    line.send(2, 3, &read(0, 17)).await;
    assert_eq!(line.receive().await, (2, 3, vec![0x83, 0x0b]));
    assert!(begun.elapsed() >= PATIENCE * 2);
}

#[tokio::test]
async fn without_bus_time_a_read_takes_none() {
    let (simulator, _) = super::site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let begun = Instant::now();
    for _ in 0..100 {
        line.read(1, 0x0100, 38).await;
    }
    // At 9600 baud these would take 13 seconds.
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
