//! Sets the clock of a meter that needs no secured frame for it: by a broadcast to its bus for a small offset, individually for a
//! large one or if the broadcast had no effect. Done when the clock was read back.

use super::{Engine, SENDS, Step};
use crate::directory::Meter;
use crate::dlt645::driver as dlt645;
use crate::driver;
use crate::link::{LinkError, Priority};
use crate::profile::Dlt645;
use crate::recorder::Event;
use domain::bcd::BcdTime;
use domain::meter_clock::THRESHOLD_S;
use store::StoreError;
use store::commands::Command;
use store::deliveries::{self, Ending, note};

/// A meter accepts a broadcast within five minutes of its own time; the margin covers the age of the reading.
const REACH_S: i32 = 290;

impl Engine {
    /// Advances a clock command as far as possible now. The clock is read before anything is sent: a broadcast meant for one
    /// meter sets all meters of the bus.
    pub(super) async fn clock(&self, command: &Command, meter: &Meter, has: &Dlt645) -> Result<Step, StoreError> {
        if self.is_late(command) {
            return self.refuse(command, None, note::LATE).await;
        }
        let off = match self.off(meter).await? {
            Ok(off) if is_right(off) => return self.observed_clock(command, off, Ending::Done).await,
            Ok(off) => off,
            Err(step) => return Ok(step),
        };
        if command.attempts >= SENDS.into() {
            return self.refuse(command, None, note::NOT_KEPT).await;
        }
        // Counted in the database before it is sent. `None`: the command was ended meanwhile.
        if deliveries::begin_send(&self.db, self.clock.now(), command).await?.is_none() {
            return Ok(Step::Ended);
        }
        let Some(time) = BcdTime::from_timestamp(self.clock.now()) else {
            return self.refuse(command, None, note::INVALID).await;
        };
        let to_all = command.attempts == 0 && off.abs() <= REACH_S;
        tracing::info!(meter = %meter.id, off, to_all, "delivery.clock");
        let told = if to_all {
            dlt645::tell_time(meter, Priority::Settings, time).await
        } else {
            dlt645::set_clock(meter, has, Priority::Settings, time).await
        };
        match told {
            Err(LinkError::NoPassword) => return self.observed_clock(command, off, Ending::NotPermitted).await,
            Err(LinkError::Refused(refusal)) if refusal.is_of_password() => {
                return self.observed_clock(command, off, Ending::NotPermitted).await;
            }
            Err(LinkError::Unreachable) => return self.wait(meter.id, note::LOST).await,
            // Whatever the result, the clock itself shows whether it was set.
            Ok(()) | Err(_) => {}
        }
        match self.off(meter).await? {
            Ok(off) if is_right(off) => self.observed_clock(command, off, Ending::Done).await,
            Ok(_) => self.wait(meter.id, note::UNCONFIRMED).await,
            Err(step) => Ok(step),
        }
    }

    /// Reads and reports the clock's offset, s. If the meter shows no valid time, its commands wait.
    async fn off(&self, meter: &Meter) -> Result<Result<i32, Step>, StoreError> {
        match driver::meter_status(meter, Priority::Settings, &self.clock).await {
            Ok((meter_status, at)) => {
                self.lock_failures().remove(&meter.id);
                self.report(Event::MeterStatus { meter: meter.id, at, meter_status }).await;
                match meter_status.clock_offset_s(at) {
                    Some(off) => Ok(Ok(off)),
                    None => self.wait(meter.id, "unreadable").await.map(Err),
                }
            }
            Err(error) => self.unread(meter, error).await.map(Err),
        }
    }

    async fn observed_clock(&self, command: &Command, off: i32, ending: Ending) -> Result<Step, StoreError> {
        let detail = serde_json::json!({ "command": command.kind, "off_s": off }).to_string();
        deliveries::observed(&self.db, &self.rng, self.clock.now(), command, ending, &detail).await?;
        Ok(Step::Ended)
    }
}

fn is_right(off: i32) -> bool {
    i64::from(off).abs() <= THRESHOLD_S
}
