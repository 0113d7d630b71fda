//! Opens a case before a certificate of a payment channel expires.

use std::time::Duration;

use async_trait::async_trait;
use model::case::ExpiryCase;

use super::{Failure, Task};
use crate::services::Context;
use payments::Payments;
use store::expiries::keep;

pub struct WatchExpiries {
    pub context: Context,
    pub payments: Payments,
}

#[async_trait]
impl Task for WatchExpiries {
    fn name(&self) -> &'static str {
        "payments.expiries"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(60 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        let all = self.payments.expiries();
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
