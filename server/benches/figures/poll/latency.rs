//! A sale on a busy bus: from the decision to the first byte of its command.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::{BUSY, WINDOWS};
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
    let sales = length.count(300);
    let healthy = rounds(&site, sales).await?;
    site.strike(0.2, "silent").await?;
    // Time for two failures each, and for the back-off to reach its cap, however few sales are measured.
    tokio::time::sleep(Duration::from_secs(100)).await;
    let dead = rounds(&site, sales).await?;
    let limit = 1.5 + BUSY_PROBE / TRANSACTION;
    let figure = |name: &str, limit, rounds: &[Vec<f64>], what: &str| {
        let p99 = rounds.iter().map(|round| quantile(round, 0.99) / TRANSACTION).collect();
        let (all, median) = (rounds.concat(), quantile(&rounds.concat(), 0.5) / TRANSACTION);
        let against = format!("p99 of {WINDOWS} rounds of {sales} sales, {} delivered, {what}; median {median:.2}", all.len());
        Figure::at_most(name, limit, "ratio", against, p99)
    };
    Ok(vec![
        figure("poll.command_latency", 1.5, &healthy, "all healthy"),
        figure("poll.command_latency.dead", limit, &dead, "a fifth dead: one try on a dead meter more"),
    ])
}

/// The time of an attempt on a dead meter, s.
const BUSY_PROBE: f64 = 0.502;

async fn rounds(site: &Site, sales: usize) -> Outcome<Vec<Vec<f64>>> {
    let mut rounds = Vec::new();
    for round in 0..WINDOWS {
        rounds.push(measure(site, round * sales..(round + 1) * sales).await?);
    }
    Ok(rounds)
}

/// Sells to one room after the other; gives the time from each sale to the first byte of its command, s.
async fn measure(site: &Site, sales: Range<usize>) -> Outcome<Vec<f64>> {
    let (_, live) = site.lost_and_live().await?;
    let rooms: Vec<Meter> = site.meters.iter().copied().filter(|meter| live.contains(&meter.id.0)).collect();
    let mut decided = Vec::new();
    // From bus to bus, so that no two commands meet on one.
    let step = 29;
    for n in sales {
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
