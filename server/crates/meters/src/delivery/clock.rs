//! Sets the clock of a meter that needs no secured frame for it: by a broadcast to its bus for a small offset, individually for a
//! large one or if the broadcast had no effect. Done when the clock was read back.

use model::case::RelayCase;
use model::command::CommandReason;

use super::{CommandStep, DeliveryEngine, MAX_SENDS};
use crate::directory::Meter;
use crate::dlt645::driver as dlt645;
use crate::driver;
use crate::link::{LinkError, Priority};
use crate::profile::Dlt645;
use crate::recorder::MeterEvent;
use domain::bcd::BcdTime;
use domain::meter_clock::THRESHOLD_S;
use store::StoreError;
use store::commands::Command;
use store::deliveries::{self, Ending};

/// A meter accepts a broadcast within five minutes of its own time; the margin covers the age of the reading.
const BROADCAST_LIMIT_S: i32 = 290;

impl DeliveryEngine {
    /// Advances a clock command as far as possible now. The clock is read before anything is sent: a broadcast meant for one
    /// meter sets all meters of the bus.
    pub(super) async fn clock(
        &self,
        command: &Command,
        meter: &Meter,
        dlt645_profile: &Dlt645,
    ) -> Result<CommandStep, StoreError> {
        if self.is_late(command) {
            return self.refuse(command, None, CommandReason::Late).await;
        }
        let offset_s = match self.read_offset(meter).await? {
            Ok(offset_s) if is_accurate(offset_s) => return self.observed_clock(command, offset_s, Ending::Done).await,
            Ok(offset_s) => offset_s,
            Err(step) => return Ok(step),
        };
        if command.attempts >= MAX_SENDS.into() {
            return self.refuse(command, None, CommandReason::NotKept).await;
        }
        // Counted in the database before it is sent. `None`: the command was ended meanwhile.
        if deliveries::begin_send(&self.db, self.clock.now(), command).await?.is_none() {
            return Ok(CommandStep::Ended);
        }
        let Some(time) = BcdTime::from_timestamp(self.clock.now()) else {
            return self.refuse(command, None, CommandReason::Invalid).await;
        };
        let broadcast = command.attempts == 0 && offset_s.abs() <= BROADCAST_LIMIT_S;
        tracing::info!(meter = %meter, offset_s, broadcast, "delivery.clock");
        let result = if broadcast {
            dlt645::broadcast_time(meter, Priority::Settings, time).await
        } else {
            dlt645::set_clock(meter, dlt645_profile, Priority::Settings, time).await
        };
        match result {
            Err(LinkError::NoPassword) => return self.observed_clock(command, offset_s, Ending::NotPermitted).await,
            Err(LinkError::Refused(refusal)) if refusal.is_password_error() => {
                return self.observed_clock(command, offset_s, Ending::NotPermitted).await;
            }
            Err(LinkError::Unreachable) => return self.back_off(meter.id, CommandReason::Lost).await,
            // Whatever the result, the clock itself shows whether it was set.
            Ok(()) | Err(_) => {}
        }
        match self.read_offset(meter).await? {
            Ok(offset_s) if is_accurate(offset_s) => self.observed_clock(command, offset_s, Ending::Done).await,
            Ok(_) => self.back_off(meter.id, CommandReason::Unconfirmed).await,
            Err(step) => Ok(step),
        }
    }

    /// Reads and reports the clock's offset, s. If the meter shows no valid time, its commands wait.
    async fn read_offset(&self, meter: &Meter) -> Result<Result<i32, CommandStep>, StoreError> {
        match driver::meter_status(meter, Priority::Settings, &self.clock).await {
            Ok((meter_status, at)) => {
                self.report(MeterEvent::MeterStatus { meter: meter.id, at, meter_status }).await;
                match meter_status.clock_offset_s(at) {
                    Some(offset_s) => Ok(Ok(offset_s)),
                    None => self.back_off(meter.id, CommandReason::Unreadable).await.map(Err),
                }
            }
            Err(error) => self.defer_unread(meter, error).await.map(Err),
        }
    }

    async fn observed_clock(&self, command: &Command, offset_s: i32, ending: Ending) -> Result<CommandStep, StoreError> {
        let case = RelayCase { command: command.kind.as_str().to_owned(), off_s: Some(offset_s.into()), ..RelayCase::default() };
        deliveries::observed(&self.db, &self.rng, self.clock.now(), command, ending, case).await?;
        Ok(CommandStep::Ended)
    }
}

fn is_accurate(offset_s: i32) -> bool {
    i64::from(offset_s).abs() <= THRESHOLD_S
}
