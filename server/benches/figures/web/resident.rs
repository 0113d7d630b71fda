//! The resident's home on a phone: bytes of the first load, and Lighthouse.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::demo_site::DemoSite;
use crate::figure::Figure;
use crate::site::PORT;
use crate::{Length, Outcome, browser};

const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site/pkg");
/// Where Lighthouse reaches the browser.
const DEBUGGING: u16 = PORT + 4;

#[derive(Deserialize)]
struct Measured {
    /// Path and transferred bytes of each file.
    files: Vec<(String, f64)>,
    lighthouse: Lighthouse,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lighthouse {
    Missing { missing: String },
    Ran { all: Vec<Audit> },
}

/// The figures of one run.
#[derive(Deserialize)]
struct Audit {
    /// Largest contentful paint, s.
    lcp: f64,
    /// Total blocking time, ms.
    tbt: f64,
    performance: f64,
    accessibility: f64,
    /// What costs accessibility.
    failed: Vec<String>,
    version: String,
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let site = DemoSite::start().await?;
    let runs = if length.short { 1 } else { 5 };
    let task = json!({ "url": format!("http://127.0.0.1:{PORT}"), "cookie": site.cookie, "runs": runs, "port": DEBUGGING });
    let measured = browser::run("resident.mjs", &task, Duration::from_secs(600)).await?;
    let Measured { files, lighthouse } = serde_json::from_value(measured)?;
    let mut figures = transferred(&files);
    figures.push(packed_wasm()?);
    match lighthouse {
        Lighthouse::Missing { missing } => eprintln!("web.resident_lcp is left out, Lighthouse is not installed: {missing}"),
        Lighthouse::Ran { all } => figures.extend(audits(&all)),
    }
    Ok(figures)
}

fn transferred(files: &[(String, f64)]) -> Vec<Figure> {
    let all: f64 = files.iter().map(|(_, bytes)| bytes / 1_000.0).sum();
    let wasm: f64 = files.iter().filter(|(path, _)| path.ends_with(".wasm")).map(|(_, bytes)| bytes / 1_000.0).sum();
    let each = files.iter().map(|(path, bytes)| format!("{path} {bytes:.0}")).collect::<Vec<_>>().join(", ");
    let name = "web.resident_bytes";
    vec![
        Figure::at_most(name, 150.0, "KB", format!("first load, heads included: {each}"), vec![all]),
        Figure::at_most(&format!("{name}.without_wasm"), 30.0, "KB", "the same without *.wasm", vec![all - wasm]),
    ]
}

/// The bundle as the server sends it.
fn packed_wasm() -> Outcome<Figure> {
    for entry in std::fs::read_dir(Path::new(PACKED))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with("_bg.wasm.br") {
            let bytes = entry.metadata()?.len() as f64 / 1_000.0;
            return Ok(Figure::at_most("web.wasm_bytes", 150.0, "KB", "brotli, as .ci/site builds it", vec![bytes]));
        }
    }
    Err(format!("there is no bundle in {PACKED}: run .ci/site").into())
}

fn audits(all: &[Audit]) -> [Figure; 4] {
    let each = |value: fn(&Audit) -> f64| all.iter().map(value).collect();
    let version = all.first().map_or("", |audit| &audit.version);
    let against = format!("Lighthouse {version}, mobile: 150 ms, 1.6 Mbit/s, CPU/4; logged in");
    let mut failed: Vec<&str> = all.iter().flat_map(|audit| &audit.failed).map(String::as_str).collect();
    failed.sort_unstable();
    failed.dedup();
    let failed = if failed.is_empty() { "nothing fails".to_owned() } else { format!("fails: {}", failed.join(", ")) };
    let name = "web.resident_lcp";
    [
        Figure::at_most(name, 0.8, "s", &*against, each(|audit| audit.lcp)),
        Figure::at_most(&format!("{name}.tbt"), 50.0, "ms", "total blocking time", each(|audit| audit.tbt)),
        Figure::at_least(&format!("{name}.performance"), 98.0, "points", "of 100", each(|audit| audit.performance)),
        Figure::at_least(&format!("{name}.accessibility"), 100.0, "points", failed, each(|audit| audit.accessibility)),
    ]
}
