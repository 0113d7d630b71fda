//! Keeps energy by place up to date with that of the meters, so that reports read few rows.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use reports::place_energy::{self, Rolled};
use services::Context;

pub struct RollPlaceEnergy(pub Context);

#[async_trait]
impl Task for RollPlaceEnergy {
    fn kind(&self) -> TaskKind {
        TaskKind::RollPlaceEnergy
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Rolled { days, rebuilt } = place_energy::roll(&self.0.db, self.0.now()).await?;
        let anew = if rebuilt { " anew" } else { "" };
        Ok(Done::new(days, format!("{days} days computed{anew}")))
    }
}
