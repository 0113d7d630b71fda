//! Keeps energy by place up to date with that of the meters, so that reports read few rows.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use reports::place_energy::{self, Rolled};
use services::Context;

pub struct RollPlaceEnergy(pub Context);

#[async_trait]
impl Task for RollPlaceEnergy {
    fn name(&self) -> &'static str {
        "energy.places"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let Rolled { days, rebuilt } = place_energy::roll(&self.0.db, self.0.now()).await?;
        Ok(if rebuilt { format!("{days} days computed anew") } else { format!("{days} days computed") })
    }
}
