//! The reference site: four buses of 174 meters at 9600 baud, some of them dead.

use std::time::Duration;

use super::BUSY;
use crate::bus::Bus;
use crate::figure::{Figure, quantile};
use crate::site::{Plan, Site};
use crate::{Length, Outcome};

const REFERENCE: Plan = Plan { gateways: 4, meters: 174, bus: Some(Bus::SLOW), ..BUSY };

/// Time until every dead meter is lost: a sweep takes 37 s, and two in a row must fail.
const SETTLED: Duration = Duration::from_secs(240);
/// Several sweeps: a meter that is read only once counts as not read.
const WATCHED: Duration = Duration::from_secs(225);

pub async fn run(_: Length) -> Outcome<Vec<Figure>> {
    let site = Site::start(REFERENCE).await?;
    site.all_read(Duration::from_secs(120)).await?;
    let mut figures = Vec::new();
    for (share, name) in [(0.05, "poll.site_9600"), (0.2, "poll.site_9600.dead_20")] {
        site.strike(share, "silent").await?;
        tokio::time::sleep(SETTLED).await;
        let (lost, live) = site.lost_and_live().await?;
        // Just before the next reading the age of the last one is the gap.
        let gaps = site.readings(WATCHED).await?.gaps(&live);
        let middle = quantile(&gaps, 0.5);
        let against = format!("{} of {} meters dead; median {middle:.1} s, {} gaps", lost.len(), site.meters.len(), gaps.len());
        figures.push(Figure::at_most(name, 60.0, "s", &against, vec![quantile(&gaps, 1.0)]));
        site.heal().await?;
        let first = site.readings(Duration::from_secs(90)).await?.first(&lost);
        let name = name.replace("site_9600", "recovery_s.site_9600");
        figures.push(Figure::at_most(&name, 60.0, "s", against, vec![quantile(&first, 1.0)]));
    }
    Ok(figures)
}
