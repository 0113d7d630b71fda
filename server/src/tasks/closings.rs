//! Settles closures, moves and meter replacements whose final reading has arrived, and transfers their balances.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use domain::returns::Rules;
use services::Context;
use store::closings;

pub struct AdvanceClosings {
    pub context: Context,
    /// When a return needs a second person.
    pub rules: Rules,
}

#[async_trait]
impl Task for AdvanceClosings {
    fn kind(&self) -> TaskKind {
        TaskKind::AdvanceClosings
    }

    fn period(&self) -> Duration {
        Duration::from_secs(2)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, gateway, .. } = &self.context;
        let advanced = closings::advance_all(db, rng, self.context.now(), &self.rules).await?;
        if advanced > 0 {
            gateway.wake();
        }
        Ok(Done::new(advanced, format!("{advanced} advanced")))
    }
}
