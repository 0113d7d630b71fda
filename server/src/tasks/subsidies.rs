//! Gives every room its subsidy of the month, once.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::error::AppError;
use model::subsidy::Month;

use super::{Failure, Task};
use domain::clock::SharedClock;
use domain::order::Limits;
use domain::rng::Rng;
use domain::subsidy::{Rule, rule_for};
use store::{Db, StoreError, subsidies};

pub struct GiveSubsidies {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// What a meter may hold.
    pub limits: Limits,
    /// Told that commands were stored.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl Task for GiveSubsidies {
    fn name(&self) -> &'static str {
        "ledger.subsidies"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> Result<String, Failure> {
        let now = self.clock.now();
        let month = Month::of(now);
        let decided = subsidies::rules(&self.db).await?;
        let rules: Vec<Rule> = decided.iter().map(|decided| decided.rule).collect();
        let (mut given, mut full) = (0, 0);
        if !rules.is_empty() {
            for room in subsidies::rooms(&self.db, month).await? {
                let Some(rule) = rule_for(&rules, &room.upwards(), month) else { continue };
                let Some(decided) = decided.iter().find(|decided| decided.rule == *rule) else { continue };
                match subsidies::grant(&self.db, &self.rng, now, &self.limits, month, &room, decided).await {
                    Ok(once) => given += i32::from(once),
                    // The meter is full, or the account is being closed: it is tried again while the month lasts.
                    Err(StoreError::Refused(AppError::HoardingLimit | AppError::AccountNotOpen)) => full += 1,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if given > 0 {
            (self.wake)();
        }
        Ok(format!("{month}: {given} given, {full} full"))
    }
}
