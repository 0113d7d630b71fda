//! A plain relay: told once, looked at until it stands as wished, and believed only then.

use std::time::Duration;

use tokio::time::sleep;

use super::{Engine, SENDS, Step};
use crate::directory::Meter;
use crate::driver::{self, Reading};
use crate::link::{LinkError, Priority};
use crate::recorder::Event;
use domain::alarm_conditions;
use domain::meter_state::{Measurement, MeterStatus};
use model::command::CommandReason;
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries::{self, Ending};

/// How often a relay is looked at after it was told, and the pause before each look. Contacts move within tens of milliseconds;
/// what a meter shows of them, and of the current, follows within seconds.
const LOOKS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(500);

/// How a relay stands to what is wished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// As wished, and no current says otherwise.
    AsWished,
    /// The other way.
    Against,
    /// It shows open, and power still flows: welded or bridged.
    Flows,
    /// It shows neither.
    Unseen,
}

fn stand(closed: bool, meter_status: &MeterStatus, measured: &Measurement) -> Stand {
    let (shown, fault) = match meter_status {
        MeterStatus::Wallet(state) => (Some(state.status.relay_closed()), state.status.relay_fault()),
        MeterStatus::Plain(plain) => (plain.relay_closed, plain.relay_fault == Some(true)),
    };
    let flows = alarm_conditions::flows(measured.current_ca, measured.power_w);
    match shown {
        None => Stand::Unseen,
        Some(shown) if shown != closed => Stand::Against,
        Some(false) if flows || fault => Stand::Flows,
        Some(_) => Stand::AsWished,
    }
}

impl Engine {
    /// Moves one wish about a plain relay as far as it goes now. The meter is read before it is told anything, so a wish that was
    /// sent before a crash, or that somebody at the meter fulfilled, is never sent blindly again.
    pub(super) async fn relay(&self, command: &Command, meter: &Meter, closed: bool) -> Result<Step, StoreError> {
        if deliveries::give_way(&self.db, self.clock.now(), command).await? {
            return Ok(Step::Ended);
        }
        if !meter.profile.abilities.relay || meter.profile.secured.is_some() {
            return self.refuse(command, None, CommandReason::Invalid).await;
        }
        let mut told = None;
        let mut last = None;
        for _ in 0..=LOOKS {
            let seen = match self.observe(meter).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(step),
            };
            let stands = stand(closed, &seen.meter_status, &seen.measurement);
            last = Some((stands, seen));
            match (stands, told) {
                (Stand::AsWished, _) => break,
                (Stand::Against | Stand::Unseen, None) => {
                    // Counted durably before it leaves; nothing counted is a command that ended meanwhile.
                    if deliveries::begin_send(&self.db, self.clock.now(), command).await?.is_none() {
                        return Ok(Step::Ended);
                    }
                    tracing::info!(meter = %meter.id, closed, "delivery.relay");
                    told = Some(driver::switch(meter, Priority::Relay, closed).await);
                }
                _ => {}
            }
            match told {
                Some(Err(LinkError::Exception(0x01..=0x03))) => {
                    return self.refuse(command, None, CommandReason::FrameRefused).await;
                }
                Some(Err(LinkError::NoPassword)) => {
                    return self.observed(command, meter, closed, &seen, Ending::NotPermitted).await;
                }
                Some(Err(LinkError::Refused(refusal))) if refusal.is_of_password() => {
                    return self.observed(command, meter, closed, &seen, Ending::NotPermitted).await;
                }
                // It says itself that it did not: busy, perhaps.
                Some(Err(LinkError::Refused(_))) if command.attempts + 1 < SENDS.into() => {
                    return self.wait(meter.id, CommandReason::Busy).await;
                }
                Some(Err(LinkError::Refused(_))) => return self.observed(command, meter, closed, &seen, Ending::Disobeyed).await,
                Some(Err(LinkError::Unreachable)) => return self.wait(meter.id, CommandReason::Lost).await,
                _ => sleep(PAUSE).await,
            }
        }
        match last {
            Some((Stand::AsWished, seen)) => self.observed(command, meter, closed, &seen, Ending::Done).await,
            // Nobody knows whether it was told: it is read again, and told again where it still stands the other way.
            Some((Stand::Against | Stand::Unseen, _)) | None if told != Some(Ok(())) => {
                self.wait(meter.id, CommandReason::Unconfirmed).await
            }
            Some((_, seen)) => self.observed(command, meter, closed, &seen, Ending::Disobeyed).await,
            None => Ok(Step::Later),
        }
    }

    /// Reads a meter whole, and shows it.
    async fn observe(&self, meter: &Meter) -> Result<Result<Reading, Step>, StoreError> {
        let from = self.clock.now();
        match driver::read(meter, Priority::Relay, &self.clock).await {
            Ok(reading) => {
                self.lock_failures().remove(&meter.id);
                let Reading { at, measurement, meter_status } = reading;
                self.report(Event::Read {
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
            Err(error) => self.unread(meter, error).await.map(Err),
        }
    }

    async fn observed(
        &self,
        command: &Command,
        meter: &Meter,
        closed: bool,
        seen: &Reading,
        ending: Ending,
    ) -> Result<Step, StoreError> {
        let detail = serde_json::json!({
            "command": command.kind, "closed": closed, "status": seen.meter_status.status().0,
            "current_ca": seen.measurement.current_ca, "power_w": seen.measurement.power_w,
        });
        tracing::info!(meter = %meter.id, closed, ?ending, "delivery.relay-observed");
        deliveries::observed(&self.db, &self.rng, seen.at, command, ending, &detail.to_string()).await?;
        Ok(Step::Ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::meter_state::Plain;
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
    fn a_relay_stands_as_it_shows_and_as_the_current_flows() {
        let shows = |relay_closed| MeterStatus::Plain(Plain { relay_closed, ..Plain::default() });
        let idle = measured(Some(3), Some(1));
        for (closed, meter_status, measured, stands) in [
            (false, shows(Some(false)), idle, Stand::AsWished),
            (false, shows(Some(false)), measured(None, None), Stand::AsWished),
            (false, shows(Some(false)), measured(Some(512), Some(1_100)), Stand::Flows),
            (false, shows(Some(false)), measured(None, Some(-400)), Stand::Flows),
            (false, shows(Some(true)), idle, Stand::Against),
            (true, shows(Some(true)), idle, Stand::AsWished),
            (true, shows(Some(false)), idle, Stand::Against),
            (true, shows(None), idle, Stand::Unseen),
            (
                false,
                MeterStatus::Plain(Plain { relay_closed: Some(false), relay_fault: Some(true), ..Plain::default() }),
                idle,
                Stand::Flows,
            ),
        ] {
            assert_eq!(stand(closed, &meter_status, &measured), stands, "{closed} {meter_status:?}");
        }
    }
}
