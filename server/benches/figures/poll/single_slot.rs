//! Gateways that serve one connection and refuse the next for a while after its end: what one and five dead meters of 99 cost the
//! others, for each time-out costs the gateway's only connection.

use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::{BUSY, WINDOWS};
use crate::figure::{Figure, quantile};
use crate::site::{Plan, Site};
use crate::{Length, Outcome};

/// How long each gateway refuses connections after the end of one, ms.
const REFUSE_MS: [u64; 2] = [200, 2_000];
/// Units of the meters that die, in the order in which they do.
const DEAD: [u8; 5] = [50, 10, 30, 70, 90];

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let site = Site::start(Plan { gateways: 2, meters: 99, ..BUSY }).await?;
    for (gateway, refuse_ms) in REFUSE_MS.iter().enumerate() {
        site.control(&format!("gateways/{gateway}/single-slot"), &json!({ "refuse_ms": refuse_ms })).await?;
    }
    site.all_read(Duration::from_secs(90)).await?;
    let healthy = site.readings(length.seconds(60)).await?.sweep();
    let mut figures = Vec::new();
    for dead in [1, DEAD.len()] {
        let (dead, _) = DEAD.split_at(dead);
        for gateway in 0..REFUSE_MS.len() {
            for unit in dead {
                site.control(&format!("gateways/{gateway}/meters/{unit}/faults"), &json!({ "fault": "silent" })).await?;
            }
        }
        // Time for two failures each, and for the back-off to reach its cap.
        tokio::time::sleep(length.seconds(120)).await;
        let mut gaps = [const { Vec::new() }; REFUSE_MS.len()];
        for _ in 0..WINDOWS {
            let readings = site.readings(length.seconds(90)).await?;
            for (gateway, gaps) in gaps.iter_mut().enumerate() {
                let living = site.meters.iter().filter(|meter| meter.gateway == gateway && !dead.contains(&meter.unit));
                let living: Vec<Uuid> = living.map(|meter| meter.id.0).collect();
                gaps.push(quantile(&readings.gaps(&living), 0.99) / healthy);
            }
        }
        for (refuse_ms, gaps) in REFUSE_MS.iter().zip(gaps) {
            let name = format!("poll.single_slot_gap.{refuse_ms}ms_{}dead", dead.len());
            let against = format!("{} of 99 meters dead; healthy sweep {healthy:.2} s", dead.len());
            figures.push(Figure::at_most(&name, 1.7, "ratio", &against, gaps));
        }
    }
    Ok(figures)
}
