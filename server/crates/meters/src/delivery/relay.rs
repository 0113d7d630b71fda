//! Switches a plain relay once, then reads the meter until the relay shows the requested state.

use model::case::RelayCase;
use model::command::CommandReason;
use std::time::Duration;

use tokio::time::sleep;

use super::{CommandStep, DeliveryEngine, MAX_SENDS};
use crate::directory::Meter;
use crate::driver::{self, Reading};
use crate::link::{LinkError, Priority};
use crate::recorder::MeterEvent;
use domain::alarm_conditions;
use domain::meter_state::{Measurement, MeterStatus};
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries::{self, Ending};

/// How often a relay is read after it was switched, and the pause before each reading. Contacts move within tens of milliseconds;
/// the state and current that a meter shows follow within seconds.
const CHECKS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(500);

/// The observed relay compared with the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RelayCheck {
    /// As commanded, and no current contradicts it.
    AsCommanded,
    /// In the opposite state.
    Opposite,
    /// Open, but power still flows: welded or bypassed.
    StillConducting,
    /// The meter shows no relay state.
    Unknown,
}

fn check_relay(closed: bool, meter_status: &MeterStatus, measured: &Measurement) -> RelayCheck {
    let (shown, fault) = match meter_status {
        MeterStatus::Wallet(state) => (Some(state.status.relay_closed()), state.status.relay_fault()),
        MeterStatus::Plain(plain) => (plain.relay_closed, plain.relay_fault == Some(true)),
    };
    let conducts = alarm_conditions::draws_load(measured.current_ca, measured.power_w);
    match shown {
        None => RelayCheck::Unknown,
        Some(shown) if shown != closed => RelayCheck::Opposite,
        Some(false) if conducts || fault => RelayCheck::StillConducting,
        Some(_) => RelayCheck::AsCommanded,
    }
}

