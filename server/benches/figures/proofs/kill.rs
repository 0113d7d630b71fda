//! Random SIGKILLs during purchases and refunds, with lost, late, duplicated and forged messages on both sides: half of the kills
//! during each. A fen that is lost or duplicated ends the run without a figure.

use crate::database::Engine;
use crate::figure::Figure;

use crate::{Length, Outcome};
use story_support::World;
use story_support::kill::{Volume, purchases, refunds};

/// On each database.
const KILLS: usize = 500;
const SERVER: &str = env!("CARGO_BIN_EXE_dormwatt");

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let (kills, mut figures) = (length.count(KILLS), Vec::new());
    for engine in Engine::at_hand() {
        let volume = Volume { operations: 1, kills: kills.div_ceil(2) };
        let mut survived = 0;
        let mut summaries = Vec::new();
        for back in [false, true] {
            let w = if engine == Engine::Sqlite { World::sqlite().await } else { World::postgres().await };
            // A violation panics.
            let ended = tokio::spawn(async move {
                if back { refunds::run(&w, SERVER, volume).await } else { purchases::run(&w, SERVER, volume).await }
            });
            let report = ended.await?;
            survived += report.kills;
            summaries.push(report.summary);
        }
        let name = format!("kill.cycles.{}", engine.as_str());
        figures.push(Figure::at_least(&name, kills as f64, "kills", summaries.join("; "), vec![survived as f64]));
    }
    Ok(figures)
}
