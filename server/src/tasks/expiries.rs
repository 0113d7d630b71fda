//! Says in time that a certificate of a payment channel ends, where operators see it.

use std::time::Duration;

use async_trait::async_trait;

use super::{Failure, Task};
use model::case::ExpiryCase;
use payments::Payments;
use store::expiries::keep;

pub struct WatchExpiries(pub Payments);

#[async_trait]
impl Task for WatchExpiries {
    fn name(&self) -> &'static str {
        "payments.expiries"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let (db, clock, rng) = self.0.parts();
        let now = clock.now();
        let all = self.0.expiries();
        let near: Vec<ExpiryCase> = all
            .iter()
            .filter_map(|expiry| {
                let state = expiry.state(now)?;
                Some(ExpiryCase { key: expiry.key.clone(), until: expiry.at, state })
            })
            .collect();
        keep(db, rng, now, &near).await?;
        Ok(format!("{} watched, {} near their end", all.len(), near.len()))
    }
}
