//! The meter wall of 10,000 meters in Chromium: first picture, frames at 2,000 changes a second, and how late a change is seen.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::database::{self, Engine};
use crate::figure::{Figure, quantile};
use crate::site::{PORT, Plan, Site};
use crate::{Length, Outcome, browser};

/// 10,000 meters, each read every five seconds; each reading changes its tile.
const SITE: Plan = Plan { gateways: 50, meters: 200, bus: None, sweep_s: 5, sells: true, records: false, engine: Engine::Sqlite };
/// The gateway whose meters change their registers.
const GATEWAY: u16 = 7;
/// Frames of a sample.
const FRAMES: usize = 240;

#[derive(Deserialize)]
struct Measured {
    created: Vec<Visit>,
    frames: Vec<Frames>,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
struct Visit {
    /// From the click to the first picture, ms.
    shown: f64,
    /// Each file with the end of its transfer, ms.
    steps: Vec<(String, f64)>,
}

#[derive(Deserialize)]
struct Frames {
    zoom: String,
    /// How many times slower the browser was made.
    rate: u8,
    /// From one frame to the next, ms.
    times: Vec<f64>,
    /// When that was, epoch ms.
    from: i64,
    until: i64,
}

/// Instants in epoch ms.
#[derive(Deserialize)]
struct Change {
    gateway: usize,
    unit: u8,
    watts: i64,
    changed_at: i64,
    painted_at: i64,
    written_at: i64,
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let site = Site::start(SITE).await?;
    site.all_read(Duration::from_secs(120)).await?;
    let task = json!({
        "url": format!("http://127.0.0.1:{PORT}"), "control": format!("http://127.0.0.1:{}", PORT + 1), "cookie": site.cookie,
        "visits": if length.short { 3 } else { 9 }, "seconds": length.seconds(20).as_secs(),
        "gateway": GATEWAY, "rounds": if length.short { 2 } else { 8 },
    });
    let measured = browser::run("wall.mjs", &task, Duration::from_secs(600)).await?;
    let measured: Measured = serde_json::from_value(measured)?;
    let mut figures = vec![created(&measured.created)?];
    for frames in &measured.frames {
        figures.push(moved(&site, frames).await?);
    }
    figures.push(lag(&site, &measured.changes).await?);
    Ok(figures)
}

fn created(visits: &[Visit]) -> Outcome<Figure> {
    let (first, later) = visits.split_first().ok_or("no visit")?;
    let steps = later.last().map(|visit| &visit.steps).into_iter().flatten();
    let steps = steps.map(|(address, at)| format!("{} {at}", address.rsplit('/').next().unwrap_or_default()));
    let against = format!(
        "from the click to the first picture, {} meters; first visit {:.0} ms; files at ms: {}",
        usize::from(SITE.gateways) * usize::from(SITE.meters),
        first.shown,
        steps.collect::<Vec<_>>().join(", ")
    );
    Ok(Figure::at_most("wall.create_ms", 300.0, "ms", against, later.iter().map(|visit| visit.shown).collect()))
}

async fn moved(site: &Site, frames: &Frames) -> Outcome<Figure> {
    let changes = database::readings(&site.db, frames.from, frames.until).await?.len() as f64;
    let rate = changes / (frames.until - frames.from).max(1) as f64 * 1_000.0;
    let samples: Vec<f64> = frames.times.chunks(FRAMES).map(|some| quantile(some, 0.95)).collect();
    let zoom = if frames.zoom == "tiles" { "" } else { ".heat" };
    let (slow, limit) = if frames.rate > 1 { (".cpu4", 33.0) } else { ("", 20.0) };
    let against = format!(
        "{rate:.0} changes a second; {} frames, median {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        frames.times.len(),
        quantile(&frames.times, 0.5),
        quantile(&frames.times, 0.99),
        quantile(&frames.times, 1.0)
    );
    Ok(Figure::at_most(&format!("wall.frame_p95{zoom}{slow}"), limit, "ms", against, samples))
}

/// From the reading that finds the change to the screen: the wait for that reading is the sweep.
async fn lag(site: &Site, changes: &[Change]) -> Outcome<Figure> {
    // The last readings are stored a moment later.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (mut lags, mut whole) = (Vec::new(), Vec::new());
    for change in changes {
        let meter = site.meters.iter().find(|meter| meter.gateway == change.gateway && meter.unit == change.unit);
        let meter = meter.ok_or("a meter that the site does not have")?.id;
        let read = database::first_with_power(&site.db, meter, change.watts, change.changed_at).await?;
        let shown = change.painted_at.max(change.written_at);
        lags.push((shown - read.ok_or("a change that no reading found")?) as f64 / 1_000.0);
        whole.push((shown - change.changed_at) as f64 / 1_000.0);
    }
    let against = format!(
        "p99 of {} changes, reading to pixels and text; median {:.2} s; with the wait for the sweep of {} s: p99 {:.2} s",
        lags.len(),
        quantile(&lags, 0.5),
        SITE.sweep_s,
        quantile(&whole, 0.99)
    );
    Ok(Figure::at_most("wall.lag_p99", 1.0, "s", against, vec![quantile(&lags, 0.99)]))
}
