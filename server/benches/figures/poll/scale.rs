//! Ten thousand meters at full speed, and a hundred thousand every three minutes, in one process.

use std::time::Duration;

use super::{BUSY, WINDOWS};
use crate::bus::Bus;
use crate::figure::Figure;
use crate::site::{Plan, Site};
use crate::{Length, Outcome};

/// 320 buses of 32 meters, 85 ms a transaction.
pub async fn ten_thousand(length: Length) -> Outcome<Vec<Figure>> {
    let bus = Bus::of_transactions(85);
    let plan = Plan { gateways: 320, meters: 32, bus: Some(bus), ..BUSY };
    let site = Site::start(plan).await?;
    site.all_read(Duration::from_secs(120)).await?;
    let mut ratios = Vec::new();
    for _ in 0..WINDOWS {
        ratios.push(site.readings(length.seconds(60)).await?.sweep() / bus.floor(plan.meters));
    }
    let against = format!("320 buses of 32 meters, 85 ms a transaction, stored; floor {:.2} s", bus.floor(plan.meters));
    Ok(vec![Figure::at_most("poll.scale_10k", 1.07, "ratio", against, ratios)])
}

/// 3,125 buses of 32 meters, each meter every three minutes: CPU and memory against a site of one bus.
pub async fn hundred_thousand(length: Length) -> Outcome<Vec<Figure>> {
    const ROUND: Duration = Duration::from_secs(180);
    let plan = Plan { gateways: 3_125, meters: 32, sweep_s: ROUND.as_secs(), ..BUSY };
    let alone = {
        let site = Site::start(Plan { gateways: 1, ..plan }).await?;
        site.all_read(Duration::from_secs(60)).await?;
        site.server.resident()?
    };
    let site = Site::start(plan).await?;
    site.all_read(Duration::from_secs(300)).await?;
    let (mut shares, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..if length.short { 1 } else { WINDOWS } {
        let before = site.server.cpu()?;
        tokio::time::sleep(ROUND).await;
        shares.push((site.server.cpu()? - before) / ROUND.as_secs_f64() * 100.0);
        memory.push((site.server.resident()? - alone) / site.meters.len() as f64 / 1024.0);
    }
    let readings = site.number("SELECT COUNT(*) FROM readings").await?;
    let against = format!("100,000 meters every 3 minutes, {readings} readings stored");
    Ok(vec![
        Figure::at_most("poll.scale_100k.cpu", 50.0, "%", &against, shares),
        Figure::at_most("poll.scale_100k.memory", 4.0, "KiB", "a meter, over a site of one bus", memory),
    ])
}
