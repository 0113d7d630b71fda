//! Buses without delay: how many meters a second are read and stored, and the cost of each when nothing idles.

use std::time::Duration;

use super::{BUSY, CPU_RATIO, WINDOWS};
use crate::figure::Figure;
use crate::site::{Plan, Site};
use crate::{Length, Outcome};

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut site = Site::start(Plan { bus: None, ..BUSY }).await?;
    site.all_read(Duration::from_secs(60)).await?;
    let during = length.seconds(40);
    let (mut rates, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        let before = site.server.cpu()?;
        let stored = site.readings(during).await?.rows.len() as f64;
        rates.push(stored / during.as_secs_f64());
        cpu.push((site.server.cpu()? - before) / stored * 10_000.0);
    }
    let bare = site.baseline(during).await?;
    let beside = format!("28 buses of 25 meters that answer at once; bare tokio-modbus after it {:.3} s", bare.cpu);
    let relative = cpu.iter().map(|cpu| cpu / bare.cpu).collect();
    // A meter is never read more often than five times a second.
    let most = f64::from(BUSY.gateways) * f64::from(BUSY.meters) * 5.0;
    Ok(vec![
        Figure::at_least("poll.flat_out", most / 2.0, "/s", format!("readings stored; {most:.0} are asked for"), rates),
        Figure::at_most("poll.cpu_per_10k.flat_out", 0.5, "s", &beside, cpu),
        Figure::at_most("poll.cpu_ratio.flat_out", CPU_RATIO, "ratio", beside, relative),
    ])
}
