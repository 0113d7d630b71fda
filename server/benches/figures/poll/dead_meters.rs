//! A fifth of the meters is dead: what that costs the others, and how soon a meter that answers again is noticed.

use std::time::Duration;

use super::{BUSY, WINDOWS};
use crate::figure::{Figure, quantile};
use crate::site::Site;
use crate::{Length, Outcome};

/// Both faults of a dead meter: the gateway is silent, or answers exception 0x0B.
const WAYS: [&str; 2] = ["silent", "no_answer"];

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for way in WAYS {
        let site = Site::start(BUSY).await?;
        site.all_read(Duration::from_secs(60)).await?;
        let healthy = site.readings(length.seconds(20)).await?.sweep();
        site.strike(0.2, way).await?;
        // Time for two failures each, and for the back-off to reach its cap.
        tokio::time::sleep(length.seconds(100)).await;
        let (lost, live) = site.lost_and_live().await?;
        let mut gaps = Vec::new();
        for _ in 0..WINDOWS {
            gaps.push(quantile(&site.readings(length.seconds(40)).await?.gaps(&live), 0.99) / healthy);
        }
        site.heal().await?;
        let first = site.readings(Duration::from_secs(90)).await?.first(&lost);
        let against = format!("{} of {} meters dead; healthy sweep {healthy:.2} s", lost.len(), site.meters.len());
        figures.push(Figure::at_most(&format!("poll.gap_p99_dead.{way}"), 1.7, "ratio", &against, gaps));
        let worst = vec![quantile(&first, 1.0)];
        figures.push(Figure::at_most(
            &format!("poll.recovery_s.{way}"),
            60.0,
            "s",
            format!("the last of {} meters", lost.len()),
            worst,
        ));
    }
    Ok(figures)
}
