//! A hundred thousand meters in one process: they start at once, take little memory, and answer.

use std::time::{Duration, Instant};

use simulator::{Config, Estate, start};

use super::keys;
use super::line::Line;

#[tokio::test]
async fn a_hundred_thousand_meters_fit_in_one_process() {
    let before = resident_kib();
    let begun = Instant::now();
    let simulator = start(Config::new(Estate::uniform(1, 500, 200), keys())).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let mut line = Line::to(simulator.addresses()[499]).await;
    let block = line.read(200, 0x0100, 38).await;
    assert_eq!(block[..3], [0x2601, 0x0049, 0x9200]);
    if let (Some(before), Some(after)) = (before, resident_kib()) {
        let bytes = (after - before) * 1024 / 100_000;
        println!("{bytes} bytes a meter");
        assert!(bytes < 2_048, "{bytes} bytes a meter");
    }
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}
