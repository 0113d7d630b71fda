//! Random SIGKILLs while people buy and are paid back, with lost, late, doubled and false messages on both sides: half while purchases
//! go in, half while money goes back. The run ends at the first fen that is lost or doubled, and gives no figure then.

use crate::database::Engine;
use crate::figure::Figure;
use crate::support::World;
use crate::trial::{Volume, purchases, refunds};
use crate::{Length, Outcome};

/// On each database.
const KILLS: usize = 500;

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let (kills, mut figures) = (length.count(KILLS), Vec::new());
    for engine in Engine::at_hand() {
        let volume = Volume { operations: 1, kills: kills.div_ceil(2) };
        let mut survived = 0;
        let mut said = Vec::new();
        for back in [false, true] {
            let w = if engine == Engine::Sqlite { World::sqlite().await } else { World::postgres().await };
            // A broken promise is a panic.
            let ended =
                tokio::spawn(async move { if back { refunds::run(&w, volume).await } else { purchases::run(&w, volume).await } });
            let report = ended.await?;
            survived += report.kills;
            said.push(report.said);
        }
        let name = format!("kill.cycles.{}", engine.as_str());
        figures.push(Figure::at_least(&name, kills as f64, "kills", said.join("; "), vec![survived as f64]));
    }
    Ok(figures)
}
