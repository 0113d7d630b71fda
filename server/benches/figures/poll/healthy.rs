//! All meters answer: the sweep time over the bus's minimum, CPU per reading, memory.

use std::time::Duration;

use super::{BUSY, CPU_RATIO, WINDOWS};
use crate::database::Engine;
use crate::figure::Figure;
use crate::site::{Plan, Site};
use crate::{Length, Outcome};

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        figures.extend(on(engine, length).await?);
    }
    Ok(figures)
}

async fn on(engine: Engine, length: Length) -> Outcome<Vec<Figure>> {
    let mut site = Site::start(Plan { engine, ..BUSY }).await?;
    site.all_read(Duration::from_secs(60)).await?;
    let floor = BUSY.bus.map_or(f64::NAN, |bus| bus.floor(BUSY.meters));
    let (mut ratios, mut cpu, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        let before = site.server.cpu()?;
        let stored = site.number("SELECT COUNT(*) FROM readings").await?;
        let readings = site.readings(length.seconds(40)).await?;
        let (took, more) = (site.server.cpu()? - before, site.number("SELECT COUNT(*) FROM readings").await? - stored);
        ratios.push(readings.sweep() / floor);
        cpu.push(took / more as f64 * 10_000.0);
        memory.push(site.server.resident()? / 1e6);
    }
    let bare = site.baseline(length.seconds(20)).await?;
    let (busy, engine) = ("28 buses of 25 meters, 50 ms a transaction, wall open", engine.as_str());
    let name = |figure: &str| format!("poll.{figure}.{engine}");
    let (alone, beside) = (bare.sweep / floor, format!("bare tokio-modbus after it {:.3} s", bare.cpu));
    let relative = cpu.iter().map(|cpu| cpu / bare.cpu).collect();
    Ok(vec![
        Figure::at_most(&name("sweep_ratio"), 1.04, "ratio", format!("{busy}; floor {floor:.2} s; bare {alone:.3}"), ratios),
        Figure::at_most(&name("cpu_per_10k"), 0.5, "s", format!("{busy}; {beside}"), cpu),
        Figure::at_most(&name("cpu_ratio"), CPU_RATIO, "ratio", beside, relative),
        Figure::at_most(&name("rss_mb"), 40.0, "MB", busy, memory),
    ])
}
