//! Opens and closes the accounts of batches, one room a transaction.

use std::time::Duration;

use async_trait::async_trait;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use estate::account_batches;
use services::Context;

/// Rooms of one run, so that its result shows now and then.
const ROOMS: usize = 200;

pub struct AdvanceAccountBatches(pub Context);

#[async_trait]
impl Task for AdvanceAccountBatches {
    fn kind(&self) -> TaskKind {
        TaskKind::AccountBatches
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, gateway, .. } = &self.0;
        let mut rooms = 0;
        while rooms < ROOMS {
            let Some(advanced) = account_batches::advance(db, rng, self.0.now()).await? else { break };
            rooms += 1;
            for meter in advanced.opened {
                gateway.read_now(meter);
            }
        }
        if rooms > 0 {
            gateway.wake();
        }
        Ok(Done::new(rooms, format!("{rooms} rooms")))
    }
}
