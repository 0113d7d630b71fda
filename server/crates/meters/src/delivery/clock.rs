//! The clock of a meter that takes the time without a secured frame: told to its whole bus where it is a little off, to the meter
//! alone where it is far off or did not listen, and done when it was read back.

use model::command::CommandReason;

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
use store::deliveries::{self, Ending};

/// A meter takes a broadcast within five minutes of its own time; by less, for it has seconds to age.
const REACH_S: i32 = 290;

impl Engine {
    /// Moves a wish about such a clock as far as it goes now. The clock is read before it is told anything: a broadcast for one meter
    /// sets its neighbours too.
    pub(super) async fn clock(&self, command: &Command, meter: &Meter, has: &Dlt645) -> Result<Step, StoreError> {
        if self.is_late(command) {
            return self.refuse(command, None, CommandReason::Late).await;
        }
        let off = match self.off(meter).await? {
            Ok(off) if is_right(off) => return self.observed_clock(command, off, Ending::Done).await,
            Ok(off) => off,
            Err(step) => return Ok(step),
        };
        if command.attempts >= SENDS.into() {
            return self.refuse(command, None, CommandReason::NotKept).await;
        }
        // Counted durably before it leaves; nothing counted is a command that ended meanwhile.
        if deliveries::begin_send(&self.db, self.clock.now(), command).await?.is_none() {
            return Ok(Step::Ended);
        }
        let Some(time) = BcdTime::from_timestamp(self.clock.now()) else {
            return self.refuse(command, None, CommandReason::Invalid).await;
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
            Err(LinkError::Unreachable) => return self.wait(meter.id, CommandReason::Lost).await,
            // Whatever came: the clock itself says what became of it.
            Ok(()) | Err(_) => {}
        }
        match self.off(meter).await? {
            Ok(off) if is_right(off) => self.observed_clock(command, off, Ending::Done).await,
            Ok(_) => self.wait(meter.id, CommandReason::Unconfirmed).await,
            Err(step) => Ok(step),
        }
    }

    /// By how many seconds it is off now; shown to everybody. Everything for the meter waits where it shows no time.
    async fn off(&self, meter: &Meter) -> Result<Result<i32, Step>, StoreError> {
        match driver::meter_status(meter, Priority::Settings, &self.clock).await {
            Ok((meter_status, at)) => {
                self.lock_failures().remove(&meter.id);
                self.report(Event::MeterStatus { meter: meter.id, at, meter_status }).await;
                match meter_status.clock_offset_s(at) {
                    Some(off) => Ok(Ok(off)),
                    None => self.wait(meter.id, CommandReason::Unreadable).await.map(Err),
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
