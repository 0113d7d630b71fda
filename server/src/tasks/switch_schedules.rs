//! Switches rooms off and on at the times that their residents set.

use std::time::Duration;

use async_trait::async_trait;
use domain::switch_schedule::withdraws_before;
use model::switch_schedule::SwitchOutcome;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use ::residents::schedules;
use services::Context;
use services::residents::ResidentService;

/// Schedules that are read at a time.
const AT_ONCE: i64 = 200;

pub struct SwitchSchedules {
    pub context: Context,
    pub residents: ResidentService,
}

#[async_trait]
impl Task for SwitchSchedules {
    fn kind(&self) -> TaskKind {
        TaskKind::SwitchSchedules
    }

    fn period(&self) -> Duration {
        Duration::from_secs(20)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let (db, now) = (&self.context.db, self.context.now());
        let withdrawn = schedules::withdraw_unsent(db, &self.context.rng, now, withdraws_before(now)).await?;
        let (mut switched, mut left, mut failed, mut after) = (0, 0, 0, None);
        loop {
            let page = schedules::due(db, now, after, AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.next.0, last.id));
            for schedule in &page {
                match self.residents.carry_out(schedule).await {
                    Ok(Some(SwitchOutcome::Sent)) => switched += 1,
                    Ok(_) => left += 1,
                    // One room must not keep the others waiting.
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(error, schedule = %schedule.id, "switch.schedule_failed");
                        failed += 1;
                    }
                }
            }
        }
        match failed {
            0 => {
                let summary = format!("{switched} switched, {left} left, {withdrawn} withdrawn");
                Ok(Done::new(switched + left + withdrawn, summary))
            }
            _ => Err(format!("{failed} schedules could not be carried out").into()),
        }
    }
}