impl DeliveryEngine {
    /// Advances one relay command as far as possible now. The meter is read before anything is sent, so that a command sent
    /// before a crash, or already carried out at the meter, is not sent again blindly.
    pub(super) async fn relay(&self, command: &Command, meter: &Meter, closed: bool) -> Result<CommandStep, StoreError> {
        if deliveries::give_way(&self.db, self.clock.now(), command).await? {
            return Ok(CommandStep::Ended);
        }
        if !meter.profile.abilities.relay || meter.profile.secured.is_some() {
            return self.refuse(command, None, CommandReason::Invalid).await;
        }
        let mut switched = None;
        let mut last = None;
        for _ in 0..=CHECKS {
            let seen = match self.take_reading(meter).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(step),
            };
            let check = check_relay(closed, &seen.meter_status, &seen.measurement);
            last = Some((check, seen));
            match (check, switched) {
                (RelayCheck::AsCommanded, _) => break,
                (RelayCheck::Opposite | RelayCheck::Unknown, None) => {
                    // Counted in the database before it is sent. `None`: the command was ended meanwhile.
                    if deliveries::begin_send(&self.db, self.clock.now(), command).await?.is_none() {
                        return Ok(CommandStep::Ended);
                    }
                    tracing::info!(meter = %meter, closed, "delivery.relay");
                    switched = Some(driver::switch(meter, Priority::Relay, closed).await);
                }
                _ => {}
            }
            match switched {
                Some(Err(LinkError::Exception(0x01..=0x03))) => {
                    return self.refuse(command, None, CommandReason::FrameRefused).await;
                }
                Some(Err(LinkError::NoPassword)) => {
                    return self.finish(command, meter, closed, &seen, Ending::NotPermitted).await;
                }
                Some(Err(LinkError::Refused(refusal))) if refusal.is_password_error() => {
                    return self.finish(command, meter, closed, &seen, Ending::NotPermitted).await;
                }
                // The meter reports that it did not switch; it may be busy.
                Some(Err(LinkError::Refused(_))) if command.attempts + 1 < MAX_SENDS.into() => {
                    return self.back_off(meter.id, CommandReason::Busy).await;
                }
                Some(Err(LinkError::Refused(_))) => return self.finish(command, meter, closed, &seen, Ending::Disobeyed).await,
                Some(Err(LinkError::Unreachable)) => return self.back_off(meter.id, CommandReason::Lost).await,
                _ => sleep(PAUSE).await,
            }
        }
        match last {
            Some((RelayCheck::AsCommanded, seen)) => self.finish(command, meter, closed, &seen, Ending::Done).await,
            // It is unknown whether the command arrived: the relay is read again, and switched again if it is still in the
            // opposite state.
            Some((RelayCheck::Opposite | RelayCheck::Unknown, _)) | None if switched != Some(Ok(())) => {
                self.back_off(meter.id, CommandReason::Unconfirmed).await
            }
            Some((_, seen)) => self.finish(command, meter, closed, &seen, Ending::Disobeyed).await,
            None => Ok(CommandStep::Later),
        }
    }

    /// Takes and reports a full reading.
    async fn take_reading(&self, meter: &Meter) -> Result<Result<Reading, CommandStep>, StoreError> {
        let from = self.clock.now();
        match driver::read(meter, Priority::Relay, &self.clock).await {
            Ok(reading) => {
                let Reading { at, measurement, meter_status, .. } = reading;
                self.report(MeterEvent::Read {
                    meter: meter.id,
                    from,
                    at,
                    source: ReadingSource::ReadBack,
                    measurement,
                    meter_status,
                })
                .await;
                Ok(Ok(reading))
            }
            Err(error) => self.defer_unread(meter, error).await.map(Err),
        }
    }

    async fn finish(
        &self,
        command: &Command,
        meter: &Meter,
        closed: bool,
        seen: &Reading,
        ending: Ending,
    ) -> Result<CommandStep, StoreError> {
        let case = RelayCase {
            command: command.kind.as_str().to_owned(),
            closed: Some(closed),
            status: Some(seen.meter_status.status().0),
            current_ca: seen.measurement.current_ca.map(Into::into),
            power_w: seen.measurement.power_w.map(Into::into),
            ..RelayCase::default()
        };
        tracing::info!(meter = %meter, closed, ?ending, "delivery.relay-observed");
        deliveries::observed(&self.db, &self.rng, seen.at, command, ending, case).await?;
        Ok(CommandStep::Ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::meter_state::PlainStatus;
    use model::energy::Energy;

    fn measured(current_ca: Option<u16>, power_w: Option<i32>) -> Measurement {
        Measurement {
            total: Energy(0),
            reverse: None,
            rates: None,
            voltage_dv: None,
            current_ca,
            power_w,
            reactive_var: None,
            apparent_va: None,
            power_factor: None,
        }
    }

    #[test]
    fn relay_is_judged_by_its_state_and_the_current() {
        let shows = |relay_closed| MeterStatus::Plain(PlainStatus { relay_closed, ..PlainStatus::default() });
        let idle = measured(Some(3), Some(1));
        for (closed, meter_status, measured, check) in [
            (false, shows(Some(false)), idle, RelayCheck::AsCommanded),
            (false, shows(Some(false)), measured(None, None), RelayCheck::AsCommanded),
            (false, shows(Some(false)), measured(Some(512), Some(1_100)), RelayCheck::StillConducting),
            (false, shows(Some(false)), measured(None, Some(-400)), RelayCheck::StillConducting),
            (false, shows(Some(true)), idle, RelayCheck::Opposite),
            (true, shows(Some(true)), idle, RelayCheck::AsCommanded),
            (true, shows(Some(false)), idle, RelayCheck::Opposite),
            (true, shows(None), idle, RelayCheck::Unknown),
            (
                false,
                MeterStatus::Plain(PlainStatus { relay_closed: Some(false), relay_fault: Some(true), ..PlainStatus::default() }),
                idle,
                RelayCheck::StillConducting,
            ),
        ] {
            assert_eq!(check_relay(closed, &meter_status, &measured), check, "{closed} {meter_status:?}");
        }
    }
}
