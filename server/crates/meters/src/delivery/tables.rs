//! Writes time-of-use tables to plain registers, once, and completes when they were read back.

use model::case::RelayCase;
use model::command::CommandReason;


use super::{CommandStep, DeliveryEngine};
use crate::directory::Meter;
use crate::link::{LinkError, Priority};
use crate::profile::TimeOfUse;
use domain::operation::Operation;
use store::StoreError;
use store::commands::Command;
use store::deliveries::{self, Ending};

/// Address and registers of a table.
fn place(tables: &TimeOfUse, operation: &Operation) -> Option<(u16, Vec<u16>)> {
    match operation {
        Operation::SetDayTable { table, slots } => tables.day_table(*table, slots),
        Operation::SetDatePlan(entries) => tables.date_plan(entries),
        _ => None,
    }
}

impl DeliveryEngine {
    /// Advances the time-of-use tables of a meter without secured frames as far as possible now.
    pub(super) async fn tables(
        &self,
        command: &Command,
        meter: &Meter,
        operations: &[Operation],
    ) -> Result<CommandStep, StoreError> {
        for operation in operations {
            let Some((address, words)) = meter.profile.time_of_use.as_ref().and_then(|tables| place(tables, operation)) else {
                return self.refuse(command, None, CommandReason::Invalid).await;
            };
            if let Some(step) = self.table(command, meter, address, words).await? {
                return Ok(step);
            }
        }
        let case = RelayCase { command: command.kind.as_str().to_owned(), ..RelayCase::default() };
        deliveries::observed(&self.db, &self.rng, self.clock.now(), command, Ending::Done, case).await?;
        Ok(CommandStep::Ended)
    }

    /// Writes one table unless the meter holds it already; `None` when it was read back.
    async fn table(
        &self,
        command: &Command,
        meter: &Meter,
        address: u16,
        words: Vec<u16>,
    ) -> Result<Option<CommandStep>, StoreError> {
        let (priority, count) = (Priority::Settings, u16::try_from(words.len()).unwrap_or(u16::MAX));
        match meter.link.read(priority, meter.unit, address, count).await {
            Ok(kept) if kept == words => return Ok(None),
            Ok(_) => {}
            Err(error) => return self.defer_unread(meter, error.into()).await.map(Some),
        }
        if deliveries::begin_send(&self.db, self.clock.now(), command).await?.is_none() {
            return Ok(Some(CommandStep::Ended));
        }
        let step = match meter.link.write(priority, meter.unit, address, words.clone()).await {
            Ok(()) => match meter.link.read(priority, meter.unit, address, count).await {
                Ok(kept) if kept == words => return Ok(None),
                Ok(_) => self.refuse(command, None, CommandReason::NotKept).await,
                Err(error) => self.defer_unread(meter, error.into()).await,
            },
            Err(LinkError::Exception(0x01..=0x03)) => self.refuse(command, None, CommandReason::FrameRefused).await,
            Err(LinkError::Unreachable) => self.back_off(meter.id, CommandReason::Lost).await,
            // It is unknown whether the write arrived: the table is read again, and written again if it differs.
            Err(_) => self.back_off(meter.id, CommandReason::Unconfirmed).await,
        };
        step.map(Some)
    }
}
