//! A sale on a busy bus: from the decision to the first byte of its command.

use std::time::{Duration, Instant};

use super::BUSY;
use crate::figure::{Figure, quantile};
use crate::request_recorder::{Request, RequestRecorder};
use crate::site::{Meter, Plan, Site};
use crate::{Length, Outcome};

/// A block write: what a sealed command travels in.
const WRITE: u8 = 0x10;
const TRANSACTION: f64 = 0.050;

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let site = Site::start(Plan { sells: true, records: true, ..BUSY }).await?;
    site.all_read(Duration::from_secs(60)).await?;
    let healthy = measure(&site, length.count(300)).await?;
    site.strike(0.2, "silent").await?;
    tokio::time::sleep(length.seconds(100)).await;
    let dead = measure(&site, length.count(300)).await?;
    let limit = 1.5 + BUSY_PROBE / TRANSACTION;
    let figure = |name: &str, limit, samples: &[f64], what: &str| {
        let p99 = quantile(samples, 0.99) / TRANSACTION;
        let against = format!("p99 of {} sales, {what}; median {:.2}", samples.len(), quantile(samples, 0.5) / TRANSACTION);
        Figure::at_most(name, limit, "ratio", against, vec![p99])
    };
    Ok(vec![
        figure("poll.command_latency", 1.5, &healthy, "all healthy"),
        figure("poll.command_latency.dead", limit, &dead, "a fifth dead: one try on a dead meter more"),
    ])
}

/// The time of an attempt on a dead meter, s.
const BUSY_PROBE: f64 = 0.502;

/// Sells to one room after the other; gives the time from each sale to the first byte of its command, s.
async fn measure(site: &Site, sales: usize) -> Outcome<Vec<f64>> {
    let (_, live) = site.lost_and_live().await?;
    let rooms: Vec<Meter> = site.meters.iter().copied().filter(|meter| live.contains(&meter.id.0)).collect();
    let mut decided = Vec::new();
    // From bus to bus, so that no two commands meet on one.
    let step = 29;
    for n in 0..sales {
        let room = *rooms.get(n * step % rooms.len()).ok_or("no room to sell to")?;
        let key = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + rand_key());
        let before = Instant::now();
        let form = format!("meter={}&amount=10&tender=cash&key={key}", room.id);
        site.post("operator/sell", &form).await?;
        decided.push((room, before));
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let logs: Vec<Vec<Request>> = site.recorders.iter().map(RequestRecorder::requests).collect();
    Ok(decided.iter().filter_map(|(room, decision)| first_byte(logs.get(room.gateway)?, room.unit, *decision)).collect())
}

/// The command reads the meter, then writes: the first byte is that of the last read of this meter before its first write.
fn first_byte(log: &[Request], unit: u8, decision: Instant) -> Option<f64> {
    let own = |request: &&Request| request.unit == unit && request.at >= decision;
    let write = log.iter().find(|request| own(request) && request.function == WRITE)?;
    let read = log.iter().rfind(|request| own(request) && request.at < write.at)?;
    Some(read.at.duration_since(decision).as_secs_f64())
}

fn rand_key() -> u128 {
    u128::from(domain::rng::Rng::from_system().below(1 << 62))
}
