//! Gives every room its monthly subsidy, once.

use std::time::Duration;

use async_trait::async_trait;
use model::subsidy::Month;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use domain::order::Limits;
use domain::subsidy::{Rule, rule_for};
use services::Context;
use store::{StoreError, subsidies};

pub struct GiveSubsidies {
    pub context: Context,
    pub limits: Limits,
}

#[async_trait]
impl Task for GiveSubsidies {
    fn kind(&self) -> TaskKind {
        TaskKind::GiveSubsidies
    }

    fn period(&self) -> Duration {
        Duration::from_secs(30 * 60)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, gateway, .. } = &self.context;
        let now = self.context.now();
        let month = Month::of(now);
        let decided = subsidies::rules(db).await?;
        let rules: Vec<Rule> = decided.iter().map(|decided| decided.rule).collect();
        let (mut given, mut refused) = (0, 0);
        if !rules.is_empty() {
            for room in subsidies::due_rooms(db, month).await? {
                let Some(rule) = rule_for(&rules, &room.upwards(), month) else { continue };
                let Some(decided) = decided.iter().find(|decided| decided.rule == *rule) else { continue };
                match subsidies::grant(db, rng, now, &self.limits, month, &room, decided).await {
                    Ok(once) => given += i32::from(once),
                    // Of this room alone: its meter is full or holds another account, or its account is being closed. The task
                    // tries again during the month.
                    Err(StoreError::Refused(_)) => refused += 1,
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if given > 0 {
            gateway.wake();
        }
        Ok(Done::new(given + refused, format!("{month}: {given} given, {refused} refused")))
    }
}
